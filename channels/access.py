"""How people get accounts and ledger rows: admins only, and the words of customers only those who work tickets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _

from agents import history
from agents.models import Person
from channels.models import ChannelAccount, LedgerBody, LedgerItem
from channels.receiver import receiver


def account(person: Person, account_id: int) -> ChannelAccount:
    """The account, for an admin. Raises PermissionDenied, Http404."""
    _admin(person)
    # An account whose credentials nobody can read any more is shown as well: there it is connected again.
    found = ChannelAccount.objects.defer("credentials").filter(pk=account_id).first()
    if found is None:
        raise Http404(_("This account is not here."))
    return found


def item(person: Person, item_id: int) -> LedgerItem:
    """The ledger row without its content, for an admin. Raises PermissionDenied, Http404."""
    _admin(person)
    rows = LedgerItem.objects.select_related("account").defer("account__credentials")
    found = rows.filter(pk=item_id).first()
    if found is None:
        raise Http404(_("This item is not here."))
    return found


@dataclass(frozen=True, slots=True)
class Bodies:
    """Which contents somebody may open: none at all, or all but those of some accounts and kinds."""

    is_open: bool
    hidden_accounts: frozenset[int] = frozenset()
    # What came in by an account that nobody could make out may be for any of its kind.
    hidden_kinds: frozenset[str] = frozenset()

    def may_open(self, found: LedgerItem) -> bool:
        """Whether they may read what this item says."""
        if not self.is_open or found.account_id in self.hidden_accounts:
            return False
        return found.account_id is not None or found.kind not in self.hidden_kinds


def bodies(person: Person) -> Bodies:
    """What of customers' words this person may open: an admin who is also agent or lead, and of accounts that feed a
    confidential queue, or once fed one, only who serves it."""
    if not (person.is_admin and person.works_tickets):
        return Bodies(is_open=False)
    hidden = receiver().hidden_accounts(person)
    if not hidden:
        return Bodies(is_open=True)
    kinds = ChannelAccount.objects.filter(pk__in=hidden).values_list("kind", flat=True)
    return Bodies(is_open=True, hidden_accounts=hidden, hidden_kinds=frozenset(kinds))


def body(person: Person, item_id: int, *, now: datetime) -> tuple[LedgerItem, LedgerBody | None]:
    """The row and its content (None once it is no longer kept), with a history entry that it was opened.

    Raises PermissionDenied for an admin who is neither agent nor lead, or does not serve the confidential queue that
    its account feeds, Http404.
    """
    found = item(person, item_id)
    allowed = bodies(person)
    if not allowed.is_open:
        raise PermissionDenied(_("What customers wrote opens only for an admin who is also agent or lead."))
    if not allowed.may_open(found):
        raise PermissionDenied(_("What came in for a confidential queue opens only for those who serve it."))
    with transaction.atomic():
        content = LedgerBody.objects.filter(pk=item_id).first()
        history.record(at=now, act="ledger.body_opened", actor=person, account_id=found.account_id, item=item_id)
    return found, content


def _admin(person: Person) -> None:
    if not person.is_admin:
        raise PermissionDenied

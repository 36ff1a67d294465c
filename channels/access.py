"""How people get accounts and ledger rows: admins only, and the words of customers only those who work tickets."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _

from agents import history
from agents.models import Person
from channels.models import ChannelAccount, LedgerBody, LedgerItem


def account(person: Person, account_id: int) -> ChannelAccount:
    """The account, for an admin. Raises PermissionDenied, Http404."""
    _admin(person)
    found = ChannelAccount.objects.filter(pk=account_id).first()
    if found is None:
        raise Http404(_("This account is not here."))
    return found


def item(person: Person, item_id: int) -> LedgerItem:
    """The ledger row without its content, for an admin. Raises PermissionDenied, Http404."""
    _admin(person)
    found = LedgerItem.objects.select_related("account").filter(pk=item_id).first()
    if found is None:
        raise Http404(_("This item is not here."))
    return found


def may_open_bodies(person: Person) -> bool:
    """Whether this admin may read what customers wrote: only one who is also agent or lead."""
    return person.is_admin and person.works_tickets


def body(person: Person, item_id: int, *, now: datetime) -> tuple[LedgerItem, LedgerBody | None]:
    """The row and its content (None once it is no longer kept), with a history entry that it was opened.

    Raises PermissionDenied for an admin who is neither agent nor lead, Http404.
    """
    found = item(person, item_id)
    if not may_open_bodies(person):
        raise PermissionDenied(_("What customers wrote opens only for an admin who is also agent or lead."))
    with transaction.atomic():
        content = LedgerBody.objects.filter(pk=item_id).first()
        history.record(at=now, act="ledger.body_opened", actor=person, account_id=found.account_id, item=item_id)
    return found, content


def _admin(person: Person) -> None:
    if not person.is_admin:
        raise PermissionDenied

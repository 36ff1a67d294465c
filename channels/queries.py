"""What the account pages show, as plain values. How many SQL statements each takes is asserted in tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Exists, IntegerField, OuterRef, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from agents.models import Person
from channels import books, health
from channels.access import Bodies, bodies
from channels.adapters import ADAPTERS
from channels.books import Books
from channels.consent import permissions
from channels.health import Health
from channels.models import App, ChannelAccount, LedgerItem, LedgerState
from channels.processing import AUTOMATIC
from channels.receiver import GROUP_DM

ACCOUNTS = 200
# Among so many of an account's filtered items those of groups are counted.
NEWEST_FILTERED = 500
PAGE = 50
STATES = (LedgerState.PROCESSED, LedgerState.FILTERED, LedgerState.QUARANTINED, LedgerState.PENDING)
# What the lists are called in addresses: a state, or `seen` for all of them.
LISTS = ("seen", *STATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One piece of the bar under the books, in percent of its width."""

    name: str
    start: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountsPage:
    """The page of all accounts: today's books over all of them, and a health card each."""

    books: Books
    bar: tuple[Slice, ...]
    cards: tuple[Health, ...]
    # What came for accounts nobody connected, today.
    unknown: Books | None
    # What is quarantined and belongs to no account, of all days: posts that could not even be taken apart.
    unread: int
    more: bool
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPage:
    """The page of one account."""

    card: Health
    address: str
    name: str
    begins_at: datetime
    created_at: datetime
    settings: tuple[tuple[str, str], ...]
    all_days: Books
    is_new: bool
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One item in a list. `may_run_again`: quarantined or filtered, of an account, and so perhaps mendable.

    `may_become_ticket`: filtered because it looks like automatic mail, which somebody may know better.
    """

    id: int
    account_id: int | None
    account: str
    kind: str
    happening: str
    state: str
    state_label: str
    reason: str
    size: int
    attempts: int
    received_at: datetime
    due_at: datetime
    starts_day: date | None
    may_run_again: bool
    may_become_ticket: bool
    may_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerList:
    """One page of a list, newest first. `older` and `newer` are the ids to go on from, None at the ends."""

    state: str
    title: str
    account_id: int | None
    account: str
    rows: tuple[LedgerRow, ...]
    books: Books
    older: int | None
    newer: int | None
    may_run_all_again: bool


def accounts_page(*, now: datetime) -> AccountsPage:
    """All accounts, those in trouble first."""
    today = books.day_of(now)
    wanted = ChannelAccount.objects.defer("credentials").annotate(groups=_groups(now), has_newer_app=_has_newer_app())
    accounts = list(wanted.order_by("address", "id")[: ACCOUNTS + 1])
    figures = books.books_by_account(since=today)
    still_open = books.still_open()
    cards = [
        health.of(
            each,
            books=figures.get(each.pk, Books()),
            still_open=still_open.get(each.pk, (0, 0)),
            groups=each.groups,
            has_newer_app=each.has_newer_app,
            now=now,
        )
        for each in accounts[:ACCOUNTS]
    ]
    total = Books(*(sum(getattr(each, column) for each in figures.values()) for column in books.COLUMNS))
    return AccountsPage(
        books=total,
        bar=_bar(total),
        cards=tuple(sorted(cards, key=lambda card: (health.ORDER[card.level], card.title))),
        unknown=figures.get(None),
        unread=still_open.get(None, (0, 0))[1],
        more=len(accounts) > ACCOUNTS,
        now=now,
    )


def account_page(account: ChannelAccount, *, now: datetime) -> AccountPage:
    """One account with its card, its settings (never a credential) and its books of all days."""
    all_days = books.books(account.pk)
    today = books.books(account.pk, since=books.day_of(now))
    told = ChannelAccount.objects.filter(pk=account.pk).values_list(_groups(now), _has_newer_app())
    groups, has_newer_app = told[0]
    card = health.of(
        account,
        books=today,
        still_open=(all_days.pending, all_days.quarantined),
        groups=groups,
        has_newer_app=has_newer_app,
        now=now,
    )
    return AccountPage(
        card=card,
        address=account.address,
        name=account.name,
        begins_at=account.begins_at,
        created_at=account.created_at,
        settings=_settings(account),
        all_days=all_days,
        is_new=card.is_new,
        now=now,
    )


def ledger_list(
    *,
    person: Person,
    state: str,
    account: ChannelAccount | None = None,
    before: int | None = None,
    after: int | None = None,
) -> LedgerList:
    """The newest 50 items of a list, or the 50 before or after an id. Contents are not read."""
    found = _page(account, state, before=before, after=after)
    backwards = after is not None and before is None
    rows = found[:PAGE]
    if backwards:
        rows.reverse()
    has_further = len(found) > PAGE
    older = backwards or has_further
    newer = has_further if backwards else before is not None
    return LedgerList(
        state=state,
        title=_title(state),
        account_id=account.pk if account else None,
        account=str(account) if account else "",
        rows=tuple(_rows(rows, bodies(person))),
        books=books.books(account.pk if account else None),
        older=rows[-1].pk if rows and older else None,
        newer=rows[0].pk if rows and newer else None,
        may_run_all_again=bool(rows) and account is not None and state == LedgerState.QUARANTINED,
    )


def _groups(now: datetime) -> RawSQL:
    """How many messages an account has heard in groups lately (row 20): a short walk along the index of its filtered
    items, and none for kinds that have no groups."""
    return RawSQL(
        """CASE WHEN channels_channelaccount.kind = 'x' THEN (
            SELECT count(*) FROM (
                SELECT reason, received_at FROM channels_ledgeritem
                WHERE account_id = channels_channelaccount.id AND state = 'filtered' ORDER BY id DESC LIMIT %s
            ) AS newest WHERE reason = %s AND received_at >= %s
        ) ELSE 0 END""",
        (NEWEST_FILTERED, GROUP_DM, now - health.LATELY),
        output_field=IntegerField(),
    )


def _page(account: ChannelAccount | None, state: str, *, before: int | None, after: int | None) -> list[LedgerItem]:
    def of(each: str | None) -> QuerySet[LedgerItem]:
        items = LedgerItem.objects.select_related("account").defer("account__credentials", "digest")
        if account is not None:
            items = items.filter(account=account)
        if each is not None:
            items = items.filter(state=each)
        if before is not None:
            return items.filter(pk__lt=before).order_by("-id")[: PAGE + 1]
        if after is not None:
            return items.filter(pk__gt=after).order_by("id")[: PAGE + 1]
        return items.order_by("-id")[: PAGE + 1]

    if state != "seen":
        return list(of(state))
    if account is None:
        return list(of(None))
    # The index is by account and state: four short walks along it, put together, instead of an index of its own.
    found = [item for each in STATES for item in of(each)]
    return sorted(found, key=lambda item: item.pk, reverse=not (after is not None and before is None))[: PAGE + 1]


def _rows(items: list[LedgerItem], contents: Bodies) -> list[LedgerRow]:
    rows: list[LedgerRow] = []
    day: date | None = None
    for item in items:
        on = books.day_of(item.received_at)
        rows.append(
            LedgerRow(
                id=item.pk,
                account_id=item.account_id,
                account=str(item.account) if item.account else "",
                kind=item.kind,
                happening=item.happening,
                state=item.state,
                state_label=str(LedgerState(item.state).label),
                # Reasons are stored in English and shown in the reader's language where there is a translation.
                reason=_(item.reason) if item.reason else "",
                size=item.size,
                attempts=item.attempts,
                received_at=item.received_at,
                due_at=item.due_at,
                starts_day=on if on != day else None,
                may_run_again=item.account_id is not None
                and item.kind in ADAPTERS
                and item.state in {LedgerState.QUARANTINED, LedgerState.FILTERED},
                may_become_ticket=item.account_id is not None
                and item.state == LedgerState.FILTERED
                and item.reason == AUTOMATIC,
                may_open=contents.may_open(item),
            )
        )
        day = on
    return rows


def _title(state: str) -> str:
    return _("Seen") if state == "seen" else str(LedgerState(state).label)


def _bar(total: Books) -> tuple[Slice, ...]:
    if not total.seen:
        return ()
    start, slices = 0.0, []
    for name, count in (
        ("processed", total.processed),
        ("filtered", total.filtered),
        ("quarantined", total.quarantined),
        ("waiting", total.pending),
    ):
        if count > 0:
            # One item among thousands must still be seen.
            width = max(100 * count / total.seen, 0.4)
            slices.append(Slice(name=name, start=round(min(start, 99.6), 2), width=round(width, 2)))
            start += width
    return tuple(slices)


def _has_newer_app() -> Exists:
    """For a query of accounts: whether another app was entered after theirs, with which they could be connected."""
    return Exists(App.objects.filter(kind=OuterRef("kind"), created_at__gt=OuterRef("app__created_at")))


def _settings(account: ChannelAccount) -> tuple[tuple[str, str], ...]:
    kept = account.settings
    if account.kind == "phone":
        return (
            (_("Number"), account.address),
            (_("Name"), account.name or "–"),
            (_("Country"), str(kept.get("region") or "–")),
            (_("Hook address"), _("stored, never shown again")),
        )
    if account.kind == "x":
        return (
            (_("X's number for it"), account.address),
            (_("App"), account.app.name if account.app else _("gone")),
            (_("Tokens"), _("stored, never shown")),
        )
    if account.kind == "facebook":
        return (
            (_("Page ID"), account.address),
            (_("Category"), str(kept.get("category") or "–")),
            (_("App"), account.app.name if account.app else _("gone")),
            (_("Tells us at once"), _yes(bool(kept.get("subscribed")) and bool(kept.get("hooked")))),
            (_("Missing permissions"), _missing(kept.get("missing")) or _("none")),
            (_("Token"), _("stored, never shown")),
        )
    if account.kind != "email" or "imap_host" not in kept:
        return ()
    names = {"tls": "TLS", "starttls": "STARTTLS", "none": _("no encryption")}

    def server(way: str) -> str:
        security = names.get(str(kept.get(f"{way}_security")), "")
        return f"{kept.get(f'{way}_host')}:{kept.get(f'{way}_port')}, {security}"

    return (
        (_("Reading (IMAP)"), server("imap")),
        (_("Sending (SMTP)"), server("smtp")),
        (_("User name"), str(kept.get("username", ""))),
        (_("Password"), _("stored, never shown")),
    )


def _yes(given: bool) -> str:
    return _("yes") if given else _("no, it is only asked")


def _missing(scopes: object) -> str:
    """What is missing and what that costs; by its own name, too, because Facebook's dialog is asked for that."""
    named = scopes if isinstance(scopes, list) else []
    return " ".join(f"{permissions.words_of(str(scope))} ({scope})" for scope in named)

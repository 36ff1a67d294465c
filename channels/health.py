"""How an account is: one card of plain words, and the one thing an admin can do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from channels.asides import ASIDES, asides_of, sentence
from channels.books import Books
from channels.consent import permissions
from channels.consent.registering import APP_CODES
from channels.models import AccountState, ChannelAccount
from channels.spans import clock, span

Level = Literal["late", "soon", "fine"]
ORDER: dict[str, int] = {"late": 0, "soon": 1, "fine": 2}

# A few failures in a row are any network's bad minute; beyond these somebody should look.
FAILURES_BEFORE_LATE = 5
LAG_LATE = timedelta(minutes=15)
LAG_SOON = timedelta(minutes=5)
TOKEN_SOON = timedelta(days=14)
# What a card tells of the past goes back this far.
LATELY = timedelta(days=7)

# Kinds that are connected, and connected again, by consent at the network: where that begins.
CONSENTS = {"x": "consent:x-start", "facebook": "consent:facebook-start"}
# Where the network does not know our app by its id and secret, another consent is in vain: where those are entered.
APPS = {"x": "channels:x-app", "facebook": "channels:facebook-app"}
# What no trying again mends and another consent may: a permission is missing, or the network says no more than no.
LACKING = ("not-permitted", "forbidden")
# What a network says while nothing is left of what it allows.
USED_UP = ("rate-limit", "usage-cap", "no-credits")
ICONS = {"x": "brand-x", "facebook": "brand-facebook", "email": "mail", "phone": "phone"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """The button that mends it: a link, or (`post`) a form of one button."""

    label: str
    url: str
    icon: str
    post: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How much a network still lets us ask."""

    label: str
    words: str
    left: float
    of: float
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One card. `lag` and `token` are empty where the kind has none; `is_new`: never switched on so far."""

    id: int
    kind: str
    icon: str
    title: str
    about: str
    level: Level
    state: str
    state_icon: str
    is_paused: bool
    is_new: bool
    polled_at: datetime | None
    polled: str
    # When the network last told something by itself; empty for kinds that are only asked.
    heard: str
    lag: str
    lag_level: Level
    token: str
    token_level: Level
    quota: Quota | None
    waiting: int
    quarantined: int
    # What was said in groups, in words; empty where nothing was.
    groups: str
    trouble: str
    mend: Mend | None
    # Another way to mend it, where nobody here can know which of the two it is.
    else_mend: Mend | None
    last_trouble: str
    books: Books


def of(
    account: ChannelAccount,
    *,
    books: Books,
    still_open: tuple[int, int],
    now: datetime,
    groups: int = 0,
    has_newer_app: bool = False,
) -> Health:
    """The card of an account. `still_open` are its waiting and quarantined items of all days; `groups` counts the
    messages of groups it heard within LATELY; `has_newer_app`: another app than its own was entered since."""
    is_phone = account.kind == "phone"
    is_polled = account.next_poll_at is not None and not is_phone
    is_paused = account.state == AccountState.PAUSED
    # A phone line runs from the moment it is connected.
    is_new = is_paused and account.polled_at is None and account.heard_at is None and not is_phone
    lag = now - (account.caught_up_at or account.begins_at) if is_polled and not is_new else None
    waiting, quarantined = still_open
    verdict = _verdict(
        account,
        lag=lag,
        is_new=is_new,
        quarantined=quarantined,
        books=books,
        has_newer_app=has_newer_app,
        now=now,
    )
    last = account.polled_at if is_polled else account.heard_at
    return Health(
        id=account.pk,
        kind=account.kind,
        icon=ICONS.get(account.kind, "plug-connected"),
        title=title(account),
        about=_about(account),
        level=verdict.level,
        state=verdict.state,
        state_icon={"late": "alert-circle", "soon": "alert-triangle", "fine": "circle-check"}[verdict.level],
        is_paused=is_paused,
        is_new=is_new,
        polled_at=last,
        polled=_ago(last, now) if last else "",
        heard=_heard(account, now),
        lag="" if lag is None or is_paused else span(lag),
        lag_level=_lag_level(lag),
        token=_token(account, now),
        token_level=_token_level(account, now),
        quota=_quota(account, now),
        waiting=waiting,
        quarantined=quarantined,
        groups=_groups(groups),
        trouble=verdict.trouble,
        mend=verdict.mend,
        else_mend=verdict.else_mend,
        last_trouble="" if verdict.trouble else _last_trouble(account, now),
        books=books,
    )


@dataclass(frozen=True, slots=True)
class _Verdict:
    level: Level
    state: str
    trouble: str = ""
    mend: Mend | None = None
    else_mend: Mend | None = None


def _verdict(
    account: ChannelAccount,
    *,
    lag: timedelta | None,
    is_new: bool,
    quarantined: int,
    books: Books,
    has_newer_app: bool,
    now: datetime,
) -> _Verdict:
    """How bad it is, its name, why, and what to do: the worst thing first."""

    def mend(label: str, name: str, icon: str, *, post: bool = False, **more: str) -> Mend:
        url = reverse(f"channels:{name}", kwargs={"account_id": account.pk, **more})
        return Mend(label=label, url=url, icon=icon, post=post)

    if account.state == AccountState.REFUSED:
        why = sentence(account.error_text or _("The network no longer accepts our access."))
        if account.error_code in APP_CODES and account.kind in APPS:
            words = _("%(why)s Nothing is lost: it goes on from there once our app is entered right.") % {"why": why}
            if has_newer_app:
                # The network may know this app no more: then no secret is right, and only a consent to the other mends.
                words += " " + _("Where it was replaced by the app entered since, connect it again with that one.")
            form = f"{reverse(APPS[account.kind])}?app={account.app_id}"
            enter = Mend(label=_("Enter our app anew"), url=form, icon="key")
            return _Verdict("late", _("Stopped"), words, enter, _consent(account) if has_newer_app else None)
        words = _("%(why)s Nothing is lost: it goes on from there once you connect it again.") % {"why": why}
        again = _consent(account) or mend(_("Connect again"), "edit", "plug-connected")
        return _Verdict("late", _("Stopped"), words, again)
    if is_new:
        words = _("Nothing is fetched and nothing is sent yet.")
        return _Verdict("soon", _("Not switched on"), words, mend(_("See what would come in"), "preview", "eye"))
    if account.state == AccountState.PAUSED:
        return _Verdict("soon", _("Paused"), _paused(account), mend(_("Switch on"), "resume", "player-play", post=True))
    if not books.balanced:
        words = _("An item is missing or counted twice. Please tell whoever runs this server.")
        return _Verdict("late", _("Books not even"), words)
    if account.failures:
        words = _tried_again(account, now)
        anew = _consent(account) if account.error_code in LACKING else None
        try_now = anew or mend(_("Try now"), "poll-now", "refresh", post=True)
        if account.failures >= FAILURES_BEFORE_LATE or _lag_level(lag) == "late":
            return _Verdict("late", _("Not reached"), words, try_now)
        return _Verdict("soon", _("Needs a look"), words, try_now)
    if _lag_level(lag) == "late":
        words = _("Nothing has been fetched for %(span)s. Is the worker for polling running?") % {"span": span(lag)}
        return _Verdict("late", _("Behind"), words, mend(_("Try now"), "poll-now", "refresh", post=True))
    asides = " ".join(asides_of(account))
    lacks = _lacks(account, now)
    if lacks:
        words = f"{asides} {' '.join(lacks)}".strip()
        return _Verdict("soon", _("Needs a look"), words, _consent(account))
    if quarantined:
        words = ngettext(
            "%(count)d item could not be read. It is kept, the rest came in.",
            "%(count)d items could not be read. They are kept, the rest came in.",
            quarantined,
        ) % {"count": quarantined}
        label = ngettext("Look at the %(count)d item", "Look at the %(count)d items", quarantined)
        look = mend(label % {"count": quarantined}, "account-ledger", "eye", state="quarantined")
        return _Verdict("soon", _("Needs a look"), f"{asides} {words}".strip(), look)
    if asides:
        return _Verdict("soon", _("Needs a look"), asides)
    if account.kind == "phone" and account.heard_at is None:
        return _Verdict("fine", _("Waits for a call"))
    return _Verdict("fine", _("Healthy"))


def _consent(account: ChannelAccount) -> Mend | None:
    """The way to another consent; None for kinds that are not connected by one."""
    if account.kind not in CONSENTS:
        return None
    return Mend(label=_("Connect again"), url=reverse(CONSENTS[account.kind]), icon="plug-connected")


def _tried_again(account: ChannelAccount, now: datetime) -> str:
    """Why a poll did not come through, and when there is another: a network may wish to be left alone for an hour."""
    told = {"why": sentence(account.error_text)}
    due_at = account.next_poll_at
    if due_at is None or due_at - now < timedelta(minutes=1):
        return _("%(why)s Nothing is lost: it is tried again by itself.") % told
    told["time"] = clock(due_at, now)
    return _("%(why)s Nothing is lost: it is tried again by itself at %(time)s.") % told


def title(account: ChannelAccount) -> str:
    """What people call an account: its address, but the name where the address is a network's number for it."""
    return called(account.kind, account.address, account.name)


def called(kind: str, address: str, name: str) -> str:
    """The same of an account that is not at hand as a whole."""
    return name if kind in CONSENTS and name else address


def _lacks(account: ChannelAccount, now: datetime) -> list[str]:
    """What connecting a Page again would mend, a sentence each."""
    if account.kind != "facebook":
        return []
    found = permissions.lacks(account.settings)[:ASIDES]
    ends_at = account.token_expires_at
    if ends_at is not None and ends_at - now <= TOKEN_SOON:
        found.append(_("Facebook's permission ends %(time)s unless it is given again.") % {"time": clock(ends_at, now)})
    return found


def _paused(account: ChannelAccount) -> str:
    if account.kind == "phone":
        return _("Calls are kept and make no ticket. They can be processed again later.")
    if account.kind == "facebook":
        return _("Nothing is fetched and nothing is sent. What Facebook tells us meanwhile is kept and comes in later.")
    return _("Nothing is fetched and nothing is sent. What waits to be sent stays queued.")


def _groups(count: int) -> str:
    """Row 20: nobody shall wonder where they went, or believe that somebody answers there."""
    if not count:
        return ""
    return ngettext(
        "%(count)d message in a group within a week. It was filtered: we never answer into groups.",
        "%(count)d messages in groups within a week. They were filtered: we never answer into groups.",
        count,
    ) % {"count": count}


def _heard(account: ChannelAccount, now: datetime) -> str:
    if account.kind != "facebook":
        return ""
    return _ago(account.heard_at, now) if account.heard_at else _("nothing yet")


def _ago(moment: datetime, now: datetime) -> str:
    return _("%(time)s, %(span)s ago") % {"time": clock(moment, now), "span": span(now - moment)}


def _about(account: ChannelAccount) -> str:
    kinds = {
        "email": _("Mailbox · IMAP and SMTP"),
        "x": _("Mentions, direct messages"),
        "facebook": _("Comments, Messenger"),
        "phone": _("Phone line · call events"),
    }
    about = kinds.get(account.kind, account.kind)
    return f"{account.name} · {about}" if account.name and account.name != title(account) else about


def _lag_level(lag: timedelta | None) -> Level:
    if lag is None or lag < LAG_SOON:
        return "fine"
    return "late" if lag >= LAG_LATE else "soon"


def _token(account: ChannelAccount, now: datetime) -> str:
    if account.kind == "x":
        # Two hours long and renewed before it ends: a date would only frighten.
        return _("refused") if account.state == AccountState.REFUSED else _("renews itself")
    if account.kind == "facebook" and account.state == AccountState.REFUSED:
        return _("refused")
    expires_at = account.token_expires_at
    if expires_at is None:
        return _("does not end") if account.kind == "facebook" else ""
    if expires_at <= now:
        return _("expired %(time)s") % {"time": clock(expires_at, now)}
    return _("%(span)s left") % {"span": span(expires_at - now)}


def _token_level(account: ChannelAccount, now: datetime) -> Level:
    if account.kind in CONSENTS and account.state == AccountState.REFUSED:
        return "late"
    if account.kind == "x":
        return "fine"
    expires_at = account.token_expires_at
    if expires_at is None or expires_at - now > TOKEN_SOON:
        return "fine"
    return "late" if expires_at <= now else "soon"


def _quota(account: ChannelAccount, now: datetime) -> Quota | None:
    """What the adapter told of its quota: `left` and `of`, perhaps `label` and `resets_at` (ISO 8601)."""
    left, most = account.quota.get("left"), account.quota.get("of")
    if not isinstance(left, int | float) or not isinstance(most, int | float) or most <= 0:
        return None
    full_again = _moment(account.quota.get("resets_at"))
    if account.failures and account.error_code in USED_UP:
        # The network says so by now; what its last good answer told of the quota is of the past.
        left, full_again = 0, full_again if full_again is not None and full_again > now else None
    words = _("%(left)s of %(most)s") % {"left": left, "most": most}
    if full_again is not None:
        words = _("%(words)s, full again %(time)s") % {"words": words, "time": clock(full_again, now)}
    level: Level = "late" if left <= 0 else "soon" if left < most / 10 else "fine"
    return Quota(label=str(account.quota.get("label") or _("Calls left")), words=words, left=left, of=most, level=level)


def _moment(value: object) -> datetime | None:
    """An adapter's ISO time; None for anything else, which costs the card half a line and never the page."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _last_trouble(account: ChannelAccount, now: datetime) -> str:
    if not account.error_at or not account.error_text:
        return _("No trouble so far.")
    told = {"time": clock(account.error_at, now), "why": sentence(account.error_text)}
    return _("Last trouble, %(time)s: %(why)s") % told

"""What is wrong with an account, in sentences: its last error while that lasts, else what does not come in although
it works."""

from __future__ import annotations

from django.utils.translation import gettext as _

from channels.models import AGAIN, AccountState, ChannelAccount

# A card is read at a glance: no more sentences than these about what does not come in.
ASIDES = 3


def wrong_now(account: ChannelAccount) -> str:
    """Its last error while that lasts, else what does not come in although it works; empty where all is well."""
    if account.state == AccountState.REFUSED:
        return account.error_text or _("The network no longer accepts our access.")
    if account.failures:
        return account.error_text
    return " ".join(_told(account)) if account.state == AccountState.ACTIVE else ""


def _told(account: ChannelAccount) -> list[str]:
    """What does not come in although the account works, a sentence each, as the adapter told it (`words`)."""
    told = account.quota.get("words")
    return [sentence(str(each)) for each in told[:ASIDES] if each] if isinstance(told, list) else []


def asides_of(account: ChannelAccount) -> list[str]:
    """What an admin should know of an account that works."""
    asides = _told(account)
    again = account.quota.get(AGAIN)
    if isinstance(again, dict):
        # Row 29: a change that is noticed late shall surprise nobody.
        words = _(
            "%(of)s posts of live tickets are looked at for edits and deletions, %(looked)s at a time in turn: "
            "some changes show later."
        )
        asides.append(words % {"of": again.get("of"), "looked": again.get("looked")})
    return asides


def sentence(words: str) -> str:
    """The words with a full stop, so that another sentence can follow."""
    words = words.strip()
    return words if not words or words[-1] in ".!?…" else f"{words}."

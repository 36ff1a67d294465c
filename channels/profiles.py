"""Asking Facebook what somebody on Messenger is called: its webhooks tell only their number."""

from __future__ import annotations

from datetime import datetime, timedelta

from channels.adapters.base import PollError
from channels.adapters.facebook import FacebookAdapter
from channels.connections import ready_connection_of
from channels.consent.problem import ConsentProblem
from channels.models import AccountState, ChannelAccount
from contactcentre.lib.secrets import CannotDecrypt

# How long Facebook may take for one name.
SECONDS = 10.0


class NotAnswered(Exception):
    """Nobody could be asked just now. The text says why; `retry_after` is Facebook's own wish."""

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def name_of(*, page: str, psid: str, now: datetime) -> str:
    """What the person with this id on this Page of ours is called, empty where Facebook refuses to tell for good.

    Never inside a transaction: Facebook is waited for. Raises NotAnswered, also where the Page is paused or its
    permission has ended.
    """
    account = ChannelAccount.objects.filter(kind="facebook", address=page, state=AccountState.ACTIVE).first()
    if account is None:
        raise NotAnswered("the Page is not connected")
    try:
        connection = ready_connection_of(account, now=now)
        found = FacebookAdapter(seconds=SECONDS).profile(connection, psid)
    except PollError as error:
        raise NotAnswered(str(error), retry_after=error.retry_after) from error
    except (ConsentProblem, CannotDecrypt) as error:
        raise NotAnswered(str(error)) from error
    return found.name if found else ""

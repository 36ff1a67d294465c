"""What an adapter is: one class per channel kind that translates and does nothing else.

No ORM, no tickets, no retries. Failures are typed: PollError, PayloadError (with NotOurs for what is filtered) and
DeliveryError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import BinaryIO, Protocol

from channels.happenings import Happening, Outgoing, RawItem, Sent
from contactcentre.lib.secrets import Credentials


class PayloadError(Exception):
    """A provider's item that cannot be read. The text says why, in words an admin can use."""


class NotOurs(Exception):
    """A provider's item that is well understood and none of our business, such as a repost.

    The text is the reason it is filtered for, marked with gettext_noop. Raised before anything was yielded.
    """


class DeliveryError(Exception):
    """The provider did not take our call, or may not have.

    `permanent`: trying again is no use. `retry_after`: the provider's own wish. `outcome_unknown`: the bytes
    may have been applied (5xx, a reset or time-out after they left), so nobody may send them again blindly.
    `code` is a stable word for the books, such as `refused-recipient`; `credentials` is True where the
    network no longer accepts ours.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        retry_after: timedelta | None = None,
        outcome_unknown: bool = False,
        code: str = "",
        credentials: bool = False,
    ) -> None:
        if permanent and outcome_unknown:
            raise ValueError("a failure is permanent or its outcome is unknown, never both")
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after
        self.outcome_unknown = outcome_unknown
        self.code = code
        self.credentials = credentials


class PollError(Exception):
    """A poll that did not come through. Nothing is lost: the cursor stays where it was.

    `credentials` is True where the network refuses ours, so that only a person can mend it.
    """

    def __init__(
        self, message: str, *, code: str = "", credentials: bool = False, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.credentials = credentials
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """All an adapter may know of an account. `own` are the addresses that are ours, on this channel kind."""

    account_id: int
    kind: str
    address: str
    name: str
    settings: Mapping[str, object]
    credentials: Credentials
    begins_at: datetime
    own: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """One page of a poll. `cursor` is committed together with the items' ledger rows; `more` asks for
    another page at once. `quota` and `token_expires_at` are for the health card.

    `reached` is False where the adapter stopped early (its own budget), so that lag is not called zero.
    """

    items: tuple[RawItem, ...]
    cursor: dict[str, object]
    more: bool = False
    quota: dict[str, object] = field(default_factory=dict)
    token_expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a look at the provider's side found out about a row whose outcome is unknown.

    `external_id` is set where it is there. Absent, `absence_proves` says whether not being there now means it
    never arrived, so that one retry is safe; else a person decides.
    """

    external_id: str = ""
    reference: str = ""
    absence_proves: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """The answer of the "test" button: `ok` and plain words for each thing that was tried."""

    ok: bool
    words: tuple[str, ...]


Opener = Callable[[str], BinaryIO]


class Adapter(Protocol):
    """One channel kind. `opener` opens a stored file by its path."""

    kind: str

    def poll(self, connection: Connection, cursor: Mapping[str, object], *, now: datetime) -> Polled:
        """What is new since the cursor. Raises PollError."""
        ...

    def parse(self, item: RawItem, connection: Connection) -> Iterator[Happening]:
        """What one ledger item says, usually one happening. Raises PayloadError, NotOurs."""
        ...

    def send(
        self, connection: Connection, outgoing: Outgoing, *, opener: Opener, still_ours: Callable[[], bool]
    ) -> Sent:
        """Hand it to the provider. `still_ours` is asked just before the bytes leave; raises DeliveryError."""
        ...

    def look(self, connection: Connection, outgoing: Outgoing, *, since: datetime) -> Looked:
        """Whether a row whose outcome is unknown arrived. Raises DeliveryError where the look itself failed."""
        ...

    def try_out(self, connection: Connection) -> Tried:
        """Whether the account can be read and written, without changing anything there."""
        ...

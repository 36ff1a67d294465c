"""The one failure of consent: a permission that could not be had, or not be renewed."""

from __future__ import annotations

from datetime import timedelta


class ConsentProblem(Exception):
    """The permission could not be had or renewed. The text says why, in words an admin can use.

    `credentials` is True where only a person can mend it; else it may work in a while, or after `retry_after`.
    """

    def __init__(
        self, message: str, *, code: str, credentials: bool = False, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.credentials = credentials
        self.retry_after = retry_after

"""Reading the ids that addresses and forms name."""

from __future__ import annotations

# So many digits always fit PostgreSQL's bigint.
_DIGITS = 18
# What PostgreSQL's bigint holds.
HIGHEST_ID = 2**63 - 1


def identifier(text: str) -> int | None:
    """The id that a text is; None for no text, and for what cannot be one.

    ASCII digits only: `isdigit()` says yes to ² too, which int() refuses, and to the digits of every other script.
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


class IdConverter:
    """`<id:ticket_id>` in an address: only what the database can hold is one, anything else leads nowhere (404)."""

    regex = f"[0-9]{{1,{_DIGITS}}}"

    def to_python(self, value: str) -> int:
        """The id."""
        return int(value)

    def to_url(self, value: object) -> str:
        """The id as it stands in an address."""
        return str(value)

"""Look-ups that Django has not: ILIKE, which an index of trigrams answers.

Django's icontains asks PostgreSQL for UPPER(column) LIKE UPPER(text); no index over the column knows that, and every
row is read. ILIKE is answered by a GIN index with gin_trgm_ops (PostgreSQL, appendix F.36.4, index support).
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import CharField, Lookup


@CharField.register_lookup
class HasText(Lookup):
    """`name__has_text="ann"`: the text is in the column somewhere, in capitals or not. %, _ and \\ mean themselves."""

    lookup_name = "has_text"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """The condition for PostgreSQL."""
        column, values = self.process_lhs(compiler, connection)
        wanted = connection.ops.prep_for_like_query(self.rhs)
        return f"{column} ILIKE %s", [*values, f"%{wanted}%"]


@CharField.register_lookup
class Like(Lookup):
    """`name__like=pattern("ann")`: the same for a pattern, which reaches the database as it is (see prepared.py)."""

    lookup_name = "like"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """The condition for PostgreSQL."""
        column, values = self.process_lhs(compiler, connection)
        return f"{column} ILIKE %s", [*values, self.rhs]


def pattern(text: str) -> str:
    """The pattern that has_text makes of a text."""
    return f"%{connection.ops.prep_for_like_query(text)}%"

"""A look-up that Django has not: ILIKE, which an index of trigrams answers.

Django's icontains asks PostgreSQL for UPPER(column) LIKE UPPER(text); no index over the column knows that, and every
row is read. ILIKE is answered by a GIN index with gin_trgm_ops (PostgreSQL, appendix F.36.4, index support).
"""

from __future__ import annotations

from typing import Any

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

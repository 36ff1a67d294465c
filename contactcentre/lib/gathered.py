"""Small queries that a page asks at the same moment, in one statement.

A statement costs the application and PostgreSQL a fifth of a millisecond each before it has read a row, and the driver
makes an object for each of its columns. Five queries of a row or two are one statement here, a JSON value each.
For few rows: of thirty mails the JSON costs PostgreSQL more than the four statements less.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from inspect import signature
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import DateTimeField, QuerySet

from contactcentre.lib.prepared import Kept, Value

Rows = list[list[Any]]


class Gathered(Kept):
    """Queries by `builds`, each of which takes those of the values that its parameters name: see Prepared.

    Each gives a values_list() of plain columns, or whole models, whose rows PreparedRows.made() takes. Ordered ones
    come ordered; one without a limit of its own has none.
    """

    def __init__(self, name: str, *builds: Callable[..., QuerySet[Any, Any]]) -> None:
        super().__init__(name)
        self._builds = [(build, frozenset(signature(build).parameters)) for build in builds]
        # Which columns of each hold times, told when the SQL is written: the same whatever the values.
        self._times: list[list[int]] = []

    def rows(self, **values: Value) -> list[Rows]:
        """The rows of each query, in their order: times are times, and a JSON column is what it says."""
        ((told,),) = self._found(None, (), values)
        found: list[Rows] = [rows or [] for rows in json.loads(told)]
        for rows, places in zip(found, self._times, strict=True):
            for row in rows:
                for place in places:
                    if row[place] is not None:
                        row[place] = datetime.fromisoformat(row[place])
        return found

    def _sql(self, _shape: tuple[Hashable, ...], values: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
        parts: list[str] = []
        parameters: list[Any] = []
        times: list[list[int]] = []
        for build, takes in self._builds:
            query = build(**{name: value for name, value in values.items() if name in takes}).query
            compiler = query.get_compiler(DEFAULT_DB_ALIAS)
            sql, given = compiler.as_sql()
            fields = [selected[0].output_field for selected in compiler.select]
            # Named by their places: those of two tables that are joined may have the same name.
            names = ", ".join([f"c{place}" for place in range(len(fields))])
            parts.append(f"(SELECT json_agg(json_build_array({names})) FROM ({sql}) AS q ({names}))")  # noqa: S608
            parameters += given
            times.append([place for place, field in enumerate(fields) if isinstance(field, DateTimeField)])
        self._times = times
        # As text, which is the same bytes: the driver would look for a reader of JSON and ask it.
        return f"SELECT json_build_array({', '.join(parts)})::text", tuple(parameters)

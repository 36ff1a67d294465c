"""SQL that is written by hand because no queryset says it, planned once a connection like all that must be quick
(plans.py), and rows of models out of what it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model

from contactcentre.lib.plans import Asked, Statement
from contactcentre.lib.prepared import read

Row = TypeVar("Row", bound=Model)


class ByHand:
    """A statement with a `%s` for each value. Names and constants stand in its text, which is our own."""

    def __init__(self, name: str, sql: str) -> None:
        places = sql.count("%s")
        self._statement = Statement(name, sql, [None] * places, range(places))

    def asked(self, *values: Any) -> Asked:
        """The statement with these values, for plans.in_turn()."""
        return self._statement, values

    def rows(self, *values: Any) -> list[tuple[Any, ...]]:
        """What it finds, as the driver reads it."""
        return self._statement.rows(values)

    def first(self, *values: Any) -> tuple[Any, ...] | None:
        """The first row of what it finds, or None."""
        return next(iter(self.rows(*values)), None)

    def run(self, *values: Any) -> None:
        """Carry it out, for what it changes."""
        self._statement.rows(values)


def selected(model: type[Model], names: Iterable[str], table: str) -> str:
    """These columns as a SELECT names them, of the table that is called so there."""
    by_name = {field.attname: field.column for field in model._meta.concrete_fields}
    return ", ".join(f'{table}."{by_name[name]}"' for name in names)


def made(model: type[Row], names: tuple[str, ...], values: Sequence[Any]) -> Row:
    """The row with these columns as the driver read them: JSON is parsed, what is encrypted is opened.

    Any other column is asked for when somebody wants it. Raises what opening raises.
    """
    opened = list(values)
    for place, convert in _converters(model, names):
        opened[place] = convert(opened[place], None, connection)
    return read(model, names, opened)


@cache
def _converters(model: type[Model], names: tuple[str, ...]) -> list[tuple[int, Callable[..., Any]]]:
    """What reads those of the columns that the driver does not read as they are, by their places."""
    by_name = {field.attname: field for field in model._meta.concrete_fields}
    found = [(place, getattr(by_name[name], "from_db_value", None)) for place, name in enumerate(names)]
    return [(place, convert) for place, convert in found if convert is not None]

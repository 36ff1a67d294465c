"""Queries whose SQL Django writes once a process, for the pages and the intake that must be quick.

Django turns a queryset into SQL anew at every call; on a page of a dozen queries that is a third of its work. Here
the queryset is built once with marks instead of values, and its SQL is kept with the places of the marks. The rules
in it (who may see what) stay where they are written, in querysets. PostgreSQL plans them once a connection (plans.py).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Generic, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models import Field, Model, QuerySet
from django.db.models.base import ModelState

from contactcentre.lib.plans import Asked, Statement, in_turn

Value = int | str | datetime | list[int]
Row = TypeVar("Row", bound=Model)
# A statement, and which of the values goes to each of its places.
_Written = tuple[Statement, list[int]]
# Far from every id and every time there is.
_NUMBER = -(10**15)
_TIME = datetime(1, 1, 2, tzinfo=UTC)


class Kept(ABC):
    """SQL that is written once a process, for each set of values it is asked with, and then only given values."""

    def __init__(self, name: str, *, anew: bool = False) -> None:
        self._name = name
        self._anew = anew
        self._known: dict[Hashable, _Written] = {}

    @abstractmethod
    def _sql(self, shape: tuple[Hashable, ...], values: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
        """The SQL and its parameters, the given values among them as they are."""

    def _found(self, limit: int | None, shape: tuple[Hashable, ...], values: Mapping[str, Value]) -> list[Any]:
        stretched = {name: _stretched(value) if isinstance(value, list) else value for name, value in values.items()}
        names: list[Hashable] = []
        given: list[Any] = []
        for name, value in stretched.items():
            if isinstance(value, list):
                names.append((name, len(value)))
                given += value
            else:
                names.append(name)
                given.append(value)
        if limit is not None:
            given.append(limit)
        key = (shape, limit is not None, tuple(names))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._written(shape, stretched, limited=limit is not None)
        statement, order = known
        return statement.rows([given[index] for index in order])

    def _written(self, shape: tuple[Hashable, ...], values: Mapping[str, Value], *, limited: bool) -> _Written:
        """The statement, and which of the values goes to each of its places."""
        marks: list[Any] = []
        marked: dict[str, Any] = {}
        for name, value in values.items():
            mine = [_mark(one, len(marks) + index) for index, one in enumerate(_each(value))]
            marks += mine
            marked[name] = mine if isinstance(value, list) else mine[0]
        sql, parameters = self._sql(shape, marked)
        places = [position for position, one in enumerate(parameters) if one in marks]
        order = [marks.index(parameters[position]) for position in places]
        if len(set(order)) < len(marks):
            # Kept so, it would answer everybody with what the first one asked.
            raise ValueError(f"not every value of {', '.join(values)} reaches the database as it is given")
        if limited:
            sql, parameters = f"{sql} LIMIT %s", (*parameters, None)
            places.append(len(parameters) - 1)
            order.append(len(marks))
        return Statement(self._name, sql, parameters, places, anew=self._anew), order


class Prepared(Kept):
    """A query by `build(*shape, **values)`, a values_list() of plain columns.

    `shape` is all that changes the text of the SQL: which filters there are, how many rows at most. `values` are
    numbers, words, times and lists of numbers. They must reach the database as they are: build() may put them into
    filters and nothing else. A list is taken for a set: build() gets one longer than it is, so that not every length
    is a statement of its own, with the last number repeated. `anew`: see Statement.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Any]], *, anew: bool = False) -> None:
        super().__init__(build.__name__, anew=anew)
        self._build = build

    def rows(self, *shape: Hashable, **values: Value) -> list[tuple[Any, ...]]:
        """What the query finds, as the driver reads it (a JSON column is text)."""
        return self._found(None, shape, values)

    def top(self, limit: int, /, *shape: Hashable, **values: Value) -> list[tuple[Any, ...]]:
        """The same of a query that is ordered and not sliced: at most so many rows.

        PostgreSQL does not know the limit when it plans, and so plans for the first rows: it walks the index that has
        the order, where it might sort all there is. For values behind which there are mostly few rows, and once in a
        while a million: it costs nothing for the few. Where there are always many a slice in the query is right.
        """
        return self._found(limit, shape, values)

    def _sql(self, shape: tuple[Hashable, ...], values: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
        return self._build(*shape, **values).query.sql_with_params()


class PreparedRows(Generic[Row]):
    """The same for whole rows: `build` gives a queryset of models, with those of `related` by select_related().

    For columns that the driver reads as they are: no JSON, nothing encrypted.
    """

    def __init__(self, build: Callable[..., QuerySet[Row]], model: type[Row], *related: str) -> None:
        self._query = Prepared(build)
        self._model = model
        # In the order in which Django selects them: that of the model's own fields.
        self._related = [
            (field.name, cast(type[Model], field.related_model), columns(cast(type[Model], field.related_model)))
            for field in model._meta.concrete_fields
            if field.name in related
        ]
        self._columns = columns(model)

    def all(self, *shape: Hashable, **values: Value) -> list[Row]:
        """What the query finds."""
        return [self.made(row) for row in self._query.rows(*shape, **values)]

    def first(self, *shape: Hashable, **values: Value) -> Row | None:
        """The first of what it finds, or None."""
        return next(iter(self.all(*shape, **values)), None)

    def made(self, row: Sequence[Any]) -> Row:
        """The model of a row of this query, whoever has read it."""
        place = len(self._columns)
        made = read(self._model, self._columns, row[:place])
        for name, model, names in self._related:
            values, place = row[place : place + len(names)], place + len(names)
            # Every table of ours begins with its key, which is empty where there is no such row.
            setattr(made, name, read(model, names, values) if values[0] is not None else None)
        return made


def read(model: type[Row], names: Sequence[str], values: Iterable[Any]) -> Row:
    """The model of a row that was read, `names` by columns(): as from_db() makes it, in a fifth of the time.

    No signal is sent, and no field looks at its value once more.
    """
    made = model.__new__(model)
    made._state = ModelState()
    made._state.adding, made._state.db = False, DEFAULT_DB_ALIAS
    made.__dict__.update(zip(names, values, strict=True))
    return made


def insert(row: Model) -> None:
    """Write a new row and give it its number: what create() does, without compiling anything."""
    ((number,),) = in_turn(inserting(row))
    is_stored(row, number)


def inserting(row: Model) -> Asked:
    """What insert() tells the database, for plans.in_turn(); it finds the row's number."""
    statement, fields = _insert_of(type(row))
    return statement, [stored(row, field) for field in fields]


def is_stored(row: Model, number: int) -> None:
    """Have a row know that it stands in the database now, under this number."""
    row.pk = number
    row._state.adding = False
    row._state.db = DEFAULT_DB_ALIAS


def update(row: Model, names: tuple[str, ...]) -> None:
    """Write these columns of a row: what save(update_fields=…) does, without compiling anything."""
    in_turn(updating(row, names))


def updating(row: Model, names: tuple[str, ...]) -> Asked:
    """What update() tells the database, for plans.in_turn()."""
    statement, fields = _update_of(type(row), names)
    return statement, [*(stored(row, field) for field in fields), row.pk]


# Fields whose values the driver writes as they are; Django goes five calls deep to find that out for each of them.
_AS_THEY_ARE = frozenset(
    {
        models.BigIntegerField,
        models.BooleanField,
        models.CharField,
        models.DateTimeField,
        models.ForeignKey,
        models.IntegerField,
        models.PositiveIntegerField,
        models.PositiveSmallIntegerField,
        models.SmallIntegerField,
        models.TextField,
    }
)


def stored(row: Model, field: Field[Any, Any]) -> Any:
    """What a field of the row holds, as the driver takes it: plain values, times with a zone, no lazy words."""
    value = getattr(row, field.attname)
    return value if type(field) in _AS_THEY_ARE else field.get_db_prep_save(value, connection)


@cache
def _insert_of(model: type[Model]) -> tuple[Statement, list[Field[Any, Any]]]:
    fields = [field for field in model._meta.local_concrete_fields if not field.primary_key and not field.generated]
    table, key = model._meta.db_table, cast(Any, model._meta.pk).column
    names, places = ", ".join(f'"{field.column}"' for field in fields), ", ".join(["%s"] * len(fields))
    sql = f'INSERT INTO "{table}" ({names}) VALUES ({places}) RETURNING "{key}"'  # noqa: S608  (names of our own)
    return Statement(f"insert_{table}", sql, [None] * len(fields), range(len(fields))), fields


@cache
def _update_of(model: type[Model], names: tuple[str, ...]) -> tuple[Statement, list[Field[Any, Any]]]:
    fields = [cast("Field[Any, Any]", model._meta.get_field(name)) for name in names]
    table, key = model._meta.db_table, cast(Any, model._meta.pk).column
    given = ", ".join(f'"{field.column}" = %s' for field in fields)
    sql = f'UPDATE "{table}" SET {given} WHERE "{key}" = %s'  # noqa: S608  (names of our own)
    return Statement(f"update_{table}", sql, [None] * (len(fields) + 1), range(len(fields) + 1)), fields


def _each(value: Value) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _stretched(numbers: list[int]) -> list[int]:
    """As many as the next power of two, the last one repeated; nothing for nothing."""
    return numbers + numbers[-1:] * ((1 << (len(numbers) - 1).bit_length()) - len(numbers)) if numbers else numbers


def _mark(value: int | str | datetime, index: int) -> int | str | datetime:
    if isinstance(value, str):
        return f"mark-{_NUMBER - index}"
    return _TIME + timedelta(days=index) if isinstance(value, datetime) else _NUMBER - index


def columns(model: type[Model], *names: str) -> tuple[str, ...]:
    """The model's columns of these names, or all of them, in the order in which Django reads them."""
    found = tuple(field.attname for field in model._meta.concrete_fields if not names or field.attname in names)
    if names and len(found) < len(names):
        raise ValueError(f"{model.__name__} has not all of {', '.join(names)}")
    return found

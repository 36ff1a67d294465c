"""Queries whose SQL Django writes once a process, for the pages and the intake that must be quick.

Django turns a queryset into SQL anew at every call; on a page of a dozen queries that is a third of its work. Here
the queryset is built once with marks instead of values, and its SQL is kept with the places of the marks. The rules
in it (who may see what) stay where they are written, in querysets.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Generic, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Field, Model, QuerySet

Value = int | str | datetime | list[int]
Row = TypeVar("Row", bound=Model)
_Written = tuple[str, list[Any], list[tuple[int, int]]]
# Far from every id and every time there is.
_NUMBER = -(10**15)
_TIME = datetime(1, 1, 2, tzinfo=UTC)



class Prepared:
    """A query by `build(*shape, **values)`, a values_list() of plain columns.

    `shape` is all that changes the text of the SQL: which filters there are, how many rows at most. `values` are
    numbers, words, times and lists of numbers (a list's length is part of the shape). They must reach the database
    as they are: build() may put them into filters and nothing else.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Any]]) -> None:
        self._build = build
        self._known: dict[Hashable, _Written] = {}

    def rows(self, *shape: Hashable, **values: Value) -> list[tuple[Any, ...]]:
        """What the query finds, as the driver reads it (a JSON column is text)."""
        names: list[Hashable] = []
        given: list[Any] = []
        for name, value in values.items():
            if isinstance(value, list):
                names.append((name, len(value)))
                given += value
            else:
                names.append(name)
                given.append(value)
        key = (shape, tuple(names))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._written(shape, values)
        sql, parameters, places = known
        filled = list(parameters)
        for position, index in places:
            filled[position] = given[index]
        with connection.cursor() as cursor:
            cursor.execute(sql, filled)
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return found

    def _written(self, shape: tuple[Hashable, ...], values: Mapping[str, Value]) -> _Written:
        """The SQL with its parameters, and which place of them takes which of the values."""
        marks: list[Any] = []
        marked: dict[str, Any] = {}
        for name, value in values.items():
            mine = [_mark(one, len(marks) + index) for index, one in enumerate(_each(value))]
            marks += mine
            marked[name] = mine if isinstance(value, list) else mine[0]
        sql, parameters = self._build(*shape, **marked).query.sql_with_params()
        places = [(position, marks.index(one)) for position, one in enumerate(parameters) if one in marks]
        if len({index for _position, index in places}) < len(marks):
            # Kept so, it would answer everybody with what the first one asked.
            raise ValueError(f"not every value of {', '.join(values)} reaches the database as it is given")
        return sql, list(parameters), places


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
        return [self._made(row) for row in self._query.rows(*shape, **values)]

    def first(self, *shape: Hashable, **values: Value) -> Row | None:
        """The first of what it finds, or None."""
        return next(iter(self.all(*shape, **values)), None)

    def _made(self, row: tuple[Any, ...]) -> Row:
        place = len(self._columns)
        made = self._model.from_db(DEFAULT_DB_ALIAS, self._columns, row[:place])
        for name, model, names in self._related:
            values, place = row[place : place + len(names)], place + len(names)
            # Every table of ours begins with its key, which is empty where there is no such row.
            setattr(made, name, model.from_db(DEFAULT_DB_ALIAS, names, values) if values[0] is not None else None)
        return made


def insert(row: Model) -> None:
    """Write a new row and give it its number: what create() does, without compiling anything."""
    sql, fields = _insert_of(type(row))
    with connection.cursor() as cursor:
        cursor.execute(sql, [_stored(row, field) for field in fields])
        row.pk = cursor.fetchone()[0]
    row._state.adding = False
    row._state.db = DEFAULT_DB_ALIAS


def update(row: Model, names: tuple[str, ...]) -> None:
    """Write these columns of a row: what save(update_fields=…) does, without compiling anything."""
    sql, fields = _update_of(type(row), names)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*(_stored(row, field) for field in fields), row.pk])


def _stored(row: Model, field: Field[Any, Any]) -> Any:
    return field.get_db_prep_save(getattr(row, field.attname), connection)


@cache
def _insert_of(model: type[Model]) -> tuple[str, list[Field[Any, Any]]]:
    fields = [field for field in model._meta.local_concrete_fields if not field.primary_key and not field.generated]
    names, places = ", ".join(f'"{field.column}"' for field in fields), ", ".join(["%s"] * len(fields))
    key = cast(Any, model._meta.pk).column
    return f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({places}) RETURNING "{key}"', fields  # noqa: S608  (names of our own)


@cache
def _update_of(model: type[Model], names: tuple[str, ...]) -> tuple[str, list[Field[Any, Any]]]:
    fields = [cast("Field[Any, Any]", model._meta.get_field(name)) for name in names]
    given, key = ", ".join(f'"{field.column}" = %s' for field in fields), cast(Any, model._meta.pk).column
    return f'UPDATE "{model._meta.db_table}" SET {given} WHERE "{key}" = %s', fields  # noqa: S608  (names of our own)


def _each(value: Value) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _mark(value: int | str | datetime, index: int) -> int | str | datetime:
    if isinstance(value, str):
        return f"mark-{_NUMBER - index}"
    return _TIME + timedelta(days=index) if isinstance(value, datetime) else _NUMBER - index


def columns(model: type[Model], *names: str) -> tuple[str, ...]:
    """The model's columns of these names, or all of them, in the order in which from_db() takes their values."""
    found = tuple(field.attname for field in model._meta.concrete_fields if not names or field.attname in names)
    if names and len(found) < len(names):
        raise ValueError(f"{model.__name__} has not all of {', '.join(names)}")
    return found

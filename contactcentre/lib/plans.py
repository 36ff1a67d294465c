"""Statements that PostgreSQL plans once a connection instead of once a call (its PREPARE and EXECUTE).

Of a small statement the planning is most of the work: of a ticket's page it was two thirds of the database's time.
What is kept lives in the server process behind a connection, and is forgotten here together with that connection.
PgBouncer in transaction mode hands a connection on between two statements: PREPARED_STATEMENTS=0 is for there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timezone
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import TransactionManagementError
from psycopg2 import errorcodes  # type: ignore[import-untyped]
from psycopg2.extensions import AsIs  # type: ignore[import-untyped]

# What is planned on which connection of the driver, by the name it has there.
_PLANNED: WeakKeyDictionary[Any, dict[Statement, str]] = WeakKeyDictionary()
# Never twice the same: a PREPARE that was broken off may have been carried out all the same.
_NUMBERS = count(1)
# A column has another type than when it was planned (a migration), or somebody said DISCARD ALL.
_STALE = {errorcodes.FEATURE_NOT_SUPPORTED, errorcodes.INVALID_SQL_STATEMENT_NAME}


class Statement:
    """SQL with its parameters, of which those at `places` are another's at every call.

    All others are written into what is planned, so that an index on a part of a table is found by its condition.
    `name` is what it is called in logs and in pg_prepared_statements, with a number.

    After five calls PostgreSQL keeps the plan that fits what is usual. `anew`: planned at every call, with its values,
    because which index is right depends on them (a rare word, a customer with a thousand times as many messages).
    """

    def __init__(
        self, name: str, sql: str, parameters: Sequence[Any], places: Iterable[int], *, anew: bool = False
    ) -> None:
        self.name = re.sub(r"\W", "", name).strip("_")[:40]
        self.sql = sql
        self.parameters = list(parameters)
        self.places = list(places)
        self.anew = anew
        self.given = f"({', '.join(['%s'] * len(self.places))})" if self.places else ""

    def rows(self, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """What it finds with a value for each place, as the driver reads it (a JSON column is text); nothing for a
        statement that tells nothing.

        One statement, and at the first time on a connection one more, which neither the log of queries nor anything
        that counts them sees. Raises DatabaseError.
        """
        return in_turn((self, values))

    def text(self, driver: Any, values: Sequence[Any]) -> tuple[str, Sequence[Any]]:
        """What the driver is told to carry it out, and with which parameters; planned before where it has to be."""
        if self.anew or not settings.PREPARED_STATEMENTS:
            return self.sql, self._filled(values)
        return f"EXECUTE {self._planned(driver)} {self.given}", values

    def _planned(self, driver: Any) -> str:
        """Its name on the cursor's connection, where it is planned if it is not yet."""
        known = _PLANNED.setdefault(driver.connection, {})
        name = known.get(self)
        if name is None:
            name = f"{self.name}_{next(_NUMBERS)}"
            numbered = [AsIs(f"${number}") for number in range(1, len(self.places) + 1)]
            with connections[DEFAULT_DB_ALIAS].wrap_database_errors:
                driver.execute(f"PREPARE {name} AS {self.sql}", self._filled(numbered))
            # Only now: an error, such as that of a transaction already lost, has planned nothing.
            known[self] = name
        return name

    def _filled(self, values: Sequence[Any]) -> list[Any]:
        filled = list(self.parameters)
        for place, value in zip(self.places, values, strict=True):
            filled[place] = value
        return filled


# A statement, and a value for each of its places.
Asked = tuple[Statement, Sequence[Any]]


def in_turn(*asked: Asked) -> list[tuple[Any, ...]]:
    """Carry out statements one after another in one round trip, and return what the last one finds.

    The way there and back costs as much as a small statement. Each looks at the database when its turn comes, as it
    would alone (PostgreSQL, "Read Committed"), so that the one behind a lock reads what stands once the lock is there;
    as parts of one statement both would read what stood before it. More than one: within a transaction, which an error
    in any of them ends. Raises DatabaseError.
    """
    database = connections[DEFAULT_DB_ALIAS]
    if len(asked) > 1 and not database.in_atomic_block:
        raise TransactionManagementError("several statements in one round trip belong into a transaction")
    try:
        return _asked(database, asked)
    except DatabaseError as error:
        if getattr(error.__cause__, "pgcode", None) not in _STALE:
            raise
        # All of them: where one column changed its type others may have.
        _PLANNED.pop(database.connection, None)
        if database.in_atomic_block:
            # The transaction is lost with the error; whoever begins another gets a new plan.
            raise
        return _asked(database, asked)


def _asked(database: BaseDatabaseWrapper, asked: Sequence[Asked]) -> list[tuple[Any, ...]]:
    if database.queries_logged or database.execute_wrappers:
        with database.cursor() as logged:
            return _told(logged, logged.cursor, asked)
    # What Django's cursor sees to, once and not around each call of the driver: that took as long as the driver.
    database.close_if_health_check_failed()
    database.ensure_connection()
    database.validate_thread_sharing()
    database.validate_no_broken_transaction()
    with database.wrap_database_errors, database.connection.cursor() as cursor:
        return _told(cursor, cursor, asked)


def _told(cursor: Any, driver: Any, asked: Sequence[Asked]) -> list[tuple[Any, ...]]:
    """`cursor` is Django's around that of the driver where somebody logs, else the driver's too."""
    # Django's own is called in Python for every time of every row, for the same UTC.
    driver.tzinfo_factory = timezone
    sql, given = asked[0][0].text(driver, asked[0][1])
    for statement, values in asked[1:]:
        more, also = statement.text(driver, values)
        sql, given = f"{sql}; {more}", [*given, *also]
    cursor.execute(sql, given)
    return cursor.fetchall() if cursor.description is not None else []

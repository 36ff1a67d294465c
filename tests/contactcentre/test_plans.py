"""Statements planned once a connection: they answer as if they were not, whatever becomes of the connection."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, InternalError, NotSupportedError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from agents.models import Person
from contactcentre.lib.plans import Statement, in_turn
from contactcentre.lib.prepared import Prepared

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def asked(statement: Statement, *values: Any) -> list[Any]:
    return [value for (value,) in statement.rows(values)]


def told(sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [value for (value,) in cursor.fetchall()]


def planned(name: str) -> list[str]:
    """The texts of what is planned on this connection under that name and a number."""
    return told(f"SELECT statement FROM pg_prepared_statements WHERE name ~ '^{name}_[0-9]+$' ORDER BY prepare_time")


def twice(name: str) -> Statement:
    return Statement(name, "SELECT 2 * %s::int", [None], [0])


def persons(count: int) -> list[int]:
    """The ids of so many people."""
    emails = [f"person-{number}@acme.example" for number in range(count)]
    return [Person.objects.create(email=email, name="Somebody", created_at=NOW).pk for email in emails]


def on_a_connection_of_its_own(act: Callable[[], Any]) -> Any:
    """What it comes to in another thread, outside any transaction."""

    def work() -> Any:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result(timeout=20)


def test_it_is_planned_once_and_counts_as_one_statement_the_first_time_too() -> None:
    statement = twice("once")
    for value in (1, 2, 3):
        with CaptureQueriesContext(connection) as captured:
            assert asked(statement, value) == [2 * value]
        assert [one["sql"].split("_")[0] for one in captured.captured_queries] == ["EXECUTE once"]
    assert len(planned("once")) == 1


def test_only_the_values_are_left_open_in_what_is_planned() -> None:
    sql = "SELECT count(*) FROM agents_person WHERE is_agent = %s AND email LIKE %s AND id = %s"
    statement = Statement("left_open", sql, [True, "100%", None], [2])
    assert asked(statement, 1) == [0]
    (text,) = planned("left_open")
    assert "is_agent = true AND email LIKE '100%' AND id = $1" in text


def test_every_connection_plans_for_itself_and_a_new_one_again() -> None:
    statement = twice("apart")
    assert asked(statement, 4) == [8]

    def elsewhere() -> list[Any]:
        before = planned("apart")
        first = asked(statement, 5)
        connection.close()
        return [before, first, planned("apart"), asked(statement, 6), len(planned("apart"))]

    assert on_a_connection_of_its_own(elsewhere) == [[], [10], [], [12], 1]
    assert asked(statement, 7) == [14]


def test_a_lost_transaction_plans_nothing_and_loses_no_plan() -> None:
    new, known = twice("new"), twice("known")
    assert asked(known, 1) == [2]
    for statement in (new, known):
        with transaction.atomic():
            with pytest.raises(DatabaseError, match="zero"):
                told("SELECT 1 / 0")
            with pytest.raises(InternalError, match="aborted"):
                asked(statement, 1)
            transaction.set_rollback(True)
        assert asked(statement, 2) == [4]
    assert len(planned("known")) == len(planned("new")) == 1


def test_what_was_planned_in_a_transaction_outlives_its_rollback() -> None:
    statement = twice("outlives")
    with transaction.atomic():
        asked(statement, 1)
        transaction.set_rollback(True)
    assert asked(statement, 2) == [4]
    assert len(planned("outlives")) == 1


def _table_with_a_number() -> Statement:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE scratch AS SELECT 7 AS thing")
    statement = Statement("thing", "SELECT thing FROM scratch WHERE thing::text = %s", [None], [0])
    assert asked(statement, "7") == [7]
    return statement


def _as_a_migration() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE scratch ALTER thing TYPE text")


def test_a_column_of_another_type_is_planned_again_at_once() -> None:
    def migrated() -> list[Any]:
        statement = _table_with_a_number()
        _as_a_migration()
        return asked(statement, "7")

    assert on_a_connection_of_its_own(migrated) == ["7"]


def test_inside_a_transaction_it_is_planned_again_for_the_next_one() -> None:
    # The error has ended the transaction, so nothing can be asked again inside it.
    statement = _table_with_a_number()
    _as_a_migration()
    with pytest.raises(NotSupportedError, match="result type"), transaction.atomic():
        asked(statement, "7")
    assert asked(statement, "7") == ["7"]


def test_a_connection_on_which_all_was_discarded_plans_again() -> None:
    def discarded() -> list[Any]:
        statement = twice("discarded")
        asked(statement, 1)
        with connection.cursor() as cursor:
            cursor.execute("DISCARD ALL")
        return asked(statement, 3)

    assert on_a_connection_of_its_own(discarded) == [6]


def test_it_answers_the_same_whether_anybody_counts_statements_or_not() -> None:
    # Nobody counting, Django's cursor is gone round.
    statement = Statement("same", "SELECT %s::timestamptz, ARRAY[%s::int]", [None] * 2, range(2))
    alone = statement.rows([NOW, 7])
    with CaptureQueriesContext(connection):
        watched = statement.rows([NOW, 7])
    assert alone == watched == [(NOW, [7])]
    assert [row[0].utcoffset() for row in (*alone, *watched)] == [timedelta(), timedelta()]


def test_what_tells_nothing_has_no_rows() -> None:
    person = Person.objects.create(email="nobody@acme.example", name="Nobody", created_at=NOW)
    statement = Statement("gone", "DELETE FROM agents_person WHERE id = %s", [None], [0])
    assert statement.rows([person.pk]) == []
    assert not Person.objects.filter(pk=person.pk).exists()


def test_an_error_of_the_statement_itself_is_told_as_ever() -> None:
    statement = Statement("divided", "SELECT 1 / %s::int", [None], [0])
    with pytest.raises(DatabaseError, match="zero"), transaction.atomic():
        asked(statement, 0)
    assert asked(statement, 1) == [1]


def test_nothing_is_planned_where_the_setting_or_the_statement_says_so(settings: Any) -> None:
    anew = Statement("anew", "SELECT %s::int + %s", [1, None], [1], anew=True)
    assert asked(anew, 2) == [3]
    settings.PREPARED_STATEMENTS = False
    off = twice("off")
    assert asked(off, 2) == [4]
    assert planned("anew") == planned("off") == []


def test_lists_of_all_lengths_share_a_few_plans() -> None:
    people = persons(9)

    def chosen_people(*, ids: list[int]) -> Any:
        return Person.objects.filter(pk__in=ids).order_by("id").values_list("id")

    query = Prepared(chosen_people)
    for length in range(1, 10):
        assert query.rows(ids=people[:length]) == [(number,) for number in people[:length]]
    assert len(planned("chosen_people")) == 5


def test_the_top_of_a_query_has_as_many_rows_as_are_asked_for() -> None:
    people = persons(3)

    def newest_people(*, least: int) -> Any:
        return Person.objects.filter(pk__gte=least).order_by("-id").values_list("id")

    query = Prepared(newest_people)
    assert [number for (number,) in query.top(2, least=people[0])] == [people[2], people[1]]
    assert len(query.top(10, least=people[0])) == len(query.rows(least=people[0])) == 3
    # The limit is a value, which is what keeps PostgreSQL from planning for all rows.
    assert any("LIMIT $2" in text for text in planned("newest_people"))


def test_several_statements_go_together_and_tell_what_the_last_one_finds() -> None:
    first, last = twice("goes_first"), twice("goes_last")
    for _planned_or_not in range(2):
        with CaptureQueriesContext(connection) as captured:
            assert in_turn((first, [1]), (last, [2])) == [(4,)]
        assert [one["sql"].count("EXECUTE") for one in captured.captured_queries] == [2]


def test_an_error_in_the_first_of_several_undoes_what_goes_with_it() -> None:
    fails = Statement("fails", "SELECT 1 / %s::int", [None], [0])
    with pytest.raises(DatabaseError, match="zero"), transaction.atomic():
        in_turn((fails, [0]), (twice("never"), [1]))
    assert asked(twice("afterwards"), 1) == [2]


def test_a_statement_behind_a_lock_reads_what_was_written_while_it_waited() -> None:
    lock = Statement("locks", "SELECT pg_advisory_xact_lock(%s)", [None], [0])
    count = Statement("counts", "SELECT count(*) FROM written WHERE %s = 1", [None], [0])
    has_lock, number = threading.Event(), 61_000_001

    def writes() -> None:
        told_nothing("CREATE TABLE written (id int)")
        with transaction.atomic():
            lock.rows([number])
            has_lock.set()
            told_nothing("INSERT INTO written VALUES (1)")
            ends = time.monotonic() + 10
            waiting = f"SELECT 1 FROM pg_locks WHERE objid = {number} AND locktype = 'advisory' AND NOT granted"
            while not told(waiting) and time.monotonic() < ends:
                pass

    def reads() -> list[Any]:
        assert has_lock.wait(10)
        with transaction.atomic():
            return in_turn((lock, [number]), (count, [1]))

    try:
        with ThreadPoolExecutor(1) as writer:
            written = writer.submit(on_a_connection_of_its_own, writes)
            assert on_a_connection_of_its_own(reads) == [(1,)]
            written.result(timeout=20)
    finally:
        on_a_connection_of_its_own(lambda: told_nothing("DROP TABLE IF EXISTS written"))


@pytest.mark.django_db(transaction=True)
def test_several_statements_go_together_within_a_transaction_only() -> None:
    with pytest.raises(TransactionManagementError, match="belong into a transaction"):
        in_turn((twice("one"), [1]), (twice("other"), [1]))


def told_nothing(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)

"""What Celery does to the database's connection around a task."""

from __future__ import annotations

from contextlib import closing

import psycopg2
import pytest
from celery import signals
from celery.fixups.django import DjangoWorkerFixup
from django.db import connection

from channels.tasks import intake
from contactcentre.celery import app

pytestmark = pytest.mark.django_db(transaction=True)


def around_a_task() -> None:
    """What happens in a worker before and after a task."""
    worker = DjangoWorkerFixup(app)
    task = intake.process
    worker.on_task_prerun(task)
    signals.task_prerun.send(sender=task)
    worker.on_task_postrun(task)
    signals.task_postrun.send(sender=task)


def served_by() -> int:
    """The process of the server behind our connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_a_worker_keeps_its_connection_from_task_to_task() -> None:
    before = served_by()
    around_a_task()
    assert served_by() == before


def test_a_connection_that_the_server_dropped_is_replaced_at_the_next_task() -> None:
    before = served_by()
    with closing(psycopg2.connect(**connection.get_connection_params())) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [before])
        assert cursor.fetchone() == (True,)
    around_a_task()
    assert served_by() != before


def test_a_channel_to_the_broker_keeps_its_client_and_takes_another_with_another_pool() -> None:
    with app.connection_for_write() as broker, broker.channel() as channel:
        with channel.conn_or_acquire() as first, channel.conn_or_acquire() as second:
            assert first is second
        channel._disconnect_pools()
        with channel.conn_or_acquire() as third:
            assert third is not first
            assert third.ping()

"""One database brought up to date for all workers of a test run: each takes a copy, ten times as quick as migrating."""

from __future__ import annotations

from contextlib import closing

import psycopg2
from django.conf import settings
from django.db import connection

# Any number nobody else locks by: whoever comes second waits until the first has made the database.
LOCK = 4_217_001
NAME = "migrated_for_tests"


def database(run: str) -> str:
    """The name of a database that is up to date and that nobody is connected to; made by the first who asks in this
    test run. To be called before pytest-django makes the worker's own."""
    own = connection.settings_dict["NAME"]
    address = {key: connection.settings_dict[key.upper()] for key in ("host", "port", "user", "password")}
    with closing(psycopg2.connect(dbname=own, connect_timeout=10, **address)) as held:
        # The server ends a lock with its connection, also where its holder is killed.
        held.autocommit = True
        with held.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            # The remark comes last, so a database that somebody was killed over, or one of an earlier run, has another.
            cursor.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s AND shobj_description(oid, 'pg_database') = %s",
                [NAME, run],
            )
            if cursor.fetchone() is None:
                _make(own)
                cursor.execute(f"COMMENT ON DATABASE {NAME} IS %s", [run])
    return NAME


def _make(own: str) -> None:
    """Make it anew as Django makes a test database, and leave the connection as it was."""
    test = connection.settings_dict["TEST"]
    name = test["NAME"]
    test["NAME"] = NAME
    try:
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    finally:
        connection.close()
        test["NAME"] = name
        settings.DATABASES[connection.alias]["NAME"] = connection.settings_dict["NAME"] = own

"""What is measured and how. Pages: through Django's WSGI handler in this process, so that the CPU of the
application is this process's and the CPU of the database is that of its server process (/proc/<pid>/stat).

The floor of a page is an authenticated Django page of the same size with no query but session and person; the
floor of intake is the same rows in plain SQL, one transaction a message.
"""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import path
from django.utils import timezone

from agents.access import signed_in
from agents.models import Person
from bench import loading
from channels.happenings import Address, InboundMessage
from channels.models import ChannelAccount
from tickets import demonstration, intake, replies
from tickets.models import AccountFeed, Contact, Queue, Ticket

ROUNDS = 200
WARM_UP = 20
INTAKE = 400
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. Times in milliseconds."""

    what: str
    p50: float
    p95: float
    application: float
    database: float
    statements: int
    bytes: int = 0

    @property
    def cpu(self) -> float:
        """Application and database together."""
        return self.application + self.database


def run(sizes: list[int]) -> None:
    """Measure and print at each size."""
    print(f"{os.cpu_count()} cores; times in ms; CPU = application + database; {ROUNDS} rounds\n")
    for size in sizes:
        _database(size)
        print(f"== {size:,} tickets, 6 messages each, 30 % live ==")
        _table([*_pages(size), *_intake(size)])
        print()


def _database(size: int) -> None:
    """An empty database with the demonstration, then the seeded rows."""
    name = f"bench_{size}"
    address = settings.DATABASES["default"]
    connection.close()
    admin = psycopg2.connect(
        dbname="postgres",
        user=address["USER"],
        password=address["PASSWORD"],
        host=address["HOST"],
        port=address["PORT"],
    )
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
    admin.close()
    connection.settings_dict["NAME"] = name
    call_command("migrate", verbosity=0, interactive=False)
    now = timezone.now()
    with transaction.atomic():
        demonstration.load(now=now)
        account = ChannelAccount.objects.create(
            kind="email", address="bench@acme.example", name="Bench", begins_at=now, created_at=now
        )
        AccountFeed.objects.create(account=account, queue=Queue.objects.get(name="General"))
    began = time.perf_counter()
    loading.load(
        tickets=size,
        account_id=account.pk,
        queues=list(Queue.objects.order_by("id").values_list("pk", flat=True)),
        owners=list(Person.objects.filter(is_agent=True).order_by("id").values_list("pk", flat=True)),
    )
    print(f"(loaded {size:,} tickets in {time.perf_counter() - began:.0f} s)")


@signed_in
def floor_page(request: HttpRequest) -> HttpResponse:
    """A page of a given size, with no query but session and person."""
    return HttpResponse("x" * int(request.GET["bytes"]), content_type="text/html")


urlpatterns = [path("floor/", floor_page)]


def _pages(size: int) -> list[Figure]:
    browser = Client(HTTP_HOST="127.0.0.1")
    browser.force_login(Person.objects.get(email="anna@acme.example"))
    short = Ticket.objects.filter(state="open", queue__name="General").order_by("urgent_at").first()
    long = Ticket.objects.filter(state="open", queue__name="General").order_by("-id").first()
    assert short is not None
    assert long is not None
    loading.long_ticket(ticket_id=long.pk, messages=1000)
    loading.vacuum()
    addresses = {
        "inbox": "/",
        "inbox, one queue": f"/?queue={short.queue_id}",
        "list fragment": "/list/",
        "ticket, 10 messages": f"/t/{short.pk}/",
        "ticket, 1,000 messages": f"/t/{long.pk}/",
        "search, a rare word": f"/search/?q=AC-{size}1",
        "search, a common word": "/search/?q=parcel",
        "search, a name": "/search/?q=Customer+77",
    }
    figures = []
    for what, address in addresses.items():
        figure = _timed(what, lambda address=address: _got(browser, address))  # type: ignore[misc]
        with override_settings(ROOT_URLCONF="bench.measuring"):
            size_of_floor = figure.bytes
            floor = _timed("", lambda: _got(browser, f"/floor/?bytes={size_of_floor}"))  # noqa: B023  (used at once)
        figures += [figure, _renamed(floor, f"   floor of the same size; {figure.cpu / floor.cpu:.1f} × it")]
    leads = Client(HTTP_HOST="127.0.0.1")
    leads.force_login(Person.objects.get(email="leo@acme.example"))
    figures.append(_timed("board", lambda: _got(leads, "/board/"), rounds=50))
    figures.append(_replies())
    return figures


def _got(browser: Client, address: str) -> Any:
    answer = browser.get(address)
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered {answer.status_code}: nothing was measured")
    return answer


def _renamed(figure: Figure, what: str) -> Figure:
    return Figure(what, figure.p50, figure.p95, figure.application, figure.database, figure.statements, figure.bytes)


def _replies() -> Figure:
    person = Person.objects.get(email="anna@acme.example")
    waiting = iter(
        Contact.objects.filter(ticket__state="open", ticket__queue__name="General", unanswered_since__isnull=False)
        .select_related("ticket")
        .order_by("id")[: ROUNDS + WARM_UP + 1]
    )

    def press() -> None:
        contact = next(waiting)
        with transaction.atomic():
            replies.reply(
                person=person,
                ticket_id=contact.ticket_id,
                contact_id=contact.pk,
                text="It leaves tonight.",
                seen=contact.ticket.arrivals,
                undo=timedelta(seconds=10),
                now=timezone.now(),
            )

    return _timed("reply, without sending", press)


def _intake(size: int) -> list[Figure]:
    account = ChannelAccount.objects.get(address="bench@acme.example")
    numbers = iter(range(10**9, 10**9 + 10 * INTAKE))
    people = iter(range(1, 10 * INTAKE))

    def message(author: str) -> InboundMessage:
        number = next(numbers)
        return InboundMessage(
            channel_kind="email",
            surface="email",
            external_id=f"<bench-{number}@post.example>#000000000000",
            reference=f"<bench-{number}@post.example>",
            thread=f"<bench-{number}@post.example>",
            author=Address(kind="email", value=author, display=author, name="Somebody"),
            said_at=datetime.now(UTC),
            subject="Where is it?",
            text="The parcel of last week is still not here, please look into it. " * 4,
        )

    def receive(author: str) -> None:
        with transaction.atomic():
            intake.receive(message(author), account_id=account.pk, now=timezone.now())

    known = _timed(
        "intake, known customer",
        lambda: receive(f"customer-{1 + next(people) % int(size * 0.3)}@post.example"),
        rounds=INTAKE,
    )
    new = _timed("intake, new customer", lambda: receive(f"new-{next(people)}@post.example"), rounds=INTAKE)
    floor = _timed("", lambda: _same_rows(next(numbers), account.pk), rounds=INTAKE)
    return [
        known,
        _renamed(floor, f"   floor: the same rows in plain SQL; {known.cpu / floor.cpu:.1f} × it"),
        new,
    ]


def _same_rows(number: int, account_id: int) -> None:
    """What a known customer's mail writes, in plain SQL: the rows and nothing of the thinking."""
    values: dict[str, Any] = {"n": number, "account": account_id, "ticket": 1 + number % 1000, "now": timezone.now()}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT id FROM customers_customer WHERE id = %(ticket)s FOR UPDATE", values)
        cursor.execute("SELECT arrivals FROM tickets_ticket WHERE id = %(ticket)s FOR UPDATE", values)
        cursor.execute(
            "INSERT INTO tickets_contact (ticket_id, customer_id, identity_id, account_id, surface, thread, session,"
            " entry_queue_id, is_outbound, subject, first_said_at, last_said_at, no_reply_reason, no_reply_arrival,"
            " answered_arrival)"
            " SELECT id, customer_id, customer_id, %(account)s, 'email', '<floor-' || %(n)s || '>', 0, queue_id, false,"
            " '', %(now)s, %(now)s, '', 0, 0 FROM tickets_ticket WHERE id = %(ticket)s RETURNING id",
            values,
        )
        values["contact"] = cursor.fetchone()[0]
        cursor.execute(
            "INSERT INTO tickets_message (ticket_id, contact_id, customer_id, account_id, channel_kind, scope,"
            " external_id, reference, parent_id, surface, direction, identity_id, is_outside, arrival, said_at,"
            " received_at, subject, text, html, quoted, permalink, automatic, extra, state, state_reason, pressed,"
            " answers_own_only)"
            " SELECT id, %(contact)s, customer_id, %(account)s, 'email', '', '<floor-' || %(n)s || '>', '', '',"
            " 'email', 'in', customer_id, false, 1000000 + %(n)s %% 1000000000, %(now)s, %(now)s, 'Where is it?',"
            " repeat('The parcel of last week is still not here, please look into it. ', 4), '', '', '', '', '{}', '',"
            " '', '', false FROM tickets_ticket WHERE id = %(ticket)s RETURNING id",
            values,
        )
        values["message"] = cursor.fetchone()[0]
        cursor.execute(
            "INSERT INTO tickets_sighting (message_id, account_id, seen_at) VALUES (%(message)s, %(account)s, %(now)s)",
            values,
        )
        cursor.execute("UPDATE tickets_contact SET last_in_at = %(now)s WHERE id = %(contact)s", values)
        cursor.execute("UPDATE tickets_ticket SET last_at = %(now)s WHERE id = %(ticket)s", values)


def _timed(what: str, act: Callable[[], Any], *, rounds: int = ROUNDS) -> Figure:
    for _round in range(WARM_UP):
        answer = act()
    with CaptureQueriesContext(connection) as captured:
        answer = act()
    statements = len(
        [one for one in captured.captured_queries if not one["sql"].startswith(("BEGIN", "COMMIT", "SAVE"))]
    )
    server = _server_pid()
    gc.collect()
    gc.disable()
    times = []
    server_before, before = _cpu_of(server), time.process_time()
    for _round in range(rounds - WARM_UP - 1 if rounds == ROUNDS else rounds // 2):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    application, database = time.process_time() - before, _cpu_of(server) - server_before
    gc.enable()
    times.sort()
    return Figure(
        what,
        statistics.median(times) * 1000,
        times[int(len(times) * 0.95)] * 1000,
        application / len(times) * 1000,
        database / len(times) * 1000,
        statements,
        len(answer.content) if hasattr(answer, "content") else 0,
    )


def _server_pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def _cpu_of(pid: int) -> float:
    """The CPU seconds a process has used; counted in hundredths, which many rounds even out."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def _table(figures: list[Figure]) -> None:
    print(f"{'':44} {'p50':>7} {'p95':>7} {'CPU':>14} {'SQL':>4} {'kB':>6}")
    for one in figures:
        cpu = f"{one.application:.1f} + {one.database:.1f}"
        kilobytes = f"{one.bytes / 1000:.0f}" if one.bytes else ""
        print(f"{one.what:44} {one.p50:7.1f} {one.p95:7.1f} {cpu:>14} {one.statements:4} {kilobytes:>6}")

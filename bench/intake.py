"""What a message costs that comes in: by webhook (signed, through the door) and by poll (a raw mail), from the bytes
to the ticket, ledger and all; and the domain's part of it alone.

The floor is the same rows in plain SQL, one transaction a message.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from bench.figures import Figure, timed
from channels import ledger, processing
from channels.happenings import Address, InboundMessage, RawItem
from channels.models import App, ChannelAccount
from contactcentre.lib.secrets import Credentials
from tickets import intake
from tickets.models import AccountFeed, Queue

# What one poll of a busy mailbox brings.
BATCH = 50
# Who writes by webhook, before and while it is measured.
CUSTOMERS = 100
TEXT = "The parcel of last week is still not here, please look into it. " * 4
PAGE, SECRET = "6100000000000999", "bench-secret"


def measured(size: int) -> list[tuple[Figure, Figure | None]]:
    """All ways in, at this many tickets."""
    account = ChannelAccount.objects.get(address="bench@acme.example")
    numbers = iter(range(10**9, 2 * 10**9))
    live = int(size * 0.3)

    def known() -> int:
        return 1 + next(numbers) * 7919 % live

    post = _webhook(numbers)
    for customer in range(CUSTOMERS):
        post(customer)

    def known_by_webhook() -> None:
        post(next(numbers) % CUSTOMERS)

    plain = timed("", lambda: _same_rows(next(numbers), account.pk, with_ledger=False))
    whole = timed("", lambda: _same_rows(next(numbers), account.pk, with_ledger=True))
    return [
        (timed("by webhook (Messenger)", known_by_webhook), whole),
        (timed("by webhook, new customer", lambda: post(next(numbers))), whole),
        (timed("by poll (mail, 50 a poll)", lambda: _poll(account, numbers, known), rounds=4, of=BATCH), whole),
        (timed("domain alone, known customer", lambda: _receive(account, next(numbers), _called(known()))), plain),
        (timed("domain alone, new customer", lambda: _new(account, next(numbers))), plain),
    ]


def _called(customer: int) -> tuple[str, str]:
    """Name and address, as bench/loading.py writes them: who is known has mostly the name that is known."""
    return f"Customer {customer}", f"customer-{customer}@post.example"


def _new(account: ChannelAccount, number: int) -> None:
    _receive(account, number, ("Somebody", f"new-{number}@post.example"))


def _receive(account: ChannelAccount, number: int, who: tuple[str, str]) -> None:
    name, author = who
    message = InboundMessage(
        channel_kind="email",
        surface="email",
        external_id=f"<bench-{number}@post.example>#000000000000",
        reference=f"<bench-{number}@post.example>",
        thread=f"<bench-{number}@post.example>",
        author=Address(kind="email", value=author, display=author, name=name),
        said_at=datetime.now(UTC),
        subject="Where is it?",
        text=TEXT,
    )
    with transaction.atomic():
        intake.receive(message, account_id=account.pk, now=timezone.now())


def _poll(account: ChannelAccount, numbers: Any, known: Callable[[], int]) -> None:
    """Fifty mails of people we know, as a poll hands them over, then what the worker does with them."""
    items = []
    for _mail in range(BATCH):
        number, (name, author), now = next(numbers), _called(known()), timezone.now()
        body = (
            f"From: {name} <{author}>\r\nTo: bench@acme.example\r\nSubject: Where is it?\r\n"
            f"Message-ID: <polled-{number}@post.example>\r\nDate: {now:%a, %d %b %Y %H:%M:%S +0000}\r\n"
            f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{TEXT}\r\n"
        ).encode()
        meta = {"received_at": now.isoformat(), "after_beginning": True}
        items.append(RawItem(happening="message", external_id=f"polled-{number}", body=body, meta=meta))
    with transaction.atomic():
        ledger.record(account, "email", items, source="poll", now=timezone.now())
    _worked(BATCH)


def _webhook(numbers: Any) -> Callable[[int], None]:
    """One Messenger message of this customer through the door, signed, then what the worker does with it."""
    now = timezone.now()
    app = App.objects.create(
        kind="facebook", name="Bench", client_id="9100000000000001", secrets=Credentials(client_secret=SECRET),
        created_at=now,
    )  # fmt: skip
    page = ChannelAccount.objects.create(
        kind="facebook", address=PAGE, name="Bench", app=app, begins_at=now, created_at=now,
        credentials=Credentials(access_token="practice"),
    )  # fmt: skip
    AccountFeed.objects.create(account=page, queue=Queue.objects.get(name="General"))
    network = Client(HTTP_HOST="127.0.0.1")

    def post(customer: int) -> None:
        number, at = next(numbers), int(timezone.now().timestamp() * 1000)
        message = {
            "sender": {"id": str(7200000000000000 + customer)},
            "recipient": {"id": PAGE},
            "timestamp": at,
            "message": {"mid": f"m_{number}", "text": TEXT},
        }
        entry = {"id": PAGE, "time": at, "messaging": [message]}
        body = json.dumps({"object": "page", "entry": [entry]}, separators=(",", ":")).encode()
        signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        answer = network.generic(
            "POST", f"/hooks/facebook/{app.client_id}/", body, "application/json",
            headers={"X-Hub-Signature-256": signature},
        )  # fmt: skip
        if answer.status_code != 200:
            raise RuntimeError(f"the hook answered {answer.status_code}")
        _worked(1)

    return post


def _worked(count: int) -> None:
    """What the worker does. Raises RuntimeError where not all of it became messages: nothing would be measured."""
    done = processing.process(now=timezone.now(), limit=count)
    if done.settled < count:
        raise RuntimeError(f"{done.settled} of {count} were processed")


def _same_rows(number: int, account_id: int, *, with_ledger: bool) -> None:
    """What a known customer's mail writes, in plain SQL: the rows and nothing of the thinking."""
    values: dict[str, Any] = {"n": number, "account": account_id, "ticket": 1 + number % 1000, "now": timezone.now()}
    with transaction.atomic(), connection.cursor() as cursor:
        if with_ledger:
            cursor.execute(_LEDGER, {**values, "digest": hashlib.sha256(str(number).encode()).digest()})
            values["item"] = cursor.fetchone()[0]
            cursor.execute(_BODY, {**values, "body": TEXT.encode()})
            cursor.execute(_BOOKS, values)
        for sql, keeps in _ROWS:
            cursor.execute(sql, values)
            if keeps:
                values[keeps] = cursor.fetchone()[0]


_LEDGER = """INSERT INTO channels_ledgeritem (account_id, kind, happening, digest, source, state, reason, attempts,
  size, received_at, due_at, done_at) VALUES (%(account)s, 'email', 'message', %(digest)s, 'poll', 'processed', '', 1,
  600, %(now)s, %(now)s, %(now)s) RETURNING id"""
_BODY = """INSERT INTO channels_ledgerbody (item_id, received_at, body, meta)
  VALUES (%(item)s, %(now)s, %(body)s, '{}')"""
_BOOKS = """INSERT INTO channels_ledgercount (account_id, day, "column", delta) VALUES
  (%(account)s, %(now)s, 'seen', 1), (%(account)s, %(now)s, 'pending', 1), (%(account)s, %(now)s, 'pending', -1),
  (%(account)s, %(now)s, 'processed', 1)"""
_ROWS = (
    ("SELECT id FROM customers_customer WHERE id = %(ticket)s FOR UPDATE", ""),
    ("SELECT arrivals FROM tickets_ticket WHERE id = %(ticket)s FOR UPDATE", ""),
    (
        "INSERT INTO tickets_contact (ticket_id, customer_id, identity_id, account_id, surface, thread, session,"
        " entry_queue_id, is_outbound, subject, first_said_at, last_said_at, no_reply_reason, no_reply_arrival,"
        " answered_arrival)"
        " SELECT id, customer_id, customer_id, %(account)s, 'email', '<floor-' || %(n)s || '>', 0, queue_id, false,"
        " '', %(now)s, %(now)s, '', 0, 0 FROM tickets_ticket WHERE id = %(ticket)s RETURNING id",
        "contact",
    ),
    (
        "INSERT INTO tickets_message (ticket_id, contact_id, customer_id, account_id, channel_kind, scope,"
        " external_id, reference, parent_id, surface, direction, identity_id, is_outside, arrival, said_at,"
        " received_at, subject, text, html, quoted, permalink, automatic, extra, state, state_reason, pressed,"
        " answers_own_only)"
        " SELECT id, %(contact)s, customer_id, %(account)s, 'email', '', '<floor-' || %(n)s || '>', '', '',"
        " 'email', 'in', customer_id, false, 1000000 + %(n)s %% 1000000000, %(now)s, %(now)s, 'Where is it?',"
        " repeat('The parcel of last week is still not here, please look into it. ', 4), '', '', '', '', '{}', '',"
        " '', '', false FROM tickets_ticket WHERE id = %(ticket)s RETURNING id",
        "message",
    ),
    ("INSERT INTO tickets_sighting (message_id, account_id, seen_at) VALUES (%(message)s, %(account)s, %(now)s)", ""),
    ("UPDATE tickets_contact SET last_in_at = %(now)s WHERE id = %(contact)s", ""),
    ("UPDATE tickets_ticket SET last_at = %(now)s WHERE id = %(ticket)s", ""),
)

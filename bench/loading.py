"""The seeded loader: a house of N tickets, six messages each on average, 30 % live; the same rows for the same seed.

Made inside PostgreSQL, set by set: a hundred thousand tickets take about a minute.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db import connection

# Words are drawn from these, so that a search meets rare and common ones alike.
WORDS = (  # noqa: SIM905  (a paragraph reads better than a list of fifty)
    "the parcel order courier machine broken refund please yesterday still waiting answer phone mail address "
    "delivery invoice number wrong colour white blue return label printer email twice charged account "
    "password thank you hello dear regards shop leeds sunday monday open closed voucher gift card"
).split()

STEPS = (
    # customers and their identities: nine tickets in ten are of somebody who has one only
    """
    INSERT INTO customers_customer (id, name, called, kind, is_provisional, created_at)
    SELECT n, 'Customer ' || n, 'customer-' || n || '@post.example', 'person', false, %(now)s - n * interval '1 minute'
    FROM generate_series(1, %(customers)s) n
    """,
    """
    INSERT INTO customers_identity (id, customer_id, kind, scope, value, display, name, handle, avatar_url, is_shared,
      name_asked, first_seen_at)
    SELECT n, n, 'email', '', 'customer-' || n || '@post.example', 'customer-' || n || '@post.example',
      'Customer ' || n, '', '', false, 0, %(now)s FROM generate_series(1, %(customers)s) n
    """,
    """
    INSERT INTO tickets_ticket (id, customer_id, queue_id, owner_id, state, priority, subject, tags, opened_at,
      solved_at, closed_at, awaiting, unanswered_since, due_at, due_reason, urgent_at, send_trouble, reader_queue_ids,
      also_queue_ids, arrivals, last_at, last_words, last_direction, surfaces)
    SELECT n, CASE WHEN live THEN n ELSE 1 + n %% %(customers)s END, queue, CASE WHEN n %% 3 = 0 THEN owner END,
      CASE WHEN live THEN (CASE WHEN n %% 10 = 0 THEN 'waiting' ELSE 'open' END) WHEN n %% 2 = 0 THEN 'solved'
        ELSE 'closed' END,
      0, 'Order ' || n, CASE WHEN n %% 5 = 0 THEN ARRAY['parcel'] ELSE ARRAY[]::varchar[] END,
      at, CASE WHEN NOT live THEN at END, CASE WHEN NOT live AND n %% 2 = 1 THEN at END,
      CASE WHEN live AND n %% 10 > 3 THEN 'us' ELSE 'customer' END,
      CASE WHEN live AND n %% 10 > 3 THEN at END,
      CASE WHEN live AND n %% 10 > 3 THEN at + interval '4 hours' END,
      CASE WHEN live AND n %% 10 > 3 THEN 'target' ELSE '' END,
      CASE WHEN live AND n %% 10 > 3 THEN at + interval '4 hours' ELSE at + interval '36500 days' END,
      0, ARRAY[queue], ARRAY[]::bigint[], 6, at, 'The parcel of order ' || n || ' is still not here', 'in',
      ARRAY['email']
    FROM (SELECT n, n <= %(live)s AS live, (%(queues)s::bigint[])[1 + n %% %(queue_count)s] AS queue,
      (%(owners)s::bigint[])[1 + n %% %(owner_count)s] AS owner,
      %(now)s - ((n * 7919) %% 100000) * interval '1 minute' AS at FROM generate_series(1, %(tickets)s) n) t
    """,
    """
    INSERT INTO tickets_contact (id, ticket_id, customer_id, identity_id, account_id, surface, thread, session,
      entry_queue_id, is_outbound, subject, first_said_at, last_said_at, last_in_at, unanswered_since, due_at,
      no_reply_reason, no_reply_arrival, answered_arrival)
    SELECT id, id, customer_id, customer_id, %(account)s, 'email', '<thread-' || id || '@post.example>', 0, queue_id,
      false, subject, opened_at, last_at, last_at, unanswered_since, due_at, '', 0, 0 FROM tickets_ticket
    """,
    """
    INSERT INTO tickets_message (ticket_id, contact_id, customer_id, account_id, channel_kind, scope, external_id,
      reference, parent_id, surface, direction, identity_id, person_id, is_outside, arrival, said_at, received_at,
      subject, text, html, quoted, permalink, automatic, extra, state, state_reason, sent_at,
      asked_at, pressed, answers_own_only)
    SELECT t.id, t.id, t.customer_id, %(account)s, 'email', '', '<m' || t.id || '-' || k || '@post.example>#0',
      '<m' || t.id || '-' || k || '@post.example>', '', 'email', CASE WHEN k %% 2 = 1 THEN 'in' ELSE 'out' END,
      CASE WHEN k %% 2 = 1 THEN t.customer_id END, CASE WHEN k %% 2 = 0 THEN (%(owners)s::bigint[])[1] END, false, k,
      t.last_at - (6 - k) * interval '10 minutes', t.last_at, 'Order ' || t.id,
      (SELECT string_agg((%(words)s::text[])[1 + ((t.id * 31 + k * 17 + w * w) %% %(word_count)s)], ' ')
        FROM generate_series(1, 30) w) || ' AC-' || (t.id * 10 + k),
      '', '', '', '', '{}', CASE WHEN k %% 2 = 1 THEN '' ELSE 'sent' END, '', CASE WHEN k %% 2 = 0 THEN t.last_at END,
      CASE WHEN k %% 2 = 1 THEN t.last_at END, '', false
    FROM tickets_ticket t CROSS JOIN generate_series(1, 6) k
    """,
)


def load(*, tickets: int, account_id: int, queues: list[int], owners: list[int]) -> None:
    """Fill the empty house with `tickets` tickets of six messages, then bring the planner's figures up to date."""
    customers = max(int(tickets * 0.9), int(tickets * 0.3))
    values: dict[str, Any] = {
        "now": datetime(2026, 11, 20, 15, 0, tzinfo=UTC),
        "tickets": tickets,
        "live": int(tickets * 0.3),
        "customers": customers,
        "queues": queues,
        "queue_count": len(queues),
        "owners": owners,
        "owner_count": len(owners),
        "account": account_id,
        "words": WORDS,
        "word_count": len(WORDS),
    }
    with connection.cursor() as cursor:
        for step in STEPS:
            cursor.execute(step, values)
        for table in ("customers_customer", "customers_identity", "tickets_ticket", "tickets_contact"):
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
    vacuum()


def lengthen(*, tickets: list[int], messages: int) -> None:
    """Make these tickets `messages` messages longer than they are."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO tickets_message (ticket_id, contact_id, customer_id, account_id, channel_kind, scope,
              external_id, reference, parent_id, surface, direction, identity_id, is_outside, arrival, said_at,
              received_at, subject, text, html, quoted, permalink, automatic, extra, state, state_reason,
              pressed, answers_own_only)
            SELECT ticket_id, contact_id, customer_id, account_id, channel_kind, scope,
              'long-' || ticket_id || '-' || k, 'long-' || ticket_id || '-' || k, '',
              surface, 'in', customer_id, false, 100 + k, said_at - k * interval '1 hour', received_at, subject,
              text || ' ' || k, '', '', '', '', '{}', '', '', '', false
            FROM tickets_message CROSS JOIN generate_series(1, %s) k WHERE ticket_id = ANY(%s) AND arrival = 1
            """,
            [messages, tickets],
        )
        cursor.execute("UPDATE tickets_ticket SET arrivals = 100 + %s WHERE id = ANY(%s)", [messages, tickets])


def vacuum() -> None:
    """What autovacuum would have done by tomorrow."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")

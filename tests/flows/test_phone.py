"""The loop by telephone: the exchange's events through the hook, and the call that an agent writes down."""

from __future__ import annotations

import pytest

from tests.running import Running, until


@pytest.fixture(autouse=True)
def _lines_are_told(product: Running) -> None:
    """The exchange knows where our lines' events go."""
    until(
        lambda: all(line["hook_url"] for line in product.got("/practice/telephony/lines")["lines"]),
        what="the lines' hooks",
    )


def call(product: Running, act: str, **fields: object) -> dict[str, object]:
    return product.act("/practice/telephony/calls", act=act, **fields)


def test_a_missed_call_makes_a_ticket_that_waits_for_a_call_back(product: Running) -> None:
    number = "+447700900961"
    made = call(product, "call", **{"from": number})
    ticket = until(
        lambda: product.value(
            "SELECT m.ticket_id FROM tickets_message m JOIN customers_identity i ON i.id = m.identity_id"
            " WHERE i.value = %s",
            number,
        ),
        what="the ticket while it still rings",
    )
    assert product.value("SELECT awaiting FROM tickets_ticket WHERE id = %s", ticket) == "customer"
    call(product, "hangup", call=made["id"])
    until(
        lambda: product.value("SELECT awaiting FROM tickets_ticket WHERE id = %s", ticket) == "us",
        what="it waits for us",
    )
    assert "Missed call" in product.signed_in().get(f"/t/{ticket}/").text


def test_an_answered_call_is_written_down_on_the_call_the_exchange_told_of(product: Running) -> None:
    number = "+447700900962"
    made = call(product, "call", **{"from": number})
    call(product, "answer", call=made["id"])
    call(product, "hangup", call=made["id"])
    message = until(
        lambda: product.value(
            "SELECT m.id FROM tickets_message m JOIN customers_identity i ON i.id = m.identity_id"
            " JOIN tickets_calldetails d ON d.message_id = m.id WHERE i.value = %s AND d.ended_at IS NOT NULL",
            number,
        ),
        what="the ended call",
    )
    agent = product.signed_in()
    assert "Probably that is the one" in agent.get(f"/calls/who/?number={number.replace('+', '%2B')}").text
    answer = agent.post(
        "/calls/new/",
        call=message,
        direction="in",
        disposition="answered",
        summary="Wants the blue one instead",
        then="solve",
    )
    assert answer.status_code == 200
    assert "Wants the blue one instead" in answer.text
    assert product.rows("SELECT count(*), min(text) FROM tickets_message WHERE id = %s", message) == [
        (1, "Wants the blue one instead")
    ]


def test_events_twice_and_out_of_order_come_to_one_call(product: Running) -> None:
    number = "+447700900963"
    product.mischief("call_event_twice", network="telephony")
    product.mischief("call_event_disorder", network="telephony")
    made = call(product, "call", **{"from": number})
    call(product, "answer", call=made["id"])
    call(product, "hangup", call=made["id"])
    product.behave("telephony")
    until(
        lambda: (
            product.value(
                "SELECT count(*) FROM tickets_calldetails d JOIN tickets_message m ON m.id = d.message_id"
                " JOIN customers_identity i ON i.id = m.identity_id"
                " WHERE i.value = %s AND d.answered_at IS NOT NULL AND d.ended_at IS NOT NULL",
                number,
            )
            == 1
        ),
        what="one whole call",
    )
    assert (
        product.value(
            "SELECT count(*) FROM tickets_message m JOIN customers_identity i ON i.id = m.identity_id"
            " WHERE i.value = %s",
            number,
        )
        == 1
    )

"""Handing a mail over, and knowing what happened when the other side misbehaves."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from channels import outcomes
from channels.adapters.base import DeliveryError
from channels.adapters.email import EmailAdapter, mail_key
from channels.happenings import Address, Outgoing, OutgoingFile

OUT = Outgoing(
    surface="email",
    recipient=Address(kind="email", value="carla@mail.example", name="Carla Hüghes"),
    marker="<t42.a7.abc@shop.example>",
    text="Dear Carla,\n.\n..two dots\nFrom here: Grüße",
    html="<p>Dear Carla</p>",
    subject="Re: Paket",
    references=("<a@mail.example>", "<b@mail.example>"),
    reply_to="care+t42.abc@shop.example",
)


@pytest.fixture
def send(smtp, at):
    def sending(
        outgoing=OUT, *, still_ours=lambda: True, seconds=5.0, opener=lambda path: io.BytesIO(b"a;b\nc"), **settings
    ):
        connection = at(smtp_port=smtp.port, **settings)
        return EmailAdapter(send_seconds=seconds).send(connection, outgoing, opener=opener, still_ours=still_ours)

    return sending


def refused(send, *args, **kwargs) -> DeliveryError:
    with pytest.raises(DeliveryError) as failure:
        send(*args, **kwargs)
    return failure.value


def test_a_mail_leaves_as_it_was_frozen(smtp, send):
    sent = send()
    wire = smtp.data.replace(b"\r\n..", b"\r\n.")
    message = message_from_bytes(wire, policy=policy.default)
    assert message["Message-ID"] == "<t42.a7.abc@shop.example>"
    assert message["In-Reply-To"] == "<b@mail.example>"
    assert message["References"] == "<a@mail.example> <b@mail.example>"
    assert message["Reply-To"] == "care+t42.abc@shop.example"
    assert message["From"] == "The Shop <care@shop.example>"
    assert message["To"] == "Carla Hüghes <carla@mail.example>"
    assert message["Auto-Submitted"] is None
    assert message.get_body(("plain",)).get_content().splitlines() == OUT.text.splitlines()
    assert message.get_body(("html",)).get_content().strip() == OUT.html
    assert sent.external_id == mail_key(wire)
    assert sent.reference == OUT.marker


def test_files_arrive_byte_for_byte(smtp, send):
    files = (
        OutgoingFile(name="Rückgabe.csv", content_type="text/csv", size=6, path="1"),
        OutgoingFile(name="../x.eml", content_type="message/rfc822", size=6, path="2"),
    )
    send(replace(OUT, files=files))
    parts = list(message_from_bytes(smtp.data, policy=policy.default).iter_attachments())
    assert [part.get_filename() for part in parts] == ["Rückgabe.csv", "x.eml"]
    assert [part.get_payload(decode=True) for part in parts] == [b"a;b\nc", b"a;b\nc"]
    assert parts[1].get_content_type() == "application/octet-stream"


def test_nothing_in_a_row_can_write_a_header(smtp, send):
    evil = "x\r\nBcc: evil@x.example"
    send(
        replace(
            OUT,
            subject=evil,
            recipient=Address(kind="email", value="c@mail.example", name=evil),
            references=(f"<a@x>\r\n{evil}",),
        )
    )
    message = message_from_bytes(smtp.data)
    assert message["Bcc"] is None
    assert [line for line in smtp.seen if line.startswith("rcpt")] == ["rcpt TO:<c@mail.example>"]


@pytest.mark.parametrize(
    "address", ["", "carla", "a b@x.example", "a@x.example>\r\nRCPT TO:<b@x.example", "ü@x.example", "a@x,b@y"]
)
def test_an_address_that_is_none_is_final(send, address):
    failure = refused(send, replace(OUT, recipient=Address(kind="email", value=address)))
    assert (failure.permanent, failure.code) == (True, "bad-address")


def test_an_international_domain_is_dialled_in_ascii(smtp, send):
    send(replace(OUT, recipient=Address(kind="email", value="a@bücher.example")))
    assert "rcpt TO:<a@xn--bcher-kva.example>" in smtp.seen


@pytest.mark.parametrize(
    ("verb", "answer", "permanent", "code"),
    [
        ("RCPT", "550 5.1.1 nobody", True, "refused-recipient"),
        ("RCPT", "553 bad", True, "refused-recipient"),
        ("RCPT", "451 4.7.1 greylisted", False, "refused-recipient"),
        ("RCPT", "421 closing", False, "refused-recipient"),
        ("MAIL", "552 5.3.4 too big", True, "too-large"),
        ("MAIL", "450 later", False, "refused-sender"),
        ("DATA", "554 no", True, "refused"),
        ("DATA", "hang up", False, "connection-lost"),
        ("RCPT", "hang up", False, "connection-lost"),
        ("greeting", "421 busy", False, "unavailable"),
        ("greeting", "554 never", False, "unavailable"),
    ],
)
def test_a_clear_answer_before_the_dot(smtp, send, verb, answer, permanent, code):
    smtp.answers[verb] = answer
    failure = refused(send)
    assert (failure.permanent, failure.outcome_unknown, failure.code) == (permanent, False, code)
    assert "dot" not in smtp.seen


@pytest.mark.parametrize(
    ("after", "permanent", "unknown", "code"),
    [
        ("552 5.3.4 too large", True, False, "refused"),
        ("451 later", False, False, "refused"),
        ("hang up", False, True, "connection-lost"),
        ("what?", False, True, "odd-answer"),
        ("drip", False, True, "timeout"),
    ],
)
def test_the_answer_to_the_dot_is_the_truth_and_silence_is_unknown(smtp, send, after, permanent, unknown, code):
    smtp.after_dot = after
    start = time.monotonic()
    failure = refused(send, seconds=0.8)
    assert (failure.permanent, failure.outcome_unknown, failure.code) == (permanent, unknown, code)
    assert time.monotonic() - start < 3


def test_a_lost_lease_sends_nothing(smtp, send):
    asked = []

    def still_ours():
        asked.append("dot" in smtp.seen)
        return False

    failure = refused(send, still_ours=still_ours)
    assert (failure.code, failure.permanent, failure.outcome_unknown) == ("lease-lost", False, False)
    assert asked == [False]
    assert "DATA" in [line.upper() for line in smtp.seen]
    assert "dot" not in smtp.seen


def test_a_refused_copy_is_noted_and_the_mail_goes(smtp, send):
    smtp.answers["rcpt TO:<tom@mail.example>"] = "550 5.1.1 nobody"
    copies = (Address(kind="email", value="tom@mail.example"), Address(kind="email", value="ann@mail.example"))
    sent = send(replace(OUT, cc=copies))
    assert len(sent.notes) == 1
    assert "tom@mail.example" in sent.notes[0]
    assert b"ann@mail.example" in smtp.data


def test_a_refused_password_waits_for_a_person(smtp, send):
    smtp.answers |= {"EHLO": "250-small\r\n250 AUTH PLAIN", "AUTH": "535 5.7.8 wrong"}
    failure = refused(send)
    assert (failure.credentials, failure.permanent, failure.code) == (True, False, "login-refused")
    # The server's words are kept for the admin; what stands behind "password:" would be hidden as one.
    assert "535 5.7.8 wrong" in outcomes.words(failure)
    smtp.answers["AUTH"] = "454 4.7.0 not now"
    again = refused(send)
    assert (again.credentials, again.permanent, again.code) == (False, False, "unavailable")


def test_a_server_that_takes_less_is_not_bothered(smtp, send):
    smtp.answers["EHLO"] = "250-small\r\n250 SIZE 100"
    failure = refused(send)
    assert (failure.permanent, failure.code) == (True, "too-large")
    assert not any(line.upper().startswith("MAIL") for line in smtp.seen)


def test_attachments_beyond_the_limit_are_final(send, settings):
    settings.MAIL_MAX_BYTES = 3
    failure = refused(send, replace(OUT, files=(OutgoingFile(name="a", content_type="x/y", size=9, path="1"),)))
    assert (failure.permanent, failure.code) == (True, "too-large")


def test_nobody_there(smtp, send):
    smtp.close()
    failure = refused(send)
    assert (failure.permanent, failure.outcome_unknown, failure.code) == (False, False, "unreachable")

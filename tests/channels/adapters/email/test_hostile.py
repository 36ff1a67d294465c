"""Whatever arrives ends as a message or as a PayloadError, and is fit for the database."""

from __future__ import annotations

import base64
from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.adapters.base import PayloadError
from channels.happenings import InboundMessage

SEED = (
    b"From: =?utf-8?b?Q2FybGE=?= <carla@mail.example>\r\nTo: care+t1.x@shop.example\r\nSubject: =?x?q?a?=\r\n"
    b'Message-ID: <m@x.example>\r\nReferences: <a@x.example>\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n\r\nAGEAYg==\r\n"
    b"--b\r\nContent-Type: text/html; charset=utf-7\r\n\r\n<p style='x'>+AGE-<img src=cid:x></p>&#0;&#xd800;\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nx\r\n"
    b"--b\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n\r\n"
    b"--b\r\nContent-Disposition: attachment; filename*=utf-8''%00%ff..%2f\r\n\r\n\x00\xff\r\n--b--\r\n"
)
TOKENS = [
    b"\r\n\r\n", b"--b\r\n", b"\x00", b"\xff\xfe", b"=?utf-8?b?\xed?=", b"Content-Type: message/rfc822\r\n", b"((((",
    b"<", b"Content-Transfer-Encoding: base64\r\n", b"boundary=", b'"', b";", b"charset=idna", b"\r", b"From: ",
    b"&#99999999999;", b"multipart/report", b"Content-Transfer-Encoding: x-uuencode\r\n", b"begin 666 x\n",
    b"filename*1*=", b"utf-7", b"+2AA-",
]  # fmt: skip
QUIET = [HealthCheck.function_scoped_fixture]


def fit(message: InboundMessage) -> None:
    texts = [message.text, message.html, message.quoted, message.subject, message.author.value, message.author.name]
    texts += [message.external_id, message.thread, message.reference, message.automatic, message.token]
    texts += [*message.references, *message.notes, *(each.name for each in message.files)]
    texts += [*(each.content_id for each in message.files), *(each.content_type for each in message.files)]
    for text in texts:
        assert "\x00" not in text
        text.encode()
    assert "\n" not in message.subject
    assert message.author.value
    assert message.thread
    assert message.said_at.tzinfo is not None


@settings(max_examples=120, deadline=None, suppress_health_check=QUIET)
@given(raw=st.binary(max_size=600))
def test_any_bytes(read, raw):
    for happening in ("message", "sent"):
        with suppress(PayloadError):
            fit(read(raw, happening=happening))


@settings(max_examples=250, deadline=None, suppress_health_check=QUIET)
@given(changes=st.lists(st.tuples(st.integers(0, len(SEED)), st.integers(0, 30), st.sampled_from(TOKENS)), max_size=8))
def test_mutated_mails(read, changes):
    raw = SEED
    for position, cut, token in changes:
        raw = raw[:position] + token + raw[position + cut :]
    for happening in ("message", "sent"):
        with suppress(PayloadError):
            fit(read(raw, happening=happening))


@settings(max_examples=100, deadline=None, suppress_health_check=QUIET)
@given(words=st.text(st.characters(codec="utf-8"), max_size=300))
def test_every_word_of_a_plain_mail_is_kept(read, words):
    body = base64.b64encode(words.encode())
    head = (
        b"From: c@mail.example\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )
    message = read(head + body)
    kept = f"{message.text} {message.quoted}"
    control = dict.fromkeys([*range(32), 127, 0xFEFF], " ")
    for word in words.translate(control).split():
        assert word in kept.translate(control)

"""What the three events of a call become."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from channels.adapters.base import Connection, DeliveryError, PayloadError
from channels.adapters.phone import VOICEMAIL, PhoneAdapter, read
from channels.happenings import Address, Call, Outgoing, RawItem
from contactcentre.lib.secrets import Credentials

AT = datetime(2026, 11, 20, 15, 12, 3, tzinfo=UTC)
LINE = "+442079460100"
FORM = "application/x-www-form-urlencoded"
CONNECTION = Connection(
    account_id=7,
    kind="phone",
    address=LINE,
    name="Acme Support",
    settings={"region": "GB"},
    credentials=Credentials(hook_token="practice-only"),
    begins_at=AT,
    own=frozenset({LINE}),
)
NEW = {
    "event": "newCall",
    "from": "442079460142",
    "to": "442079460100",
    "direction": "in",
    "callId": "53ba82e2bd6d12d9fb2d3838f0cfb070",
    "user[]": ["Anna Reid", "Ben Tallis"],
    "queue": "Support",
}


def item(body: bytes, content_type: str = FORM, received_at: str = AT.isoformat()) -> RawItem:
    meta: dict[str, object] = {"content_type": content_type, "received_at": received_at}
    return RawItem(happening="call-new", external_id="1", body=body, meta=meta)


def parsed(fields: dict[str, Any], content_type: str = FORM) -> Call:
    body = json.dumps(fields).encode() if content_type != FORM else urlencode(fields, doseq=True).encode()
    (call,) = PhoneAdapter().parse(item(body, content_type), CONNECTION)
    assert isinstance(call, Call)
    return call


def test_a_new_call_says_who_rings_which_line() -> None:
    assert parsed(NEW) == Call(
        external_id="53ba82e2bd6d12d9fb2d3838f0cfb070",
        scope=LINE,
        event="new",
        direction="in",
        customer=Address(kind="phone", value="+442079460142", display="442079460142", region="GB"),
        line=LINE,
        at=AT,
    )


def test_json_says_the_same_as_a_form() -> None:
    told = {**NEW, "user": NEW["user[]"]}
    assert parsed(told, "application/json; charset=utf-8") == parsed(NEW)
    assert parsed(told, "text/plain") == parsed(NEW)
    assert parsed({**told, "callId": 123456789}, "application/json").external_id == "123456789"


def test_a_multipart_form_says_the_same_too() -> None:
    parts = "".join(
        f'--b0und\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in NEW.items()
        if name != "user[]"
    )
    body = f"{parts}--b0und--\r\n".encode()
    (call,) = PhoneAdapter().parse(item(body, 'multipart/form-data; boundary="b0und"'), CONNECTION)
    assert call == parsed(NEW)


def test_an_answer_says_who_took_it() -> None:
    answer = {**NEW, "event": "answer", "user": "Anna Reid", "answeringNumber": "42"}
    del answer["user[]"]
    assert (parsed(answer).event, parsed(answer).answered_by) == ("answered", "Anna Reid")
    del answer["user"]
    assert parsed(answer).answered_by == "42"
    assert parsed({**answer, "user": "Voicemail"}).answered_by == VOICEMAIL
    assert parsed({**answer, "user[]": ["Anna Reid", "Ben Tallis"]}).answered_by == "Anna Reid, Ben Tallis"


@pytest.mark.parametrize(
    ("told", "cause"),
    [
        ("normalClearing", "normalClearing"),
        ("NORMAL_CLEARING", "normalClearing"),
        ("ORIGINATOR_CANCEL", "cancel"),
        ("noAnswer", "noAnswer"),
        ("USER_BUSY", "busy"),
        ("forwarded", "forwarded"),
        ("fell into the sea", "fell into the sea"),
        ("", ""),
    ],
)
def test_a_hang_up_says_why(told: str, cause: str) -> None:
    call = parsed({**NEW, "event": "hangup", "cause": told})
    assert (call.event, call.cause, call.answered_by) == ("ended", cause, "")


def test_of_a_call_that_went_out_the_customer_is_the_one_who_was_rung() -> None:
    call = parsed({**NEW, "direction": "OUT", "from": "442079460100", "to": "07700 900317"})
    assert call.direction == "out"
    assert call.customer == Address(kind="phone", value="+447700900317", display="07700 900317", region="GB")


@pytest.mark.parametrize("number", ["anonymous", "", "unknown", "112"])
def test_whoever_cannot_be_seen_is_nameless_and_the_calls_own(number: str) -> None:
    call = parsed({**NEW, "from": number})
    assert call.customer == Address(kind="nameless", value=call.external_id, scope=LINE, display=number, region="GB")


def test_an_event_of_a_kind_we_have_no_use_for_says_nothing() -> None:
    body = urlencode({"event": "holdCall", "callId": "1"}).encode()
    assert list(PhoneAdapter().parse(item(body), CONNECTION)) == []


@pytest.mark.parametrize("field", ["event", "callId", "direction"])
def test_without_a_field_that_counts_nobody_can_stand_behind_it(field: str) -> None:
    fields = {name: value for name, value in NEW.items() if name != field}
    with pytest.raises(PayloadError):
        parsed(fields)
    with pytest.raises(PayloadError):
        parsed({**fields, field + "X": NEW[field]}, "application/json")


@pytest.mark.parametrize("field", ["from", "to", "user[]", "queue"])
def test_without_any_other_field_it_is_a_call_all_the_same(field: str) -> None:
    call = parsed({name: value for name, value in NEW.items() if name != field})
    assert call.customer.kind == ("nameless" if field == "from" else "phone")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", FORM),
        (b"<html>502 Bad Gateway</html>", "text/html"),
        (b"[" * 60_000, "application/json"),
        (b'{"a":' * 10_000, "application/json"),
        (b"[1, 2]", "application/json"),
        (b"null", "application/json"),
        (b"\xff\xfe{", "application/json"),
        (b'{"event": {}, "callId": []}', "application/json"),
        (b'{"event": "newCall", "callId": ' + b"9" * 5000 + b"}", "application/json"),
        (b'{"event": "newCall", "callId": true}', "application/json"),
        (b"&".join(b"a=1" for _ in range(500)), FORM),
        (b"event=newCall&callId=" + b"x" * 251, FORM),
        (b"event=%00&callId=%00", FORM),
        (b"--b\r\n\r\n", "multipart/form-data"),
        (b"--b\r\n\r\n", "multipart/form-data; boundary=b"),
    ],
)
def test_what_is_no_event_is_a_payload_error(body: bytes, content_type: str) -> None:
    with pytest.raises(PayloadError):
        list(PhoneAdapter().parse(item(body, content_type), CONNECTION))


@pytest.mark.parametrize("at", ["", "yesterday", "2026-11-20T15:12:03", "2026-99-99T99:99:99+00:00"])
def test_an_event_of_no_time_is_a_payload_error(at: str) -> None:
    with pytest.raises(PayloadError):
        list(PhoneAdapter().parse(item(urlencode(NEW, doseq=True).encode(), received_at=at), CONNECTION))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
KNOWN = st.sampled_from([*NEW, "user", "answeringNumber", "cause"])
TELLING = st.sampled_from(
    ["newCall", "answer", "hangup", "in", "out", "voicemail", "anonymous", "\x00", "\ud800", "442079460142"]
)


@given(fields=st.dictionaries(KNOWN, VALUES | TELLING), kind=st.sampled_from([FORM, "application/json", "text/plain"]))
def test_any_fields_are_a_call_fit_for_the_database_or_a_payload_error(fields: dict[str, Any], kind: str) -> None:
    body = json.dumps(fields).encode() if kind != FORM else urlencode(fields, doseq=True, errors="replace").encode()
    _fit(body, kind)


@given(
    body=st.binary(max_size=400),
    kind=st.sampled_from(["", FORM, "application/json", "multipart/form-data; boundary=b", "multipart/form-data"]),
)
def test_any_bytes_are_a_call_fit_for_the_database_or_a_payload_error(body: bytes, kind: str) -> None:
    _fit(body, kind)
    _fit(b'{"event": "newCall", "callId": "1", "from": ' + body + b"}", kind)
    _fit(b"event=newCall&direction=in&callId=1&from=" + body, kind)


def _fit(body: bytes, kind: str) -> None:
    try:
        calls = list(PhoneAdapter().parse(item(body, kind), CONNECTION))
    except PayloadError:
        return
    for call in calls:
        assert isinstance(call, Call)
        for text in (call.external_id, call.cause, call.answered_by, call.customer.value, call.customer.display):
            text.encode()
            assert "\x00" not in text
            assert "\n" not in text
            assert len(text) <= 320
        assert call.external_id
        assert call.customer.value


def test_polling_finds_nothing_and_keeps_the_cursor() -> None:
    polled = PhoneAdapter().poll(CONNECTION, {"a": 1}, now=AT)
    assert (polled.items, polled.cursor, polled.more) == ((), {"a": 1}, False)


def test_a_call_is_never_sent() -> None:
    outgoing = Outgoing(surface="phone", recipient=Address(kind="phone", value=LINE), marker="1", text="Hello")
    with pytest.raises(DeliveryError) as refused:
        PhoneAdapter().send(CONNECTION, outgoing, opener=lambda path: pytest.fail(path), still_ours=lambda: True)
    assert (refused.value.permanent, refused.value.outcome_unknown) == (True, False)
    with pytest.raises(DeliveryError) as refused:
        PhoneAdapter().look(CONNECTION, outgoing, since=AT)
    assert refused.value.permanent


def test_trying_it_out_says_where_to_post_and_when_it_last_worked() -> None:
    with translation.override("en-gb"):
        untried = PhoneAdapter().try_out(CONNECTION)
        heard = PhoneAdapter().try_out(
            replace(CONNECTION, settings={**CONNECTION.settings, "heard_at": AT.isoformat()})
        )
    assert not untried.ok
    assert "/hooks/phone/…/" in untried.words[0]
    assert "practice-only" not in " ".join(untried.words)
    assert heard.ok
    assert "20 November 2026" in heard.words[1]


def test_a_body_is_read_without_a_line() -> None:
    assert read(b"event=newCall&callId=7", FORM).call_id == "7"

"""The phone hook: a token, a body, a ledger row, and an answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.models import Person
from channels import books, hooks, ledger, lines, processing
from channels.happenings import Address, Call
from channels.models import AccountState, ChannelAccount, LedgerBody, LedgerItem
from tests.channels.conftest import NOW, ListeningReceiver

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.channels.hook_door"), pytest.mark.usefixtures("hinted")]

FORM = "application/x-www-form-urlencoded"
NEW = {"event": "newCall", "from": "442079460142", "to": "442079460100", "direction": "in", "callId": "call-1"}


class Line:
    """A connected line, and what an exchange can do to it."""

    def __init__(self, actor: Person) -> None:
        now = timezone.now() - timedelta(hours=1)
        self.account, self.token = lines.connect_line(
            actor=actor, number="+442079460100", name="Support", region="GB", now=now
        )
        self.client = Client(enforce_csrf_checks=True, raise_request_exception=False)

    def post(self, body: bytes | dict[str, Any], content_type: str = FORM, token: str = "") -> int:
        """Post and return the status."""
        data = body if isinstance(body, bytes) else urlencode(body, doseq=True).encode()
        answer = self.client.generic("POST", f"/hooks/phone/{token or self.token}/", data, content_type)
        return answer.status_code


@pytest.fixture
def line(ada: Person) -> Line:
    return Line(ada)


def rows() -> list[tuple[str, str, str]]:
    return list(LedgerItem.objects.order_by("id").values_list("happening", "state", "reason"))


def process() -> None:
    now = timezone.now() + timedelta(seconds=1)
    while processing.process(now=now, clock=lambda: now).more:
        pass
    assert books.books().balanced


def test_an_event_is_a_ledger_row_and_then_a_call(
    line: Line, listening: ListeningReceiver, hinted: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    before = timezone.now()
    with django_capture_on_commit_callbacks(execute=True):
        assert line.post(NEW) == 200
    assert hinted == ["channels.tasks.process"]
    assert rows() == [("call-new", "pending", "")]
    item = LedgerItem.objects.get()
    assert (item.account, item.kind, item.source) == (line.account, "phone", "webhook")
    body = LedgerBody.objects.get()
    assert bytes(body.body) == urlencode(NEW).encode()
    assert line.token not in json.dumps(body.meta)
    line.account.refresh_from_db()
    assert line.account.heard_at is not None
    assert line.account.heard_at >= before
    process()
    (call,) = listening.heard
    assert isinstance(call, Call)
    assert (call.event, call.external_id, call.scope, call.line) == ("new", "call-1", "+442079460100", "+442079460100")
    assert call.customer == Address(kind="phone", value="+442079460142", display="442079460142", region="GB")
    assert before <= call.at <= timezone.now()
    assert rows() == [("call-new", "processed", "")]


def test_each_event_of_a_call_is_one_row_however_often_it_is_told(line: Line, listening: ListeningReceiver) -> None:
    for _ in range(3):
        for event in ("newCall", "hangup", "answer"):
            assert line.post({**NEW, "event": event}) == 200
    process()
    assert [call.event for call in listening.heard if isinstance(call, Call)] == ["new", "ended", "answered"]
    assert [happening for happening, _, _ in rows()] == ["call-new", "call-hangup", "call-answer"]
    line.post({**NEW, "callId": "call-2"})
    assert LedgerItem.objects.count() == 4


def test_the_same_call_id_on_another_line_is_another_call(line: Line, ada: Person) -> None:
    _account, other = lines.connect_line(actor=ada, number="+442079460101", region="GB", now=NOW)
    assert line.post(NEW) == 200
    assert line.post(NEW, token=other) == 200
    assert LedgerItem.objects.count() == 2


@pytest.mark.parametrize("token", ["wrong", "x" * 4000, "%00", "é", "..", "' OR 1=1 --"])
def test_a_wrong_token_is_not_found_and_nothing_is_kept(line: Line, token: str) -> None:
    # A NUL in an address is refused before any door is looked for.
    assert line.post(NEW, token=token) == (400 if token == "%00" else 404)
    assert rows() == []


def test_a_token_that_was_renewed_is_not_found(line: Line, ada: Person) -> None:
    old, line.token = line.token, lines.new_token(account=line.account, actor=ada, now=NOW)
    assert line.post(NEW, token=old) == 404
    assert line.post(NEW) == 200


def test_only_posts_are_taken(line: Line) -> None:
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
        assert line.client.generic(method, f"/hooks/phone/{line.token}/").status_code == 405


def test_a_body_beyond_the_limit_is_a_quarantined_row_without_its_content(line: Line) -> None:
    small = urlencode(NEW).encode() + b"&queue="
    assert line.post(small + b"x" * (hooks.LARGEST_EVENT - len(small))) == 200
    for _ in range(2):
        assert line.post(small + b"x" * (hooks.LARGEST_EVENT - len(small) + 1)) == 200
    assert rows() == [("call-new", "pending", ""), ("call", "quarantined", hooks.TOO_LARGE)]
    row = LedgerItem.objects.get(state="quarantined")
    assert (row.account, row.size) == (line.account, hooks.LARGEST_EVENT + 1)
    assert not LedgerBody.objects.filter(pk=row.pk).exists()
    assert books.books().balanced


@pytest.mark.parametrize("body", [b"", b"<html></html>", b"event=newCall", b"[" * 60_000, b"\x00\xff", b'{"event": 1}'])
@pytest.mark.parametrize("content_type", [FORM, "application/json", "text/html; charset=klingon", ""])
def test_what_cannot_be_read_is_one_quarantined_row(line: Line, body: bytes, content_type: str) -> None:
    assert line.post(body, content_type) == 200
    assert line.post(body, content_type) == 200
    ((happening, state, reason),) = rows()
    assert (happening, state) == ("call", "quarantined")
    assert reason
    assert books.books().balanced


def test_an_event_of_tomorrow_is_filtered_by_its_name(line: Line) -> None:
    for event in ("holdCall", "transferCall", "holdCall"):
        assert line.post({**NEW, "event": event}) == 200
    assert rows() == [("call-other", "filtered", "unsupported event")] * 2


def test_a_paused_line_keeps_what_came_and_makes_nothing_of_it(
    line: Line, ada: Person, listening: ListeningReceiver
) -> None:
    ChannelAccount.objects.update(state=AccountState.PAUSED)
    assert line.post(NEW) == 200
    process()
    assert (rows(), listening.heard) == ([("call-new", "filtered", "the line was paused")], [])
    processing.process_again(actor=ada, now=timezone.now(), item_ids=[LedgerItem.objects.get().pk])
    process()
    assert len(listening.heard) == 1


def test_a_call_without_a_direction_is_quarantined_with_its_reason(line: Line, listening: ListeningReceiver) -> None:
    line.post({name: value for name, value in NEW.items() if name != "direction"})
    process()
    ((_, state, reason),) = rows()
    assert state == "quarantined"
    assert "came in or went out" in reason


def test_a_call_between_our_own_lines_is_nobodys(line: Line, ada: Person, listening: ListeningReceiver) -> None:
    lines.connect_line(actor=ada, number="+442079460101", region="GB", now=NOW)
    line.post({**NEW, "from": "442079460101"})
    process()
    assert (rows(), listening.heard) == ([("call-new", "filtered", "a call between our own lines")], [])


def test_our_own_failure_is_a_500_so_that_it_is_told_again(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> list[int]:
        raise OperationalError("the database went away")

    with monkeypatch.context() as patched:
        patched.setattr(ledger, "record", broken)
        assert line.post(NEW) == 500
    assert rows() == []
    assert line.post(NEW) == 200


def test_no_log_line_holds_the_token(
    line: Line, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from contactcentre.lib.secrets import HideSecrets

    def broken(*_: object, **__: object) -> list[int]:
        raise ValueError("no")

    monkeypatch.setattr(ledger, "record", broken)
    with caplog.at_level(logging.DEBUG):
        line.post(NEW)
        line.post(NEW, token="guessed-token")
    assert caplog.records
    for record in caplog.records:
        HideSecrets().filter(record)
        assert line.token not in f"{record.getMessage()} {record.exc_text or ''}"


def test_an_event_costs_few_statements(line: Line, django_assert_max_num_queries: Callable[..., Any]) -> None:
    line.post({**NEW, "callId": "warm"})
    # The account, the digests' key, the event's rows, when we heard, and the savepoint around them.
    with django_assert_max_num_queries(6):
        line.post(NEW)


VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["in", "out", "anonymous", "newCall", "hangup", "\x00", "\ud800", "442079460142", "x" * 300]),
    st.integers(),
    st.none(),
    st.lists(st.text(max_size=5), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)
NAMES = st.sampled_from([*NEW, "user", "user[]", "answeringNumber", "cause", "queue"]) | st.text(max_size=10)


@st.composite
def bodies(draw: Any) -> tuple[bytes, str]:
    """Something an exchange, or somebody who found its address, might post."""
    if draw(st.integers(0, 3)) == 0:
        kinds = ["", FORM, "application/json", "multipart/form-data; boundary=b", "a/b; \x00"]
        return draw(st.binary(max_size=200)), draw(st.sampled_from(kinds))
    fields = {**NEW, **draw(st.dictionaries(NAMES, VALUES, max_size=5))}
    if draw(st.booleans()):
        return json.dumps(fields).encode(), "application/json"
    return urlencode(fields, doseq=True, errors="replace").encode(), FORM


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(posted=bodies())
def test_whatever_is_posted_ends_as_a_call_filtered_or_quarantined(
    line: Line, listening: ListeningReceiver, posted: tuple[bytes, str]
) -> None:
    body, content_type = posted
    assert line.post(body, content_type) == 200
    process()
    assert not LedgerItem.objects.filter(state="pending").exists()
    # A quarantined row says what is wrong with it in words, not as the name of an exception.
    assert not LedgerItem.objects.filter(reason__contains="Error").exists()
    for call in listening.heard:
        assert isinstance(call, Call)
        assert call.external_id
        assert call.customer.value

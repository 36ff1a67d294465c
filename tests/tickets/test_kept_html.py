"""Rows and bubbles are kept once they are made: what they depend on must never be another's, or of another time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation
from django.utils.formats import date_format

from channels.surfaces import SURFACES
from contactcentre.templatetags.still import filled
from tests.tickets.inbox_rows import ANNA, NOW, ago, bubble, entry, row
from tickets import row_html, rows, timeline_html
from tickets.features import Features
from tickets.queries import timeline
from tickets.queries.timeline_rows import Said
from tickets.templatetags.inbox import exact_words


def listed(one: rows.TicketRow, *, now: datetime = NOW, place: str = "", current_id: int | None = None) -> str:
    return row_html.render([one], place=place, current_id=current_id, now=now)


def said(one: rows.Bubble, *, now: datetime = NOW) -> str:
    return timeline_html.render([entry(one)], features=Features(), now=now)


def test_a_row_that_nothing_changed_is_made_once() -> None:
    listed(row(901))
    made = row_html._row.cache_info().misses
    # Made of the same words, but another object, as each page reads it.
    assert listed(row(901)) == listed(row(901))
    assert row_html._row.cache_info().misses == made


@pytest.mark.parametrize(
    "changes",
    [
        {"who": "Carl Hughes"},
        {"words": "Never mind"},
        {"words_by": "Ben"},
        {"is_unread": True},
        {"is_high": True},
        {"owner": ANNA},
        {"owner": ANNA._replace(is_me=False)},
        {"tags": ("vip",)},
        {"also": ("Billing",)},
        {"surfaces": ()},
        {"due_at": None},
        {"due_at": NOW + timedelta(minutes=47)},
        {"snoozed_until": NOW + timedelta(hours=1)},
        {"last_at": ago(minutes=6)},
    ],
)
def test_a_row_of_which_something_changed_shows_it(changes: dict[str, Any]) -> None:
    before = listed(row(902))
    assert listed(row(902, **changes)) != before
    assert listed(row(902)) == before


def test_a_kept_row_tells_the_time_of_whoever_looks() -> None:
    one = row(903, due_at=NOW + timedelta(minutes=48), last_at=NOW)
    assert "48 min" in listed(one)
    assert "8 min" in listed(one, now=NOW + timedelta(minutes=40))
    assert "due--soon" in listed(one, now=NOW + timedelta(minutes=40))
    assert "overdue 12 min" in listed(one, now=NOW + timedelta(hours=1))
    assert "15:12</time>" in listed(one)
    assert "Fri 15:12</time>" in listed(one, now=NOW + timedelta(days=1))
    assert "20 Nov</time>" in listed(one, now=NOW + timedelta(days=9))
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        assert "00:12</time>" in listed(one)
    with translation.override("de"):
        assert "Fr 15:12</time>" in listed(one, now=NOW + timedelta(days=1))


def test_a_kept_row_leads_back_to_the_list_it_stands_in() -> None:
    assert "?view=mine" in listed(row(904), place="?view=mine")
    assert "?view=mine" not in listed(row(904))
    assert "aria-current" in listed(row(904), current_id=904)
    assert "aria-current" not in listed(row(904))


def test_a_short_bubble_is_made_once_and_a_long_one_is_not_kept() -> None:
    for one in (bubble(905), bubble(906, "x" * 10_000), bubble(907, quoted="x" * 10_000)):
        said(one)
    made, size = timeline_html._kept.cache_info().misses, timeline_html._kept.cache_info().currsize
    assert said(bubble(905)) == said(bubble(905))
    said(bubble(908, "x" * 10_000))
    assert (timeline_html._kept.cache_info().misses, timeline_html._kept.cache_info().currsize) == (made, size)


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "Never mind"},
        {"quoted": "> no"},
        {"state": "failed", "state_words": "Not sent", "state_reason": "Refused."},
        {"state_words": "Came back"},
        {"edited_at": NOW},
        {"deleted_at": NOW},
        {"versions": (rows.Version(text="Before", until=NOW),)},
        {"may_undo_until": NOW + timedelta(seconds=10)},
        {"notes": ("One file was too large.",)},
        {"warning": "Answers are asked for at another address."},
    ],
)
def test_a_bubble_of_which_something_changed_shows_it(changes: dict[str, Any]) -> None:
    before = said(bubble(909))
    assert said(bubble(909, **changes)) != before
    assert said(bubble(909)) == before


def test_a_kept_bubble_tells_the_hour_where_it_is_read() -> None:
    one = bubble(910, said_at=datetime(2026, 11, 20, 9, 5, tzinfo=UTC))
    assert ">09:05</time>" in said(one)
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        assert ">18:05</time>" in said(one)
    with translation.override("de"):
        assert "20. November 2026" in said(one)
    assert "20 Nov 2026" in said(one)


def from_row(message: Said, *, who: str = "Anna", reader: int = 1, now: datetime = NOW) -> rows.Bubble:
    return timeline._bubble(message, who, reader, "en-gb", files=(), versions=(), call=None, now=now)


def test_a_bubble_that_is_kept_is_the_readers_own_and_can_be_undone_only_in_time() -> None:
    until = NOW + timedelta(seconds=10)
    message = Said(
        id=9011,
        ticket_id=1,
        contact_id=1,
        channel_kind="email",
        external_id="",
        surface="email",
        direction="out",
        identity_id=None,
        person_id=1,
        person_name="Anna Reid",
        is_outside=False,
        arrival=2,
        said_at=NOW,
        subject="",
        text="It leaves tonight.",
        quoted="",
        html="",
        has_files=False,
        permalink="",
        automatic="",
        edited_at=None,
        deleted_at=None,
        state="queued",
        state_reason="",
        delivered_at=None,
        read_at=None,
        bounced_at=None,
        extra=json.dumps({"undo_until": until.isoformat()}),
    )
    mine, theirs = from_row(message), from_row(message, reader=2)
    assert [bubble.person and bubble.person.is_me for bubble in (mine, theirs)] == [True, False]
    assert mine.may_undo_until == until
    assert from_row(message, now=until).may_undo_until is None
    assert from_row(message._replace(person_name="Anna Blue"), who="Anna").person != mine.person
    assert from_row(message, who="Ann").who == "Ann"
    assert [from_row(message._replace(contact_id=number)).contact_id for number in (7, 9)] == [7, 9]


def test_a_failed_reply_says_which_thread_its_words_were_for() -> None:
    failed = bubble(912, "It leaves tonight.", direction="out", state="failed", state_words="Not sent")
    for contact in (7, 9):
        html = said(failed._replace(contact_id=contact))
        assert f'data-act="words" data-way="{contact}" data-surface="email" ' in html
    assert ' data-surface="x:mention" data-public ' in said(failed._replace(surface=SURFACES["x:mention"]))


def test_a_page_is_kept_without_what_stands_in_its_holes() -> None:
    def page(title: str, token: str) -> str:
        holes = dict.fromkeys(("stream", "person_id", "sidebar", "list", "panes", "toasts"), "")
        return filled(
            "inbox/page.html",
            {**holes, "csrf_token": token, "title": title},
            shows_ticket=False,
            features=Features(),
            all_queues=(),
            is_lead=False,
        )

    first, second = page("Carla", "one"), page("<b>", "two")
    assert "<title>Carla · " in first
    # As it was given: whoever fills a hole escapes.
    assert "<title><b> · " in second
    assert [html.count('content="one"') for html in (first, second)] == [1, 0]
    assert "hole-" not in first + second


# Of these some write the hour first, in the midst, or in another form than alone.
@pytest.mark.parametrize("language", ["en-gb", "de", "es", "fr", "ko", "vi", "bs"])
def test_a_time_kept_in_halves_is_written_as_django_writes_it_whole(language: str) -> None:
    with translation.override(language):
        for at in (datetime(2026, 11, 20, 0, 0), datetime(2026, 11, 20, 12, 5), datetime(2027, 3, 1, 17, 30)):
            assert exact_words(at, language) == escape(date_format(at, "DATETIME_FORMAT"))

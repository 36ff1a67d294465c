"""The inbox's pages, rendered from plain values: what is on them, and that nobody's words become markup."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.test import RequestFactory

from agents.access import me
from agents.models import Person
from channels.surfaces import surface
from tests.tickets import inbox_rows as rows
from tests.tickets.inbox_rows import NOW, SCRIPT
from tests.tickets.rendered import Page
from tickets import page_html
from tickets.features import Features
from tickets.rows import QueueLink, TicketList, TicketPage
from tickets.templatetags import inbox

NOTHING_ON = Features(compose=False, act=False, search=False, call=False, board=False, accounts=False)


def render(template: str, **context: Any) -> Page:
    """A template, rendered for agent Anna."""
    return Page(render_to_string(template, context, request=asked()))


def asked() -> HttpRequest:
    """A page is asked for by agent Anna."""
    request = RequestFactory().get("/")
    request.user = Person(id=1, email="anna@acme.example", name="Anna Reid", is_agent=True)
    return request


def list_page(
    listed: TicketList,
    page: TicketPage | None = None,
    features: Features | None = None,
    queues: tuple[QueueLink, ...] = rows.QUEUES,
) -> Page:
    """The whole inbox with this list, and with one ticket open or none."""
    request = asked()
    html = page_html.render(
        request,
        listed=listed,
        page=page,
        place="?view=open",
        person=me(request),
        views=rows.VIEWS,
        queues=queues,
        all_queues=(),
        features=features or Features(),
        stream="1-0",
        now=NOW,
    )
    return Page(html)


def inbox_page(*entries: Any, features: Features | None = None, **changes: Any) -> Page:
    """The whole inbox with one ticket open."""
    listed = rows.listed(*rows.busy_rows(), older="o", newer="n")
    return list_page(listed, rows.page(*entries, **changes), features)


PAGES = {
    "a list": lambda: list_page(rows.listed(*rows.busy_rows(), older="o", newer="n")),
    "an empty list": lambda: list_page(rows.listed(), queues=()),
    "a ticket with one of each": lambda: inbox_page(*rows.busy_entries(), also=("Billing",), is_high=True, older="o"),
    "a ticket without words": lambda: inbox_page(),
    "a ticket that is over": lambda: inbox_page(state="closed", state_words="Closed", composer=None, due_at=None),
    "a ticket named by a hostile customer": lambda: inbox_page(who=SCRIPT, customer=rows.customer(name=SCRIPT)),
    "everything switched off": lambda: inbox_page(*rows.busy_entries(), features=NOTHING_ON),
    "signing in": lambda: render("agents/sign_in.html", error="No.", next='/"><script>'),
    "nothing there": lambda: render("404.html"),
    "not allowed": lambda: render("403.html"),
    "broken": lambda: Page(render_to_string("500.html")),
}


@pytest.fixture(params=PAGES, scope="module")
def page(request: pytest.FixtureRequest) -> Page:
    """Each of the pages in turn."""
    made: Page = PAGES[request.param]()
    return made


# ---------------------------------------------------------------- every page


def test_every_element_is_closed_where_it_belongs(page: Page) -> None:
    assert not page.open


def test_nothing_runs_or_is_styled_inline(page: Page) -> None:
    # The content security policy would refuse it, and with it half the page.
    scripts = page.all("script")
    assert [script.words for script in scripts if script["type"] != "application/json" and not script["src"]] == []
    assert page.all("style") == []
    attributes = {name for element in page.elements for name in element.attributes}
    assert not {name for name in attributes if name == "style" or name.startswith("on")}


def test_an_id_names_one_element(page: Page) -> None:
    times = Counter(element["id"] for element in page.elements if element["id"])
    assert {name for name in times if times[name] > 1} == set()


def test_what_names_an_id_finds_it(page: Page) -> None:
    ids = {element["id"] for element in page.elements}
    for element in page.elements:
        if element.name != "use" and element["href"].startswith("#"):
            assert element["href"][1:] in ids, element
        for attribute in ("for", "popovertarget", "aria-controls", "aria-describedby", "aria-labelledby"):
            for wanted in element[attribute].split():
                assert wanted in ids, (attribute, wanted)


def test_whatever_can_be_operated_has_a_name(page: Page) -> None:
    labelled = {label["for"] for label in page.all("label")}
    for element in page.elements:
        if element.name in ("a", "button", "summary"):
            assert element.words.strip() or element["aria-label"] or element["title"], element.attributes
        if element.name in ("input", "textarea", "select") and element["type"] not in ("hidden", "file"):
            assert element["aria-label"] or element["id"] in labelled or element.is_inside("label"), element.attributes
        if element.name == "img":
            assert "alt" in element.attributes


def test_every_icon_is_in_the_sprite(page: Page) -> None:
    sprite = (settings.ROOT / "static" / "icons.svg").read_text()
    drawn = set(re.findall(r'id="([^"]+)"', sprite))
    assert {element["href"].rpartition("#")[2] for element in page.all("use")} <= drawn


def test_a_link_that_opens_a_tab_tells_it_nothing(page: Page) -> None:
    for link in page.all("a", target="_blank"):
        assert "noopener" in link["rel"], link.attributes


def test_a_form_that_posts_carries_its_token(page: Page) -> None:
    token_owners = {id(found.parent) for found in page.all("input", name="csrfmiddlewaretoken")}
    for form in page.all("form", method="post"):
        # The composer is sent by its module, with the token of <body> in a header.
        assert id(form) in token_owners or form["id"] == "reply", form.attributes


# ---------------------------------------------------------------- the list


def test_a_row_says_who_when_and_by_when() -> None:
    shown = list_page(rows.listed(*rows.busy_rows()))
    row = shown.one("li", id="ticket-row-41")
    for words in ("Tom Okafor", "overdue 3 min", "also Billing", "refund", "Unread", "Ben Tallis", "15:07"):
        assert words in row.words
    assert row["data-ticket"] == "41"
    assert "Nobody yet" in shown.one("li", id="ticket-row-46").words


def test_a_row_keeps_the_list_it_was_opened_from() -> None:
    shown = list_page(rows.listed(rows.row(42)))
    (link,) = [found for found in shown.all("a") if "ticket-row" in found["class"].split()]
    assert link["href"] == link["hx-get"] == "/t/42/?view=open"


def test_the_open_ticket_is_marked_in_the_list() -> None:
    assert [link["href"] for link in inbox_page().all("a", aria_current="true")] == ["/t/42/?view=open"]


def test_an_empty_list_says_so_in_words_that_fit() -> None:
    said = {"mine": "You hold no ticket", "snoozed": "Nothing is snoozed", "open": "Nothing waits here"}
    for view, words in said.items():
        shown = list_page(rows.listed(view=view))
        assert words in shown.one("ul", id="ticket-list").words


def test_further_pages_are_offered_only_where_there_are_some() -> None:
    assert "after=o" in list_page(rows.listed(rows.row(1), older="o")).source
    assert "after=" not in list_page(rows.listed(rows.row(1))).source


# ---------------------------------------------------------------- the ticket


def test_a_failed_reply_says_why_and_what_can_be_done() -> None:
    shown = inbox_page(*rows.busy_entries())
    failed = shown.one("article", id="message-9")
    assert "The mail server refused the recipient." in failed.words
    acts = {(button["data-act"], button["data-message"]) for button in shown.all("button") if button["data-act"]}
    assert {("retry", "9"), ("is-there", "10"), ("send-again", "10"), ("undo", "8")} <= acts


def test_a_note_cannot_be_taken_for_a_message() -> None:
    shown = inbox_page(*rows.busy_entries())
    note = shown.one("article", id="note-1")
    assert "Internal note" in note.words
    assert "never leaves the house" in note.words
    assert "bubble" not in {name for found in shown.elements if found.parent is note for name in found["class"].split()}


def test_a_call_is_a_card_with_what_was_agreed() -> None:
    card = inbox_page(*rows.busy_entries()).one("article", id="message-11").words
    for words in ("Carla called", "4 min 12 s", "+44 20 7946 0142", "Ben Tallis", "18 s", "call back agreed"):
        assert words in card
    assert "Wants it before Sunday." in card


def test_a_call_that_goes_on_has_no_length_yet() -> None:
    shown = rows.bubble(1, "", surface=surface("phone"), call=rows.call(is_over=False, duration_seconds=None))
    card = inbox_page(rows.entry(shown)).one("div", class_="call-card")
    assert "Carla called" in card.words
    assert "None" not in card.words


def test_words_of_a_confidential_queue_stay_out() -> None:
    shown = inbox_page(rows.entry(at=NOW, hidden="Something in Legal"))
    assert "Something in Legal" in shown.source


def test_what_people_write_finds_its_own_direction() -> None:
    shown = inbox_page(*rows.busy_entries())
    for element in shown.elements:
        classes = element["class"].split()
        if "bubble__body" in classes or "ticket-row__words" in classes:
            assert element["dir"] == "auto"


def test_a_file_that_was_not_taken_is_named_and_is_no_link() -> None:
    shown = inbox_page(*rows.busy_entries())
    assert "Larger than 25 MB" in shown.source
    assert [link["href"] for link in shown.all("a") if "/attachments/" in link["href"]] == ["/attachments/1/?save"]


def test_the_mail_as_it_was_sent_is_never_loaded_unasked() -> None:
    assert inbox_page(*rows.busy_entries()).all("iframe") == []


def test_a_ticket_that_is_over_offers_no_reply() -> None:
    shown = inbox_page(state="closed", state_words="Closed", composer=None)
    assert shown.all("textarea") == []
    assert "This ticket is over" in shown.source


def test_a_closed_way_says_why() -> None:
    shown = inbox_page()
    way = shown.one("button", data_way="14")
    assert way["aria-disabled"] == "true"
    assert way["title"] == "Carla has closed her direct messages"


def test_only_public_ways_are_marked_public() -> None:
    public = [way["data-surface"] for way in inbox_page().all("button") if "data-public" in way.attributes]
    assert public == ["x:mention"]


def test_the_page_knows_from_where_the_stream_goes_on() -> None:
    assert inbox_page().one("body")["data-stream"] == "1-0"


def test_what_is_switched_off_leaves_no_control() -> None:
    shown = inbox_page(*rows.busy_entries(), features=NOTHING_ON)
    assert not [found for found in shown.elements if "data-act-url" in found.attributes or found["role"] == "search"]
    assert shown.all("textarea") == []
    assert "data-open-search" not in shown.source


# ---------------------------------------------------------------- words and times


@pytest.mark.parametrize(
    ("minutes", "words", "kind"),
    [
        (-61, "overdue 1 h 01", "due--late"),
        (-3, "overdue 3 min", "due--late"),
        (8, "8 min", "due--soon"),
        (30, "30 min", "due--soon"),
        (31, "31 min", ""),
        (80, "1 h 20", ""),
        (180, "3 h", ""),
        (60 * 72, "3 d", ""),
    ],
)
def test_a_due_pill_warns_in_time(minutes: int, words: str, kind: str) -> None:
    pill = Page(inbox.due_pill(NOW + timedelta(minutes=minutes), None, NOW)).one("span")
    assert pill.words == words
    assert pill["class"].split()[1:] == ([kind] if kind else [])
    assert pill["data-due"] == (NOW + timedelta(minutes=minutes)).isoformat()


def test_what_is_not_due_and_what_is_snoozed() -> None:
    assert Page(inbox.due_pill(None, None, NOW)).one("span").words == ""
    assert Page(inbox.due_pill(None, NOW + timedelta(hours=3), NOW)).one("span").words == "until 18:12"


@pytest.mark.parametrize(("days", "words"), [(0, "15:12"), (2, "Wed 15:12"), (30, "21 Oct"), (400, "16 Oct 2025")])
def test_a_time_is_told_as_short_as_it_can_be(days: int, words: str) -> None:
    # October is summer time in London; the day stays the same.
    assert inbox.moment(NOW - timedelta(days=days), NOW) == words


@pytest.mark.parametrize(
    "words",
    [
        SCRIPT,
        '"><svg onload=alert(1)>',
        "https://shop.example/?q=<script>alert(1)</script>",
        'https://shop.example/"onmouseover="alert(1)',
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    ],
)
@pytest.mark.parametrize("as_shown", [inbox.said, inbox.noted])
def test_strangers_words_stay_words(as_shown: Any, words: str) -> None:
    shown = Page(as_shown(words))
    assert {element.name for element in shown.elements} <= {"p", "a", "br", "span"}
    assert {name for element in shown.elements for name in element.attributes} <= {"href", "rel", "target", "class"}
    assert all(link["href"].startswith(("http://", "https://", "mailto:")) for link in shown.all("a"))
    assert "".join(element.words for element in shown.all("p")) == words


def test_paragraphs_and_lines_are_kept() -> None:
    shown = Page(inbox.said("one\ntwo\n\nthree\n\n\n"))
    assert [paragraph.words for paragraph in shown.all("p")] == ["onetwo", "three"]
    assert len(shown.all("br")) == 1


def test_a_web_address_becomes_a_link_and_a_mention_is_marked() -> None:
    link = Page(inbox.said("see https://shop.example/a?b=1&c=2.")).one("a")
    assert link["href"] == "https://shop.example/a?b=1&c=2"
    assert Page(inbox.noted("@Anna look, mail me@acme.example")).one("span").words == "@Anna"


def test_a_channel_has_its_sign() -> None:
    assert "channel--messenger" in inbox.badge_of("facebook:messenger")


def test_a_row_shows_a_channel_once() -> None:
    names = ("x:mention", "x:dm", "email", "facebook:messenger")
    shown = inbox.one_a_channel([surface(name) for name in names])
    assert [inbox.BADGES[one.name][0] for one in shown] == ["x", "email", "messenger"]


def test_counts_stop_at_a_thousand() -> None:
    assert [inbox.capped(count) for count in (0, 999, 1000, 4000)] == ["0", "999", "1000+", "1000+"]

"""The admin's pages of teams, queues, feeds, targets, templates, books and history."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.http import Http404
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.models import HistoryEntry, Membership, Person, Team
from channels.models import ChannelAccount, LedgerCount, LedgerItem
from tests.conftest import NOW, House, person
from tickets import acts, intake, leaving, recounting, settings_queues, templates, tidying
from tickets.models import AccountFeed, Contact, Queue, Recount, ReplyTemplate, ServiceTarget, Ticket
from tickets.queries import settings_history
from tickets.queries.search import search

BASE = "/settings/"


def words(answer: Any) -> str:
    """What a person reads on the page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def last_act() -> HistoryEntry:
    return HistoryEntry.objects.latest("id")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that were published."""
    names: list[str] = []
    monkeypatch.setattr("contactcentre.lib.realtime._send", lambda events: names.extend(one.name for one in events))
    return names


# ---------------------------------------------------------------- teams


def test_a_team_is_made_changed_and_deleted_only_when_empty(
    house: House, browser: Client, told: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    given = {"name": "Night shift", "members": [house.anna.pk, house.hana.pk], "queues": [house.billing.pk]}
    with django_capture_on_commit_callbacks(execute=True):
        assert browser.post(f"{BASE}teams/new/", given).status_code == 302
    team = Team.objects.get(name="Night shift")
    assert {f"person-{house.anna.pk}", f"person-{house.hana.pk}"} <= set(told)
    assert set(team.people.all()) == {house.anna, house.hana}
    assert set(team.queues.all()) == {house.billing}
    again = browser.post(f"{BASE}teams/new/", given)
    assert again.status_code == 422
    assert "There is a team of this name already" in words(again)
    assert re.search(rf'value="{house.anna.pk}"[^>]* checked', again.content.decode())

    delete = f"{BASE}teams/{team.pk}/delete/"
    assert "Anna Reid, Hana Kim" in words(browser.get(delete))
    assert browser.post(delete).status_code == 409
    browser.post(f"{BASE}teams/{team.pk}/", {"name": "Nights", "queues": [house.billing.pk]})
    assert browser.post(delete).status_code == 409
    browser.post(f"{BASE}teams/{team.pk}/", {"name": "Nights"})
    assert "Nights is deleted" in words(browser.post(delete, follow=True))
    assert not Team.objects.filter(pk=team.pk).exists()
    assert last_act().act == "team.deleted"


def test_who_serves_a_queue_sees_its_tickets_at_once(
    house: House, browser: Client, sign_in: Callable[[Person], Client]
) -> None:
    house.mail("A bill", account=house.billing_mailbox)
    ticket = f"/t/{house.ticket().pk}/"
    hers = sign_in(house.anna)
    assert hers.get(ticket).status_code == 403
    browser.post(f"{BASE}teams/{house.care.pk}/", {"name": "Care", "queues": [house.general.pk, house.billing.pk],
                                                   "members": [house.anna.pk, house.ben.pk]})  # fmt: skip
    assert hers.get(ticket).status_code == 200
    browser.post(f"{BASE}queues/{house.billing.pk}/", {"name": "Billing", "reopen_days": "7", "teams": []})
    assert hers.get(ticket).status_code == 403


# ---------------------------------------------------------------- queues


def test_a_queue_is_made_changed_ordered_and_made_default(house: House, browser: Client) -> None:
    answer = browser.post(f"{BASE}queues/new/", {"name": "Returns", "reopen_days": "14", "teams": [house.care.pk]})
    returns = Queue.objects.get(name="Returns")
    assert answer["Location"] == f"{BASE}queues/{returns.pk}/"
    assert (returns.reopen_days, returns.position, returns.is_default) == (14, 3, False)
    taken = browser.post(f"{BASE}queues/{returns.pk}/", {"name": "General", "reopen_days": "900"})
    assert taken.status_code == 422
    assert "less than or equal to 365" in words(taken)
    taken = browser.post(f"{BASE}queues/{returns.pk}/", {"name": "General", "reopen_days": "9"})
    assert "There is a queue of this name already" in words(taken)

    browser.post(f"{BASE}queues/{returns.pk}/up/")
    names = list(Queue.objects.order_by("position").values_list("name", flat=True))
    assert names == ["General", "Billing", "Returns", "Legal"]
    browser.post(f"{BASE}queues/{house.general.pk}/up/")
    browser.post(f"{BASE}queues/{house.general.pk}/down/")
    names = list(Queue.objects.order_by("position").values_list("name", flat=True))
    assert names == ["Billing", "General", "Returns", "Legal"]

    assert "default queue now" in words(browser.post(f"{BASE}queues/{returns.pk}/default/", follow=True))
    assert list(Queue.objects.filter(is_default=True)) == [returns]
    AccountFeed.objects.all().delete()
    assert intake.feed_queue(house.mailbox.pk) == returns


def test_the_reopen_window_is_the_queues_own(house: House, browser: Client, clock: Any) -> None:
    house.mail()
    Ticket.objects.update(state="solved", solved_at=NOW)
    clock.forward(days=10)
    browser.post(f"{BASE}queues/{house.general.pk}/", {"name": "General", "reopen_days": "14"})
    tidying.close(now=clock.now)
    assert house.ticket().state == "solved"
    browser.post(f"{BASE}queues/{house.general.pk}/", {"name": "General", "reopen_days": "9"})
    tidying.close(now=clock.now)
    assert house.ticket().state == "closed"


def test_confidentiality_says_first_what_it_means_and_rewrites_what_lists_show(
    house: House, browser: Client, sign_in: Callable[[Person], Client], hinted: list[str],
    django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    house.mail("Where is my parcel?", subject="Parcel")
    house.clock.forward(minutes=1)
    house.mail("The invoice names my illness", account=house.billing_mailbox, subject="Illness")
    for number in range(3):
        house.mail("Only a bill", account=house.billing_mailbox, author=f"tom{number}@post.example", subject="Illness")
    first = Ticket.objects.order_by("id").first()
    assert first is not None
    assert first.last_words == "The invoice names my illness"
    address = f"{BASE}queues/{house.billing.pk}/confidential/"
    page = words(browser.get(address))
    assert "4 tickets have words that came in by this queue" in page
    assert "Something in Billing" in page
    assert not Queue.objects.get(pk=house.billing.pk).is_confidential
    assert browser.post(address).status_code == 400
    with django_capture_on_commit_callbacks(execute=True):
        assert "is confidential now" in words(browser.post(address, {"confidential": "1"}, follow=True))
    assert hinted == ["tickets.tasks.recount"]
    # At once, before any list is rewritten.
    assert "illness" not in sign_in(house.anna).get(f"/t/{first.pk}/timeline/").content.decode()
    assert not search(house.anna, acts.access.rights(house.anna), "illness").hits

    monkeypatch.setattr(recounting, "STEP", 3)
    monkeypatch.setattr(recounting, "STEPS_AT_ONCE", 1)
    assert "0 of 4 tickets" in words(browser.get(f"{BASE}queues/"))
    assert recounting.run(clock=timezone.now) == 3
    assert "3 of 4 tickets" in words(browser.get(f"{BASE}queues/progress/"))
    assert recounting.run(clock=timezone.now) == 1
    assert "by the new rule (4)" in words(browser.get(f"{BASE}queues/{house.billing.pk}/"))
    first.refresh_from_db()
    assert (first.last_words, first.subject) == ("Where is my parcel?", "Parcel")
    assert set(Ticket.objects.exclude(pk=first.pk).values_list("last_words", "subject")) == {("", "")}
    assert recounting.run(clock=timezone.now) == 0

    assert "nothing was changed" in words(browser.post(address, {"confidential": "1"}, follow=True))
    browser.post(address, {"confidential": "0"})
    while recounting.run(clock=timezone.now):
        pass
    first.refresh_from_db()
    assert (first.last_words, first.subject) == ("The invoice names my illness", "Parcel")
    assert last_act().act == "queue.made_open"


def test_a_recount_goes_on_after_a_kill_and_begins_again_when_asked_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        house.mail(author=f"tom{number}@post.example")
    monkeypatch.setattr(recounting, "STEP", 2)
    monkeypatch.setattr(recounting, "STEPS_AT_ONCE", 1)
    at = timezone.now()
    with transaction.atomic():
        recounting.ask(kind="due", queue=None, actor=house.ada, now=at)
    assert recounting.run(clock=lambda: at) == 2

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(recounting, "_due", killed)
        with pytest.raises(KeyboardInterrupt):
            recounting.run(clock=lambda: at)
    assert recounting.run(clock=lambda: at) == 0, "somebody else may still be at it"
    later = at + recounting.LEASE
    assert recounting.run(clock=lambda: later) == 2
    with transaction.atomic():
        recounting.ask(kind="due", queue=None, actor=house.ada, now=later + timedelta(seconds=1))
    row = Recount.objects.get()
    assert (row.done, row.reach, row.total) == (0, None, 5)
    done = [recounting.run(clock=lambda: later + timedelta(seconds=2)) for _ in range(4)]
    assert done == [2, 2, 1, 0]
    assert Recount.objects.get().finished_at is not None


def test_a_removed_queue_names_where_its_tickets_go(
    house: House, browser: Client, hinted: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    house.mail("One", account=house.billing_mailbox)
    house.mail("Two", account=house.billing_mailbox, author="tom@post.example")
    one, two = Ticket.objects.order_by("id")
    Ticket.objects.filter(pk=one.pk).update(owner=house.hana)
    Ticket.objects.filter(pk=two.pk).update(state="solved", solved_at=NOW)
    address = f"{BASE}queues/{house.billing.pk}/remove/"
    page = words(browser.get(address))
    assert "1 live ticket stands in it" in page
    assert "1 account feeds it" in page
    missing = browser.post(address, {"successor": ""})
    assert missing.status_code == 422
    assert "Choose the queue its tickets go to" in words(missing)
    assert browser.post(address, {"successor": house.billing.pk}).status_code == 422
    default = browser.post(f"{BASE}queues/{house.general.pk}/remove/", {"successor": house.billing.pk})
    assert "default queue" in words(default)
    with django_capture_on_commit_callbacks(execute=True):
        assert "go to General now" in words(browser.post(address, {"successor": house.general.pk}, follow=True))
    assert hinted == ["tickets.tasks.move_on"]
    assert AccountFeed.objects.get(account=house.billing_mailbox).queue == house.general
    assert leaving.move_on(now=NOW) == 1
    one.refresh_from_db()
    assert (one.queue, one.owner, one.state) == (house.general, None, "open")
    assert Contact.objects.get(ticket=one).entry_queue == house.billing
    # One that is reopened later follows.
    house.clock.forward(hours=1)
    house.mail("Two again", author="tom@post.example")
    assert leaving.move_on(now=NOW) == 1
    two.refresh_from_db()
    assert (two.queue, two.state) == (house.general, "open")
    assert leaving.move_on(now=NOW) == 0

    have = acts.access.rights(house.leo)
    assert [queue.name for queue in have.all_queues] == ["General", "Legal"]
    assert have.queue_name(house.billing.pk) == "Billing"
    with pytest.raises(Http404):
        acts.move(person=house.leo, tickets=[one.pk], queue_id=house.billing.pk, now=NOW)
    assert browser.get(f"{BASE}queues/{house.billing.pk}/").status_code == 404
    back = browser.post(f"{BASE}queues/{house.billing.pk}/bring-back/", follow=True)
    assert "in use again" in words(back)


def test_what_went_through_a_removed_confidential_queue_stays_hidden(
    house: House, sign_in: Callable[[Person], Client]
) -> None:
    house.mail("My lawyer says so", account=house.legal_mailbox)
    settings_queues.remove(actor=house.ada, queue_id=house.legal.pk, successor_id=house.general.pk, now=NOW)
    leaving.move_on(now=NOW)
    address = f"/t/{house.ticket().pk}/"
    assert house.ticket().queue == house.general
    page = words(sign_in(house.anna).get(address))
    assert "My lawyer says so" not in page
    assert "Something in Legal" in page
    house.legal_desk.people.add(house.hana)
    assert "My lawyer says so" in words(sign_in(house.hana).get(address))


def test_the_database_keeps_one_default_queue_that_is_in_use(house: House) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Queue.objects.filter(pk=house.general.pk).update(successor=house.billing)
    with pytest.raises(IntegrityError), transaction.atomic():
        Queue.objects.filter(pk=house.billing.pk).update(successor=house.billing)
    # Removing a queue that others follow sends those on.
    settings_queues.remove(actor=house.ada, queue_id=house.legal.pk, successor_id=house.billing.pk, now=NOW)
    settings_queues.remove(actor=house.ada, queue_id=house.billing.pk, successor_id=house.general.pk, now=NOW)
    assert Queue.objects.get(pk=house.legal.pk).successor == house.general


# ---------------------------------------------------------------- feeds


def test_an_account_feeds_another_queue_from_now_on(house: House, browser: Client) -> None:
    house.mail("Before")
    page = browser.get(f"{BASE}feeds/")
    assert "from now on" in words(page)
    own, other = house.mailbox.pk, house.billing_mailbox.pk
    given = {f"queue-{own}": house.billing.pk, f"was-{own}": house.general.pk,
             f"queue-{other}": house.billing.pk, f"was-{other}": house.billing.pk}  # fmt: skip
    # Meanwhile another admin has changed the other account: that stays.
    AccountFeed.objects.filter(account=other).update(queue=house.legal)
    assert "1 account feeds another queue" in words(browser.post(f"{BASE}feeds/", given, follow=True))
    assert intake.feed_queue(own) == house.billing
    assert intake.feed_queue(other) == house.legal
    entry = last_act()
    assert (entry.act, entry.account_id) == ("feed.changed", own)
    assert entry.data == {"queue": house.billing.pk, "was": house.general.pk}
    assert Contact.objects.get().entry_queue == house.general
    house.mail("After", author="tom@post.example")
    assert Contact.objects.latest("id").entry_queue == house.billing
    browser.post(f"{BASE}feeds/", {f"queue-{own}": "", f"was-{own}": house.billing.pk})
    assert intake.feed_queue(own) == house.general
    assert browser.post(f"{BASE}feeds/", {f"queue-{own}": "9" * 15, f"was-{own}": ""}).status_code == 409
    assert browser.post(f"{BASE}feeds/", {f"queue-{own}": "x"}).status_code == 400


def test_an_accounts_page_leads_to_what_it_feeds(house: House, browser: Client) -> None:
    page = browser.get(f"{BASE}accounts/{house.mailbox.pk}/").content.decode()
    assert f'href="/settings/feeds/#account-{house.mailbox.pk}"' in page
    assert f'id="account-{house.mailbox.pk}"' in browser.get(f"{BASE}feeds/").content.decode()


# ---------------------------------------------------------------- targets


def minutes(**changes: object) -> dict[str, object]:
    values = {"x-mention": 15, "x-dm": 15, "facebook-comment": 15, "facebook-messenger": 15, "phone": 15, "email": 240}
    return {**values, **{name.replace("_", "-"): value for name, value in changes.items()}}


def test_changed_targets_recount_what_waits(house: House, browser: Client) -> None:
    house.mail()
    house.mail("A bill", account=house.billing_mailbox, author="tom@post.example")
    general, billing = Ticket.objects.order_by("id")
    assert "Nothing was different" in words(browser.post(f"{BASE}targets/", minutes(), follow=True))
    assert not Recount.objects.exists()
    assert "1 target is saved" in words(browser.post(f"{BASE}targets/", minutes(email=60), follow=True))
    assert recounting.run(clock=timezone.now) == 2
    general.refresh_from_db()
    assert general.due_at == NOW + timedelta(minutes=60) == general.urgent_at

    own = f"{BASE}targets/{house.billing.pk}/"
    empty = dict.fromkeys(minutes(), "")
    browser.post(own, {**empty, "email": 30})
    assert recounting.run(clock=timezone.now) == 1
    billing.refresh_from_db()
    assert billing.due_at == NOW + timedelta(minutes=30)
    assert "60 minutes" in words(browser.get(own))
    browser.post(own, empty)
    recounting.run(clock=timezone.now)
    billing.refresh_from_db()
    assert billing.due_at == NOW + timedelta(minutes=60)
    assert not ServiceTarget.objects.exclude(queue=None).exists()
    assert last_act().data["minutes"] is None


def test_a_target_out_of_bounds_is_refused_beside_its_field(browser: Client) -> None:
    answer = browser.post(f"{BASE}targets/", minutes(email="0", phone="soon"))
    assert answer.status_code == 422
    assert "greater than or equal to 1" in words(answer)
    assert "Enter a whole number" in words(answer)
    assert 'value="soon"' in answer.content.decode()
    assert browser.get(f"{BASE}targets/999999/").status_code == 404


# ---------------------------------------------------------------- templates


def test_a_template_is_written_seen_changed_removed_and_put_back(house: House, browser: Client) -> None:
    given = {"name": "Hello", "text": "Dear {{ customer.first_name }}, {{ me.name }}", "surfaces": ["email"]}
    shown = browser.post(f"{BASE}templates/preview/", given)
    assert "Dear Carla, Anna Reid" in words(shown)
    assert browser.post(f"{BASE}templates/new/", given).status_code == 302
    template = ReplyTemplate.objects.get()
    assert template.surfaces == ["email"]
    assert browser.post(f"{BASE}templates/new/", given).status_code == 422
    strange = browser.post(f"{BASE}templates/{template.pk}/", {**given, "text": "{{ order.number }}"})
    assert strange.status_code == 422
    assert "Nothing stands for {{ order.number }}" in words(strange)
    assert "{{ order.number }}</textarea>" in strange.content.decode()
    browser.post(f"{BASE}templates/{template.pk}/", {"name": "Hello", "text": "Good day"})
    page = words(browser.post(f"{BASE}templates/{template.pk}/remove/", follow=True))
    assert "Hello is removed" in page
    assert not ReplyTemplate.objects.exists()
    assert "Hello is back" in words(browser.post(f"{BASE}templates/put-back/", follow=True))
    template = ReplyTemplate.objects.get()
    assert (template.text, template.surfaces) == ("Good day", [])
    assert "too late" in words(browser.post(f"{BASE}templates/put-back/", follow=True))


def test_every_variable_that_the_page_names_is_filled_on_a_ticket(house: House) -> None:
    text = " ".join(f"{{{{ {name} }}}}" for name in templates.VARIABLES)
    ReplyTemplate.objects.create(name="All", text=text)
    house.mail()
    [filled] = templates.filled(house.ticket(), house.anna, surface="email")
    assert filled["text"] == f"Carla Hughes Carla Anna Reid Anna {house.ticket().pk}"


# ---------------------------------------------------------------- books and history


def quarantine(account: ChannelAccount, count: int, reason: str = "The mail has no readable header.") -> None:
    for number in range(count):
        digest = hashlib.sha256(f"{account.pk} {reason} {number}".encode()).digest()
        LedgerItem.objects.create(
            account=account, kind="email", happening="message", digest=digest, source="poll", state="quarantined",
            reason=reason, size=1, received_at=timezone.now(), due_at=timezone.now(),
        )  # fmt: skip


def test_the_books_of_all_accounts_come_out_even(house: House, browser: Client) -> None:
    today = timezone.localdate()
    for account, seen, processed, day in ((house.mailbox, 5, 5, today), (house.billing_mailbox, 2, 1, today),
                                          (house.mailbox, 10, 10, today - timedelta(days=3))):  # fmt: skip
        LedgerCount.objects.create(account=account, day=day, column="seen", delta=seen)
        LedgerCount.objects.create(account=account, day=day, column="processed", delta=processed)
    LedgerCount.objects.create(account=house.billing_mailbox, day=today, column="quarantined", delta=1)
    page = words(browser.get(f"{BASE}books/"))
    assert "It comes out even, account by account" in page
    assert "All accounts 7 6 0 1 0" in page
    assert "All accounts 17 16 0 1 0" in words(browser.get(f"{BASE}books/?period=week"))
    assert "All accounts 17 16 0 1 0" in words(browser.get(f"{BASE}books/?period=all"))
    LedgerCount.objects.create(account=house.mailbox, day=today, column="seen", delta=1)
    assert "It does not come out" in words(browser.get(f"{BASE}books/"))


def test_quarantined_items_stand_there_by_reason_with_the_button_that_mends(house: House, browser: Client) -> None:
    assert "Nothing is quarantined" in words(browser.get(f"{BASE}books/"))
    quarantine(house.mailbox, 2)
    quarantine(house.billing_mailbox, 1, "Unknown charset.")
    answer = browser.get(f"{BASE}books/")
    assert "care@acme.example The mail has no readable header. 2" in words(answer)
    assert "Unknown charset. 1" in words(answer)
    assert f'action="/settings/accounts/{house.mailbox.pk}/ledger/again/"' in answer.content.decode()


def test_history_tells_who_did_what(house: House, browser: Client) -> None:
    assert "Nothing has been changed yet" in words(browser.get(f"{BASE}history/"))
    browser.post(f"{BASE}queues/{house.billing.pk}/", {"name": "Bills", "reopen_days": "3", "teams": []})
    browser.post(f"{BASE}targets/", minutes(email=60))
    browser.post(f"{BASE}people/{house.hana.pk}/deactivate/")
    house.mail()  # customers' matters stand elsewhere
    page = words(browser.get(f"{BASE}history/"))
    assert "Ada Lowe Person deactivated Hana Kim" in page
    assert "Ada Lowe Target changed Email 240 minutes → 60 minutes" in page
    assert "Ada Lowe Queue changed Bills name · reopen window · teams" in page
    assert browser.get(f"{BASE}history/").content.decode().count('<tr id="entry-') == 3


def test_history_is_walked_in_both_directions_in_a_fixed_number_of_statements(house: House, browser: Client) -> None:
    browser.get(f"{BASE}history/")
    counts = []
    for many in (1, 119):
        HistoryEntry.objects.bulk_create(
            [HistoryEntry(at=NOW, act="queue.changed", actor=house.ada, data={"queue": house.general.pk})] * many
        )
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(f"{BASE}history/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8
    ids = list(HistoryEntry.objects.order_by("-id").values_list("pk", flat=True))
    shown: list[int] = []
    query: str | None = ""
    while query is not None:
        page = browser.get(f"{BASE}history/{query}").content.decode()
        shown += [int(one) for one in re.findall(r'<tr id="entry-(\d+)"', page)]
        older = re.search(r'href="(\?before=\d+)"', page)
        query = older[1] if older else None
    assert shown == ids
    newer = re.search(r'href="(\?after=\d+)"', page)
    assert newer
    back = browser.get(f"{BASE}history/{newer[1]}").content.decode()
    assert [int(one) for one in re.findall(r'<tr id="entry-(\d+)"', back)] == ids[50:100]


def test_every_act_that_is_no_tickets_has_words_on_the_history_page() -> None:
    root = Path(__file__).resolve().parents[2]
    found: set[str] = set()
    for house in ("agents", "channels", "tickets"):
        for path in (root / house).rglob("*.py"):
            found |= set(re.findall(r'"((?:account|app|feed|ledger|person|queue|target|team|template|token)\.[a-z_]+)"',
                                    path.read_text()))  # fmt: skip
    acts_only = {act for act in found if not act.endswith((".html", ".name", ".first_name"))}
    assert acts_only - set(settings_history.ACTS) == set()


@pytest.mark.parametrize("page", ["teams", "queues", "feeds", "templates", "books", "history"])
def test_fifty_rows_take_no_more_statements_than_one(house: House, browser: Client, page: str) -> None:
    browser.get(f"{BASE}{page}/")
    counts = []
    for many in (1, 49):
        for number in range(many):
            name = f"{many}-{number}"
            team, queue = Team.objects.create(name=name), Queue.objects.create(name=name, position=9)
            queue.teams.add(team)
            Membership.objects.create(team=team, person=person(f"P{name} Kim", is_agent=True))
            account = ChannelAccount.objects.create(
                kind="email", address=f"{name}@acme.example", begins_at=NOW, created_at=NOW
            )
            AccountFeed.objects.create(account=account, queue=queue)
            LedgerCount.objects.create(account=account, day=timezone.localdate(), column="seen", delta=1)
            quarantine(account, 1)
            ReplyTemplate.objects.create(name=name, text="x", surfaces=["email"])
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(f"{BASE}{page}/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 9


def test_one_queue_one_team_and_one_person_take_few_statements(house: House, browser: Client) -> None:
    for address in (
        f"queues/{house.general.pk}/", f"teams/{house.care.pk}/", f"people/{house.anna.pk}/", "targets/",
        f"queues/{house.general.pk}/remove/", f"queues/{house.general.pk}/confidential/",
        f"people/{house.anna.pk}/deactivate/", "templates/new/",
    ):  # fmt: skip
        browser.get(BASE + address)
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(BASE + address).status_code == 200
        assert len(queries) <= 9, address

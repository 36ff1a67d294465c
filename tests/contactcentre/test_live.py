"""The live stream, through a real server and a real Valkey."""

from __future__ import annotations

import json
import random
import socket
import threading
from typing import Any

from agents.models import Membership, Person, Team
from contactcentre.lib import realtime
from contactcentre.lib.realtime import Event
from tests.contactcentre.conftest import Browser, Door, ValkeyServer, wait_until


def queue_of(person: Person) -> frozenset[int]:
    """The queues a person's teams serve, as these tests see it."""
    return frozenset(Membership.objects.filter(person=person).values_list("team_id", flat=True))


def test_a_stranger_gets_401_as_json(door: Door) -> None:
    for cookie in ("", "contactcentre_session=made-up", "contactcentre_session=" + "x" * 3000):
        status, body, headers = door.get("/live/", cookie)
        assert status == 401
        assert headers["Content-Type"] == "application/problem+json"
        assert json.loads(body)["status"] == 401


def test_only_reading_is_allowed_and_only_there(door: Door, anna: Person) -> None:
    cookie, _ = door.enter(anna)
    status, _, headers = door.get("/live/", cookie, method="POST")
    assert (status, headers["Allow"]) == (405, "GET")
    assert door.get("/live/elsewhere", cookie)[0] == 404


def test_a_page_hears_what_its_person_may_know(door: Door, anna: Person, leo: Person) -> None:
    cookie, start = door.enter(anna)
    lead_cookie, lead_start = door.enter(leo)
    browser, lead = door.browse(cookie, start=start), door.browse(lead_cookie, start=lead_start)
    realtime.publish(
        Event("ticket-1", queues=queue_of(anna)),
        Event("ticket-2", queues=frozenset({987_654})),
        Event("ticket-3", people=frozenset({anna.pk})),
        Event("ticket-4", people=frozenset({leo.pk})),
        Event("notice-5", everyone=True),
    )
    browser.wait_for("notice-5")
    lead.wait_for("notice-5")
    assert browser.names == ["ticket-1", "ticket-3", "notice-5"]
    assert lead.names == ["ticket-1", "ticket-2", "ticket-3", "ticket-4", "notice-5"]
    assert browser.response.headers["Content-Type"].startswith("text/event-stream")
    assert browser.response.headers["Cache-Control"] == "no-store"
    assert browser.response.headers["X-Accel-Buffering"] == "no"
    assert 1000 <= int(browser.retry) <= 5000


def test_what_happened_between_page_and_stream_is_told(door: Door, anna: Person) -> None:
    cookie, start = door.enter(anna)
    realtime.publish(Event("ticket-1", people=frozenset({anna.pk})))
    browser = door.browse(cookie, start=start)
    browser.wait_for("ticket-1")
    told_until = browser.last_id
    browser.close()
    realtime.publish(Event("ticket-2", people=frozenset({anna.pk})))
    again = door.browse(cookie, start=start, last_event_id=told_until)
    again.wait_for("ticket-2")
    assert again.names == ["ticket-2"], "Last-Event-ID goes before the page's own, older position"


def test_an_unknown_place_means_refresh(own_door: Door, anna: Person, own_valkey: ValkeyServer) -> None:
    cookie, start = own_door.enter(anna)
    realtime.publish(Event("ticket-1", everyone=True))
    epoch = start.partition(":")[0]
    for place in ("", "nonsense", "other0epoch:1-0", f"{epoch}:99999999999999-0", f"{epoch}:1-0:2"):
        browser = own_door.browse(cookie, start=place)
        browser.wait_for("refresh")
        assert browser.names == ["refresh"]
        assert browser.last_id == realtime.position()
    with own_valkey.client() as client:
        for number in range(30):
            client.xadd(realtime.STREAM, {"name": f"ticket-{number}"})
        client.xtrim(realtime.STREAM, maxlen=5, approximate=False)
    trimmed = own_door.browse(cookie, start=start)
    trimmed.wait_for("refresh")
    assert trimmed.names == ["refresh"]


def test_a_long_absence_means_refresh(door: Door, anna: Person) -> None:
    cookie, start = door.enter(anna)
    realtime.publish(*(Event(f"ticket-{number}", everyone=True) for number in range(1200)))
    browser = door.browse(cookie, start=start)
    browser.wait_for("refresh")
    assert browser.names == ["refresh"]


def test_no_event_is_missed_under_a_publisher_that_never_pauses(door: Door, anna: Person) -> None:
    """Each browser hears each event after its place, or a refresh that came later than the event."""
    count = 10_000
    cookie, start = door.enter(anna)
    done, halt = threading.Event(), threading.Event()
    published = 0

    def publish() -> None:
        nonlocal published
        for number in range(count):
            if halt.is_set():
                break
            realtime._send((Event(f"ticket-{number}", everyone=True),))
            published = number + 1
        done.set()

    publisher = threading.Thread(target=publish)
    publisher.start()
    try:
        chance = random.Random(5)
        listening: list[tuple[int, Browser]] = []
        for after in sorted(chance.randrange(count * 9 // 10) for _ in range(5)):
            wait_until(lambda after=after: published >= after or done.is_set(), "the publisher goes on", seconds=90)
            # Like a page: the place first, then the queries, then the stream. The event under way may lie before the
            # place.
            place = realtime.position()
            listening.append((published + 1, door.browse(cookie, start=place)))
        # One that goes away and comes back again and again.
        place, heard = realtime.position(), []
        restless_begun = published + 1
        while not done.is_set():
            restless = door.browse(cookie, start=place)
            wait_until(lambda restless=restless: restless.last_id or done.is_set(), "something is told", seconds=90)
            restless.close()
            restless.ended.wait(5)
            heard += restless.frames
            place = restless.last_id or place
    finally:
        # Whatever went wrong: the next test hears none of these.
        halt.set()
        publisher.join()
    last = door.browse(cookie, start=place)
    realtime.publish(Event("the-end", everyone=True))
    for begun, browser in listening:
        browser.wait_for("the-end")
        assert missing(browser.frames, begun, count) == set()
    last.wait_for("the-end")
    assert missing(heard + last.frames, restless_begun, count) == set()


def missing(frames: list[tuple[str, list[str]]], begun: int, count: int) -> set[int]:
    """The events from `begun` on that were neither told nor covered by a later refresh."""
    open_: set[int] = set(range(begun, count))
    for id_, names in frames:
        if names == ["refresh"]:
            covered = realtime.valkey.ask(
                lambda pipeline, id_=id_: pipeline.xrange(realtime.STREAM, max=id_.split(":")[1])
            )
            newest = max((int(fields["name"].split("-")[1]) for _, fields in covered[0][-1:]), default=-1)
            open_ = {number for number in open_ if number > newest}
        else:
            open_ -= {int(name.split("-")[1]) for name in names if name.startswith("ticket-")}
    return open_


def test_a_browser_that_does_not_read_gets_one_refresh_instead_of_a_backlog(door: Door, anna: Person) -> None:
    cookie, start = door.enter(anna)
    sleeper = socket.socket()
    sleeper.settimeout(20)
    sleeper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    sleeper.connect(("127.0.0.1", door.port))
    request = f"GET /live/?from={start} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n"
    sleeper.sendall(request.encode())
    assert b"200 OK" in sleeper.recv(64)
    # More than the kernel keeps for a connection, so that the process itself must decide what to keep.
    long, hundreds = "x" * 1000, 100
    for hundred in range(hundreds):
        realtime.publish(*(Event(f"{long}-{hundred}-{number}", everyone=True) for number in range(100)))
    witness = door.browse(cookie, start=realtime.position())
    realtime.publish(Event("the-end", everyone=True))
    witness.wait_for("the-end")

    def read_until(*words: bytes) -> int:
        tail, size = b"", 0
        while not any(word in tail for word in words):
            part = sleeper.recv(262144)
            assert part, "the stream ended"
            tail, size = tail[-1000:] + part, size + len(part)
        return size

    assert read_until(b'["refresh"]') < hundreds * 100 * len(long), "less than all of it was kept"
    realtime.publish(Event("after", everyone=True))
    # Told, or in another refresh where the kernel had not yet taken all of the first backlog.
    read_until(b'"after"', b'["refresh"]')
    sleeper.close()


def test_the_reader_survives_the_death_of_valkey(own_door: Door, anna: Person, own_valkey: ValkeyServer) -> None:
    cookie, start = own_door.enter(anna)
    browser = own_door.browse(cookie, start=start)
    realtime.publish(Event("ticket-1", everyone=True))
    browser.wait_for("ticket-1")
    own_valkey.kill()
    assert own_door.get("/trivial/", cookie)[0] == 200
    realtime.publish(Event("ticket-lost", everyone=True))
    lost = own_door.browse(cookie, start=browser.last_id)
    assert lost.status == 200, "the session is in the database too"
    own_valkey.start()
    realtime.publish(Event("ticket-2", everyone=True))
    browser.wait_for("ticket-2")
    assert browser.names == ["ticket-1", "ticket-2"], "the same epoch: nothing is told twice"
    lost_told = wait_until(lambda: lost.names, "the one that came meanwhile is told")
    assert lost_told[0] in {"refresh", "ticket-2"}


def test_a_session_that_cannot_be_read_is_no_refusal_for_good(
    transactional_db: None, own_valkey: ValkeyServer, anna: Person
) -> None:
    # This engine asks Valkey for every session, and fails when there is none.
    door = Door(own_valkey.url, DOOR_SESSION_ENGINE="django.contrib.sessions.backends.cached_db")
    try:
        cookie, start = door.enter(anna)
        browser = door.browse(cookie, start=start)
        assert browser.status == 200
        own_valkey.kill()
        status, _, headers = door.get("/live/", cookie)
        assert (status, headers["Retry-After"]) == (503, "5")
        realtime.person_changed(anna.pk)
        own_valkey.start()
        realtime.person_changed(anna.pk)
        realtime.publish(Event("ticket-1", everyone=True))
        browser.wait_for("ticket-1")
    finally:
        door.stop()


def test_a_valkey_that_starts_empty_is_another_epoch(
    forgetful_door: Door, anna: Person, forgetful_valkey: ValkeyServer
) -> None:
    cookie, start = forgetful_door.enter(anna)
    browser = forgetful_door.browse(cookie, start=start)
    realtime.publish(Event("ticket-1", everyone=True))
    browser.wait_for("ticket-1")
    forgetful_valkey.kill()
    forgetful_valkey.start()
    browser.wait_for("refresh")
    realtime.publish(Event("ticket-2", everyone=True))
    browser.wait_for("ticket-2")
    assert browser.names == ["ticket-1", "refresh", "ticket-2"]
    assert browser.last_id == realtime.position()
    assert realtime.position().partition(":")[0] != start.partition(":")[0]
    late = forgetful_door.browse(cookie, start=start)
    late.wait_for("refresh")


def test_a_stream_emptied_in_running_is_noticed(own_door: Door, anna: Person, own_valkey: ValkeyServer) -> None:
    cookie, start = own_door.enter(anna)
    browser = own_door.browse(cookie, start=start)
    realtime.publish(Event("ticket-1", everyone=True))
    browser.wait_for("ticket-1")
    with own_valkey.client() as client:
        client.flushall()
    realtime.publish(Event("ticket-2", everyone=True))
    browser.wait_for("refresh")


def test_signing_out_ends_the_streams_of_that_session_only(door: Door, anna: Person) -> None:
    cookie, start = door.enter(anna)
    other_cookie, _ = door.enter(anna)
    browser, other = door.browse(cookie, start=start), door.browse(other_cookie, start=start)
    realtime.publish(Event("ticket-1", everyone=True))
    browser.wait_for("ticket-1")
    other.wait_for("ticket-1")
    assert door.get("/sign-out/", cookie, method="POST")[0] == 302
    assert browser.ended.wait(10)
    realtime.publish(Event("ticket-2", everyone=True))
    other.wait_for("ticket-2")
    assert not other.ended.is_set()
    assert door.get("/live/", cookie)[0] == 401


def test_deactivation_and_a_new_password_end_the_stream(door: Door, anna: Person, leo: Person) -> None:
    cookie, start = door.enter(anna)
    lead_cookie, _ = door.enter(leo)
    browser, lead = door.browse(cookie, start=start), door.browse(lead_cookie, start=start)
    realtime.publish(Event("ticket-1", everyone=True))
    browser.wait_for("ticket-1")
    lead.wait_for("ticket-1")
    Person.objects.filter(pk=anna.pk).update(is_active=False)
    realtime.person_changed(anna.pk)
    assert browser.ended.wait(10)
    leo.password = "!changed"
    leo.save()
    realtime.person_changed(leo.pk)
    assert lead.ended.wait(10)
    assert door.get("/live/", cookie)[0] == door.get("/live/", lead_cookie)[0] == 401


def test_a_new_team_widens_the_stream_at_once(door: Door, anna: Person) -> None:
    cookie, start = door.enter(anna)
    browser = door.browse(cookie, start=start)
    team = Team.objects.create(name="Mail")
    realtime.publish(Event("ticket-1", queues=frozenset({team.pk})), Event("ticket-2", everyone=True))
    browser.wait_for("ticket-2")
    Membership.objects.create(person=anna, team=team)
    realtime.person_changed(anna.pk)
    browser.wait_for("refresh")
    realtime.publish(Event("ticket-3", queues=frozenset({team.pk})))
    browser.wait_for("ticket-3")
    assert "ticket-1" not in browser.names


def test_a_garbled_entry_is_passed_over(door: Door, anna: Person, valkey: ValkeyServer) -> None:
    cookie, start = door.enter(anna)
    browser = door.browse(cookie, start=start)
    entries: list[dict[Any, Any]] = [{"nonsense": "1"}, {"name": "x", "queues": "one two"}]
    with valkey.client() as client:
        for entry in entries:
            client.xadd(realtime.STREAM, entry)
    realtime.publish(Event("ticket-1", everyone=True))
    browser.wait_for("ticket-1")
    assert browser.names == ["ticket-1"]


def test_the_process_stops_quickly_with_open_streams(own_door: Door, anna: Person) -> None:
    cookie, start = own_door.enter(anna)
    browsers = [own_door.browse(cookie, start=start) for _ in range(10)]
    realtime.publish(Event("ticket-1", everyone=True))
    for browser in browsers:
        browser.wait_for("ticket-1")
    assert own_door.stop() < 3
    assert all(browser.ended.wait(5) for browser in browsers)

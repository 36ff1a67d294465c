"""The REST API: the same rights and the same domain calls as the pages, errors as problem details."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from agents import tokens
from agents.models import ApiToken, HistoryEntry, Person
from channels import files
from channels.models import ChannelAccount, Outbound
from tests.api.document import held
from tests.conftest import House
from tickets import acts
from tickets.models import Attachment, Contact, Message, Note, Ticket

PROBLEM = "application/problem+json"


class Api:
    """A program that shows a token, and takes no answer that is not what the OpenAPI document says."""

    def __init__(self, person: Person | None) -> None:
        self.client = Client()
        self.headers: dict[str, str] = {}
        if person is not None:
            _row, text = tokens.make(person=person, name="a program", now=timezone.now())
            self.headers["Authorization"] = f"Bearer {text}"

    def get(self, path: str, **query: object) -> Any:
        return held(self.client.get(f"/api/v1/{path}", query, headers=self.headers), "get", f"/api/v1/{path}")

    def post(self, path: str, body: object = None, **headers: str) -> Any:
        answer = self.client.post(
            f"/api/v1/{path}",
            json.dumps({} if body is None else body),
            content_type="application/json",
            headers={**self.headers, **headers},
        )
        return held(answer, "post", f"/api/v1/{path}")


@pytest.fixture
def anna(house: House) -> Api:
    return Api(house.anna)


def problem(answer: Any, status: int, kind: str) -> dict[str, Any]:
    """The problem object of an answer that must be one."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == PROBLEM
    body: dict[str, Any] = json.loads(answer.content)
    assert body["type"] == f"urn:problem:{kind}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body


def test_nobody_is_asked_to_show_a_token(house: House) -> None:
    answer = Api(None).get("tickets/")
    problem(answer, 401, "not-signed-in")
    assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("text", ["cc_unknown", "", "ünknown", "cc_" + "x" * 500])
def test_a_token_that_nobody_has_is_refused(house: House, text: str) -> None:
    answer = Client().get("/api/v1/tickets/", headers={"Authorization": f"Bearer {text}"})
    problem(answer, 401, "not-signed-in")


def test_a_revoked_token_and_one_of_somebody_who_left_open_nothing(house: House) -> None:
    anna, ben = Api(house.anna), Api(house.ben)
    assert anna.get("queues/").status_code == 200
    tokens.revoke(person=house.anna, token_id=ApiToken.objects.get(person=house.anna).pk, now=timezone.now())
    problem(anna.get("queues/"), 401, "not-signed-in")
    Person.objects.filter(pk=house.ben.pk).update(is_active=False)
    problem(ben.get("queues/"), 401, "not-signed-in")


def test_only_the_digest_of_a_token_is_kept_and_its_use_is_noted(house: House) -> None:
    row, text = tokens.make(person=house.anna, name="a program", now=timezone.now())
    assert text not in json.dumps(list(ApiToken.objects.values()), default=str)
    assert text not in json.dumps(list(HistoryEntry.objects.values()), default=str)
    assert Client().get("/api/v1/queues/", headers={"Authorization": f"bearer {text}"}).status_code == 200
    row.refresh_from_db()
    assert row.last_used_at is not None


def test_a_session_may_read_and_must_bring_its_csrf_token_to_write(house: House) -> None:
    house.mail()
    client = Client(enforce_csrf_checks=True)
    client.force_login(house.anna)
    assert client.get("/api/v1/tickets/").status_code == 200
    answer = client.post(f"/api/v1/tickets/{house.ticket().pk}/solve/", "{}", content_type="application/json")
    problem(answer, 403, "forbidden")
    assert house.ticket().state == "open"


def test_a_mere_admin_reads_accounts_and_no_customers(house: House) -> None:
    house.mail()
    ada = Api(house.ada)
    for path in ("tickets/", f"tickets/{house.ticket().pk}/", "customers/", "queues/"):
        problem(ada.get(path), 403, "forbidden")
    body = ada.get("channel-accounts/").json()
    assert [one["address"] for one in body["results"]] == list(
        ChannelAccount.objects.order_by("id").values_list("address", flat=True)
    )


def test_accounts_come_without_anything_secret(anna: Api, house: House) -> None:
    house.mailbox.credentials = {"password": "plainly-secret"}
    house.mailbox.settings = {"imap_host": "imap.acme.example"}
    house.mailbox.save()
    words = anna.get("channel-accounts/").content.decode()
    assert "plainly-secret" not in words
    assert "imap.acme.example" not in words


def test_an_account_that_works_again_tells_no_error_and_one_that_lacks_something_says_what(
    anna: Api, house: House
) -> None:
    """A program that watches accounts would ring for ever over a trouble that is long past."""

    def told(**columns: object) -> str:
        ChannelAccount.objects.filter(pk=house.mailbox.pk).update(**columns)
        return str(anna.get("channel-accounts/").json()["results"][0]["error"])

    assert told(failures=2, error_text="imap.acme.example was too slow") == "imap.acme.example was too slow"
    assert told(failures=0) == ""
    assert told(quota={"words": ["Direct messages do not come in."]}) == "Direct messages do not come in."
    assert told(state="refused", error_text="The password has expired") == "The password has expired"


def test_tickets_are_those_one_may_see_and_open_ones_come_most_urgent_first(house: House) -> None:
    house.mail("first", author="a@post.example")
    house.clock.forward(minutes=5)
    house.mail("second", author="b@post.example")
    house.mail("bill", author="c@post.example", account=house.billing_mailbox)
    seen = Api(house.anna).get("tickets/", status="open").json()["results"]
    assert [one["last_words"] for one in seen] == ["first", "second"]
    everything = Api(house.leo).get("tickets/").json()["results"]
    assert [one["last_words"] for one in everything] == ["bill", "second", "first"]


@pytest.mark.parametrize("status", ["", "open", "live"])
def test_pages_follow_each_other_without_gap_or_repetition(house: House, status: str) -> None:
    for number in range(7):
        house.mail(f"{number}", author=f"{number}@post.example")
        house.clock.forward(minutes=1)
    leo, seen, after = Api(house.leo), [], ""
    while True:
        query = {"limit": 3, **({"status": status} if status else {}), **({"after": after} if after else {})}
        page = leo.get("tickets/", **query).json()
        seen += [one["id"] for one in page["results"]]
        assert page["more"] == (page["next"] is not None)
        if page["next"] is None:
            break
        after = page["next"]
    assert sorted(seen) == sorted(Ticket.objects.values_list("pk", flat=True))
    assert len(seen) == 7


def test_tickets_are_found_by_words_queue_status_and_customer(house: House) -> None:
    house.mail("The parcel is wet", author="a@post.example")
    house.mail("A bill", author="b@post.example", account=house.billing_mailbox)
    leo = Api(house.leo)

    def found(**query: object) -> list[str]:
        return [one["last_words"] for one in leo.get("tickets/", **query).json()["results"]]

    assert found(q="parcel") == ["The parcel is wet"]
    assert found(q="parcel", queue=house.billing.pk) == []
    assert found(queue=house.billing.pk) == ["A bill"]
    assert found(customer=Ticket.objects.get(queue=house.billing).customer_id) == ["A bill"]
    assert found(status="solved") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": "lost"}, "status"),
        ({"queue": "x"}, "queue"),
        ({"limit": 1000}, "limit"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_query_that_makes_no_sense_is_told_field_by_field(anna: Api, query: dict[str, object], field: str) -> None:
    assert field in problem(anna.get("tickets/", **query), 400, "invalid")["errors"]


@pytest.mark.parametrize("after", ["x", "1-x", "99999999999999999999-1"])
def test_a_cursor_of_no_list_is_refused(anna: Api, after: str) -> None:
    problem(anna.get("tickets/", status="open", after=after), 400, "invalid")


def test_a_ticket_of_another_team_is_forbidden_and_one_that_is_not_there_is_not_found(anna: Api, house: House) -> None:
    house.mail(account=house.billing_mailbox)
    problem(anna.get(f"tickets/{house.ticket().pk}/"), 403, "forbidden")
    problem(anna.get(f"tickets/{house.ticket().pk}/timeline/"), 403, "forbidden")
    problem(anna.get("tickets/999999/"), 404, "not-found")
    problem(anna.get("nowhere/"), 404, "not-found")
    problem(anna.post("queues/"), 405, "wrong-method")


def test_a_ticket_shows_its_contacts_but_none_of_a_confidential_queue(anna: Api, house: House) -> None:
    house.mail("in the open")
    house.clock.forward(minutes=1)
    house.mail("in secret", account=house.legal_mailbox)
    ticket = house.ticket()
    body = anna.get(f"tickets/{ticket.pk}/").json()
    assert [one["entry_queue"]["name"] for one in body["contacts"]] == ["General"]
    assert body["customer"]["name"] == "Carla Hughes"
    assert body["arrivals"] == ticket.arrivals
    told = anna.get(f"tickets/{ticket.pk}/timeline/").json()["results"]
    assert [(one["kind"], one["text"]) for one in told if one["kind"] != "event"] == [
        ("message", "in the open"),
        ("hidden", "Something in Legal"),
    ]
    assert {one["contact"] for one in told if one["kind"] == "message"} == {body["contacts"][0]["id"]}
    assert "in secret" not in json.dumps([body, told])


def test_the_timeline_goes_back_page_by_page(anna: Api, house: House) -> None:
    for number in range(5):
        house.mail(f"{number}")
        house.clock.forward(minutes=1)
    path, texts, before = f"tickets/{house.ticket().pk}/timeline/", [], ""
    while True:
        page = anna.get(path, limit=2, **({"before": before} if before else {})).json()
        texts = [one["text"] for one in page["results"] if one["kind"] == "message"] + texts
        if page["older"] is None:
            break
        before = page["older"]
    assert texts == ["0", "1", "2", "3", "4"]


def test_a_reply_goes_out_once_however_often_the_same_key_brings_it(anna: Api, house: House) -> None:
    house.mail()
    ticket, contact = house.ticket(), house.contact()
    body = {"contact": contact.pk, "text": "On its way", "seen": ticket.arrivals, "then": "wait"}
    path = f"tickets/{ticket.pk}/reply/"
    first = anna.post(path, body, **{"Idempotency-Key": "one"})
    again = anna.post(path, body, **{"Idempotency-Key": "one"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert Outbound.objects.get().reference == f"message:{first.json()['message']}"
    ticket.refresh_from_db()
    assert (ticket.state, ticket.owner_id) == ("waiting", house.anna.pk)


def test_a_key_that_comes_again_with_something_else_is_refused_and_sends_nothing(anna: Api, house: House) -> None:
    house.mail("A")
    house.mail("B", author="tom@post.example")
    carlas, toms = Contact.objects.order_by("id")
    body = {"contact": carlas.pk, "text": "For Carla", "seen": 9}
    first = anna.post(f"tickets/{carlas.ticket_id}/reply/", body, **{"Idempotency-Key": "k1"})
    assert first.status_code == 201
    for ticket_id, change in (
        (toms.ticket_id, {"contact": toms.pk, "text": "For Tom"}),
        (toms.ticket_id, {"contact": toms.pk}),
        (carlas.ticket_id, {"text": "Other words"}),
        (carlas.ticket_id, {"then": "solve"}),
    ):
        answer = anna.post(f"tickets/{ticket_id}/reply/", {**body, **change}, **{"Idempotency-Key": "k1"})
        problem(answer, 422, "key-reused")
    # What the caller has seen meanwhile is no part of what it asks for.
    again = anna.post(f"tickets/{carlas.ticket_id}/reply/", {**body, "seen": 10}, **{"Idempotency-Key": "k1"})
    assert again.json() == first.json()
    assert Outbound.objects.count() == 1
    assert Api(house.ben).post(
        f"tickets/{toms.ticket_id}/reply/",
        {"contact": toms.pk, "text": "For Tom", "seen": 9},
        **{"Idempotency-Key": "k1"},
    ).status_code == 201


def test_what_leads_nowhere_is_a_problem_whatever_the_method_and_without_a_csrf_token(house: House) -> None:
    _row, text = tokens.make(person=house.anna, name="a program", now=timezone.now())
    client = Client(enforce_csrf_checks=True)
    headers = {"Authorization": f"Bearer {text}"}
    for path in ("/api/v1/nope/", "/api/v1/tickets", "/api/nope", "/api/v1/tickets/" + "9" * 30 + "/note/"):
        for method in ("get", "post", "put", "delete"):
            ask = getattr(client, method)
            problem(ask(path, content_type="application/json", headers=headers), 404, "not-found")


def test_a_token_fetches_the_files_that_the_timeline_names_and_the_document(anna: Api, house: House) -> None:
    house.mail("With a file", account=house.mailbox)
    message = house.message("With a file")
    kept = files.store(BytesIO(b"hello"), name="a.txt", now=timezone.now())
    Attachment.objects.create(message=message, name="a.txt", file=kept)
    (entry,) = anna.get(f"tickets/{message.ticket_id}/timeline/").json()["results"][-1:]
    (file,) = entry["attachments"]
    path = urlsplit(file["url"]).path
    got = anna.client.get(path, headers={**anna.headers, "Accept": "text/plain"})
    assert (got.status_code, b"".join(got.streaming_content)) == (200, b"hello")
    assert got["Content-Disposition"] == "attachment; filename*=UTF-8''a.txt"
    problem(Client().get(path), 401, "not-signed-in")
    problem(Client().get(path, headers=Api(house.hana).headers), 403, "forbidden")
    problem(Client().get(path, headers=Api(house.ada).headers), 403, "forbidden")
    assert anna.client.get("/api/schema/", headers=anna.headers).json()["openapi"].startswith("3.")
    problem(Client().get("/api/schema/"), 401, "not-signed-in")


def test_a_reply_that_has_not_seen_the_latest_is_a_conflict_and_shows_it(anna: Api, house: House) -> None:
    house.mail("one")
    seen = house.ticket().arrivals
    house.mail("two")
    body = {"contact": Contact.objects.first().pk, "text": "Answer", "seen": seen}
    path = f"tickets/{house.ticket().pk}/reply/"
    assert problem(anna.post(path, body), 409, "conflict")["arrived"] == ["two"]
    assert not Message.objects.filter(direction="out").exists()
    assert anna.post(path, {**body, "anyway": True}).status_code == 201


@pytest.mark.parametrize(
    ("change", "status", "kind"),
    [
        ({"text": ""}, 400, "invalid"),
        ({"contact": None}, 400, "invalid"),
        ({"contact": "x"}, 400, "invalid"),
        ({"txet": "misspelt"}, 400, "invalid"),
        ({"then": "explode"}, 400, "invalid"),
        ({"cc": ["stranger@post.example"]}, 422, "refused"),
        ({"contact": 999999}, 404, "not-found"),
    ],
)
def test_a_reply_that_cannot_be_says_why_and_sends_nothing(
    anna: Api, house: House, change: dict[str, object], status: int, kind: str
) -> None:
    house.mail()
    body = {"contact": house.contact().pk, "text": "x", "seen": house.ticket().arrivals, **change}
    problem(anna.post(f"tickets/{house.ticket().pk}/reply/", body), status, kind)
    assert not Outbound.objects.exists()


@pytest.mark.parametrize("raw", [b"{", b"[]", b'"x"', b"\xff\xfe", b"null", b'{"text": "\\ud800"}'])
def test_a_body_that_is_no_object_is_a_problem_and_no_fault(anna: Api, house: House, raw: bytes) -> None:
    house.mail()
    answer = anna.client.post(
        f"/api/v1/tickets/{house.ticket().pk}/note/", raw, content_type="application/json", headers=anna.headers
    )
    assert answer.status_code in (201, 400)
    if answer.status_code == 400:
        problem(answer, 400, "invalid")


def test_what_cannot_be_meant_is_a_problem_and_no_fault_whoever_finds_it(anna: Api, house: House) -> None:
    house.mail()
    anna.client.raise_request_exception = False
    note = f"/api/v1/tickets/{house.ticket().pk}/note/"

    def sent(body: str, path: str = note) -> Any:
        return anna.client.post(path, body, content_type="application/json", headers=anna.headers)

    # A lone surrogate is quoted back nowhere: it cannot be encoded.
    for odd in ('{"\\ud800": 1}', '{"text": "x", "\\ud800": 1}'):
        assert "no such field" in str(problem(sent(odd), 400, "invalid")["errors"])
    odd = '{"contact": 1, "text": "x", "seen": 9, "then": "\\ud800"}'
    problem(sent(odd, note.replace("note", "reply")), 400, "invalid")
    problem(sent('{"text": "' + "x" * 7_000_000 + '"}'), 413, "too-large")
    many = "&".join(f"a{number}=1" for number in range(1001))
    problem(anna.client.get(f"/api/v1/tickets/?{many}", headers=anna.headers), 400, "invalid")
    # Found before any view is asked.
    problem(anna.client.get("/api/v1/tickets/%00/", headers=anna.headers), 400, "invalid")
    problem(anna.client.get("/api/v1/tickets/", headers={**anna.headers, "Host": "evil.example"}), 400, "invalid")


def test_a_fault_behind_the_views_is_a_problem_too(
    anna: Api, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna.client.raise_request_exception = False
    monkeypatch.setattr("rest_framework.renderers.JSONRenderer.render", lambda *_given: 1 / 0)
    problem(anna.client.get("/api/v1/queues/", headers=anna.headers), 500, "fault")


def test_nothing_on_the_way_keeps_an_answer(anna: Api, house: House) -> None:
    house.mail()
    kept = files.store(BytesIO(b"hello"), name="a.txt", now=timezone.now())
    Attachment.objects.create(message=Message.objects.get(), name="a.txt", file=kept)
    number = Attachment.objects.get().pk
    for path in ("tickets/", "customers/", "queues/", "channel-accounts/", f"attachments/{number}/", "tickets/99999/"):
        answer = anna.get(path)
        assert answer["Cache-Control"] == "no-store", path
        if answer.streaming:
            b"".join(answer.streaming_content)  # to its end, where it closes the file


def test_a_note_stays_in_the_house(anna: Api, house: House) -> None:
    house.mail()
    answer = anna.post(f"tickets/{house.ticket().pk}/note/", {"text": "She called before. @Leo"})
    assert answer.status_code == 201
    assert Note.objects.get().text == "She called before. @Leo"
    assert not Outbound.objects.exists()


def test_acts_answer_with_the_ticket_and_can_be_taken_back(anna: Api, house: House) -> None:
    house.mail()
    path = f"tickets/{house.ticket().pk}/"
    done = anna.post(f"{path}assign/", {"owner": house.anna.pk}).json()
    assert (done["changed"], done["ticket"]["owner"]["name"]) == (True, house.anna.name)
    assert anna.post(f"{path}assign/", {"owner": house.anna.pk}).json()["changed"] is False
    until = (timezone.now() + timedelta(days=1)).isoformat()
    assert anna.post(f"{path}snooze/", {"until": until}).json()["ticket"]["state"] == "snoozed"
    solved = anna.post(f"{path}solve/").json()
    assert solved["ticket"]["state"] == "solved"
    assert anna.post("take-back/", {"token": solved["take_back"]}).status_code == 200
    assert house.ticket().state == "snoozed"
    problem(anna.post("take-back/", {"token": "forged"}), 422, "refused")


def test_a_ticket_moved_out_of_sight_is_moved_and_not_shown(anna: Api, house: House) -> None:
    house.mail()
    ticket = house.ticket()
    Contact.objects.update(entry_queue=house.billing)
    acts.reopen(person=house.leo, tickets=[ticket.pk], now=timezone.now())
    done = anna.post(f"tickets/{ticket.pk}/move/", {"queue": house.billing.pk}).json()
    assert (done["changed"], done["ticket"]) == (True, None)
    problem(anna.get(f"tickets/{ticket.pk}/"), 403, "forbidden")
    assert anna.post("take-back/", {"token": done["take_back"]}).json()["changed"] == [ticket.pk]


def test_customers_are_those_of_whom_one_may_see_a_ticket(anna: Api, house: House) -> None:
    house.mail(author="carla@post.example", name="Carla Hughes")
    house.mail(author="tom@post.example", name="Tom Berg", account=house.billing_mailbox)
    body = anna.get("customers/").json()
    assert [one["name"] for one in body["results"]] == ["Carla Hughes"]
    carla = body["results"][0]
    assert [one["value"] for one in carla["identities"]] == ["carla@post.example"]
    assert carla["live_ticket"] == Ticket.objects.get(customer=carla["id"]).pk
    assert anna.get(f"customers/{carla['id']}/").json() == carla
    assert [one["name"] for one in anna.get("customers/", q="hughes").json()["results"]] == ["Carla Hughes"]
    tom = Ticket.objects.get(queue=house.billing).customer_id
    problem(anna.get(f"customers/{tom}/"), 404, "not-found")
    assert anna.get("customers/", q="berg").json()["results"] == []


def test_a_call_is_logged_on_the_ticket_of_whoever_has_the_number(anna: Api, house: House) -> None:
    body = {"number": "020 7946 0142", "direction": "in", "disposition": "answered", "name": "Carla Hughes"}
    problem(anna.post("calls/", body), 422, "refused")
    ChannelAccount.objects.create(
        kind="phone",
        address="+442079460000",
        settings={"region": "GB"},
        begins_at=house.clock.now,
        created_at=house.clock.now,
    )
    first = anna.post("calls/", {**body, "summary": "Asked for the parcel", "duration_seconds": 90})
    assert first.status_code == 201, first.content
    again = anna.post("calls/", {**body, "number": "+44 20 7946 0142"})
    assert first.json()["ticket"] == again.json()["ticket"]
    message = Message.objects.select_related("call").get(pk=first.json()["message"])
    assert (message.text, message.call.duration_seconds) == ("Asked for the parcel", 90)
    timeline = anna.get(f"tickets/{first.json()['ticket']}/timeline/").json()["results"]
    # The words of the request, whatever language the caller reads.
    assert {one["call"]["disposition"] for one in timeline if one["kind"] == "message"} == {"answered"}
    assert "disposition" in problem(anna.post("calls/", {**body, "disposition": "eaten"}), 400, "invalid")["errors"]
    for slip in ({"customer": 999_999}, {"started_at": "0026-11-20T15:00:00Z"}, {"line": 999_999}, {"call": 999_999}):
        problem(anna.post("calls/", {**body, **slip}), 422, "refused")
    assert Message.objects.count() == 2


def test_queues_are_named_with_who_serves_them(anna: Api, house: House) -> None:
    told = anna.get("queues/").json()["results"]
    assert [(one["name"], one["is_served"], one["is_confidential"]) for one in told] == [
        ("General", True, False),
        ("Billing", False, False),
        ("Legal", False, True),
    ]


def test_lists_cost_the_same_statements_at_one_row_and_at_fifty(house: House) -> None:
    leo = Api(house.leo)
    leo.get("queues/")  # the token's use is noted once a minute
    counts: dict[str, list[int]] = {"tickets/": [], "customers/": [], "channel-accounts/": []}

    def measure() -> None:
        for path, found in counts.items():
            with CaptureQueriesContext(connection) as queries:
                assert leo.get(path, limit=100).status_code == 200
            found.append(len(queries))

    house.mail(author="0@post.example")
    measure()
    for number in range(1, 50):
        house.mail(author=f"{number}@post.example")
    measure()
    for path, (one, fifty) in counts.items():
        assert one == fifty, path
        assert fifty <= 5, path


def test_the_document_describes_every_call_and_the_page_shows_it(house: House) -> None:
    client = Client()
    client.force_login(house.anna)
    document = json.loads(client.get("/api/schema/").content)
    assert document["openapi"].startswith("3.")
    expected = {
        "/api/v1/tickets/": {"get"},
        "/api/v1/tickets/{ticket_id}/": {"get"},
        "/api/v1/tickets/{ticket_id}/timeline/": {"get"},
        **{
            f"/api/v1/tickets/{{ticket_id}}/{act}/": {"post"}
            for act in ("reply", "note", "assign", "move", "solve", "snooze")
        },
        "/api/v1/attachments/{attachment_id}/": {"get"},
        "/api/v1/take-back/": {"post"},
        "/api/v1/customers/": {"get"},
        "/api/v1/customers/{customer_id}/": {"get"},
        "/api/v1/calls/": {"post"},
        "/api/v1/queues/": {"get"},
        "/api/v1/channel-accounts/": {"get"},
    }
    assert {path: set(methods) for path, methods in document["paths"].items()} == expected
    refused = document["paths"]["/api/v1/tickets/{ticket_id}/reply/"]["post"]["responses"]["409"]
    assert refused["content"] == {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    page = client.get("/api/").content.decode()
    for path in expected:
        assert path in page
    # The document is Markdown and the page is not.
    assert "`" not in page
    assert "* “" not in page
    assert Client().get("/api/").status_code == 302


def test_a_person_makes_and_revokes_tokens_on_a_page(house: House, sign_in: Callable[[Person], Client]) -> None:
    client = sign_in(house.anna)
    page = client.post(reverse("agents:tokens"), {"name": "The shop"}).content.decode()
    text = page.split('translate="no">cc_')[1].split("<")[0]
    assert Client().get("/api/v1/queues/", headers={"Authorization": f"Bearer cc_{text}"}).status_code == 200
    assert text not in client.get(reverse("agents:tokens")).content.decode()
    token = ApiToken.objects.get()
    assert sign_in(house.ben).post(reverse("agents:revoke-token", args=[token.pk])).status_code == 404
    client.post(reverse("agents:revoke-token", args=[token.pk]))
    assert Client().get("/api/v1/queues/", headers={"Authorization": f"Bearer cc_{text}"}).status_code == 401
    assert client.post(reverse("agents:tokens"), {"name": " "}).status_code == 422

"""Facebook's door: the challenge, the signature, and every happening of a post as one row of the Page it names."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.handlers.wsgi import WSGIRequest
from django.db import OperationalError, connection, transaction
from django.test import Client, RequestFactory
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.models import Person
from channels import accounts, books, hooks, ledger
from channels.consent import registering
from channels.models import AccountState, App, ChannelAccount, LedgerBody, LedgerItem
from contactcentre.lib.secrets import Credentials

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.channels.hook_door"), pytest.mark.usefixtures("hinted")]

APP_ID = "1700000000000009"
SECRET = "practice-only-secret"
CARE, OUTLET = "6100000000000201", "6100000000000202"
JSON = "application/json"


def spelled(told: object) -> bytes:
    """JSON as Meta writes and signs it: letters beyond ASCII and slashes escaped."""
    return json.dumps(told, separators=(",", ":")).replace("/", "\\/").encode()


def said(mid: str, text: str = "Wo ist mein Päckchen?", page: str = CARE) -> dict[str, Any]:
    """A message in Messenger."""
    return {
        "sender": {"id": "7200000000000101"},
        "recipient": {"id": page},
        "timestamp": 1790000000001,
        "message": {"mid": mid, "text": text, "link": "https://example.example/a"},
    }


def comment(number: str, verb: str = "add") -> dict[str, Any]:
    """A comment below a post of Acme Care."""
    value = {
        "item": "comment", "verb": verb, "comment_id": f"901_{number}", "post_id": f"{CARE}_901",
        "parent_id": f"{CARE}_901", "from": {"id": "7100000000000101", "name": "Ana"}, "created_time": 1790000000,
        "message": "where is my order?",
    }  # fmt: skip
    return {"field": "feed", "value": value}


def entry(page: str = CARE, *messages: dict[str, Any], changes: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    """What happened on one Page."""
    told: dict[str, Any] = {"id": page, "time": 1790000000123}
    if messages:
        told["messaging"] = list(messages)
    if changes:
        told["changes"] = list(changes)
    return told


def post(*entries: dict[str, Any]) -> bytes:
    """A whole post."""
    return spelled({"object": "page", "entry": list(entries)})


class Door:
    """Our door for one app, and what Facebook or a stranger does there."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.address = f"/hooks/facebook/{app.client_id}/"
        self.client = Client(enforce_csrf_checks=True, raise_request_exception=False)

    def post(self, body: bytes, *, secret: str = SECRET, **headers: Any) -> int:
        """Post a body with its signature, and return the status."""
        signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        told = {"X-Hub-Signature-256": signature, **headers}
        return self.client.generic("POST", self.address, body, JSON, headers=told).status_code

    def get(self, address: str = "", **query: str) -> Any:
        """Ask with a query; `mode` stands for hub.mode."""
        return self.client.get(address or self.address, {f"hub.{name}": value for name, value in query.items()})


@pytest.fixture
def app(ada: Person) -> App:
    return registering.enter_app(
        actor=ada, kind="facebook", name="Acme", client_id=APP_ID, client_secret=SECRET, now=timezone.now()
    )


@pytest.fixture
def door(app: App) -> Door:
    return Door(app)


def connected(app: App, page: str = CARE, **values: Any) -> ChannelAccount:
    """A Page that runs."""
    moment = timezone.now() - timedelta(hours=1)
    made: dict[str, Any] = {"name": f"Page {page}", "begins_at": moment, "created_at": moment, "polled_at": moment}
    return ChannelAccount.objects.create(
        kind="facebook", address=page, app=app, credentials=Credentials(access_token="practice"), **{**made, **values}
    )


@pytest.fixture
def care(app: App) -> ChannelAccount:
    return connected(app)


def rows() -> list[tuple[str | None, str, str, str]]:
    """Page, happening, state and reason of every row."""
    columns = ("account__address", "happening", "state", "reason")
    return list(LedgerItem.objects.order_by("id").values_list(*columns))


def test_the_challenge_is_said_back_to_whoever_knows_the_verify_token(door: Door) -> None:
    token = door.app.secrets["verify_token"]
    answer = door.get(mode="subscribe", verify_token=token, challenge="1158201444")
    assert (answer.status_code, answer.content) == (200, b"1158201444")
    assert answer["Content-Type"].startswith("text/plain")
    for query in (
        {"mode": "subscribe", "verify_token": "guess", "challenge": "1"},
        {"mode": "subscribe", "verify_token": "", "challenge": "1"},
        {"mode": "unsubscribe", "verify_token": token, "challenge": "1"},
        {"verify_token": token},
        {},
    ):
        assert door.get(**query).status_code == 403
    assert len(door.get(mode="subscribe", verify_token=token, challenge="1" * 5000).content) == hooks.LONGEST_CHALLENGE


def test_an_app_without_a_verify_token_answers_no_challenge(door: Door) -> None:
    door.app.secrets = Credentials(client_secret=SECRET)
    door.app.save()
    assert door.get(mode="subscribe", verify_token="", challenge="1").status_code == 403


def test_another_app_is_not_found(door: Door, app: App) -> None:
    secrets = Credentials(verify_token="t")
    App.objects.create(kind="x", name="X", client_id="55", secrets=secrets, created_at=app.created_at)
    # A NUL in an address is refused before any door is looked for.
    for number, status in (("1", 404), ("55", 404), ("%00", 400), ("x" * 3000, 404), ("é", 404)):
        assert door.get(f"/hooks/facebook/{number}/", mode="subscribe", verify_token="t").status_code == status
        assert door.client.post(f"/hooks/facebook/{number}/", b"{}", content_type=JSON).status_code == status


def test_a_post_is_rows_and_then_work(
    door: Door, care: ChannelAccount, hinted: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    before = timezone.now()
    body = post(entry(CARE, said("m_1"), said("m_2")), entry(CARE, changes=(comment("1"),)))
    with django_capture_on_commit_callbacks(execute=True):
        assert door.post(body) == 200
    assert hinted == ["channels.tasks.process"]
    assert rows() == [(CARE, "message", "pending", "")] * 3
    item = LedgerItem.objects.order_by("id")[0]
    assert (item.kind, item.source) == ("facebook", "webhook")
    assert "Päckchen" in json.loads(bytes(LedgerBody.objects.get(item_id=item.pk).body))["messaging"]["message"]["text"]
    care.refresh_from_db()
    assert care.heard_at is not None
    assert care.heard_at >= before


def test_a_hook_goes_past_what_is_made_for_people(door: Door, care: ChannelAccount) -> None:
    body = post(entry(CARE, said("m_1", "Hello")))
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    cookie = {"Cookie": "contactcentre_session=somebody", "X-Hub-Signature-256": signature}
    answer = door.client.generic("POST", door.address, body, JSON, headers=cookie)
    assert (answer.status_code, answer.headers["Content-Length"]) == (200, "0")
    # Neither a session nor a language was looked for.
    assert not hasattr(answer.wsgi_request, "session")
    assert "Vary" not in answer.headers


def test_a_hook_under_another_host_s_name_is_refused_as_every_page_is(door: Door, care: ChannelAccount) -> None:
    assert door.post(post(entry(CARE, said("m_1", "Hello"))), Host="elsewhere.example") == 400
    assert rows() == []


@pytest.mark.parametrize(
    "signature",
    ["", "sha256=", "sha256=" + "0" * 64, "sha1=" + "0" * 40, "sha256=é", "sha256=\x00", "0" * 64],
)
def test_what_is_not_signed_is_refused_and_not_kept(door: Door, care: ChannelAccount, signature: str) -> None:
    body = post(entry(CARE, said("m_1")))
    assert door.post(body, **{"X-Hub-Signature-256": signature}) == 400
    assert door.post(body, secret="another") == 400
    assert rows() == []


def test_the_signature_is_over_the_bytes_and_not_over_what_they_mean(door: Door, care: ChannelAccount) -> None:
    body = post(entry(CARE, said("m_1")))
    assert b"\\u00e4" in body
    assert b"\\/" in body
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    rewritten = json.dumps(json.loads(body)).encode()
    assert door.post(rewritten, **{"X-Hub-Signature-256": signature}) == 400
    assert door.post(body) == 200


def test_an_app_without_a_secret_believes_nobody(door: Door, care: ChannelAccount) -> None:
    door.app.secrets = Credentials(verify_token="t")
    door.app.save()
    assert door.post(post(entry(CARE, said("m_1"))), secret="") == 400


def test_what_is_told_twice_is_one_row(door: Door, care: ChannelAccount) -> None:
    first = post(entry(CARE, said("m_1"), said("m_1")))
    for body in (first, first, post(entry(CARE, said("m_2"), said("m_1")))):
        assert door.post(body) == 200
    assert len(rows()) == 2
    assert door.post(post(entry(CARE, changes=(comment("1"), comment("1", "remove"), comment("1"))))) == 200
    assert [happening for _, happening, _, _ in rows()] == ["message", "message", "message", "delete"]
    assert books.books().balanced


def test_each_item_goes_to_the_page_it_names(door: Door, app: App, care: ChannelAccount) -> None:
    connected(app, OUTLET)
    body = post(entry(CARE, said("m_1")), entry(OUTLET, said("m_2", page=OUTLET)), entry("6999", said("m_3")))
    assert door.post(body) == 200
    assert rows() == [
        (CARE, "message", "pending", ""),
        (OUTLET, "message", "pending", ""),
        (None, "message", "filtered", "unknown account"),
    ]
    assert books.books().seen == 3
    assert books.books(care.pk).pending == 1
    assert books.books().balanced


def test_a_page_of_another_app_is_not_this_door_s(door: Door, ada: Person) -> None:
    other = registering.enter_app(
        actor=ada, kind="facebook", name="Other", client_id="18", client_secret="practice-other", now=timezone.now()
    )
    connected(other)
    assert door.post(post(entry(CARE, said("m_1")))) == 200
    assert rows() == [(None, "message", "filtered", "unknown account")]


def test_a_page_nobody_connected_is_one_row_a_happening_and_never_mixed_with_another(door: Door) -> None:
    for page in ("6999", "6998", "6999"):
        assert door.post(post(entry(page, said("m_1", page=page)))) == 200
    assert len(rows()) == 2


def test_what_a_paused_page_tells_is_kept_and_comes_in_when_it_is_switched_on(
    door: Door, care: ChannelAccount, ada: Person
) -> None:
    ChannelAccount.objects.update(state=AccountState.PAUSED, polled_at=None)
    assert door.post(post(entry(CARE, said("m_1"), said("m_2")))) == 200
    assert rows() == [(CARE, "message", "filtered", "the account was paused")] * 2
    care.refresh_from_db()
    # It looks new until somebody switches it on.
    assert care.heard_at is None
    assert accounts.resume(account=care, actor=ada, now=timezone.now())
    assert rows() == [(CARE, "message", "pending", "")] * 2
    today = books.books(care.pk)
    assert (today.seen, today.pending, today.filtered) == (2, 2, 0)
    # A second switching on finds nothing to let in.
    assert not accounts.resume(account=care, actor=ada, now=timezone.now())


def test_a_row_whose_content_is_gone_is_not_let_in(door: Door, care: ChannelAccount, ada: Person) -> None:
    ChannelAccount.objects.update(state=AccountState.PAUSED)
    door.post(post(entry(CARE, said("m_1"), said("m_2"))))
    LedgerBody.objects.order_by("item_id")[0].delete()
    assert accounts.resume(account=care, actor=ada, now=timezone.now())
    assert sorted(state for _, _, state, _ in rows()) == ["filtered", "pending"]
    assert books.books(care.pk).balanced


def test_a_refused_page_still_hears(door: Door, care: ChannelAccount) -> None:
    ChannelAccount.objects.update(state=AccountState.REFUSED)
    assert door.post(post(entry(CARE, said("m_1")))) == 200
    assert rows() == [(CARE, "message", "pending", "")]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"<html>", b"[" * 100_000, b"\xff\x00", b'{"entry": 1}', b'{"entry": [7]}']
)
def test_what_is_signed_and_cannot_be_split_is_one_quarantined_row(door: Door, body: bytes) -> None:
    assert door.post(body) == 200
    assert door.post(body) == 200
    ((page, happening, state, reason),) = rows()
    assert (page, happening, state) == (None, "webhook", "quarantined")
    assert reason
    assert bytes(LedgerBody.objects.get().body) == body
    assert books.books().balanced


def test_an_empty_post_is_a_row_too(door: Door) -> None:
    assert door.post(post()) == 200
    assert rows() == [(None, "webhook", "filtered", "nothing in it")]


def test_a_full_batch_in_another_script_is_taken_in_whole(door: Door, care: ChannelAccount) -> None:
    # A thousand changes are Meta's most for one post, and it spells each letter beyond ASCII in six bytes.
    body = post(entry(CARE, *(said(f"m_{number}", "পার্সেল" * 60) for number in range(1000))))
    assert 1.5 * 1024 * 1024 < len(body) < django_settings.HOOK_MAX_BYTES
    assert door.post(body) == 200
    assert LedgerItem.objects.filter(state="pending", account=care).count() == 1000
    assert LedgerBody.objects.count() == 1000


def test_what_is_signed_and_beyond_the_limit_is_one_quarantined_row_without_its_content(
    door: Door, care: ChannelAccount, settings: Any
) -> None:
    settings.HOOK_MAX_BYTES = 64 * 1024
    body = post(entry(CARE, said("m_1")))
    assert door.post(body + b" " * (settings.HOOK_MAX_BYTES - len(body))) == 200
    large = body + b" " * (settings.HOOK_MAX_BYTES - len(body) + 1)
    assert door.post(large) == 200
    assert door.post(large) == 200
    assert rows() == [(CARE, "message", "pending", ""), (None, "webhook", "quarantined", hooks.TOO_LARGE)]
    row = LedgerItem.objects.get(state="quarantined")
    assert row.size == len(large)
    assert not LedgerBody.objects.filter(pk=row.pk).exists()
    assert books.books().balanced


def test_what_is_beyond_the_limit_and_not_signed_leaves_nothing(
    door: Door, care: ChannelAccount, settings: Any
) -> None:
    settings.HOOK_MAX_BYTES = 1024
    assert door.post(b" " * 4096, secret="a stranger's") == 400
    assert door.client.generic("POST", door.address, b" " * 4096, JSON).status_code == 400
    assert rows() == []


def test_a_body_beyond_the_limit_never_stands_in_memory_as_a_whole(door: Door, settings: Any) -> None:
    settings.HOOK_MAX_BYTES, length = 256 * 1024, 24 * 1024 * 1024

    class Endless:
        def read(self, size: int) -> bytes:
            return b"x" * size

        readline = read

    request = RequestFactory().generic("POST", door.address)
    told = WSGIRequest({**request.META, "CONTENT_LENGTH": str(length), "wsgi.input": Endless()})
    tracemalloc.start()
    try:
        begun = told.read(settings.HOOK_MAX_BYTES + 1)
        rest = hooks._rest(told, begun, SECRET)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rest.size == length
    assert rest.sha256 == hashlib.sha256(b"x" * length).hexdigest()
    assert peak < 2 * 1024 * 1024


def test_only_questions_and_posts_are_taken(door: Door) -> None:
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        assert door.client.generic(method, door.address).status_code == 405


def test_our_own_failure_is_a_500_so_that_it_is_told_again(
    door: Door, care: ChannelAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> list[int]:
        raise OperationalError("the database went away")

    with monkeypatch.context() as patched:
        patched.setattr(ledger, "record_all", broken)
        assert door.post(post(entry(CARE, said("m_1")))) == 500
    assert rows() == []
    assert door.post(post(entry(CARE, said("m_1")))) == 200


def test_a_post_costs_as_few_statements_for_many_happenings_as_for_one(
    door: Door, app: App, care: ChannelAccount, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    connected(app, OUTLET)
    door.post(post(entry(CARE, said("m_warm"))))
    # The app, the accounts, the digests' key, the rows, when we heard, and the savepoint around them.
    for count in (1, 100):
        entries = [
            entry(page, *(said(f"m_{count}_{n}_{page}", page=page) for n in range(count))) for page in (CARE, OUTLET)
        ]
        with django_assert_max_num_queries(7):
            assert door.post(post(*entries)) == 200
    assert LedgerItem.objects.count() == 203


@pytest.mark.django_db(transaction=True)
def test_a_post_that_comes_while_the_page_is_switched_on_is_not_held_for_ever(
    door: Door, care: ChannelAccount, ada: Person
) -> None:
    ChannelAccount.objects.update(state=AccountState.PAUSED)
    answers: list[int] = []

    def tell() -> None:
        try:
            answers.append(door.post(post(entry(CARE, said("m_1")))))
        finally:
            connection.close()

    with transaction.atomic():
        assert accounts.resume(account=care, actor=ada, now=timezone.now())
        telling = threading.Thread(target=tell)
        telling.start()
        # It has seen the Page paused, and waits for the row before it believes that.
        _wait_for_a_waiter()
    telling.join(10)
    assert answers == [200]
    assert rows() == [(CARE, "message", "pending", "")]


def _wait_for_a_waiter() -> None:
    deadline = timezone.now() + timedelta(seconds=10)
    while timezone.now() < deadline:
        with connection.cursor() as cursor:
            # Of this database only: another worker's tests have locks of their own.
            cursor.execute(
                "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
                " WHERE NOT granted AND datname = current_database()"
            )
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waited for the account")


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=8),
    st.sampled_from(["\x00", "\ud800", CARE, "page", "add"]),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.one_of(
    ANYTHING,
    st.builds(said, st.sampled_from(["m_1", "m_2", "", "\ud800"]), st.text(max_size=5)),
    st.dictionaries(
        st.sampled_from(["sender", "timestamp", "message", "delivery", "read", "reaction", "message_edit"]),
        ANYTHING | st.fixed_dictionaries({"mid": SCALARS, "text": SCALARS, "watermark": SCALARS, "num_edit": SCALARS}),
        max_size=4,
    ),
)
CHANGES = st.one_of(
    ANYTHING,
    st.builds(comment, st.sampled_from(["1", "2"]), st.sampled_from(["add", "edited", "remove", "hide", "mute"])),
    st.fixed_dictionaries(
        {
            "field": st.sampled_from(["feed", "ratings"]),
            "value": st.dictionaries(st.text(max_size=6), ANYTHING, max_size=4),
        }
    ),
)
ENTRIES = st.one_of(
    ANYTHING,
    st.fixed_dictionaries(
        {"id": st.sampled_from([CARE, int(CARE), "6999", None, "", True])},
        optional={
            "messaging": st.lists(EVENTS, max_size=3) | ANYTHING,
            "standby": st.lists(EVENTS, max_size=2),
            "changes": st.lists(CHANGES, max_size=3) | ANYTHING,
            "time": SCALARS,
        },
    ),
)
POSTED = st.one_of(
    st.binary(max_size=80),
    st.builds(spelled, ANYTHING),
    st.builds(spelled, st.fixed_dictionaries({"object": SCALARS, "entry": st.lists(ENTRIES, max_size=3)})),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=POSTED, is_signed=st.sampled_from([True, True, True, False]), is_paused=st.booleans())
def test_whatever_is_posted_is_taken_or_refused_and_the_books_come_out(
    door: Door, care: ChannelAccount, body: bytes, is_signed: bool, is_paused: bool
) -> None:
    state = AccountState.PAUSED if is_paused else AccountState.ACTIVE
    ChannelAccount.objects.filter(pk=care.pk).update(state=state)
    before = LedgerItem.objects.count()
    assert door.post(body, secret=SECRET if is_signed else "another") == (200 if is_signed else 400)
    count = LedgerItem.objects.count()
    assert is_signed or count == before
    assert door.post(body) == 200
    figures = books.books()
    assert figures.balanced
    assert figures.seen == LedgerItem.objects.count() == LedgerBody.objects.count()
    assert not LedgerItem.objects.filter(state__in=["filtered", "quarantined"], reason="").exists()
    if is_signed:
        # What was told a second time added nothing.
        assert figures.seen == count

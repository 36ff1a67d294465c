"""Attachments that came as links: coming, here, or said why not, with another try."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from agents.models import Person
from channels.happenings import Address, FilePart, InboundMessage
from channels.models import ChannelAccount
from contactcentre.lib.secrets import Credentials
from tests.channels.media_host import MediaHost, media_host, png
from tests.conftest import NOW, House
from tickets import fetching, outside
from tickets.models import AccountFeed, Attachment

LINK = "https://pbs.twimg.com/media/a.png"


@pytest.fixture
def host(settings: Any, tmp_path: Path) -> Iterator[MediaHost]:
    storages = dict(settings.STORAGES)
    storages["default"] = {**storages["default"], "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = storages
    with media_host() as made:
        settings.X_ORIGIN, settings.FETCH_AGAIN_SECONDS = made.origin, [10, 60]
        yield made


@pytest.fixture
def handle(house: House) -> ChannelAccount:
    """@AcmeCare, which feeds the general queue."""
    account = ChannelAccount.objects.create(
        kind="x",
        address="2244994945",
        name="@AcmeCare",
        begins_at=NOW,
        created_at=NOW,
        credentials=Credentials(access_token="practice-token"),
        token_expires_at=NOW + timedelta(hours=2),
    )
    AccountFeed.objects.create(account=account, queue=house.general)
    return account


def tweet(house: House, handle: ChannelAccount, *files: FilePart, **changes: Any) -> InboundMessage:
    """A post of Ana's with files, on her ticket."""
    values: dict[str, Any] = {
        "channel_kind": "x",
        "surface": "x:mention",
        "external_id": f"199{next(house.numbers)}",
        "thread": "1990",
        "author": Address(kind="x_user", value="3333333333", display="@ana_b", name="Ana", handle="ana_b"),
        "said_at": house.clock.now,
        "text": "look at this",
        "files": files,
    }
    message = InboundMessage(**{**values, **changes})
    if message.direction == "in":
        house.receive(message, account=handle)
    return message


def picture(url: str = LINK, **given: Any) -> FilePart:
    return FilePart(name="a.png", content_type="image/png", url=url, **given)


def fetched(house: House) -> str | None:
    return fetching.fetch(
        attachment_id=Attachment.objects.get().pk, now=house.clock.now, clock=lambda: house.clock.now
    )


def shown(house: House, sign_in: Callable[[Person], Client]) -> str:
    return sign_in(house.anna).get(f"/t/{house.ticket().pk}/").content.decode()


def test_a_link_is_fetched_and_the_file_stands_in_its_place(
    house: House, handle: ChannelAccount, host: MediaHost, sign_in: Callable[[Person], Client]
) -> None:
    host.picture("/media/a.png")
    tweet(house, handle, picture(note="a dark router"))
    assert "is being fetched" in shown(house, sign_in)
    assert fetching.due(now=house.clock.now) == [Attachment.objects.get().pk]
    assert fetched(house) == "fetched"
    row = Attachment.objects.select_related("file").get()
    assert (row.url, row.fetch_at, row.fetch_error) == ("", None, "")
    page = shown(house, sign_in)
    assert f'<img src="/attachments/{row.pk}/" alt="a dark router"' in page
    assert "is being fetched" not in page
    answer = sign_in(house.anna).get(f"/attachments/{row.pk}/")
    assert (b"".join(answer.streaming_content), answer["content-type"]) == (png(), "image/png")
    assert sign_in(house.hana).get(f"/attachments/{row.pk}/").status_code == 403
    # Nothing is left to do.
    assert (fetched(house), fetching.due(now=house.clock.now + timedelta(days=1))) == (None, [])
    assert len(host.asked) == 1


def test_what_is_not_there_is_asked_for_again_and_then_said(
    house: House, handle: ChannelAccount, host: MediaHost, sign_in: Callable[[Person], Client]
) -> None:
    tweet(house, handle, picture())
    assert fetched(house) == "again"
    assert fetched(house) is None
    house.clock.forward(seconds=10)
    assert fetched(house) == "again"
    assert "is being fetched" in shown(house, sign_in)
    house.clock.forward(seconds=60)
    assert fetched(house) == "given up"
    row = Attachment.objects.get()
    assert (row.fetch_at, row.fetch_error, row.url) == (None, "it is not there", LINK)
    assert fetching.due(now=house.clock.now + timedelta(days=1)) == []
    page = shown(house, sign_in)
    assert "could not be fetched: it is not there" in page
    assert f'data-act="fetch" data-attachment="{row.pk}"' in page


def test_a_person_has_it_tried_again(
    house: House, handle: ChannelAccount, host: MediaHost, sign_in: Callable[[Person], Client]
) -> None:
    host.on("/media/a.png", (410, {}, b""))
    tweet(house, handle, picture())
    row = Attachment.objects.get()
    assert sign_in(house.anna).post(f"/attachments/{row.pk}/fetch/").status_code == 422
    assert fetched(house) == "given up"
    assert sign_in(house.hana).post(f"/attachments/{row.pk}/fetch/").status_code == 403
    assert sign_in(house.anna).post("/attachments/999999/fetch/").status_code == 404
    host.picture("/media/a.png")
    assert sign_in(house.anna).post(f"/attachments/{row.pk}/fetch/").status_code == 200
    row.refresh_from_db()
    assert (row.fetch_error, row.fetch_attempts, row.fetch_at is not None) == ("", 0, True)
    house.clock.now = row.fetch_at  # type: ignore[assignment]
    assert fetched(house) == "fetched"


def test_of_two_workers_one_fetches_and_a_killed_one_is_followed(
    house: House, handle: ChannelAccount, host: MediaHost
) -> None:
    host.picture("/media/a.png")
    tweet(house, handle, picture())
    row = Attachment.objects.get()
    first = fetching._claim(row.pk, now=house.clock.now)
    assert first is not None
    assert fetching._claim(row.pk, now=house.clock.now) is None
    house.clock.forward(seconds=fetching.LEASE.total_seconds())
    assert fetching.due(now=house.clock.now) == [row.pk]
    assert fetched(house) == "fetched"
    # The first was only slow: what it says now is nobody's business any more.
    assert fetching._failed(first, fetching.NotFetched("late"), now=house.clock.now) is None
    assert Attachment.objects.get().fetch_error == ""


def test_a_link_to_anywhere_else_is_never_followed(
    house: House, handle: ChannelAccount, host: MediaHost, sign_in: Callable[[Person], Client]
) -> None:
    tweet(house, handle, picture("https://evil.example/a.png"), picture("http://127.0.0.1/a.png"))
    assert not Attachment.objects.exclude(url="", fetch_at=None).exists()
    assert "It can be seen at the network." in shown(house, sign_in)
    assert host.asked == []


def test_a_picture_of_a_message_goes_by_our_own_access(house: House, handle: ChannelAccount, host: MediaHost) -> None:
    host.picture("/2/dm_conversations/media/15/77/abc.png")
    tweet(house, handle, picture("https://ton.twitter.com/1.1/ton/data/dm/15/77/abc.png"), surface="x:dm")
    assert fetched(house) == "fetched"
    assert host.asked == [("/2/dm_conversations/media/15/77/abc.png", "Bearer practice-token")]


def test_the_picture_of_an_answer_written_elsewhere_comes_too(
    house: House, handle: ChannelAccount, host: MediaHost
) -> None:
    tweet(house, handle)
    said = tweet(
        house,
        handle,
        picture(),
        direction="out",
        author=Address(kind="x_user", value=handle.address),
        recipient=Address(kind="x_user", value="3333333333"),
    )
    with transaction.atomic():
        outside.ours(said, account_id=handle.pk, now=house.clock.now)
    assert Attachment.objects.get().message.is_outside


def test_a_lost_hint_and_a_broker_that_is_away_cost_nothing_but_seconds(
    house: House, handle: ChannelAccount, host: MediaHost, django_capture_on_commit_callbacks: Any, monkeypatch: Any
) -> None:
    sent: list[dict[str, Any]] = []

    def send_task(name: str, *, kwargs: dict[str, Any], retry: bool) -> None:
        sent.append({"name": name, **kwargs})
        raise ConnectionError("no broker")

    monkeypatch.setattr(fetching.current_app, "send_task", send_task)
    with django_capture_on_commit_callbacks(execute=True):
        tweet(house, handle, picture())
    row = Attachment.objects.get()
    assert {"name": "tickets.tasks.fetch", "attachment_id": row.pk} in sent
    assert fetching.due(now=house.clock.now) == [row.pk]


def test_what_nobody_foresaw_is_tried_again_and_never_ends_the_worker(
    house: House, handle: ChannelAccount, host: MediaHost, monkeypatch: Any
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("secret words")

    tweet(house, handle, picture())
    monkeypatch.setattr(fetching.files_fetching, "fetch", broken)
    assert fetched(house) == "again"
    assert Attachment.objects.get().fetch_error == "this was not expected (ZeroDivisionError)"

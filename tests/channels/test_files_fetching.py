"""Files that a network hands over as links: from its own hosts only, within limits, judged by their bytes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from channels.files_fetching import NotFetched, fetch, may_fetch, needs_credentials
from channels.models import StoredFile
from contactcentre.lib.secrets import Credentials
from tests.channels.media_host import MediaHost, media_host, png

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
LINK = "https://pbs.twimg.com/media/a.png"

pytestmark = pytest.mark.django_db


@pytest.fixture
def host(settings: Any, tmp_path: Path) -> Iterator[MediaHost]:
    """The picture hosts of X and Facebook, and a folder for what is fetched."""
    storages = dict(settings.STORAGES)
    storages["default"] = {**storages["default"], "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = storages
    with media_host() as made:
        settings.X_ORIGIN = settings.FACEBOOK_MEDIA_ORIGIN = made.origin
        settings.FETCH_SECONDS = 2
        yield made


def refused(url: str = LINK, *, kind: str = "x", name: str = "a.png") -> NotFetched:
    with pytest.raises(NotFetched) as caught:
        fetch(url, kind=kind, name=name, now=NOW)
    return caught.value


@pytest.mark.parametrize(
    ("kind", "url", "may"),
    [
        ("x", "https://pbs.twimg.com/media/a.png", True),
        ("x", "https://video.twimg.com/a.mp4?tag=12", True),
        ("x", "https://ton.twitter.com/1.1/ton/data/dm/1/2/a.png", True),
        ("x", "http://pbs.twimg.com/media/a.png", False),
        ("x", "https://pbs.twimg.com:8443/media/a.png", False),
        ("x", "https://somebody@pbs.twimg.com/media/a.png", False),
        ("x", "https://pbs.twimg.com.evil.example/a.png", False),
        ("x", "https://evilpbs.twimg.com/a.png", False),
        ("x", "https://127.0.0.1/a.png", False),
        ("x", "https://[::1/a.png", False),
        ("x", "https://scontent.xx.fbcdn.net/a.jpg", False),
        ("facebook", "https://scontent.xx.fbcdn.net/a.jpg", True),
        ("facebook", "https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=1", True),
        ("facebook", "https://fbcdn.net.evil.example/a.jpg", False),
        ("facebook", "https://evilfbcdn.net/a.jpg", False),
        # Python's own reading ends the name at the slash, that of requests at the backslash.
        ("facebook", "https://evil.example\\.fbcdn.net/a.jpg", False),
        ("facebook", "https://evil.example;.fbcdn.net/a.jpg", False),
        ("email", "https://pbs.twimg.com/media/a.png", False),
        ("x", "", False),
    ],
)
def test_only_links_to_the_networks_own_hosts_are_followed(kind: str, url: str, may: bool) -> None:
    assert may_fetch(url, kind=kind) is may
    if not may:
        assert refused(url, kind=kind).permanent


def test_a_picture_is_kept_once_however_often_it_comes(host: MediaHost) -> None:
    host.picture("/media/a.png")
    host.picture("/v/b.png")
    kept = fetch(LINK, kind="x", name="a.png", now=NOW)
    with default_storage.open(kept.path) as content:
        assert (kept.content_type, content.read()) == ("image/png", png())
    assert fetch("https://scontent.fbcdn.net/v/b.png?oh=1", kind="facebook", now=NOW) == kept
    assert StoredFile.objects.count() == 1
    # A picture of a post is nobody's secret: our token stays at home.
    assert host.asked == [("/media/a.png", ""), ("/v/b.png?oh=1", "")]


def test_a_picture_of_a_message_is_asked_of_the_api_with_our_token(host: MediaHost) -> None:
    url = "https://ton.twitter.com/1.1/ton/data/dm/15/77/abc.png"
    host.picture("/2/dm_conversations/media/15/77/abc.png")
    assert needs_credentials(url, kind="x")
    assert not needs_credentials(LINK, kind="x")
    fetch(url, kind="x", name="abc.png", credentials=Credentials(access_token="practice-token"), now=NOW)
    assert host.asked == [("/2/dm_conversations/media/15/77/abc.png", "Bearer practice-token")]


def test_a_step_to_another_of_its_hosts_is_taken(host: MediaHost) -> None:
    host.on("/file/", (302, {"location": "https://scontent.fbcdn.net/a.png"}, b""))
    host.picture("/a.png")
    assert fetch("https://lookaside.fbsbx.com/file/", kind="facebook", now=NOW).content_type == "image/png"


@pytest.mark.parametrize("target", ["http://127.0.0.1:1/a.png", "https://evil.example/a.png", "file:///etc/passwd"])
def test_a_step_to_any_other_place_is_refused(host: MediaHost, target: str) -> None:
    host.on("/media/a.png", (302, {"location": target}, b""))
    assert refused().permanent
    assert len(host.asked) == 1


def test_steps_in_a_circle_end(host: MediaHost) -> None:
    host.on("/media/a.png", (302, {"location": LINK}, b""))
    assert "place to place" in str(refused())
    assert len(host.asked) == 3


@pytest.mark.parametrize("announced", [True, False])
def test_a_file_that_is_too_large_is_said_to_be(host: MediaHost, settings: Any, announced: bool) -> None:
    settings.ATTACHMENT_MAX_BYTES = 100_000
    if announced:
        host.on("/media/a.png", (200, {"content-length": "90000000000"}, b""))
    else:
        host.on("/media/a.png", endless)
    error = refused()
    assert (error.permanent, "larger than" in str(error)) == (True, True)


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    handler.close_connection = True
    while True:
        handler.wfile.write(png() * 1000)


def test_a_dripping_host_is_left_after_the_time_that_is_given(host: MediaHost, settings: Any) -> None:
    settings.FETCH_SECONDS = 0.3
    done: list[bool] = []

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not done:
            handler.wfile.write(b"\x89")
            handler.wfile.flush()
            time.sleep(0.02)

    host.on("/media/a.png", drip)
    began = time.monotonic()
    error = refused()
    done.append(True)
    assert (error.permanent, "in time" in str(error)) == (False, True)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("answer", "permanent", "words"),
    [
        ((404, {}, b""), False, "not there"),
        ((410, {}, b""), True, "not there"),
        ((403, {}, b"URL signature expired"), True, "403"),
        ((429, {"retry-after": "7"}, b""), False, "wait"),
        ((503, {}, b"<html>"), False, "503"),
        ((200, {}, b""), False, "empty"),
        ((200, {"content-type": "image/png"}, b"<!DOCTYPE html><html><body>Log in</body></html>"), False, "web page"),
        ((200, {"content-type": "image/png"}, b'{"error": {"code": 190}}'), False, "something else"),
    ],
)
def test_what_does_not_come_says_why_and_whether_it_may_yet(
    host: MediaHost, answer: Any, permanent: bool, words: str
) -> None:
    host.on("/media/a.png", answer)
    error = refused()
    assert (error.permanent, words in str(error)) == (permanent, True), error
    assert (error.retry_after is not None) == (answer[0] == 429)
    assert not StoredFile.objects.exists()


def test_a_page_is_taken_where_a_page_was_sent(host: MediaHost) -> None:
    host.on("/f/manual.html", (200, {}, b"<!doctype html><p>Manual</p>"))
    assert fetch("https://cdn.fbsbx.com/f/manual.html", kind="facebook", name="manual.html", now=NOW).size == 28


def test_a_network_that_cannot_be_reached_is_tried_again(settings: Any) -> None:
    settings.X_ORIGIN = "http://127.0.0.1:1"
    assert not refused().permanent

"""Every field the adapter reads: gone or renamed, the item is quarantined or means something safe, nothing else.

One line a field. `SAFE` names what the reading falls back to; whoever reads another field adds a line here.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from channels.adapters.base import NotOurs, PayloadError
from channels.adapters.x import items
from tests.channels.adapters.x.conftest import ANA, US, a_dm, a_post, a_reply, page, post_id
from tests.channels.adapters.x.reading import happenings_of

PARENT = post_id(30)


def full_post() -> dict[str, Any]:
    """A customer's answer to us with everything that is read."""
    long = "@AcmeCare it is dead https://t.co/aa"
    post = a_reply(
        post_id(5),
        PARENT,
        text="@AcmeCare it is …",
        note_tweet={
            "text": long,
            "entities": {"urls": [{"url": "https://t.co/aa", "expanded_url": "https://a.example/"}]},
        },
        entities={"urls": [{"url": "https://t.co/bb", "expanded_url": "https://b.example/", "media_key": "3_1"}]},
        attachments={"media_keys": ["3_1"]},
        # Another time than its id tells, so that it shows which of them was read.
        created_at="2026-11-21T09:24:00.000Z",
    )
    media = {"media_key": "3_1", "type": "photo", "url": "https://pbs.example/x.jpg", "alt_text": "a router"}
    return page(post, tweets=[a_post(PARENT, author_id=US, text="We are back")], media=[media])


def film() -> dict[str, Any]:
    """A post with a film in two sizes, whose first picture has a link too."""
    sizes = [
        {"content_type": "video/mp4", "bit_rate": rate, "url": f"https://v.example/{rate}.mp4"} for rate in (100, 900)
    ]
    medium = {"media_key": "7_1", "type": "video", "preview_image_url": "https://v.example/1.jpg", "variants": sizes}
    return page(a_post(attachments={"media_keys": ["7_1"]}), media=[medium])


def still() -> dict[str, Any]:
    """A film of which X tells the first picture only."""
    medium = {"media_key": "7_1", "type": "animated_gif", "preview_image_url": "https://v.example/first.jpg"}
    return page(a_post(attachments={"media_keys": ["7_1"]}), media=[medium])


def quote() -> dict[str, Any]:
    """A post that quotes one of ours."""
    post = a_post(post_id(5), referenced_tweets=[{"type": "quoted", "id": PARENT}])
    return page(post, tweets=[a_post(PARENT, author_id=US, text="We are back")])


def own_reply() -> dict[str, Any]:
    """Our answer to a customer, written at X."""
    post = a_reply(post_id(5), PARENT, author_id=US, in_reply_to_user_id=ANA)
    return page(post, tweets=[a_post(PARENT, text="@AcmeCare help")])


def repost() -> dict[str, Any]:
    return page(a_reply(post_id(5), PARENT, referenced_tweets=[{"type": "retweeted", "id": PARENT}]))


def edited() -> dict[str, Any]:
    return page(a_post(post_id(5), conversation_id=PARENT, edit_history_tweet_ids=[PARENT, post_id(5)]))


def full_dm() -> dict[str, Any]:
    """A customer's message with everything that is read."""
    media = {"media_key": "3_1", "type": "photo", "url": "https://pbs.example/x.jpg"}
    links = {"urls": [{"url": "https://t.co/aa", "expanded_url": "https://a.example/"}]}
    event = a_dm(
        text="still broken https://t.co/aa",
        attachments={"media_keys": ["3_1"]},
        entities=links,
        referenced_tweets=[{"id": PARENT}],
        created_at="2026-11-21T09:24:00.000Z",
    )
    return page(event, media=[media])


def own_dm() -> dict[str, Any]:
    """Our message to a customer, written at X."""
    return page(a_dm(sender_id=US))


QUARANTINED = [
    (full_post, "data.0.id"),
    (full_post, "data.0.text"),
    (full_post, "data.0.author_id"),
    (full_post, "data.0.conversation_id"),
    (full_post, "data.0.referenced_tweets"),
    (full_post, "data.0.referenced_tweets.0.id"),
    (full_post, "data.0.referenced_tweets.0.type"),
    (full_post, "data.0.edit_history_tweet_ids"),
    (own_reply, "data.0.referenced_tweets"),
    (repost, "data.0.referenced_tweets"),
    (edited, "data.0.edit_history_tweet_ids"),
    (full_dm, "data.0.id"),
    (full_dm, "data.0.event_type"),
    (full_dm, "data.0.sender_id"),
    (full_dm, "data.0.dm_conversation_id"),
]

SAFE: list[tuple[Callable[[], dict[str, Any]], str, str, Callable[[Any], bool]]] = [
    (full_post, "data.0.created_at", "the id tells the time", lambda said: said.said_at.minute == 25),
    (full_post, "data.0.in_reply_to_user_id", "not read of a customer", lambda said: said.parent_id == PARENT),
    (full_post, "data.0.note_tweet", "the short text", lambda said: said.text.endswith("it is …")),
    (full_post, "data.0.note_tweet.text", "the short text", lambda said: said.text.endswith("it is …")),
    (full_post, "data.0.note_tweet.entities", "X's short link", lambda said: said.text.endswith("t.co/aa")),
    (full_post, "data.0.entities", "its attachments say the same", lambda said: len(said.files) == 1),
    (full_post, "data.0.attachments", "its links say the same", lambda said: len(said.files) == 1),
    (
        full_post,
        "includes.users",
        "the id without a handle",
        lambda said: (said.author.value, said.author.handle) == (ANA, ""),
    ),
    (full_post, "includes.users.0.username", "the id without a handle", lambda said: said.author.handle == ""),
    (full_post, "includes.users.0.name", "a handle without a name", lambda said: said.author.name == ""),
    (full_post, "includes.users.0.profile_image_url", "no picture", lambda said: said.author.avatar_url == ""),
    (full_post, "includes.tweets", "not needed here", lambda said: said.parent_id == PARENT),
    (full_post, "includes.media", "a file of unknown place", lambda said: said.files[0].note and not said.files[0].url),
    (full_post, "includes.media.0.media_key", "the same", lambda said: said.files[0].note and not said.files[0].url),
    (full_post, "includes.media.0.type", "a file of unknown kind", lambda said: "does not know" in said.files[0].note),
    (
        full_post,
        "includes.media.0.url",
        "a file of unknown place",
        lambda said: said.files[0].note and not said.files[0].url,
    ),
    (full_post, "includes.media.0.alt_text", "no description", lambda said: "router" not in said.files[0].note),
    (film, "includes.media.0.variants", "its first picture", lambda said: said.files[0].url.endswith(".jpg")),
    *(
        (film, f"includes.media.0.variants.1.{name}", "the other size", lambda said: "/100.mp4" in said.files[0].url)
        for name in ("content_type", "bit_rate", "url")
    ),
    (still, "includes.media.0.preview_image_url", "where it can be seen", lambda said: "seen" in said.files[0].note),
    (quote, "includes.tweets.0.text", "what is quoted is not told", lambda said: said.quoted == ""),
    (quote, "includes.tweets.0.id", "what is quoted is not told", lambda said: said.quoted == ""),
    (own_reply, "data.0.in_reply_to_user_id", "the answered post tells", lambda said: said.recipient.value == ANA),
    (own_reply, "includes.tweets", "the answer itself tells", lambda said: said.recipient.value == ANA),
    (full_dm, "data.0.created_at", "the id tells the time", lambda said: said.said_at.minute == 25),
    (full_dm, "data.0.text", "a picture without words", lambda said: said.text == "" and len(said.files) == 1),
    (full_post, "includes", "ids without names", lambda said: (said.author.handle, said.files[0].url) == ("", "")),
    (full_post, "includes.users.0.id", "the id without a handle", lambda said: said.author.handle == ""),
    *(
        (full_post, f"data.0.note_tweet.entities.{way}", "X's short link", lambda said: said.text.endswith("t.co/aa"))
        for way in ("urls", "urls.0.url", "urls.0.expanded_url")
    ),
    *(
        (full_dm, f"data.0.entities.urls{way}", "X's short link", lambda said: said.text.endswith("t.co/aa"))
        for way in ("", ".0.url", ".0.expanded_url")
    ),
    (full_dm, "data.0.attachments.media_keys", "words without the picture", lambda said: not said.files and said.text),
    (full_dm, "data.0.attachments", "words without the picture", lambda said: not said.files and said.text),
    (full_dm, "data.0.entities", "X's short links", lambda said: said.text == "still broken https://t.co/aa"),
    (full_dm, "data.0.referenced_tweets", "words without what was shared", lambda said: not said.notes),
    (full_dm, "includes.users", "the id without a handle", lambda said: said.author.handle == ""),
    (full_dm, "includes.media", "a file of unknown place", lambda said: said.files[0].note and not said.files[0].url),
]


def without(page_: dict[str, Any], path: str, *, renamed: bool) -> dict[str, Any]:
    """The page with one field gone, or under another name."""
    changed = copy.deepcopy(page_)
    *way, last = path.split(".")
    place: Any = changed
    for step in way:
        place = place[int(step)] if step.isdigit() else place[step]
    value = place.pop(last)
    if renamed:
        place[f"{last}_v3"] = value
    return changed


def read(make: Callable[[], dict[str, Any]], page_: dict[str, Any]) -> Any:
    return happenings_of(page_, items.DM if make is full_dm else items.POST)[0]


@pytest.mark.parametrize("renamed", [False, True])
@pytest.mark.parametrize(("make", "path"), QUARANTINED)
def test_what_cannot_be_stood_behind_is_quarantined(make: Any, path: str, renamed: bool) -> None:
    with pytest.raises(PayloadError):
        read(make, without(make(), path, renamed=renamed))


@pytest.mark.parametrize("renamed", [False, True])
@pytest.mark.parametrize(("make", "path", "default", "holds"), SAFE)
def test_what_is_missing_means_less_and_nothing_else(
    make: Any, path: str, default: str, holds: Any, renamed: bool
) -> None:
    whole, said = read(make, make()), read(make, without(make(), path, renamed=renamed))
    assert (said.external_id, said.thread, said.direction, said.author.value, said.surface) == (
        whole.external_id, whole.thread, whole.direction, whole.author.value, whole.surface,
    )  # fmt: skip
    assert holds(said), default


# The list itself: without it the whole page is refused (test_polling.py).
ELSEWHERE = {"data"}


def ways(value: Any, way: str = "") -> Iterator[str]:
    """The path of every field, however deep."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in steps:
        path = f"{way}.{name}".lstrip(".")
        if isinstance(name, str):
            yield path
        yield from ways(inner, path)


def outcome(make: Any, page_: Any) -> Any:
    try:
        return happenings_of(page_, items.DM if make in (full_dm, own_dm) else items.POST)
    except (PayloadError, NotOurs) as refused:
        return type(refused)


@pytest.mark.parametrize("make", [full_post, film, still, quote, own_reply, repost, edited, full_dm, own_dm])
def test_no_field_that_means_anything_is_missing_here(make: Any) -> None:
    stand = {re.sub(r"\d+", "0", path) for _, path, *_ in [*QUARANTINED, *SAFE]} | ELSEWHERE
    whole = make()
    read_ = {path for path in ways(whole) if outcome(make, without(whole, path, renamed=True)) != outcome(make, whole)}
    assert {re.sub(r"\d+", "0", path) for path in read_} <= stand


def test_all_of_a_message_is_read_when_it_is_there() -> None:
    said, ours = read(full_dm, full_dm()), read(full_dm, own_dm())
    assert said.text == "still broken https://a.example/"
    assert (said.author.handle, said.author.name, said.said_at.minute) == ("ana_b", "Ana", 24)
    assert (len(said.files), said.files[0].url) == (1, "https://pbs.example/x.jpg")
    assert PARENT in said.notes[0]
    assert (ours.direction, ours.recipient.value, ours.recipient.handle) == ("out", ANA, "ana_b")


def test_all_of_an_answer_of_ours_is_read_when_it_is_there() -> None:
    said = read(own_reply, own_reply())
    assert (said.recipient.value, said.recipient.handle, said.author.handle) == (ANA, "ana_b", "AcmeCare")
    untold = read(own_reply, without(own_reply(), "data.0.in_reply_to_user_id", renamed=True))
    assert (untold.recipient.value, untold.recipient.handle) == (ANA, "ana_b")


def test_all_of_them_are_read_when_they_are_there() -> None:
    said = read(full_post, full_post())
    assert said.said_at.minute == 24
    assert said.text == "@AcmeCare it is dead https://a.example/"
    assert (said.author.handle, said.author.name) == ("ana_b", "Ana")
    assert said.author.avatar_url
    assert (len(said.files), said.files[0].url) == (1, "https://pbs.example/x.jpg")

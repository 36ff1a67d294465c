"""Every field the adapter reads: gone or renamed, the item is quarantined or means something safe, nothing else.

One line a field. `SAFE` names what the reading falls back to; whoever reads another field adds a line here.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from channels.adapters.base import PayloadError
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
    )
    media = {"media_key": "3_1", "type": "photo", "url": "https://pbs.example/x.jpg", "alt_text": "a router"}
    return page(post, tweets=[a_post(PARENT, author_id=US, text="We are back")], media=[media])


def own_reply() -> dict[str, Any]:
    """Our answer to a customer, written at X."""
    post = a_reply(post_id(5), PARENT, author_id=US, in_reply_to_user_id=ANA)
    return page(post, tweets=[a_post(PARENT, text="@AcmeCare help")])


def repost() -> dict[str, Any]:
    return page(a_reply(post_id(5), PARENT, referenced_tweets=[{"type": "retweeted", "id": PARENT}]))


def edited() -> dict[str, Any]:
    return page(a_post(post_id(5), conversation_id=PARENT, edit_history_tweet_ids=[PARENT, post_id(5)]))


def full_dm() -> dict[str, Any]:
    media = {"media_key": "3_1", "type": "photo", "url": "https://pbs.example/x.jpg"}
    return page(a_dm(attachments={"media_keys": ["3_1"]}, entities={"urls": []}), media=[media])


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
    (own_reply, "data.0.in_reply_to_user_id", "the answered post tells", lambda said: said.recipient.value == ANA),
    (own_reply, "includes.tweets", "the answer itself tells", lambda said: said.recipient.value == ANA),
    (full_dm, "data.0.created_at", "the id tells the time", lambda said: said.said_at.minute == 25),
    (full_dm, "data.0.text", "a picture without words", lambda said: said.text == "" and len(said.files) == 1),
    (full_dm, "data.0.attachments", "words without the picture", lambda said: said.text == "still broken"),
    (full_dm, "data.0.entities", "X's short links", lambda said: said.text == "still broken"),
    (full_dm, "includes.users", "the id without a handle", lambda said: said.author.value == ANA),
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


def test_all_of_them_are_read_when_they_are_there() -> None:
    said = read(full_post, full_post())
    assert said.text == "@AcmeCare it is dead https://a.example/"
    assert (said.author.handle, said.author.name) == ("ana_b", "Ana")
    assert said.author.avatar_url
    assert (len(said.files), said.files[0].url) == (1, "https://pbs.example/x.jpg")

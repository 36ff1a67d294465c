"""Posts and direct messages as X hands them over, and what they mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from channels.adapters.base import NotOurs, PayloadError
from channels.adapters.x import XAdapter, items, snowflakes
from channels.happenings import Edited, InboundMessage
from tests.channels.adapters.x.conftest import (
    ANA,
    DEALS,
    NOW,
    US,
    a_dm,
    a_post,
    a_reply,
    connection,
    page,
    post_id,
)
from tests.channels.adapters.x.reading import happenings_of, one, raw

DM = items.DM
OURS = post_id(20)


def test_a_mention_is_known_by_its_numeric_ids() -> None:
    said = one(page(a_post()))
    assert (said.channel_kind, said.surface, said.scope) == ("x", "x:mention", "")
    assert said.external_id == said.thread == post_id(5)
    assert (said.author.kind, said.author.value) == ("x_user", ANA)
    assert (said.author.handle, said.author.name, said.author.display) == ("ana_b", "Ana", "@ana_b")
    assert said.said_at == datetime(2026, 11, 21, 9, 25, tzinfo=UTC)
    assert said.direction == "in"
    assert said.permalink == f"https://x.com/ana_b/status/{post_id(5)}"
    assert said.parent_id == ""


def test_a_post_that_only_begins_with_our_name_answers_nothing_though_x_calls_it_a_reply_to_us() -> None:
    said = one(page(a_post(in_reply_to_user_id=US)))
    assert (said.thread, said.parent_id, said.direction, said.author.value) == (post_id(5), "", "in", ANA)


def test_an_answer_of_hers_names_its_conversation_and_its_parent() -> None:
    said = one(page(a_reply(post_id(5), OURS)))
    assert (said.thread, said.parent_id) == (OURS, OURS)


def test_a_long_post_is_read_from_its_note() -> None:
    long = "x" * 400
    said = one(page(a_post(text="x" * 270 + "… https://t.co/a", note_tweet={"text": long})))
    assert (said.text, said.notes) == (long, ())


def test_a_cut_post_without_its_note_says_so() -> None:
    assert one(page(a_post(text="x" * 270 + "… https://t.co/a"))).notes


def test_links_are_written_out_and_escapes_undone() -> None:
    entities = {
        "urls": [
            {"url": "https://t.co/aa", "expanded_url": "https://shop.example/orders?a=1"},
            {"url": "https://t.co/bb", "expanded_url": "https://x.com/photo/1", "media_key": "3_9"},
        ]
    }
    said = one(page(a_post(text="Q&amp;A &lt;3 https://t.co/aa https://t.co/bb", entities=entities)))
    assert said.text == "Q&A <3 https://shop.example/orders?a=1"


def test_pictures_and_videos_stay_there_with_a_link_and_a_note() -> None:
    media = [
        {"media_key": "3_1", "type": "photo", "url": "https://pbs.example/media/x.jpg", "alt_text": "a dark router"},
        {
            "media_key": "7_2",
            "type": "video",
            "variants": [
                {"content_type": "application/x-mpegURL", "url": "https://v.example/list.m3u8"},
                {"content_type": "video/mp4", "bit_rate": 100, "url": "https://v.example/small.mp4"},
                {"content_type": "video/mp4", "bit_rate": 900, "url": "https://v.example/large.mp4"},
            ],
        },
        {"media_key": "9_3", "type": "hologram"},
    ]
    keys = {"media_keys": ["3_1", "7_2", "9_3", "3_404"]}
    files = one(page(a_post(attachments=keys), media=media)).files
    assert [file.url for file in files] == ["https://pbs.example/media/x.jpg", "https://v.example/large.mp4", "", ""]
    assert [file.content_type for file in files] == ["image/jpeg", "video/mp4", "", ""]
    assert files[0].name == "x.jpg"
    assert "a dark router" in files[0].note
    assert "hologram" in files[2].note
    # What can be fetched says what it shows; what cannot says where it can be seen.
    assert all(file.data is None and file.name and (file.url or file.note) for file in files)


def test_a_quoted_post_stands_beside_the_words() -> None:
    theirs = a_post(OURS, text="We are back", author_id=US)
    said = one(page(a_post(referenced_tweets=[{"type": "quoted", "id": OURS}]), tweets=[theirs]))
    assert (said.quoted, said.parent_id) == ("We are back", "")


def test_an_unknown_reference_is_named() -> None:
    said = one(page(a_post(referenced_tweets=[{"type": "sung_about", "id": OURS}])))
    assert "sung_about" in said.notes[0]


def test_a_repost_is_filtered_for_what_it_is() -> None:
    with pytest.raises(NotOurs, match=r"^repost$"):
        one(page(a_post(referenced_tweets=[{"type": "retweeted", "id": OURS}], text="RT @AcmeCare: We are back")))


def test_our_answer_written_at_x_goes_out_to_whom_it_answers() -> None:
    hers = post_id(9)
    post = a_reply(post_id(5), hers, author_id=US, in_reply_to_user_id=ANA)
    said = one(page(post))
    assert said.direction == "out"
    assert said.recipient is not None
    assert said.recipient.value == ANA


def test_whom_our_answer_is_for_is_also_told_by_the_post_it_answers() -> None:
    hers = post_id(9)
    post = a_reply(post_id(5), hers, author_id=US, in_reply_to_user_id=None)
    assert one(page(post, tweets=[a_post(hers)])).recipient.value == ANA
    with pytest.raises(PayloadError):
        one(page(post))


def test_a_statement_of_ours_answers_nobody() -> None:
    with pytest.raises(NotOurs):
        one(page(a_post(author_id=US)))


def test_another_handle_of_ours_is_no_customer() -> None:
    said = one(page(a_reply(post_id(5), OURS, author_id=DEALS)))
    assert (said.direction, said.recipient.value) == ("out", US)


@pytest.mark.parametrize("renamed", [False, True])
def test_an_edit_is_the_message_and_its_new_words(renamed: bool) -> None:
    first, second = post_id(30), post_id(5)
    history = {"edit_history_post_ids": [first, second], "edit_history_tweet_ids": None}
    post = a_post(
        second, conversation_id=first, text="@AcmeCare my modem is dead", edit_history_tweet_ids=[first, second]
    )
    if renamed:
        post = a_post(second, **{"conversation_id": first, "text": "@AcmeCare my modem is dead", **history})
    said, changed = happenings_of(page(post))
    assert isinstance(said, InboundMessage)
    assert isinstance(changed, Edited)
    assert said.external_id == changed.previous_id == first
    assert said.text == changed.text == "@AcmeCare my modem is dead"
    assert said.said_at == snowflakes.said_at(int(first))
    assert (changed.external_id, changed.revision) == (second, 1)
    assert changed.edited_at == datetime(2026, 11, 21, 9, 25, tzinfo=UTC)


def test_the_renamed_fields_mean_the_same() -> None:
    old = a_reply(post_id(5), OURS, note_tweet={"text": "the whole story"})
    new = {
        {
            "referenced_tweets": "referenced_posts",
            "edit_history_tweet_ids": "edit_history_post_ids",
            "note_tweet": "note_post",
        }.get(name, name): value
        for name, value in old.items()
    }
    quoted = a_post(OURS, text="We are back", author_id=US)
    assert one(page(new, posts=[quoted])) == one(page(old, tweets=[quoted]))


def test_a_message_is_known_apart_from_posts() -> None:
    said = one(page(a_dm()), DM)
    assert (said.surface, said.external_id, said.thread) == ("x:dm", f"dm:{post_id(5)}", f"{US}-{ANA}")
    assert (said.direction, said.author.value, said.text) == ("in", ANA, "still broken")
    assert not said.is_group


def test_our_message_written_at_x_goes_to_the_other_of_the_two() -> None:
    for pair in (f"{US}-{ANA}", f"{ANA}-{US}"):
        said = one(page(a_dm(sender_id=US, dm_conversation_id=pair)), DM)
        assert (said.direction, said.recipient.value) == ("out", ANA)


def test_a_group_is_marked() -> None:
    said = one(page(a_dm(dm_conversation_id=post_id(900))), DM)
    assert said.is_group


@pytest.mark.parametrize(
    "changed",
    [
        {"dm_conversation_id": None},
        {"dm_conversation_id": f"{DEALS}-{ANA}"},
        {"dm_conversation_id": "a-b"},
        {"sender_id": "999"},
        {"text": None},
    ],
)
def test_a_message_nobody_can_stand_behind_is_not_taken(changed: dict[str, object]) -> None:
    with pytest.raises(PayloadError):
        one(page(a_dm(**changed)), DM)


def test_a_message_of_a_picture_alone_is_taken() -> None:
    said = one(page(a_dm(text=None, attachments={"media_keys": ["3_1"]})), DM)
    assert (said.text, len(said.files)) == ("", 1)


def test_other_events_of_a_conversation_are_named() -> None:
    with pytest.raises(NotOurs, match="ParticipantsJoin"):
        one(page(a_dm(event_type="ParticipantsJoin")), DM)


def test_a_deletion_names_its_message_and_when_it_was_seen() -> None:
    item = raw({"id": OURS, "seen_gone_at": NOW.isoformat()}, "delete")
    (gone,) = XAdapter().parse(item, connection())
    assert (gone.external_id, gone.deleted_at) == (OURS, NOW)  # type: ignore[union-attr]


def test_ids_tell_the_time() -> None:
    # X's own example: 1541815603606036480 was given out at 378944434 s after its epoch.
    assert snowflakes.said_at(1541815603606036480) == datetime(2022, 6, 28, 16, 7, 40, 105000, tzinfo=UTC)
    assert snowflakes.said_at(snowflakes.id_at(NOW)) == NOW
    assert snowflakes.earlier(snowflakes.id_at(NOW), timedelta(minutes=10)) == snowflakes.id_at(
        NOW - timedelta(minutes=10)
    )

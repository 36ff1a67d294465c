"""What X tells of posts, people, pictures and messages: only what was asked for, and the rest in `includes`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from practice.x.media import Media
from practice.x.messages import Event
from practice.x.posts import Post, Posts
from practice.x.problems import hidden, missing
from practice.x.profiles import JOINED, Profile, Profiles
from practice.x.publishing import EDITABLE_SECONDS, MOST_EDITS
from practice.x.snowflake import moment_of, written
from practice.x.wording import LONGEST, Link, addressed, cut, entities, language, short_address, shown_from, weight


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which fields and expansions were asked for. Asking for an expansion asks for the field it is of, too."""

    posts: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    media: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    expansions: frozenset[str] = frozenset()

    def of_post(self) -> frozenset[str]:
        """Return the fields of a post, with those that always come."""
        return (
            self.posts | {"id", "text", "edit_history_tweet_ids"} | {each.partition(".")[0] for each in self.expansions}
        )


@dataclass
class Included:
    """What goes along with an answer, each thing once, in the order it was met."""

    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    tweets: dict[str, dict[str, Any]] = field(default_factory=dict)
    media: dict[str, dict[str, Any]] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)

    def added_to(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return the answer with what goes along; X leaves out what is empty."""
        includes = {
            name: list(each.values())
            for name, each in (("users", self.users), ("tweets", self.tweets), ("media", self.media))
            if each
        }
        if includes:
            answer["includes"] = includes
        if self.errors:
            answer["errors"] = [*answer.get("errors", ()), *self.errors]
        return answer


class Objects:
    """Draws things as X's JSON."""

    def __init__(self, *, profiles: Profiles, posts: Posts, media: Media) -> None:
        self._profiles = profiles
        self._posts = posts
        self._media = media

    def posts(self, posts: Iterable[Post], asked: Asked, included: Included, viewer: str) -> list[dict[str, Any]]:
        """Return posts as X tells them, and put what was to be expanded into `included`."""
        return [self._expanded(post, asked, included, viewer) for post in posts]

    def users(self, profiles: Iterable[Profile], asked: Asked) -> list[dict[str, Any]]:
        """Return accounts as X tells them."""
        return [self._user(profile, asked.users) for profile in profiles]

    def events(self, events: Sequence[Event], asked: Asked, included: Included, viewer: str) -> list[dict[str, Any]]:
        """Return what happened in conversations as X tells it."""
        return [self._event(event, asked, included, viewer) for event in events]

    def readable(self, post: Post, viewer: str) -> bool:
        """Return whether somebody may see the author's posts."""
        return post.author_id == viewer or not self._profiles.habits(post.author_id).protected

    def _expanded(self, post: Post, asked: Asked, included: Included, viewer: str) -> dict[str, Any]:
        expansions = asked.expansions
        if "author_id" in expansions:
            self._include_user(post.author_id, asked, included)
        if "in_reply_to_user_id" in expansions and (answered := self._answered_author(post)):
            self._include_user(answered, asked, included)
        if "entities.mentions.username" in expansions:
            for each in self._entities(post, post.text).get("mentions", ()):
                self._include_user(each["id"], asked, included)
        if "attachments.media_keys" in expansions:
            self._include_media(post.media, asked, included)
        if "edit_history_tweet_ids" in expansions:
            for number in self._posts.versions(post.first_id):
                if number != post.id and (version := self._posts.get(number)):
                    included.tweets.setdefault(str(number), self._post(version, asked.of_post()))
        if any(each.startswith("referenced_tweets.id") for each in expansions):
            for _, number in _references(post):
                self._include_post(number, asked, included, viewer)
        return self._post(post, asked.of_post())

    def _include_post(self, number: int, asked: Asked, included: Included, viewer: str) -> None:
        post = self._posts.get(number)
        if post is None or post.deleted:
            included.errors.append(missing("tweet", "referenced_tweets.id", str(number)))
            return
        if not self.readable(post, viewer):
            included.errors.append(hidden("tweet", "referenced_tweets.id", str(number), "includes"))
            return
        included.tweets.setdefault(str(number), self._post(post, asked.of_post()))
        if "referenced_tweets.id.author_id" in asked.expansions:
            self._include_user(post.author_id, asked, included)
        if "referenced_tweets.id.attachments.media_keys" in asked.expansions:
            self._include_media(post.media, asked, included)

    def _include_user(self, user_id: str, asked: Asked, included: Included) -> None:
        included.users.setdefault(user_id, self._user(self._profiles.known(user_id), asked.users))

    def _include_media(self, keys: Iterable[str], asked: Asked, included: Included, *, event: int = 0) -> None:
        """Include pictures; those of a message lie elsewhere than those of posts, for its people only."""
        for key in keys:
            picture = self._media.get(key)
            if picture is None:
                continue
            told: dict[str, Any] = {"media_key": key, "type": "photo"}
            address = picture.address_in(event) if event else picture.address
            more = {"url": address, "width": picture.width, "height": picture.height}
            included.media.setdefault(key, told | {name: each for name, each in more.items() if name in asked.media})

    def _post(self, post: Post, fields: frozenset[str]) -> dict[str, Any]:
        long = weight(post.text[shown_from(post.text) :]) > LONGEST
        text = f"{cut(post.text)} {short_address(f'{post.id} all of it')}" if long else post.text
        versions = self._posts.versions(post.first_id)
        told: dict[str, Any] = {
            "id": str(post.id),
            "text": text,
            "edit_history_tweet_ids": [str(number) for number in versions],
            "author_id": post.author_id,
            "conversation_id": str(post.conversation_id),
            "created_at": written(moment_of(post.id)),
            "display_text_range": [shown_from(text), len(text)],
            "lang": language(text),
            "possibly_sensitive": False,
            "reply_settings": "everyone",
        }
        if "edit_controls" in fields:
            premium = self._profiles.habits(post.author_id).premium
            told["edit_controls"] = {
                "edits_remaining": max(MOST_EDITS - len(versions) + 1, 0),
                "is_edit_eligible": premium,
                "editable_until": written(moment_of(post.first_id) + EDITABLE_SECONDS),
            }
        if "entities" in fields and (found := self._entities(post, text)):
            told["entities"] = found
        if "public_metrics" in fields:
            told["public_metrics"] = self._metrics(post)
        if post.media:
            told["attachments"] = {"media_keys": post.media}
        if references := _references(post):
            told["referenced_tweets"] = [{"type": kind, "id": str(number)} for kind, number in references]
        if answered := self._answered_author(post):
            told["in_reply_to_user_id"] = answered
        if long and "note_tweet" in fields:
            note = {"text": post.text, "entities": self._entities(post, post.text)}
            told["note_tweet"] = {name: each for name, each in note.items() if each}
        return {name: each for name, each in told.items() if name in fields}

    def _entities(self, post: Post, text: str) -> dict[str, Any]:
        links = post.links
        if text != post.text:
            whole = Link(short_address(f"{post.id} all of it"), f"https://x.com/i/web/status/{post.id}")
            links = [*links, whole]
        found = entities(text, links, self._id_of)
        for each in found.get("urls", ()):
            if post.media and each["expanded_url"].endswith("/photo/1"):
                each["media_key"] = post.media[0]
        return found

    def _id_of(self, handle: str) -> str | None:
        profile = self._profiles.by_handle(handle)
        return profile.id if profile else None

    def _answered_author(self, post: Post) -> str | None:
        """Return whom X says a post is in reply to: the author of what it answers, or whom it is addressed to.

        A post that begins with a name is called a reply to that person, although it answers no post (v1.1, "Tweet
        object", in_reply_to_user_id beside an empty in_reply_to_status_id; github.com/FxEmbed/FxEmbed, issue 887).
        """
        if post.reply_to:
            answered = self._posts.get(post.reply_to)
            return answered.author_id if answered else None
        handle = addressed(post.said)
        return self._id_of(handle) if handle else None

    def _metrics(self, post: Post) -> dict[str, int]:
        counts = self._posts.counts(post)
        return {
            "reply_count": counts["reply_to"],
            "retweet_count": counts["retweeted"],
            "quote_count": counts["quoted"],
            "like_count": 0,
            "bookmark_count": 0,
            "impression_count": 0,
        }

    def _user(self, profile: Profile, fields: frozenset[str]) -> dict[str, Any]:
        habits = self._profiles.habits(profile.id)
        told: dict[str, Any] = {
            "id": profile.id,
            "name": profile.name,
            "username": profile.handle,
            "created_at": JOINED,
            "description": "We help." if profile.ours else "",
            "profile_image_url": f"https://pbs.twimg.com/profile_images/{profile.id}/face_normal.png",
            "protected": habits.protected,
            "receives_your_dm": not habits.blocks_messages,
            "subscription_type": "Premium" if habits.premium else "None",
            "verified": profile.ours or habits.premium,
            "verified_type": "business" if profile.ours else "blue" if habits.premium else "none",
        }
        if "public_metrics" in fields:
            number = int(profile.id[-3:])
            told["public_metrics"] = {
                "followers_count": number * 40 if profile.ours else number,
                "following_count": number // 2,
                "tweet_count": self._posts.written_by(profile.id),
                "listed_count": 0,
                "like_count": 0,
            }
        return {name: each for name, each in told.items() if name in fields | {"id", "name", "username"}}

    def _event(self, event: Event, asked: Asked, included: Included, viewer: str) -> dict[str, Any]:
        fields = asked.events | {"id", "event_type", "text"} | {each.partition(".")[0] for each in asked.expansions}
        told: dict[str, Any] = {
            "id": str(event.id),
            "event_type": event.kind,
            "created_at": written(moment_of(event.id)),
            "sender_id": event.sender_id,
            "dm_conversation_id": event.conversation_id,
        }
        if event.text:
            told["text"] = event.text
            if found := entities(event.text, event.links, self._id_of):
                told["entities"] = found
        if event.media:
            told["attachments"] = {"media_keys": event.media}
        if event.others:
            # Messages themselves have had no participant_ids since 2025-06-03.
            told["participant_ids"] = event.others
        shared = [
            int(number) for link in event.links if (number := _status_of(link.full)) and self._posts.get(int(number))
        ]
        if shared:
            told["referenced_tweets"] = [{"id": str(number)} for number in shared]
        if "sender_id" in asked.expansions:
            self._include_user(event.sender_id, asked, included)
        if "participant_ids" in asked.expansions:
            for user_id in event.others:
                self._include_user(user_id, asked, included)
        if "attachments.media_keys" in asked.expansions:
            self._include_media(event.media, asked, included, event=event.id)
        if "referenced_tweets.id" in asked.expansions:
            for post_id in shared:
                self._include_post(post_id, asked, included, viewer)
        return {name: each for name, each in told.items() if name in fields}


def _references(post: Post) -> list[tuple[str, int]]:
    kinds = (("retweeted", post.retweeted), ("quoted", post.quoted), ("replied_to", post.reply_to))
    return [(kind, number) for kind, number in kinds if number]


def _status_of(address: str) -> str:
    """Return the id of the post an address shows, or ""."""
    parts = address.split("/")
    number = parts[-1] if len(parts) > 2 and parts[-2] == "status" and parts[2] in ("x.com", "twitter.com") else ""
    return number if number.isascii() and number.isdigit() and len(number) < 20 else ""

"""Talking to X with tweepy: one client an account, every call with an end, every answer a JSON object.

tweepy knows the field names of X's OpenAPI document 2.166. Where X refuses them the same question is asked with the
names of 2.167, by tweepy's own `request`; the dialect that worked is remembered.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests
import tweepy
from django.conf import settings

from channels.adapters.base import Connection
from channels.adapters.x import problems
from channels.adapters.x.problems import XProblem
from contactcentre.lib.http import TOTAL_SECONDS, RedirectAdapter, session

log = logging.getLogger(__name__)

# The host that tweepy has written into its code.
PUBLIC_ORIGIN = "https://api.twitter.com"


@dataclass(frozen=True, slots=True)
class Read:
    """One question: tweepy's method for it, its path, and which fields it asks for. `{id}` is the first argument."""

    method: str
    route: str
    fields: str
    takes_id: str = ""


MENTIONS = Read("get_users_mentions", "/2/users/{id}/mentions", "post", "id")
TIMELINE = Read("get_users_tweets", "/2/users/{id}/tweets", "post", "id")
SEARCH = Read("search_recent_tweets", "/2/tweets/search/recent", "post", "query")
POSTS = Read("get_tweets", "/2/tweets", "post", "ids")
MESSAGES = Read("get_direct_message_events", "/2/dm_events", "dm")
MESSAGES_WITH = Read("get_direct_message_events", "/2/dm_conversations/with/{id}/dm_events", "dm", "participant_id")
ME = Read("get_me", "/2/users/me", "user")

Dialect = Mapping[str, Mapping[str, str]]

_MEDIA = "media_key,type,url,preview_image_url,alt_text,variants"
_USER = "id,name,username,profile_image_url"
_POST = "id,text,author_id,created_at,conversation_id,in_reply_to_user_id,entities,attachments"
_DM = "id,event_type,text,created_at,sender_id,dm_conversation_id,attachments,entities"

# 2.166, in tweepy's spelling: it puts the dots in itself.
OLD: Dialect = {
    "post": {
        "tweet_fields": f"{_POST},referenced_tweets,edit_history_tweet_ids,note_tweet",
        "expansions": "author_id,attachments.media_keys,referenced_tweets.id,referenced_tweets.id.author_id,"
        "in_reply_to_user_id",
        "user_fields": _USER,
        "media_fields": _MEDIA,
    },
    "dm": {
        "dm_event_fields": f"{_DM},referenced_tweets",
        "expansions": "sender_id,attachments.media_keys,referenced_tweets.id",
        "user_fields": _USER,
        "media_fields": _MEDIA,
    },
    "user": {"user_fields": _USER},
}
# 2.166 with other names, as X's developer kit of that time sends them.
RENAMED: Dialect = {
    "post": {
        "post.fields": f"{_POST},referenced_posts,edit_history_post_ids,note_post",
        "expansions": "author_id,attachments.media_keys,referenced_posts.id,referenced_posts.id.author_id,"
        "in_reply_to_user_id",
        "user.fields": _USER,
        "media.fields": _MEDIA,
    },
    "dm": {
        "dm_event.fields": f"{_DM},referenced_posts",
        "expansions": "sender_id,attachments.media_keys,referenced_posts.id",
        "user.fields": _USER,
        "media.fields": _MEDIA,
    },
    "user": {"user.fields": _USER},
}
# 2.167 to the letter: there, what names somebody or something else is asked for by `expansions` only.
STRICT: Dialect = {
    "post": {
        "post.fields": "id,text,created_at,conversation_id,entities,attachments,note_post",
        "expansions": "author_id,attachments.media_keys,referenced_posts,in_reply_to_user_id,edit_history_post_ids",
        "user.fields": _USER,
        "media.fields": _MEDIA,
    },
    "dm": {
        "dm_event.fields": "id,event_type,text,created_at,dm_conversation_id,attachments,entities",
        "expansions": "sender_id,attachments.media_keys,referenced_posts",
        "user.fields": _USER,
        "media.fields": _MEDIA,
    },
    "user": {"user.fields": _USER},
}
DIALECTS = (OLD, RENAMED, STRICT)


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON object and the headers it came with."""

    body: dict[str, Any]
    headers: Mapping[str, str]

    def as_list(self) -> Answer:
        """The same, known to be a list. Raises XProblem where X says that it holds something and nothing is there.

        An empty list has its count and no data. Taken for one, a list whose fields have other names by now would look
        like a quiet day for ever, and a reply that stands in it like one that was never sent.
        """
        meta = self.body.get("meta")
        is_empty = isinstance(meta, dict) and not meta.get("result_count")
        if "data" not in self.body and "errors" not in self.body and not is_empty:
            raise problems.unreadable(200)
        return self


class Api:
    """One account's access to X. Every method raises XProblem and nothing else."""

    def __init__(self, token: str, *, seconds: float = TOTAL_SECONDS) -> None:
        self._client = tweepy.Client(bearer_token=token, return_type=dict, wait_on_rate_limit=False)
        session(PUBLIC_ORIGIN, RedirectAdapter(settings.X_ORIGIN, total=seconds), self._client.session)
        self._client.session.hooks["response"].append(self._remember)
        self._here = threading.local()
        self._dialect = 0

    def read(self, question: Read, about: str = "", **given: object) -> Answer:
        """Ask one question. `about` is the id, the ids or the query it is asked for; None values are left out."""
        wanted = {name: value for name, value in given.items() if value is not None}
        # From the one that worked last, once around: X may as well go back.
        tries = [(self._dialect + number) % len(DIALECTS) for number in range(len(DIALECTS))]
        for dialect in tries[:-1]:
            try:
                return self._in(dialect, question, about, wanted)
            except XProblem as problem:
                if not _is_about_names(problem):
                    raise
                log.info("X refuses the field names of dialect %s: %s", dialect, problem.detail)
        return self._in(tries[-1], question, about, wanted)

    def post(self, *, text: str, answers: str) -> Answer:
        """Write a public answer to a post."""
        return self._call(
            lambda: self._client.create_tweet(text=text, in_reply_to_tweet_id=answers or None, user_auth=False)
        )

    def message(self, *, text: str, to: str) -> Answer:
        """Write a direct message to one person."""
        return self._call(lambda: self._client.create_direct_message(participant_id=to, text=text, user_auth=False))

    def close(self) -> None:
        """Give the connections back. Only for an access that is not kept."""
        self._client.session.close()

    def _in(self, dialect: int, question: Read, about: str, wanted: Mapping[str, object]) -> Answer:
        answer = self._call(lambda: self._ask(question, about, wanted, dialect))
        self._dialect = dialect
        return answer

    def _ask(self, question: Read, about: str, wanted: Mapping[str, object], dialect: int) -> Any:
        asked = DIALECTS[dialect][question.fields]
        named = {question.takes_id: about} if question.takes_id else {}
        if dialect == 0:
            return getattr(self._client, question.method)(**named, **wanted, **asked, user_auth=False)
        route = question.route.format(id=about)
        parameters = {**wanted, **asked, **({} if "{id}" in question.route else named)}
        return self._client.request("GET", route, params=parameters, user_auth=False).json()

    def _call(self, call: Callable[[], Any]) -> Answer:
        self._here.response = None
        try:
            body = call()
        except XProblem:
            raise
        except Exception as error:
            # tweepy's own exceptions, those of requests, and what tweepy falls over itself when an error is no
            # JSON object (AttributeError, TypeError) or a header no number (ValueError): an answer tells them apart.
            raise self._problem(error) from error
        response: requests.Response | None = self._here.response
        if not isinstance(body, dict) or response is None:
            raise problems.unreadable(response.status_code if response is not None else 0)
        return Answer(body, dict(response.headers.lower_items()))

    def _problem(self, error: Exception) -> XProblem:
        response: requests.Response | None = self._here.response
        if response is None:
            return problems.of_failure(error)
        if 200 <= response.status_code < 300:
            return problems.unreadable(response.status_code)
        # The clock is read at this edge: X's reset is a moment, what callers need is how long.
        return problems.of_answer(response, now=datetime.now(UTC))

    def _remember(self, response: requests.Response, *_: object, **__: object) -> None:
        self._here.response = response


def _is_about_names(problem: XProblem) -> bool:
    """Whether X refused the question for the fields it names (400, "One or more parameters …")."""
    said = problem.detail.lower()
    return problem.status == 400 and ("fields" in said or "expansions" in said)


class Accesses:
    """The clients in use, one for each account; a new token makes a new one."""

    def __init__(self, *, seconds: float = TOTAL_SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._kept: dict[int, tuple[str, Api]] = {}

    def of(self, connection: Connection) -> Api:
        """The account's access. Raises XProblem where it has no token."""
        token = connection.credentials.get("access_token")
        if not isinstance(token, str) or not token:
            raise problems.not_connected()
        if not connection.account_id:
            # Somebody tries an account out that is not stored yet.
            return Api(token, seconds=self._seconds)
        with self._lock:
            kept = self._kept.get(connection.account_id)
            if kept is None or kept[0] != token:
                # The old client is let go, not closed: another thread may still be in a call with it.
                kept = self._kept[connection.account_id] = (token, Api(token, seconds=self._seconds))
            return kept[1]

"""X's search language, as much of it as a contact centre asks for."""

from __future__ import annotations

import re
from collections.abc import Callable

from practice.x.posts import Post, Posts
from practice.x.profiles import Profiles
from practice.x.wording import mentioned

Test = Callable[[Post], bool]

_TOKEN = re.compile(r'-?"[^"]*"|\(|\)|[^\s()]+')
#: A query may not nest deeper than anybody writes by hand.
_DEEPEST = 20


class QueryError(ValueError):
    """The query makes no sense. The text says where."""


class Search:
    """Turns a query into a test of one post: words, "phrases", @names, #tags, from:, to:, conversation_id:, is:, OR."""

    def __init__(self, profiles: Profiles, posts: Posts) -> None:
        self._profiles = profiles
        self._posts = posts

    def test(self, query: str) -> Test:
        """Return the test; raise QueryError."""
        tokens = _TOKEN.findall(query)
        test = self._either(tokens, 0)
        if tokens:
            raise QueryError(f"no viable alternative at input '{tokens[0]}'")
        return test

    def _either(self, tokens: list[str], depth: int) -> Test:
        if depth > _DEEPEST:
            raise QueryError("the query is nested too deep")
        choices = [self._all(tokens, depth)]
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            choices.append(self._all(tokens, depth))
        return lambda post: any(test(post) for test in choices)

    def _all(self, tokens: list[str], depth: int) -> Test:
        tests: list[Test] = []
        while tokens and tokens[0] not in ("OR", ")"):
            tests.append(self._one(tokens, depth))
        if not tests:
            raise QueryError("a part of the query is empty")
        return lambda post: all(test(post) for test in tests)

    def _one(self, tokens: list[str], depth: int) -> Test:
        token = tokens.pop(0)
        if token == "-" and tokens:
            unwanted = self._one(tokens, depth + 1)
            return lambda post: not unwanted(post)
        if token == "(":
            test = self._either(tokens, depth + 1)
            if not tokens or tokens.pop(0) != ")":
                raise QueryError("a bracket is not closed")
            return test
        if token.startswith("-") and len(token) > 1:
            wanted = self._plain(token[1:])
            return lambda post: not wanted(post)
        return self._plain(token)

    def _plain(self, token: str) -> Test:
        operator, colon, value = token.partition(":")
        if token.startswith('"'):
            phrase = token.strip('"').lower()
            return lambda post: phrase in post.text.lower()
        if token.startswith("@"):
            handle = token[1:].lower()
            return lambda post: handle in mentioned(post.text)
        if not colon or token.startswith(("#", "http")):
            word = token.lower()
            return lambda post: re.search(rf"(?<!\w){re.escape(word)}(?!\w)", post.text.lower()) is not None
        return self._operator(operator, value, token)

    def _operator(self, operator: str, value: str, token: str) -> Test:
        if operator in ("from", "to"):
            profile = self._profiles.by_id(value) if value.isdigit() else self._profiles.by_handle(value.lstrip("@"))
            wanted = profile.id if profile else ""
            if operator == "from":
                return lambda post: post.author_id == wanted
            return lambda post: self._answered_author(post) == wanted
        if operator == "conversation_id" and value.isdigit():
            return lambda post: str(post.conversation_id) == value
        if operator == "in_reply_to_tweet_id" and value.isdigit():
            return lambda post: str(post.reply_to) == value
        kinds: dict[str, Test] = {
            "is:reply": lambda post: post.reply_to is not None,
            "is:quote": lambda post: post.quoted is not None,
            "is:retweet": lambda post: post.retweeted is not None,
            "has:media": lambda post: bool(post.media),
            "has:links": lambda post: bool(post.links),
            "has:mentions": lambda post: bool(mentioned(post.text)),
        }
        if token in kinds:
            return kinds[token]
        raise QueryError(f"Reference to invalid operator '{operator}'")

    def _answered_author(self, post: Post) -> str:
        answered = self._posts.get(post.reply_to) if post.reply_to else None
        return answered.author_id if answered else ""

"""The other side of Facebook, over HTTP: a Page's own people at work in Facebook's own app, the developer console,
and what scripts want to look at.
"""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from practice.facebook.callbacks import FIELDS
from practice.facebook.feed_store import Comment, Post
from practice.facebook.finding import find, page_named
from practice.facebook.message_store import Message
from practice.facebook.pages import psid_of
from practice.facebook.parcels import files_of
from practice.facebook.store import Store
from practice.facebook.switches import NETWORK
from practice.facebook.telling import told_comment, told_message, told_post
from practice.facebook.webhooks import Webhooks
from practice.given import Given, Refused, done, given
from practice.network import World
from practice.people import Person

#: Posts, comments, messages or webhooks that one request may list.
_MOST_LISTED = 200
#: Kinds of files a browser may show; all others are kept.
_SHOWN = ("image/png", "image/jpeg", "image/gif", "image/webp")


class PageActs:
    """The endpoints."""

    def __init__(self, world: World, store: Store, webhooks: Webhooks) -> None:
        self._world = world
        self._store = store
        self._webhooks = webhooks

    def routes(self) -> list[Route]:
        """Return the addresses; see docs/practice.md."""
        return [
            Route("/practice/facebook/page", self.act, methods=["POST"]),
            Route("/practice/facebook/callback", self.callback),
            Route("/practice/facebook/callback", self.set_callback, methods=["POST"]),
            Route("/practice/facebook/feed", self.feed),
            Route("/practice/facebook/conversation", self.conversation),
            Route("/practice/facebook/webhooks", self.webhooks),
            Route("/practice/facebook/media/{number:int}", self.media),
        ]

    async def act(self, request: Request) -> Response:
        """Do what a Page's people do in Facebook's own app: answer, post, change, hide, delete."""
        fields = await given(request)
        fields.only("page", "do", "to", "person", "text", "picture", "files", "attachments")
        text = fields.text("text").strip()
        match fields.text("do") or "message":
            case "message":
                told = await self._message(fields, text)
            case "comment":
                told = self._comment(fields, text)
            case "post":
                page = page_named(fields.text("page"))
                told = told_post(self._store, self._store.feed.add_post(page.id, _some(text), now=time.time()))
            case "edit":
                told = self._edit(fields, text)
            case "delete" | "hide" | "unhide" as act:
                told = self._moderate(fields, act)
            case _:
                raise Refused("do must be message, comment, post, edit, delete, hide or unhide.")
        return done(request, fields, told)

    async def callback(self, request: Request) -> Response:
        """Tell where our app is told of Pages, with the verify token."""
        return JSONResponse({**self._told_callback(), "fields_known": list(FIELDS)})

    async def set_callback(self, request: Request) -> Response:
        """Set the callback as in the developer console, after it answered the challenge; "" takes it back.

        `pages` are added to the subscription, as the console's Messenger settings can, in place of the Graph call.
        """
        fields = await given(request)
        fields.only("callback_url", "verify_token", "fields", "pages")
        pages = [page_named(each) for each in fields.texts("pages")]
        if not fields.has("callback_url"):
            raise Refused('callback_url must say where to post; "" disconnects our app.')
        if not fields.text("callback_url"):
            self._webhooks.unsubscribe()
        else:
            words = await self._webhooks.subscribe(
                object="page",
                callback_url=fields.text("callback_url").strip(),
                verify_token=fields.text("verify_token").strip(),
                fields=fields.texts("fields") or list(FIELDS),
            )
            if words:
                raise Refused(words, 422 if words.startswith("(#2200)") else 400)
        for page in pages:
            self._store.subscribe(page.id, fields.texts("fields") or list(FIELDS))
        return done(request, fields, self._told_callback())

    async def feed(self, request: Request) -> Response:
        """Tell what stands on a Page, newest first, each post with its comments in order."""
        query, store = request.query_params, self._store
        page = page_named(query.get("page", ""))
        posts = store.feed.posts(page.id, limit=_limit(request))
        told = [
            {
                **told_post(store, post),
                "comments": [told_comment(store, each) for each in store.feed.comments(post, limit=_MOST_LISTED)],
            }
            for post in posts
        ]
        return JSONResponse({"page": page.id, "name": page.name, "posts": told})

    async def conversation(self, request: Request) -> Response:
        """Tell what a person sees of their conversation with a Page, newest first."""
        query, store = request.query_params, self._store
        page, person = page_named(query.get("page", "")), self._person(query.get("person", ""))
        conversation = store.inbox.between(page.id, person.key)
        messages = store.inbox.messages(conversation, limit=_limit(request)) if conversation else []
        return JSONResponse(
            {
                "conversation": conversation.id if conversation else "",
                "page": page.id,
                "psid": psid_of(person, page),
                "seen_by_page_at": conversation.page_read_at if conversation else 0.0,
                "seen_by_person_at": conversation.person_read_at if conversation else 0.0,
                "wrote_at": conversation.person_wrote_at if conversation else 0.0,
                "messages": [told_message(store, each) for each in messages],
            }
        )

    async def webhooks(self, request: Request) -> Response:
        """Tell of the last posts to the callback and what became of them, newest first."""
        told = {"posts": self._webhooks.newest(_limit(request)), "waiting": self._webhooks.waiting()}
        # In ASCII, as they were posted: half an emoji of `fb_hook_odd_text` can be told in no other way.
        return Response(json.dumps(told), media_type="application/json")

    async def media(self, request: Request) -> Response:
        """Give a picture to look at, anything else to keep."""
        number = str(request.path_params["number"])
        file = self._store.media.get(number) if len(number) < 19 else None
        content = self._store.media.content(number) if file else None
        if file is None or content is None:
            raise Refused("There is no such file.", 404)
        shown = file.type in _SHOWN
        disposition = "inline" if shown else "attachment"
        return Response(
            content,
            media_type=file.type if shown else "application/octet-stream",
            headers={"Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(file.name, safe='')}"},
        )

    async def _message(self, fields: Given, text: str) -> dict[str, Any]:
        page, person, now = page_named(fields.text("page")), self._person(fields.text("person")), time.time()
        conversation = self._store.inbox.between(page.id, person.key)
        if conversation is None:
            raise Refused(f"{person.name} has not written to {page.name} yet.", 409)
        files = await files_of(fields, self._store.media, page.id, now=now)
        if not files:
            _some(text)
        inbox = self._store.inbox
        messages = [inbox.answered(conversation, text, now=now)] if text else []
        if files:
            messages.append(inbox.answered(conversation, "", now=now, media=[file.id for file in files]))
        inbox.delivered(conversation, now=now)
        self._note(f"{page.name} wrote to {person.name} in Facebook’s own app.")
        return told_message(self._store, inbox.message(messages[0].mid) or messages[0])

    def _comment(self, fields: Given, text: str) -> dict[str, Any]:
        thing = self._find(fields.text("to")) if fields.text("to") else self._last_of(fields)
        if isinstance(thing, Message):
            raise Refused("Comment on a post, or on a comment: `to` is its id.")
        post = thing if isinstance(thing, Post) else self._store.feed.post(thing.post_id)
        assert post is not None
        parent = thing if isinstance(thing, Comment) else None
        comment = self._store.feed.add_comment(post, _some(text), now=time.time(), parent=parent)
        self._note(f"{page_named(post.page_id).name} commented in Facebook’s own app.")
        return told_comment(self._store, comment)

    def _last_of(self, fields: Given) -> Comment | Post:
        """Return the newest comment or post of a person on a Page."""
        page, person = page_named(fields.text("page")), self._person(fields.text("person"))
        posts = self._store.feed.posts(page.id, limit=_MOST_LISTED)
        own: list[Comment | Post] = [post for post in posts if post.person_key == person.key]
        for post in posts:
            comments = self._store.feed.comments(post, newest_first=True, limit=_MOST_LISTED)
            own.extend([each for each in comments if each.person_key == person.key][:1])
        if not own:
            raise Refused(f"{person.name} has not written on {page.name} yet.", 409)
        return max(own, key=lambda each: each.number)

    def _edit(self, fields: Given, text: str) -> dict[str, Any]:
        thing = self._find(fields.text("to"))
        if isinstance(thing, Message) or thing.person_key:
            raise Refused("A Page edits its own posts and comments only.", 403)
        if isinstance(thing, Comment):
            return told_comment(self._store, self._store.feed.edit_comment(thing, _some(text), now=time.time()))
        return told_post(self._store, self._store.feed.edit_post(thing, _some(text), now=time.time()))

    def _moderate(self, fields: Given, act: str) -> dict[str, Any]:
        thing, feed = self._find(fields.text("to")), self._store.feed
        if isinstance(thing, Message):
            raise Refused("A Page cannot take messages back.", 403)
        if act == "delete":
            if isinstance(thing, Comment):
                feed.delete_comment(thing)
            else:
                feed.delete_post(thing)
        elif isinstance(thing, Comment):
            feed.hide_comment(thing, act == "hide")
        else:
            feed.hide_post(thing, act == "hide")
        return {"id": thing.id, "done": act}

    def _find(self, thing_id: str) -> Post | Comment | Message:
        thing = find(self._store, thing_id)
        if thing is None or thing.deleted:
            raise Refused(f"There is no post, comment or message {thing_id!r}.", 404)
        return thing

    def _person(self, key: str) -> Person:
        person = self._world.people.by_key(key)
        if person is None or not person.facebook_psid:
            raise Refused(f"Nobody on Facebook has the key {key!r}.", 404)
        return person

    def _told_callback(self) -> dict[str, Any]:
        callback = self._webhooks.subscription()
        if callback is None:
            return {"callback_url": "", "verify_token": "", "fields": []}
        return {
            "callback_url": callback.url,
            "verify_token": callback.verify_token,
            "fields": list(callback.fields),
        }

    def _note(self, words: str) -> None:
        self._world.happenings.note(NETWORK, "outside", words)


def _some(text: str) -> str:
    if not text:
        raise Refused("There is nothing in it yet.")
    return text


def _limit(request: Request) -> int:
    limit = request.query_params.get("limit", "50")
    if not (limit.isascii() and limit.isdigit() and len(limit) < 5) or not 1 <= int(limit) <= _MOST_LISTED:
        raise Refused(f"limit must be from 1 to {_MOST_LISTED}.")
    return int(limit)

"""Posts on a Page: read, written by the Page, changed, taken away (Page Feed, Page Post)."""

from __future__ import annotations

from typing import Any

from practice.database import transaction
from practice.facebook.calls import Call
from practice.facebook.feed_store import Post
from practice.facebook.objects import Objects
from practice.facebook.pages import page_of
from practice.facebook.problems import Problem, no_object, parameter
from practice.facebook.store import Store

#: How long the Page saying the same again counts as a slip, in seconds.
_SAME_SECONDS = 60.0
_LONGEST = 63_206
_EDGES = {"feed": "all", "posts": "page", "published_posts": "page", "visitor_posts": "visitors"}


class FeedEndpoints:
    """What /{page}/feed and its likes, and /{post}, answer."""

    def __init__(self, store: Store, objects: Objects) -> None:
        self._store = store
        self._objects = objects

    def listed(self, call: Call) -> dict[str, Any]:
        """Answer GET /{page}/feed, /posts, /published_posts and /visitor_posts."""
        page = call.as_page(call.node)
        call.needs("pages_read_engagement", code=10)
        by = _EDGES[call.edge]
        if by != "page":
            call.needs("pages_read_user_content", code=10)
        field = self._objects.lists.asked(call, "feed", "PagePost", self._objects)
        return self._objects.lists.posts(page, by, field, call, self._objects)

    def read(self, call: Call) -> dict[str, Any]:
        """Answer GET /{post}."""
        post = self._post(call)
        call.needs("pages_read_engagement", code=10)
        if post.person_key:
            call.needs("pages_read_user_content", code=10)
        call.only("fields")
        return self._objects.told("PagePost", post, self._objects.asked(call, "PagePost"), call)

    def add(self, call: Call) -> dict[str, Any]:
        """Answer POST /{page}/feed."""
        page = call.as_page(call.node)
        call.needs("pages_manage_posts")
        call.only("message", "published")
        message = call.text("message")
        if not message.strip() or len(message) > _LONGEST:
            raise parameter(f"Param message must have from 1 to {_LONGEST} letters")
        newest = self._store.feed.posts(page.id, by="page", limit=1)
        if newest and newest[0].message == message and call.now - newest[0].created_at < _SAME_SECONDS:
            raise Problem(
                "(#506) Duplicate status message",
                506,
                title="Duplicate Status Update",
                words="This status update is identical to the last one you posted. Try posting something different, or "
                "delete your previous update.",
            )
        return {"id": self._store.feed.add_post(page.id, message, now=call.now).id}

    def change(self, call: Call) -> dict[str, Any]:
        """Answer POST /{post}: other words for our own, hidden or shown for a visitor's."""
        post = self._post(call)
        call.only("message", "is_hidden")
        message, hidden = call.text("message"), call.flag("is_hidden")
        if not message and hidden is None:
            raise parameter("Nothing to change: give message or is_hidden")
        with transaction(self._store.db):
            if message:
                call.needs("pages_manage_posts")
                if post.person_key:
                    raise Problem("(#200) The post was not made by this Page", 200, status=403)
                self._store.feed.edit_post(post, message, now=call.now)
            if hidden is not None:
                call.needs("pages_manage_engagement")
                self._store.feed.hide_post(post, hidden)
        return {"success": True}

    def delete(self, call: Call) -> dict[str, Any]:
        """Answer DELETE /{post}."""
        post = self._post(call)
        call.only()
        call.needs("pages_manage_engagement" if post.person_key else "pages_manage_posts")
        self._store.feed.delete_post(post)
        return {"success": True}

    def _post(self, call: Call) -> Post:
        post = self._store.feed.post(call.node)
        if post is None or post.deleted or page_of(post.page_id) is None:
            raise no_object(call.node, call.method)
        call.as_page(post.page_id)
        return post

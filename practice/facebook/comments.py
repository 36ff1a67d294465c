"""Comments: read, answered, changed, hidden, taken away (Graph API Reference, "Comment" and "Object Comments")."""

from __future__ import annotations

from typing import Any

from practice.database import transaction
from practice.facebook.calls import Call
from practice.facebook.feed_store import Comment, Post
from practice.facebook.objects import Objects
from practice.facebook.problems import Problem, no_object, parameter
from practice.facebook.store import Store

#: The longest comment, in letters.
LONGEST = 8000


class CommentEndpoints:
    """What /{post}/comments, /{comment}/comments and /{comment} answer."""

    def __init__(self, store: Store, objects: Objects) -> None:
        self._store = store
        self._objects = objects

    def listed(self, call: Call) -> dict[str, Any]:
        """Answer GET /{post or comment}/comments."""
        thing = self._thing(call)
        call.needs("pages_read_engagement", code=10)
        field = self._objects.lists.asked(call, "comments", "Comment", self._objects)
        return self._objects.lists.comments(thing, field, call, self._objects)

    def read(self, call: Call) -> dict[str, Any]:
        """Answer GET /{comment}."""
        comment = self._comment(call)
        call.needs("pages_read_engagement", code=10)
        call.needs("pages_read_user_content", code=10)
        call.only("fields")
        return self._objects.told("Comment", comment, self._objects.asked(call, "Comment"), call)

    def add(self, call: Call) -> dict[str, Any]:
        """Answer POST /{post or comment}/comments. An answer to an answer stands beside it, as on Facebook."""
        thing = self._thing(call)
        call.needs("pages_manage_engagement")
        call.only("message", "source", "attachment_url", "attachment_id", "attachment_share_url")
        message, picture = call.text("message"), call.files.get("source")
        for name in ("attachment_url", "attachment_id", "attachment_share_url"):
            if call.text(name):
                raise Problem(f"(#1) Failed to fetch {name}: nothing outside can be read here", 1, status=500)
        if len(message) > LONGEST:
            raise parameter(f"Comment message is too long: at most {LONGEST} letters")
        if not message.strip() and picture is None:
            raise Problem("(#100) The comment must have a message or an attachment", 100, subcode=1705)
        if isinstance(thing, Comment):
            post = self._store.feed.post(thing.post_id)
            assert post is not None
            parent: Comment | None = thing
        else:
            post, parent = thing, None
        with transaction(self._store.db):
            media_id = ""
            if picture is not None:
                if not picture.type.startswith("image/"):
                    raise Problem("(#324) Requires upload file", 324)
                try:
                    media_id = self._store.media.add(
                        page_id=post.page_id,
                        kind="image",
                        name=picture.name,
                        type=picture.type,
                        content=picture.content,
                        now=call.now,
                    ).id
                except ValueError as error:
                    raise Problem("(#324) Requires upload file", 324) from error
            comment = self._store.feed.add_comment(post, message, now=call.now, parent=parent, media_id=media_id)
        return {"id": comment.id}

    def change(self, call: Call) -> dict[str, Any]:
        """Answer POST /{comment}: other words for our own, hidden or shown for others'."""
        comment = self._comment(call)
        call.needs("pages_manage_engagement")
        call.only("message", "is_hidden")
        message, hidden = call.text("message"), call.flag("is_hidden")
        if not message and hidden is None:
            raise parameter("Nothing to change: give message or is_hidden")
        if len(message) > LONGEST:
            raise parameter(f"Comment message is too long: at most {LONGEST} letters")
        if message and comment.person_key:
            raise Problem("(#200) Permissions error: the comment was not made by this Page", 200, status=403)
        if hidden is not None and not comment.person_key:
            raise Problem("(#200) Permissions error: the Page's own comment cannot be hidden", 200, status=403)
        with transaction(self._store.db):
            if message:
                self._store.feed.edit_comment(comment, message, now=call.now)
            if hidden is not None and hidden != comment.hidden:
                self._store.feed.hide_comment(comment, hidden)
        return {"success": True}

    def delete(self, call: Call) -> dict[str, Any]:
        """Answer DELETE /{comment}."""
        comment = self._comment(call)
        call.only()
        call.needs("pages_manage_engagement")
        self._store.feed.delete_comment(comment)
        return {"success": True}

    def _comment(self, call: Call) -> Comment:
        comment = self._store.feed.comment(call.node)
        if comment is None or comment.deleted:
            raise no_object(call.node, call.method)
        call.as_page(comment.page_id)
        return comment

    def _thing(self, call: Call) -> Post | Comment:
        thing = self._store.feed.post(call.node) or self._store.feed.comment(call.node)
        if thing is None or thing.deleted:
            raise no_object(call.node, call.method)
        call.as_page(thing.page_id)
        return thing

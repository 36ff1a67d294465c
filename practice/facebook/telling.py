"""Posts, comments and messages as scripts are told of them: what stands on the screen, with all ids."""

from __future__ import annotations

from typing import Any

from practice.facebook.feed_store import Comment, Post
from practice.facebook.message_store import Message
from practice.facebook.store import Store


def told_post(store: Store, post: Post) -> dict[str, Any]:
    """Return a post, without its comments."""
    return {
        "id": post.id,
        "page": post.page_id,
        "person": post.person_key,
        "text": post.message,
        "at": post.created_at,
        "hidden": post.hidden,
        "picture": _address(post.media_id),
    }


def told_comment(store: Store, comment: Comment) -> dict[str, Any]:
    """Return a comment. `parent` is the comment it answers, "" for one on the post."""
    return {
        "id": comment.id,
        "page": comment.page_id,
        "post": comment.post_id,
        "parent": "" if comment.parent is None else comment.parent_id,
        "person": comment.person_key,
        "text": comment.message,
        "at": comment.created_at,
        "hidden": comment.hidden,
        "edits": comment.edits,
        "shares_profile": comment.shares_profile,
        "picture": _address(comment.media_id),
    }


def told_message(store: Store, message: Message) -> dict[str, Any]:
    """Return a message with its files. `delivered_at` is 0 until the person's phone has it."""
    return {
        "mid": message.mid,
        "by_page": message.by_page,
        "text": message.text,
        "at": message.created_at,
        "edits": message.edits,
        "reply_to": message.reply_to,
        "unsupported": message.unsupported,
        "metadata": message.metadata,
        "app_id": message.app_id,
        "delivered_at": message.delivered_at,
        "files": [
            {"id": file.id, "kind": file.kind, "name": file.name, "type": file.type, "size": file.size}
            for file in store.inbox.files(message)
        ],
    }


def _address(media_id: str) -> str:
    return f"/practice/facebook/media/{media_id}" if media_id else ""

"""What a request names: one of our Pages, a post, a comment, a message."""

from __future__ import annotations

from practice.facebook.feed_store import Comment, Post
from practice.facebook.message_store import Message
from practice.facebook.pages import PAGES, Page
from practice.facebook.store import Store
from practice.given import Refused


def find(store: Store, thing_id: str) -> Post | Comment | Message | None:
    """Return what an id names: a message's begins with m_, a post's with its Page's number."""
    if thing_id.startswith("m_"):
        return store.inbox.message(thing_id)
    return store.feed.post(thing_id) or store.feed.comment(thing_id)


def page_named(name: str) -> Page:
    """Return one of our Pages by id or name, the first for ""; raise Refused."""
    if not name:
        return PAGES[0]
    for page in PAGES:
        if name.lower() in (page.id, page.name.lower(), page.username.lower()):
            return page
    raise Refused(f"{name!r} is no Page of ours; there are {', '.join(page.name for page in PAGES)}.", 404)

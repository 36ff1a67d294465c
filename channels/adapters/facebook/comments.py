"""Comments and visitors' posts of Facebook as our dataclasses.

A conversation in public is a top-level comment with the answers below it, or a visitor's post (docs/one-ticket.md,
row 8). What we write below a post itself answers that post; everything else belongs to its top-level comment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from channels.adapters.base import Connection, NotOurs, PayloadError
from channels.adapters.facebook import fields, files, webhooks
from channels.adapters.facebook.fields import Object
from channels.happenings import Address, Deleted, Edited, FilePart, Happening, InboundMessage

KIND = "facebook"
SURFACE = "facebook:comment"

OWN_STATEMENT = gettext_noop("our own post, answering nobody")
HIDDEN = gettext_noop("hidden, or shown again, at Facebook")
REACTION = gettext_noop("reaction")
UNSUPPORTED = gettext_noop("unsupported event")

# Facebook ends comments at 8,000 characters and posts at 63,206.
_LONGEST = 70_000


@dataclass(frozen=True, slots=True)
class _Said:
    """What is read of a comment or post before anything is made of it. `parent` is what it stands below."""

    id: str
    post: str
    parent: str
    author: str
    name: str
    text: str
    at: datetime
    permalink: str
    files: tuple[FilePart, ...]
    notes: tuple[str, ...]

    @property
    def is_post(self) -> bool:
        return self.id == self.post

    @property
    def top(self) -> str:
        """The top-level comment this belongs to, or the post itself."""
        return self.parent if self.parent and self.parent != self.post else self.id


def of_change(body: Object, connection: Connection) -> Iterator[Happening]:
    """What a change of the feed says. Raises PayloadError, NotOurs."""
    page = fields.ident(body, webhooks.PAGE)
    change = fields.inner(body, webhooks.CHANGE)
    field = fields.line(change, "field", 60)
    if not field:
        raise fields.missing("field")
    if field != "feed":
        raise NotOurs(f"{UNSUPPORTED}: {field}")
    value = fields.inner(change, "value")
    item, verb = fields.line(value, "item", 40), fields.line(value, "verb", 40)
    if not item or not verb:
        raise fields.missing("item" if not item else "verb")
    if item in ("like", "reaction"):
        raise NotOurs(REACTION)
    if item not in webhooks.SAID:
        raise NotOurs(f"{UNSUPPORTED}: {item} {verb}")
    at = body.get(webhooks.AT)
    if verb in webhooks.REMOVED:
        number = fields.ident(value, webhooks.SAID[item])
        yield Deleted(channel_kind=KIND, external_id=number, deleted_at=fields.when(body, webhooks.AT))
    elif verb in webhooks.ADDED:
        yield _message(_of_value(value, item, at), page, connection)
    elif verb in webhooks.EDITED:
        said = _of_value(value, item, at)
        # Told of a comment that was never told of before (posts overtake each other), it is a message as well.
        yield _message(said, page, connection)
        edited_at = fields.when(body, webhooks.AT, value.get("created_time"))
        yield Edited(channel_kind=KIND, external_id=said.id, text=said.text, edited_at=edited_at)
    elif verb in ("hide", "unhide"):
        raise NotOurs(HIDDEN)
    else:
        raise NotOurs(f"{UNSUPPORTED}: {item} {verb}")


def of_comment(body: Object, connection: Connection) -> Iterator[Happening]:
    """What a comment says that a poll read. Raises PayloadError."""
    given, post = fields.inner(body, webhooks.COMMENT), fields.ident(fields.inner(body, webhooks.POST), "id")
    attached = fields.inner(given, "attachment")
    found, notes = files.of_story(iter([attached] if attached else []))
    number = fields.ident(given, "id")
    author, name = _author(given)
    said = _Said(
        id=number,
        post=post,
        # Graph leaves it out of a top-level comment.
        parent=fields.ident(fields.inner(given, "parent"), "id") if given.get("parent") is not None else post,
        author=author,
        name=name,
        text=_text(given, has_more=bool(found or notes)),
        at=fields.when(given, "created_time"),
        permalink=fields.link(given, "permalink_url") or _address(number),
        files=found,
        notes=notes,
    )
    yield _message(said, fields.ident(body, webhooks.PAGE), connection)


def of_post(body: Object, connection: Connection) -> Iterator[Happening]:
    """What a post in our feed says that a poll read. Raises PayloadError, NotOurs."""
    given = fields.inner(body, webhooks.POST)
    found, notes = files.of_story(fields.data(given, "attachments"))
    number = fields.ident(given, "id")
    author, name = _author(given)
    said = _Said(
        id=number,
        post=number,
        parent="",
        author=author,
        name=name,
        text=_text(given, has_more=bool(found or notes)),
        at=fields.when(given, "created_time"),
        permalink=fields.link(given, "permalink_url") or _address(number),
        files=found,
        notes=notes,
    )
    yield _message(said, fields.ident(body, webhooks.PAGE), connection)


def _of_value(value: Object, item: str, at: object) -> _Said:
    """A comment or post as a webhook tells of it."""
    number, post = fields.ident(value, webhooks.SAID[item]), fields.ident(value, "post_id")
    found = files.of_feed(value)
    link = fields.link(value, "link")
    notes = (_("Shared with it: %(what)s") % {"what": link},) if link and not found else ()
    author, name = _author(value)
    return _Said(
        id=number,
        post=post,
        # Without it a deeper answer would be taken for the beginning of a conversation.
        parent=fields.ident(value, "parent_id") if item == "comment" else "",
        author=author,
        name=name,
        text=_text(value, has_more=bool(found or notes)),
        at=fields.when(value, "created_time", at),
        permalink=fields.link(value, "permalink_url") or _address(number),
        files=found,
        notes=notes,
    )


def _author(given: Object) -> tuple[str, str]:
    """Who said it: id and name, both empty where Facebook does not tell an app (row 11)."""
    named = fields.inner(given, "from")
    if named:
        return fields.ident(named, "id"), fields.line(named, "name", 100)
    # Before 2018 the sender stood in fields of their own.
    return fields.as_ident(given.get("sender_id")), fields.line(given, "sender_name", 100)


def _text(given: Object, *, has_more: bool) -> str:
    found = fields.words(given, "message")
    if found is None and not has_more:
        # A comment of nothing would only hide what Facebook calls the words by now.
        raise fields.missing("message")
    return (found or "")[:_LONGEST]


def _address(number: str) -> str:
    return f"https://www.facebook.com/{number}"


def _message(said: _Said, page: str, connection: Connection) -> InboundMessage:
    if page != connection.address:
        raise PayloadError(_("This was told of another Page than the one connected here."))
    is_ours = said.author in connection.own | {page}
    if is_ours and said.is_post:
        raise NotOurs(OWN_STATEMENT)
    thread = said.post if is_ours and said.top == said.id else said.top
    return InboundMessage(
        channel_kind=KIND,
        surface=SURFACE,
        external_id=said.id,
        thread=thread,
        author=_person(said, page),
        said_at=said.at,
        direction="out" if is_ours else "in",
        text=said.text or ("" if said.files else "\n".join(said.notes)),
        files=said.files,
        permalink=said.permalink,
        parent_id=said.parent,
        # Whose post it is nothing here says: by its id the house above sees whether it is one of this person's.
        references=() if said.is_post else tuple(dict.fromkeys((said.parent or said.post, said.post))),
        notes=said.notes if said.text or said.files else (),
    )


def _person(said: _Said, page: str) -> Address:
    """Ids of people are another one on every Page. Nobody to be seen: the conversation stands for them (row 11)."""
    if not said.author:
        return Address(kind="nameless", value=said.top, scope=KIND, display=_("somebody on Facebook"))
    return Address(
        kind="fb_commenter",
        value=said.author,
        scope=page,
        display=said.name or _("somebody on Facebook"),
        name=said.name,
    )

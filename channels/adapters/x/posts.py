"""A post of X as our dataclasses.

A post is known for ever by the id of its first version: X gives each edit an id of its own and lists all of them, in
order, in the edit history. So an edited post comes up twice: as the message (the house above knows it already, or
hears of it now for the first time) and as the edit of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from channels.adapters.base import Connection, NotOurs, PayloadError
from channels.adapters.x import fields, media, words
from channels.adapters.x.fields import Object
from channels.happenings import Address, Deleted, Edited, Happening, InboundMessage
from contactcentre.lib.text import clean

KIND = "x"
SURFACE = "x:mention"

REPOST = gettext_noop("repost")
OWN_STATEMENT = gettext_noop("our own post, answering nobody")

# Long posts of X end at 25,000 characters; what is longer is no post.
_LONGEST = 50_000


@dataclass(frozen=True, slots=True)
class _Post:
    """What is read of a post before anything is made of it. `versions` are its ids, the first one first."""

    given: Object
    id: str
    author: str
    conversation: str
    text: str
    versions: tuple[str, ...]
    replied_to: str
    quoted: str
    notes: tuple[str, ...]

    @property
    def first_id(self) -> str:
        return self.versions[0]


def happenings(body: Object, connection: Connection) -> Iterator[Happening]:
    """The message that a post is, and where it was edited the edit. Raises PayloadError, NotOurs."""
    post = _read(fields.inner(body, "post"))
    includes = fields.inner(body, "includes")
    own = connection.own | {connection.address}
    message = _message(post, includes, direction_out=post.author in own, own=own)
    yield message
    if len(post.versions) > 1:
        yield _edited(post, message.text)


def edited(body: Object) -> Iterator[Happening]:
    """The edit alone: of a post that was read again. Raises PayloadError."""
    post = _read(fields.inner(body, "post"))
    if len(post.versions) < 2:
        raise PayloadError(_("This is the first version of the post, not an edit of it."))
    yield _edited(post, _text(post))


def deleted(body: Object) -> Iterator[Happening]:
    """That a post is gone. Raises PayloadError."""
    number = fields.ident(body, "id")
    yield Deleted(channel_kind=KIND, external_id=number, deleted_at=fields.moment(body, "seen_gone_at", number))


def newest(post: Object) -> str:
    """The id of a post's latest version, empty where it cannot be told."""
    versions = _versions(post)
    return versions[-1] if versions else ""


def replied_to(post: Object) -> str:
    """The id of the post that this one answers, empty where it answers none."""
    return next(
        (
            fields.as_ident(each.get("id"))
            for each in fields.objects(post, *fields.REFERENCES)
            if each.get("type") == "replied_to"
        ),
        "",
    )


def whole_text(post: Object) -> str:
    """The text of a post as its author wrote it. Raises PayloadError."""
    return clean(words.of_post(post, fields.words(post, "text") or "", fields.inner(post, *fields.NOTE)))


def _read(given: Object) -> _Post:
    number = fields.ident(given, "id")
    text = fields.words(given, "text")
    if text is None:
        raise PayloadError(_("X handed this over without a usable %(field)s.") % {"field": "text"})
    versions = _versions(given)
    if number not in versions:
        # Always there, and the only thing that tells an edit from a new post.
        raise PayloadError(_("X handed this over without a usable %(field)s.") % {"field": fields.EDIT_HISTORY[0]})
    conversation = fields.ident(given, "conversation_id")
    quoted, notes = "", []
    for reference in fields.objects(given, *fields.REFERENCES):
        kind = fields.line(reference, "type", 40)
        if kind == "retweeted":
            raise NotOurs(REPOST)
        if kind == "quoted":
            quoted = fields.as_ident(reference.get("id"))
        elif kind != "replied_to":
            notes.append(_("It refers to another post in a way this inbox does not know (%(kind)s).") % {"kind": kind})
    parent = replied_to(given)
    # in_reply_to_user_id tells nothing here: X also fills it in where a post only begins with somebody's name, as the
    # posts of most customers do. Such a post begins its own conversation; an answer to a post never does.
    if conversation not in versions and not parent:
        # Answered as if it began a conversation, it would go to the wrong place in front of everybody.
        raise PayloadError(_("It answers another post, but X did not say which one."))
    if not fields.inner(given, *fields.NOTE) and words.looks_cut(text):
        notes.append(_("X seems to have handed over only the beginning of this post."))
    return _Post(
        given=given,
        id=number,
        author=fields.ident(given, "author_id"),
        conversation=conversation,
        text=text,
        versions=versions,
        replied_to=parent,
        quoted=quoted,
        notes=tuple(notes),
    )


def _versions(given: Object) -> tuple[str, ...]:
    listed = fields.first(given, *fields.EDIT_HISTORY)
    found = [fields.as_ident(each) for each in listed] if isinstance(listed, list) else []
    return tuple(sorted((each for each in found if each), key=int))


def _text(post: _Post) -> str:
    return whole_text(post.given)[:_LONGEST]


def _message(post: _Post, includes: Object, *, direction_out: bool, own: frozenset[str]) -> InboundMessage:
    people = fields.by_key(fields.objects(includes, "users"), "id")
    posts = fields.by_key(fields.objects(includes, *fields.INCLUDED_POSTS), "id")
    pictures = fields.by_key(fields.objects(includes, "media"), "media_key")
    author = address(post.author, people)
    quoted = posts.get(post.quoted)
    return InboundMessage(
        channel_kind=KIND,
        surface=SURFACE,
        external_id=post.first_id,
        thread=post.conversation,
        author=author,
        # An edit has a time of its own; the message was said when its first version was.
        said_at=fields.moment(post.given if post.id == post.first_id else {}, "created_at", post.first_id),
        direction="out" if direction_out else "in",
        text=_text(post),
        quoted=whole_text(quoted)[:_LONGEST] if quoted else "",
        files=tuple(media.parts(post.given, pictures)),
        recipient=_recipient(post, posts, people) if direction_out else None,
        permalink=f"https://x.com/{author.handle or 'i'}/status/{post.id}",
        parent_id=post.replied_to,
        notes=post.notes,
    )


def _recipient(post: _Post, posts: dict[str, Object], people: dict[str, Object]) -> Address:
    """Whom a post of ours answers. Raises NotOurs where it answers nobody."""
    if not post.replied_to:
        raise NotOurs(OWN_STATEMENT)
    named = fields.as_ident(post.given.get("in_reply_to_user_id"))
    answered = named or fields.as_ident(posts.get(post.replied_to, {}).get("author_id"))
    if not answered:
        # Without it the answer would count for whoever wrote last in this conversation.
        raise PayloadError(_("It is an answer of ours, but X did not say to whom."))
    return address(answered, people)


def _edited(post: _Post, text: str) -> Edited:
    return Edited(
        channel_kind=KIND,
        external_id=post.id,
        previous_id=post.first_id,
        text=text,
        edited_at=fields.moment(post.given, "created_at", post.id),
        revision=post.versions.index(post.id),
    )


def address(number: str, people: dict[str, Object]) -> Address:
    """Somebody on X: known by the numeric id; handle, name and picture are what the page said of them."""
    person = people.get(number, {})
    handle = fields.line(person, "username", 50).lstrip("@")
    return Address(
        kind="x_user",
        value=number,
        display=f"@{handle}" if handle else "",
        name=fields.line(person, "name", 100),
        handle=handle,
        avatar_url=fields.link(person, "profile_image_url"),
    )

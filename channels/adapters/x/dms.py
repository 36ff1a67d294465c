"""A direct message of X as our dataclass."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from channels.adapters.base import Connection, NotOurs, PayloadError
from channels.adapters.x import fields, media, posts, words
from channels.adapters.x.fields import Object
from channels.happenings import Happening, InboundMessage

SURFACE = "x:dm"
PREFIX = "dm:"

UNSUPPORTED = gettext_noop("unsupported event")

# Two people's ids for a conversation of two, a single number for a group (OpenAPI document, DmConversationId).
_PAIR = re.compile(r"([0-9]{1,19})-([0-9]{1,19})")
_GROUP = re.compile(r"[0-9]{1,19}")
_LONGEST = 50_000


def external_id(event_id: str) -> str:
    """The id under which a message is stored: posts and messages count apart, so one of them carries a prefix."""
    return f"{PREFIX}{event_id}"


def happenings(body: Object, connection: Connection) -> Iterator[Happening]:
    """The message that an event is. Raises PayloadError, NotOurs."""
    event = fields.inner(body, "dm_event")
    number = fields.ident(event, "id")
    kind = fields.line(event, "event_type", 40)
    if not kind:
        raise PayloadError(_("X handed this over without a usable %(field)s.") % {"field": "event_type"})
    if kind != "MessageCreate":
        raise NotOurs(f"{UNSUPPORTED}: {kind}")
    includes = fields.inner(body, "includes")
    sender = fields.ident(event, "sender_id")
    conversation = event.get("dm_conversation_id")
    conversation = conversation if isinstance(conversation, str) else ""
    other = other_of(conversation, connection.address)
    is_group = not other and _GROUP.fullmatch(conversation) is not None
    if not other and not is_group:
        # Said to nobody, it could be answered to anybody.
        raise PayloadError(_("X did not say in which conversation with us this was written."))
    if not is_group and sender not in {other, connection.address}:
        raise PayloadError(_("The sender is not one of the two people of this conversation."))
    people = fields.by_key(fields.objects(includes, "users"), "id")
    pictures = fields.by_key(fields.objects(includes, "media"), "media_key")
    files = tuple(media.parts(event, pictures))
    text = fields.words(event, "text")
    if text is None and not files:
        raise PayloadError(_("X handed this over without a usable %(field)s.") % {"field": "text"})
    is_ours = sender in connection.own | {connection.address}
    yield InboundMessage(
        channel_kind=posts.KIND,
        surface=SURFACE,
        external_id=external_id(number),
        thread=conversation,
        author=posts.address(sender, people),
        said_at=fields.moment(event, "created_at", number),
        direction="out" if is_ours else "in",
        text=words.expanded(text or "", fields.inner(event, "entities"))[:_LONGEST],
        files=files,
        recipient=posts.address(other, people) if is_ours and other else None,
        permalink=f"https://x.com/messages/{conversation}",
        is_group=is_group,
        notes=tuple(_shared(event)),
    )


def other_of(conversation: str, ours: str) -> str:
    """The other of the two people of a conversation, empty where it is none of ours."""
    pair = _PAIR.fullmatch(conversation)
    if pair is None or ours not in pair.groups():
        return ""
    return pair[2] if pair[1] == ours else pair[1]


def _shared(event: Object) -> Iterator[str]:
    for reference in fields.objects(event, *fields.REFERENCES):
        number = fields.as_ident(reference.get("id"))
        if number:
            yield _("Shared with it: %(link)s") % {"link": f"https://x.com/i/status/{number}"}

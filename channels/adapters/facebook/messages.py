"""Messenger as our dataclasses: messages, our echoes, edits, deletions, and receipts.

A conversation is with one person, known by an id that is valid on one Page only (PSID); ids of messages are kept
within the Page too.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from channels.adapters.base import Connection, NotOurs, PayloadError
from channels.adapters.facebook import fields, files, webhooks
from channels.adapters.facebook.comments import KIND, REACTION, UNSUPPORTED
from channels.adapters.facebook.fields import Object
from channels.happenings import Address, Deleted, DeliveryReceipt, Edited, FilePart, Happening, InboundMessage

SURFACE = "facebook:messenger"

SILENT_BUTTON = gettext_noop("a pressed button without words")

_LONGEST = 20_000
_MOST_RECEIPTS = 100
_KNOWN = ("message", "message_edit", "postback", "delivery", "read", "reaction")


def of_event(body: Object, connection: Connection) -> Iterator[Happening]:
    """What a messaging event says. Raises PayloadError, NotOurs."""
    page = _page(body, connection)
    event = fields.inner(body, webhooks.MESSAGING) or fields.inner(body, webhooks.STANDBY)
    if not event:
        raise PayloadError(_("This is neither a message nor news of one."))
    kind = next((name for name in _KNOWN if isinstance(event.get(name), dict)), "")
    if not kind:
        names = sorted(set(event) - {"sender", "recipient", "timestamp"})
        raise NotOurs(f"{UNSUPPORTED}: {fields.line({'names': ', '.join(map(str, names[:5]))}, 'names', 80)}")
    if kind == "reaction":
        raise NotOurs(REACTION)
    yield from _READERS[kind](event, page, connection)


def of_conversation(body: Object, connection: Connection) -> Iterator[Happening]:
    """What a message says that a poll read from its conversation. Raises PayloadError."""
    page = _page(body, connection)
    given, other = fields.inner(body, webhooks.MESSAGE), fields.as_ident(body.get("with"))
    author = fields.inner(given, "from")
    sender = fields.ident(author, "id")
    recipients = [fields.as_ident(each.get("id")) for each in fields.data(given, "to")]
    if not other:
        other = next((each for each in (sender, *recipients) if each and each != page), "")
    if not other or sender not in {other, page}:
        raise PayloadError(_("Facebook did not say in which conversation with us this was written."))
    found, notes = files.of_conversation(given)
    text = fields.words(given, "message")
    if text is None and not found and not notes and given.get("is_unsupported") is not True:
        raise fields.missing("message")
    is_ours = sender == page
    named = fields.line(author, "name", 100) if not is_ours else _name_of(given, other)
    yield _message(
        given,
        page=page,
        number=fields.ident(given, "id"),
        other=other,
        name=named,
        is_ours=is_ours,
        at=given.get("created_time"),
        text=text or "",
        found=found,
        notes=notes,
    )


def _said(event: Object, page: str, connection: Connection) -> Iterator[Happening]:
    message = fields.inner(event, "message")
    number = fields.ident(message, "mid")
    if message.get("is_deleted") is True:
        deleted_at = fields.when(event, "timestamp")
        yield Deleted(channel_kind=KIND, external_id=number, scope=page, deleted_at=deleted_at)
        return
    other, is_ours = _between(event, page, is_echo=message.get("is_echo") is True)
    found, notes = files.of_webhook(message)
    text = fields.words(message, "text")
    if text is None and not found and not notes and message.get("is_unsupported") is not True:
        raise fields.missing("text")
    yield _message(
        message,
        page=page,
        number=number,
        other=other,
        name="",
        is_ours=is_ours,
        at=event.get("timestamp"),
        text=text or "",
        found=found,
        notes=notes,
    )


def _edited(event: Object, page: str, connection: Connection) -> Iterator[Happening]:
    edit = fields.inner(event, "message_edit")
    number, text = fields.ident(edit, "mid"), fields.words(edit, "text")
    if text is None:
        raise fields.missing("text")
    other, is_ours = _between(event, page, is_echo=edit.get("is_echo") is True)
    # Messenger allows edits for a quarter of an hour: where the message itself was never told of, it is this.
    yield _message(
        {}, page=page, number=number, other=other, name="", is_ours=is_ours, at=event.get("timestamp"), text=text
    )
    yield Edited(
        channel_kind=KIND,
        external_id=number,
        scope=page,
        text=text[:_LONGEST],
        edited_at=fields.when(event, "timestamp"),
        revision=min(fields.whole(edit.get("num_edit")), 10_000),
    )


def _pressed(event: Object, page: str, connection: Connection) -> Iterator[Happening]:
    postback = fields.inner(event, "postback")
    title = fields.line(postback, "title", 1000)
    if not title:
        # `payload` is a word between programs, nothing that anybody said.
        raise NotOurs(SILENT_BUTTON)
    number = webhooks.postback_id(event)
    if not number:
        raise fields.missing("timestamp")
    other, is_ours = _between(event, page, is_echo=False)
    yield _message(
        {}, page=page, number=number, other=other, name="", is_ours=is_ours, at=event.get("timestamp"), text=title
    )


def _delivered(event: Object, page: str, connection: Connection) -> Iterator[Happening]:
    delivery = fields.inner(event, "delivery")
    watermark = fields.moment(delivery.get("watermark"))
    at = fields.moment(event.get("timestamp")) or watermark
    listed = delivery.get("mids")
    numbers = [fields.as_ident(each) for each in listed[:_MOST_RECEIPTS]] if isinstance(listed, list) else []
    numbers = [each for each in numbers if each]
    if at is None or (watermark is None and not numbers):
        raise fields.missing("watermark")
    for number in numbers:
        yield DeliveryReceipt(state="delivered", at=at, channel_kind=KIND, scope=page, external_id=number)
    if watermark is not None:
        yield _up_to("delivered", event, page, watermark)


def _read(event: Object, page: str, connection: Connection) -> Iterator[Happening]:
    watermark = fields.when(fields.inner(event, "read"), "watermark")
    yield _up_to("read", event, page, watermark)


def _up_to(state: Literal["delivered", "read"], event: Object, page: str, watermark: datetime) -> DeliveryReceipt:
    other, _is_ours = _between(event, page, is_echo=False)
    return DeliveryReceipt(
        state=state,
        at=fields.moment(event.get("timestamp")) or watermark,
        channel_kind=KIND,
        scope=page,
        up_to=watermark,
        reader=person(other, page, ""),
        thread=other,
    )


_READERS = {
    "message": _said,
    "message_edit": _edited,
    "postback": _pressed,
    "delivery": _delivered,
    "read": _read,
}


def _page(body: Object, connection: Connection) -> str:
    page = fields.ident(body, webhooks.PAGE)
    if page != connection.address:
        raise PayloadError(_("This was told of another Page than the one connected here."))
    return page


def _between(event: Object, page: str, *, is_echo: bool) -> tuple[str, bool]:
    """The person of the conversation, and whether these are our words. Raises PayloadError."""
    sender = fields.ident(fields.inner(event, "sender"), "id")
    recipient = fields.ident(fields.inner(event, "recipient"), "id")
    if (sender == page) == (recipient == page):
        # Said to nobody of ours, it could be answered to anybody.
        raise PayloadError(_("Facebook did not say in which conversation with us this was written."))
    return (recipient if sender == page else sender), is_echo or sender == page


def _name_of(given: Object, other: str) -> str:
    """What the person is called whom we wrote to."""
    people = (each for each in fields.data(given, "to") if fields.as_ident(each.get("id")) == other)
    return next((fields.line(each, "name", 100) for each in people), "")


def _message(
    given: Object,
    *,
    page: str,
    number: str,
    other: str,
    name: str,
    is_ours: bool,
    at: object,
    text: str,
    found: tuple[FilePart, ...] = (),
    notes: tuple[str, ...] = (),
) -> InboundMessage:
    answered = fields.as_ident(fields.inner(given, "reply_to").get("mid") or fields.inner(given, "reply_to").get("id"))
    if given.get("is_unsupported") is True or not (text or found or notes):
        # Nothing of it came with it, and yet somebody said something.
        notes = (*notes, _("Something that cannot be shown here. It can be seen in Messenger."))
    has_body = bool(text or found)
    them = person(other, page, name)
    return InboundMessage(
        channel_kind=KIND,
        surface=SURFACE,
        external_id=number,
        scope=page,
        thread=other,
        author=person(page, page, "") if is_ours else them,
        recipient=them if is_ours else None,
        said_at=fields.when({"timestamp": at}, "timestamp"),
        direction="out" if is_ours else "in",
        text=(text or ("" if found else "\n".join(notes)))[:_LONGEST],
        files=found,
        parent_id=answered,
        references=(answered,) if answered else (),
        marker=fields.line(given, "metadata", 255) if is_ours else "",
        notes=notes if has_body else (),
    )


def person(psid: str, page: str, name: str) -> Address:
    """Somebody on Messenger; a webhook tells no names."""
    return Address(kind="fb_psid", value=psid, scope=page, display=name or _("somebody on Messenger"), name=name)

"""A webhook of Facebook cut into single happenings, each with the key under which a poll would bring it too.

One POST holds several entries (one a Page), and each of them several messaging events or changes of the feed. Order
and singleness are not promised: the key of each says what is the same (B4 of Meta's "Webhooks for Messenger", "Page").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from channels.adapters.base import PayloadError
from channels.adapters.facebook import fields
from channels.adapters.facebook.fields import Object
from channels.happenings import RawItem

# What an item's body is made of, beside the Page: the thing that was handed over, under its name.
PAGE, AT = "page", "at"
MESSAGING, STANDBY, CHANGE, OTHER = "messaging", "standby", "change", "other"
COMMENT, POST, MESSAGE = "comment", "post", "message"

# Items of the feed that are words of somebody, with the field that holds their id.
SAID = {
    "comment": "comment_id",
    "post": "post_id",
    "status": "post_id",
    "photo": "post_id",
    "video": "post_id",
    "share": "post_id",
    "link": "post_id",
}
ADDED, EDITED, REMOVED = ("add",), ("edit", "edited"), ("remove", "delete")


@dataclass(frozen=True, slots=True)
class Part:
    """One happening of a webhook and the Page it was told to; which account that is, is the caller's to find."""

    page_id: str
    item: RawItem


def split(body: bytes) -> tuple[Part, ...]:
    """The happenings in the body of a POST whose signature was right, in their order.

    `happening` is "message" for anything said (new comments, visitors' posts, messages, echoes, pressed buttons),
    "edit", "delete", "hide", "unhide", "reaction", "delivery", "read", and "event" for everything else. A new message
    has its own id and no revision, exactly as a poll hands it over; an edit or deletion of it has the same id and
    another happening. What cannot be understood inside the body is a part too, and is refused or filtered when it is
    read. Raises PayloadError where the body as a whole cannot be cut: no JSON, or not a list of entries of Pages.
    """
    given = fields.loads(body)
    entries = given.get("entry")
    if not isinstance(entries, list):
        raise PayloadError(_("This is no webhook of Facebook: it has no entries."))
    kind = fields.line(given, "object", 40)
    try:
        return tuple(part for entry in entries for part in _of_entry(entry, kind))
    except RecursionError as error:
        raise PayloadError(_("This is nested deeper than anything Facebook sends.")) from error


def item(happening: str, external_id: str, page: str, what: str, given: object, **more: object) -> RawItem:
    """An item for the ledger; without an id of its own it is known by its content."""
    body = fields.dumps({PAGE: page, what: given, **more})
    return RawItem(happening=happening, external_id=external_id or f"content:{fields.fingerprint(given)}", body=body)


def _of_entry(entry: object, kind: str) -> Iterator[Part]:
    if not isinstance(entry, dict):
        raise PayloadError(_("This is no webhook of Facebook: an entry is no object."))
    page = fields.as_ident(entry.get("id"))
    if not page:
        raise PayloadError(_("This is no webhook of Facebook: an entry does not say which Page it is for."))
    at = entry.get("time")
    if kind != "page":
        yield Part(page, item("event", "", page, OTHER, {"object": kind, **entry}))
        return
    found = False
    for name in (MESSAGING, STANDBY, "changes"):
        if name not in entry:
            continue
        found = True
        events = entry[name]
        for event in events if isinstance(events, list) else [events]:
            if name == "changes":
                yield Part(page, _of_change(event, page, at))
            else:
                yield Part(page, _of_messaging(event, page, name))
    if not found:
        yield Part(page, item("event", "", page, OTHER, entry))


def _of_messaging(event: object, page: str, what: str) -> RawItem:
    happening, external_id, revision = _key(event) if isinstance(event, dict) else ("event", "", "")
    made = item(happening, external_id, page, what, event)
    return RawItem(happening=made.happening, external_id=made.external_id, revision=revision, body=made.body)


def _key(event: Object) -> tuple[str, str, str]:
    """Happening, external id and revision of a messaging event."""
    message = fields.inner(event, "message")
    if message:
        happening = "delete" if message.get("is_deleted") is True else "message"
        return happening, fields.as_ident(message.get("mid")), ""
    edit = fields.inner(event, "message_edit")
    if edit:
        # Where Facebook does not number the edits its own time and words tell them apart.
        number = fields.whole(edit.get("num_edit"))
        return "edit", fields.as_ident(edit.get("mid")), str(number or fields.fingerprint(event))
    if isinstance(event.get("postback"), dict):
        return "message", postback_id(event), ""
    for name in ("delivery", "read"):
        if isinstance(event.get(name), dict):
            watermark = fields.whole(fields.inner(event, name).get("watermark"))
            sender = fields.as_ident(fields.inner(event, "sender").get("id"))
            return name, sender, f"{watermark}:{fields.fingerprint(event)[:12]}"
    if isinstance(event.get("reaction"), dict):
        return "reaction", fields.as_ident(fields.inner(event, "reaction").get("mid")), fields.fingerprint(event)
    return "event", "", ""


def postback_id(event: Object) -> str:
    """The id of a pressed button: newer ones have a message's id, older ones only person and time."""
    given = fields.as_ident(fields.inner(event, "postback").get("mid"))
    if given:
        return given
    sender, at = fields.as_ident(fields.inner(event, "sender").get("id")), fields.whole(event.get("timestamp"))
    return f"postback:{sender}:{at}" if sender and at else ""


def _of_change(change: object, page: str, at: object) -> RawItem:
    happening, external_id, revision = "event", "", ""
    if isinstance(change, dict) and change.get("field") == "feed":
        value = fields.inner(change, "value")
        what, verb = fields.line(value, "item", 40), fields.line(value, "verb", 40)
        if what in SAID:
            external_id = fields.as_ident(value.get(SAID[what]))
            if verb in ADDED:
                happening = "message"
            elif verb in EDITED:
                # `created_time` may be that of the comment: the second edit back to the first words is another one.
                happening, revision = "edit", f"{fields.whole(at)}:{fields.fingerprint(value)[:12]}"
            elif verb in REMOVED:
                happening = "delete"
            elif verb in ("hide", "unhide"):
                happening, revision = verb, f"{fields.whole(at)}"
            else:
                revision = f"{fields.whole(at)}:{fields.fingerprint(value)[:12]}"
        elif what in ("like", "reaction"):
            happening, revision = "reaction", fields.fingerprint(value)
    made = item(happening, external_id, page, CHANGE, change, **{AT: at})
    return RawItem(happening=made.happening, external_id=made.external_id, revision=revision, body=made.body)

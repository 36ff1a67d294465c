"""Pictures and files that come with a request: from a form, from a script, or the one ready-made picture."""

from __future__ import annotations

import base64
import binascii

from practice.facebook.media import File, Media
from practice.given import Given, Refused
from practice.mail.writing import picture


async def files_of(fields: Given, media: Media, page_id: str, *, now: float) -> list[File]:
    """Return what a request has in `picture`, `files` (form) and `attachments` (JSON), kept; raise Refused."""
    found: list[tuple[str, str, bytes]] = []
    if fields.flag("picture"):
        ready = picture()
        found.append((ready.name, ready.type, ready.content))
    for upload in fields.uploads("files"):
        found.append((upload.filename or "file", upload.content_type or "", await upload.read()))
    for each in [] if fields.is_form else fields.objects("attachments"):
        each.only("name", "type", "content")
        try:
            content = base64.b64decode(each.text("content"), validate=True)
        except binascii.Error as error:
            raise Refused("content must be base64.") from error
        found.append((each.text("name") or "file", each.text("type"), content))
    try:
        return [
            media.add(
                page_id=page_id,
                kind=_kind(type_),
                name=name,
                type=type_ or "application/octet-stream",
                content=content,
                now=now,
            )
            for name, type_, content in found
        ]
    except ValueError as error:
        raise Refused(str(error), 413) from error


def _kind(type_: str) -> str:
    """Return what Messenger calls files of a media type."""
    family = type_.partition("/")[0].lower()
    return family if family in ("image", "video", "audio") else "file"

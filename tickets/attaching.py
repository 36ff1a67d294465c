"""The files of a message that came in: kept where they came along, to be fetched where only a link did."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from channels import files, files_fetching
from channels.happenings import FilePart, InboundMessage
from contactcentre.lib.text import clean_line, file_name
from tickets import fetching
from tickets.models import Attachment, Message

_URL = 2000


def attach(message: InboundMessage, stored: Message, *, now: datetime) -> None:
    """Store what came with a message, inside the caller's transaction; links are followed once that is committed."""
    rows = [_row(part, stored, position, now=now) for position, part in enumerate(message.files)]
    if not rows:
        return
    made = Attachment.objects.bulk_create(rows)
    fetching.soon(row.pk for row in made if row.fetch_at is not None)


def _row(part: FilePart, stored: Message, position: int, *, now: datetime) -> Attachment:
    kept, note, url = None, part.note, ""
    if part.data is not None:
        try:
            kept = files.store(part.data, name=part.name, now=now)
        except files.TooLarge as error:
            note = str(error)
    elif part.url and len(part.url) <= _URL and files_fetching.may_fetch(part.url, kind=stored.channel_kind):
        url = part.url
    elif not note:
        note = _("It was not handed over with the message. It can be seen at the network.")
    return Attachment(
        message=stored,
        file=kept,
        name=file_name(part.name)[:160],
        content_id=clean_line(part.content_id),
        is_inline=part.is_inline,
        note=clean_line(note),
        position=position,
        url=url,
        fetch_at=now if url else None,
    )

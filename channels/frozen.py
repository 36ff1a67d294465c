"""What the outbox froze when the person pressed Send, written to a row and read back from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from django.utils.translation import gettext as _

from channels.adapters.base import DeliveryError
from channels.happenings import Address, Outgoing, OutgoingFile
from channels.models import Outbound, StoredFile

# A stored file's id and the name it goes under in this message.
NamedFile = tuple[int, str]


def payload(
    *,
    text: str,
    html: str,
    subject: str,
    thread: str,
    parent_id: str,
    references: Sequence[str],
    cc: Sequence[Address],
    reply_to: str,
    files: Sequence[NamedFile],
) -> dict[str, object]:
    """The words and all that goes with them, as the row's JSON holds them."""
    return {
        "text": text,
        "html": html,
        "subject": subject,
        "thread": thread,
        "parent_id": parent_id,
        "references": list(references),
        "cc": [asdict(address) for address in cc],
        "reply_to": reply_to,
        "file_names": [name for _id, name in files],
    }


def outgoing(row: Outbound) -> Outgoing:
    """The row as an adapter takes it. Raises DeliveryError (permanent) where a file is no longer kept."""
    frozen = row.payload
    return Outgoing(
        surface=row.surface,
        recipient=Address(**row.recipient),
        marker=row.marker,
        text=frozen["text"],
        html=frozen["html"],
        subject=frozen["subject"],
        thread=frozen["thread"],
        parent_id=frozen["parent_id"],
        references=tuple(frozen["references"]),
        cc=tuple(Address(**address) for address in frozen["cc"]),
        reply_to=frozen["reply_to"],
        files=_files(row),
    )


def _files(row: Outbound) -> tuple[OutgoingFile, ...]:
    if not row.files:
        return ()
    stored = StoredFile.objects.in_bulk(row.files)
    names = row.payload["file_names"]
    if len(stored) < len(set(row.files)):
        gone = [name for file_id, name in zip(row.files, names, strict=True) if file_id not in stored]
        # Sending the words without what they speak of would be a different message.
        raise DeliveryError(
            _("The attachment %(name)s is no longer kept here.") % {"name": gone[0]}, permanent=True, code="file-gone"
        )
    return tuple(
        OutgoingFile(
            name=name,
            content_type=stored[file_id].content_type,
            size=stored[file_id].size,
            path=stored[file_id].path,
        )
        for file_id, name in zip(row.files, names, strict=True)
    )

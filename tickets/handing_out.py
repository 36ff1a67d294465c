"""Handing a kept file to whoever may see its message: for pages and programs alike, and never run by a browser."""

from __future__ import annotations

from urllib.parse import quote

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404

from tickets import access
from tickets.access import Rights
from tickets.models import Attachment
from tickets.queries import timeline


def attachment(have: Rights, attachment_id: int, *, save: bool) -> FileResponse:
    """The file's bytes; pictures may show in the page unless they are to be saved.

    Raises Http404 where there is none or it has not come, PermissionDenied where this person may not read the message.
    """
    found = get_object_or_404(Attachment.objects.select_related("file", "message__contact"), pk=attachment_id)
    access.message_to_read(have, found.message)
    if found.file is None:
        raise Http404
    shown_inline = found.file.content_type in timeline.INLINE_IMAGES and not save
    answer = FileResponse(default_storage.open(found.file.path, "rb"), content_type=found.file.content_type)
    # Not a header with the raw name: names are strangers' text (RFC 6266, RFC 8187).
    kind = "inline" if shown_inline else "attachment"
    answer["Content-Disposition"] = f"{kind}; filename*=UTF-8''{quote(found.name, safe='')}"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"
    answer["Cache-Control"] = "private, max-age=86400"
    if not shown_inline:
        answer["Content-Type"] = "application/octet-stream"
    return answer

"""The content of attachments, kept once however many messages carry it.

Files lie under their own digest in the default storage (a folder, or S3), so the same content never lies
there twice and nothing a sender typed becomes part of a path.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, BinaryIO, cast

import puremagic
from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, Storage, default_storage
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from channels.models import StoredFile
from contactcentre.lib.text import file_name

# What a browser may show inside our pages. Everything else is offered for saving: HTML and SVG run scripts.
SHOWN_INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})

_CHUNK = 256 * 1024
# Enough for the signatures that stand at the beginning of a file, zip-based office files included.
_HEAD = 64 * 1024
_UNFINISHED = timedelta(days=1)
_CLEARED_AT_ONCE = 1000
_SHOWN_SIGNATURES: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("image/png", lambda head: head.startswith(b"\x89PNG\r\n\x1a\n")),
    ("image/jpeg", lambda head: head.startswith(b"\xff\xd8\xff")),
    ("image/gif", lambda head: head.startswith((b"GIF87a", b"GIF89a"))),
    ("image/webp", lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP"),
)


class TooLarge(Exception):
    """The content is larger than an attachment may be. The text says so to a person."""


def store(content: BinaryIO | bytes, *, now: datetime, name: str = "") -> StoredFile:
    """Keep the content and return its row: a new one, or the one of the same content kept before.

    A stream is read once, in pieces, and no further than the cap. Raises TooLarge beyond
    settings.ATTACHMENT_MAX_BYTES; `name` is only said in its words. If the caller's transaction is undone the
    file stays behind without a row, which costs room and nothing else: the next same content uses it.
    """
    source: BinaryIO = io.BytesIO(content) if isinstance(content, bytes) else content
    with _spool() as spool:
        sha256, size, head = _copy(source, spool, name)
        kept = StoredFile.objects.filter(sha256=sha256).first()
        if kept is not None:
            return kept
        path = f"{sha256[:2]}/{sha256[2:4]}/{sha256}"
        _put(default_storage, path, spool, size)
    row, _made = StoredFile.objects.get_or_create(
        sha256=sha256, defaults={"size": size, "content_type": sniff(head), "path": path, "stored_at": now}
    )
    return row


def opener(path: str) -> BinaryIO:
    """The stored content, open for reading. Raises FileNotFoundError."""
    return cast(BinaryIO, default_storage.open(path, "rb"))


def is_shown_inline(content_type: str) -> bool:
    """Whether a browser may show this inside our pages; everything else is only offered for saving."""
    return content_type in SHOWN_INLINE


def sniff(head: bytes) -> str:
    """What the content is by its first bytes, as a media type; what a sender claims is never asked.

    `text/plain` for readable text, `application/octet-stream` for the rest. A type the browser may show is
    only ever given for its own unmistakable signature.
    """
    for content_type, matches in _SHOWN_SIGNATURES:
        if matches(head):
            return content_type
    try:
        guessed = str(puremagic.from_string(head, mime=True)) if head else ""
    except (puremagic.PureError, ValueError):
        guessed = ""
    if "/" in guessed and len(guessed) <= 100 and not is_shown_inline(guessed):
        return guessed
    return "text/plain" if _is_text(head) else "application/octet-stream"


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        # The piece may end in the middle of a character.
        return error.start >= len(head) - 3 and error.reason == "unexpected end of data"
    return True


def clear_unfinished(*, now: datetime) -> int:
    """Delete what killed processes left half-written more than a day ago; returns how many files.

    Nobody writes on one file that long: every source has a time limit.
    """
    folder = _incoming()
    if folder is None:
        return 0
    cleared = 0
    for part in sorted(folder.glob("part-*"))[:_CLEARED_AT_ONCE]:
        # Between the look and the deletion its writer may have moved it to its place.
        with suppress(FileNotFoundError):
            if part.stat().st_mtime < (now - _UNFINISHED).timestamp():
                part.unlink()
                cleared += 1
    return cleared


def _incoming() -> Path | None:
    """Where files lie while they are written; None where the storage is not a folder."""
    return Path(default_storage.path("incoming")) if isinstance(default_storage, FileSystemStorage) else None


@contextmanager
def _spool() -> Iterator[IO[bytes]]:
    """A temporary file, in the storage's own folder where it has one: from there it can be renamed in one step."""
    folder = _incoming()
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix="part-", delete=False) as spool:
        try:
            yield spool
        finally:
            Path(spool.name).unlink(missing_ok=True)


def _copy(source: BinaryIO, spool: IO[bytes], name: str) -> tuple[str, int, bytes]:
    sha256, size, head = hashlib.sha256(), 0, b""
    cap = settings.ATTACHMENT_MAX_BYTES
    while chunk := source.read(_CHUNK):
        size += len(chunk)
        if size > cap:
            words = _("%(name)s is larger than %(cap)s and was not kept.")
            raise TooLarge(words % {"name": file_name(name, _("The file")), "cap": filesizeformat(cap)})
        sha256.update(chunk)
        if len(head) < _HEAD:
            head += chunk[: _HEAD - len(head)]
        spool.write(chunk)
    spool.flush()
    # The row will survive a power cut, so the bytes must too.
    os.fsync(spool.fileno())
    return sha256.hexdigest(), size, head


def _put(storage: Storage, path: str, spool: IO[bytes], size: int) -> None:
    """Make the file appear under its path, whole or not at all."""
    if storage.exists(path):
        if storage.size(path) == size:
            return
        # Only a disk that lost its last writes leaves a file of another length under this digest.
        storage.delete(path)
    spool.seek(0)
    content = _Spooled(spool, name=path)
    saved = storage.save(path, content)
    if saved != path:
        # Somebody stored the same content in this moment; theirs is as good as ours.
        storage.delete(saved)


class _Spooled(File):  # type: ignore[type-arg]
    """A file that lies on the storage's own disk: FileSystemStorage then renames it instead of copying."""

    def temporary_file_path(self) -> str:
        """Where the bytes lie now."""
        return str(self.file.name) if self.file else ""

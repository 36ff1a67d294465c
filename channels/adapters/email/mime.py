"""A mail's body taken apart: its words, its HTML, its files. Everything that came is either here or noted."""

from __future__ import annotations

import binascii
import html as html_entities
import mimetypes
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from channels.adapters.base import PayloadError
from channels.adapters.email.charsets import decode
from channels.adapters.email.headers import UNTOUCHED, Headers, decode_words, unfold
from channels.happenings import FilePart
from contactcentre.lib.html import to_text
from contactcentre.lib.text import clean, clean_line, file_name

# A person's mail has a dozen parts; beyond a hundred the rest is counted and said, not stored.
MAX_PARTS = 100
MAX_DEPTH = 24
# The parser compares every line with the boundary of every part around it, so its work grows with their
# product. A real mail of 40 MB in ten nested parts is a tenth of this.
MAX_BOUNDARIES = 500
MAX_COMPARISONS = 50_000_000
# What a ticket shows of one body. A longer one is also kept whole, as a file.
TEXT_LIMIT = 500_000

_BOUNDARY = re.compile(rb"boundary(?:\*[0-9]{0,3}\*?)?[ \t\r\n]*=", re.I)
_META = re.compile(rb"<meta\b[^<>]{0,200}?\bcharset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{2,40})", re.I)
_HEAD_OF_PAGE = 8192
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,80}")
_ENDINGS = {
    "message/rfc822": ".eml",
    "message/delivery-status": ".txt",
    "text/rfc822-headers": ".txt",
    "text/calendar": ".ics",
    "image/jpeg": ".jpg",
    "image/jpg": ".jpg",
}


@dataclass(slots=True)
class Piece:
    """One stretch of the body in the representations it came in; either may be empty."""

    plain: str = ""
    html: str = ""


@dataclass(slots=True)
class Content:
    """What a mail's body holds. `html` is as it came and must be sanitised before anybody sees it."""

    text: str = ""
    html: str = ""
    files: list[FilePart] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def parsed(raw: bytes) -> Message:
    """The mail as a tree of parts. Raises PayloadError where it is nested beyond what can be read."""
    boundaries = len(_BOUNDARY.findall(raw))
    if boundaries > MAX_BOUNDARIES or boundaries * raw.count(b"\n") > MAX_COMPARISONS:
        raise PayloadError(_("The mail is built of too many nested parts to be read."))
    try:
        return BytesParser(policy=UNTOUCHED).parsebytes(raw)
    except RecursionError as error:
        raise PayloadError(_("The mail's parts are nested too deeply to be read.")) from error


def content(message: Message) -> Content:
    """The body's words, HTML and files in their order."""
    found = _Found()
    _walk(message, found, depth=0)
    made = Content(files=found.files, notes=found.notes)
    made.text = "\n\n".join(filter(None, (_words(piece) for piece in found.pieces)))
    if any(piece.html for piece in found.pieces):
        made.html = "\n".join(piece.html or _as_html(piece.plain) for piece in found.pieces)
    if found.left_out:
        made.notes.append(
            ngettext(
                "%(count)d further part of this mail was left out; it has more than %(limit)d.",
                "%(count)d further parts of this mail were left out; it has more than %(limit)d.",
                found.left_out,
            )
            % {"count": found.left_out, "limit": MAX_PARTS}
        )
    if len(made.text) > TEXT_LIMIT:
        made.files.append(_file("message.txt", "text/plain", made.text.encode(), ""))
        made.text = made.text[:TEXT_LIMIT]
        made.notes.append(_("This mail is very long: its beginning is shown, the whole text is attached."))
    return made


def part_text(part: Message) -> str:
    """A text part decoded, cleaned, without trailing white space."""
    data = _data(part)
    declared = _charset(part)
    if not declared and part.get_content_type() == "text/html":
        # Where the mail does not say it the page may; it is the second to be believed (RFC 2854, 6).
        named = _META.search(data, 0, _HEAD_OF_PAGE)
        declared = named[1].decode("ascii") if named else ""
    return clean(decode(data, declared)).rstrip()


def message_part(part: Message) -> bytes:
    """What a message/* part holds, its transfer encoding undone.

    The library reads such a part as a message at once, encoded or not (RFC 6532 and 6533 allow it to be), so it is
    written out again first.
    """
    written = _bytes_of_blocks(part) if part.is_multipart() else _data(part)
    encoding = unfold(str(part.get("Content-Transfer-Encoding") or "")).lower()
    if encoding == "quoted-printable":
        return quopri.decodestring(written)
    if encoding != "base64":
        return written
    try:
        return binascii.a2b_base64(written)
    except binascii.Error:
        return written


class _Found:
    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.files: list[FilePart] = []
        self.notes: list[str] = []
        self.seen = 0
        self.left_out = 0

    def room(self) -> bool:
        """Whether one more part may be taken; counts the ones that may not."""
        self.seen += 1
        if self.seen > MAX_PARTS:
            self.left_out += 1
            return False
        return True


def children_of(part: Message) -> list[Message] | None:
    """The parts of a part, None for a leaf.

    A leaf's payload is not asked for: the library would decode it on the way, and raise on odd charsets.
    """
    if not part.is_multipart():
        return None
    payload = part.get_payload()
    return [each for each in payload if isinstance(each, Message)] if isinstance(payload, list) else None


def _walk(part: Message, found: _Found, *, depth: int) -> None:
    kind = part.get_content_type()
    children = children_of(part)
    if kind.startswith("multipart/") and children is not None:
        if depth >= MAX_DEPTH:
            found.left_out += sum(1 for _part in part.walk() if not _part.is_multipart())
        elif kind == "multipart/alternative":
            _alternative(children, found, depth=depth)
        else:
            for child in children:
                _walk(child, found, depth=depth + 1)
        _stray(part, found)
        return
    if not found.room():
        return
    if kind.startswith("multipart/"):
        # A multipart without a boundary is one text, whatever it says of itself.
        found.pieces.append(Piece(plain=part_text(part)))
    elif kind == "text/plain" and not _is_file(part):
        found.pieces.append(Piece(plain=part_text(part)))
    elif kind == "text/html" and not _is_file(part):
        found.pieces.append(Piece(html=part_text(part)))
    else:
        found.files.append(_attachment(part, kind, number=len(found.files) + 1))


def _stray(part: Message, found: _Found) -> None:
    """Words that stand where no grammar has room for them, behind the last boundary.

    Some list programs and virus scanners write their footer there; the line before the first boundary is
    for programs that know no MIME and says nothing.
    """
    epilogue = part.epilogue if isinstance(part.epilogue, str) else ""
    words = clean(decode(epilogue.encode("utf-8", "surrogateescape"))).strip()
    if words:
        found.pieces.append(Piece(plain=words))


def _alternative(children: list[Message], found: _Found, *, depth: int) -> None:
    """RFC 2046 5.1.4: the same words several times, so one piece of them; calendars and files are kept."""
    piece = Piece()
    for child in children:
        kind = child.get_content_type()
        if kind == "text/plain" and not _is_file(child):
            if found.room():
                text = part_text(child)
                piece.plain = f"{piece.plain}\n\n{text}".strip("\n") if piece.plain else text
        elif kind == "text/html" and not _is_file(child):
            if found.room():
                html = part_text(child)
                piece.html = f"{piece.html}\n{html}".strip("\n") if piece.html else html
        elif kind.startswith("multipart/"):
            inner = _Found()
            inner.seen = found.seen
            _walk(child, inner, depth=depth + 1)
            found.seen = inner.seen
            found.left_out += inner.left_out
            found.files += inner.files
            found.notes += inner.notes
            for each in inner.pieces:
                piece.plain = "\n\n".join(filter(None, (piece.plain, each.plain)))
                piece.html = "\n".join(filter(None, (piece.html, each.html)))
        elif kind.startswith("text/") and kind != "text/calendar" and not _is_file(child):
            # text/enriched, x-amp-html and the like: the words of the other two once more.
            continue
        elif found.room():
            found.files.append(_attachment(child, kind, number=len(found.files) + 1))
    if piece.plain or piece.html:
        found.pieces.append(piece)


def _words(piece: Piece) -> str:
    return piece.plain if piece.plain.strip() else to_text(piece.html)


def _as_html(plain: str) -> str:
    lines = html_entities.escape(plain, quote=False).split("\n")
    return f"<div>{'<br>'.join(lines)}</div>" if plain.strip() else ""


def _is_file(part: Message) -> bool:
    disposition = unfold(str(part.get("Content-Disposition") or "")).lower()
    return disposition.startswith("attachment") or bool(_name(part))


def _attachment(part: Message, kind: str, *, number: int) -> FilePart:
    kind = kind if _TYPE.fullmatch(kind) else "application/octet-stream"
    data = message_part(part) if kind.startswith("message/") else _data(part)
    name = _name(part)
    if kind == "message/rfc822" and not name:
        subject = Headers.read(data).line("Subject", 80)
        name = f"{subject}.eml" if subject else ""
    ending = _ENDINGS.get(kind) or mimetypes.guess_extension(kind) or ".bin"
    identifier = clean_line(unfold(str(part.get("Content-ID") or "")), 250).strip("<> ")
    return _file(file_name(name, f"file-{number}{ending}"), kind, data, identifier)


def _file(name: str, kind: str, data: bytes, content_id: str) -> FilePart:
    limit: int = settings.ATTACHMENT_MAX_BYTES
    if len(data) > limit:
        note = _("Too large to keep (%(size)d MB; the limit is %(limit)d MB).") % {
            "size": len(data) // 1_000_000,
            "limit": limit // 1_000_000,
        }
        return FilePart(name=name, content_type=kind, size=len(data), content_id=content_id, note=note)
    return FilePart(name=name, content_type=kind, data=data, size=len(data), content_id=content_id)


def _bytes(message: Message) -> bytes:
    """An attached mail's bytes. The library writes it anew, which fails on some broken ones."""
    try:
        return message.as_bytes(policy=UNTOUCHED)
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError):
        body = message.get_payload()
        return "\n".join(_lines(message, body)).encode("utf-8", "surrogateescape")


def _lines(message: Message, body: object) -> Iterator[str]:
    for name, value in message.items():
        yield f"{name}: {value}"
    yield ""
    yield body if isinstance(body, str) else ""


def _bytes_of_blocks(part: Message) -> bytes:
    """message/delivery-status and its like come as a list of field blocks; written out they are a text."""
    return b"\n".join(_bytes(block) for block in (children_of(part) or [])[:MAX_PARTS])


def _data(part: Message) -> bytes:
    """A leaf's bytes, its transfer encoding undone as far as it is sound."""
    try:
        data = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError, AttributeError):
        # An encoding that breaks off in the middle: what is written is all there is to show.
        data = None
    if isinstance(data, bytes):
        return data
    try:
        payload = part.get_payload()
        return payload.encode("utf-8", "surrogateescape") if isinstance(payload, str) else b""
    except (ValueError, LookupError, TypeError, AttributeError):
        return b""


def _charset(part: Message) -> str:
    return _parameter(part, "charset", "Content-Type")


def _name(part: Message) -> str:
    return _parameter(part, "filename", "Content-Disposition") or _parameter(part, "name", "Content-Type")


def _parameter(part: Message, name: str, header: str) -> str:
    """A header parameter in any of its writings: plain, RFC 2231, or RFC 2047 where it does not belong."""
    try:
        value = part.get_param(name, "", header)
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""
    if not value:
        return ""
    if isinstance(value, tuple):
        # RFC 2231: (charset, language, text whose characters are bytes).
        return clean_line(decode(str(value[2]).encode("latin-1", "replace"), str(value[0] or "")), 400)
    return clean_line(decode_words(unfold(str(value or ""))), 400)

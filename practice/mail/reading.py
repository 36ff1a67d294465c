"""What a mail program shows of a letter, from bytes that may be broken in any way."""

from __future__ import annotations

import email
import email.header
import email.utils
import hashlib
import re
from dataclasses import dataclass
from email.message import Message
from functools import lru_cache
from html.parser import HTMLParser

_ID = re.compile(r"<[^<>\s]+>")
_HEADER_END = re.compile(rb"\r?\n\r?\n")

#: A header larger than this is not looked at: nothing a person wrote is.
_LARGEST_HEADER = 256 * 1024
#: Pictures a browser may show in place; everything else is handed over as a file.
PICTURES = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/gif": b"GIF8",
}


@dataclass(frozen=True)
class Attachment:
    """A file in a letter. `index` counts from 0; `size` is in bytes, decoded."""

    index: int
    name: str
    type: str
    size: int
    sha256: str
    is_picture: bool


@dataclass(frozen=True, kw_only=True)
class Contents:
    """A letter, read. Addresses are lower-cased; `references` holds In-Reply-To's ids too."""

    headers: tuple[tuple[str, str], ...]
    subject: str
    from_name: str
    from_address: str
    reply_to: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    message_id: str
    references: tuple[str, ...]
    text: str
    html: str
    attachments: tuple[Attachment, ...]


def header_of(raw: bytes, name: str) -> str:
    """Return the first header of this name, decoded and on one line; "" when there is none."""
    end = _HEADER_END.search(raw, 0, _LARGEST_HEADER)
    head = email.message_from_bytes(raw[: end.end()] if end else raw[:_LARGEST_HEADER])
    return _decoded(head.get(name))


def read(raw: bytes) -> Contents:
    """Return what is in a letter. Never raises for its content; what cannot be decoded shows as U+FFFD."""
    return _read(raw)[0]


def attached_file(raw: bytes, index: int) -> tuple[Attachment, bytes] | None:
    """Return an attachment and its bytes, or None when the letter has no such one."""
    contents, files = _read(raw)
    if not 0 <= index < len(files):
        return None
    return contents.attachments[index], files[index]


def _read(raw: bytes) -> tuple[Contents, list[bytes]]:
    message = email.message_from_bytes(raw)
    texts: list[str] = []
    htmls: list[str] = []
    attachments: list[Attachment] = []
    files: list[bytes] = []
    for part in message.walk():
        if part.is_multipart():
            continue
        payload = part.get_payload(decode=True)
        content = payload if isinstance(payload, bytes) else b""
        kind = part.get_content_type()
        disposition = (part.get("Content-Disposition") or "").strip().lower()
        name = _decoded(part.get_filename())
        if not name and not disposition.startswith("attachment") and kind in ("text/plain", "text/html"):
            (texts if kind == "text/plain" else htmls).append(_text(part, content))
            continue
        signature = PICTURES.get(kind)
        attachments.append(
            Attachment(
                index=len(files),
                name=re.split(r"[/\\]", name)[-1][:200] or f"part-{len(files) + 1}",
                type=kind,
                size=len(content),
                sha256=hashlib.sha256(content).hexdigest(),
                is_picture=signature is not None and content.startswith(signature),
            )
        )
        files.append(content)
    from_name, from_address = _first_address(message, "From")
    html = "\n".join(htmls)
    contents = Contents(
        headers=tuple((name, _decoded(value)) for name, value in message.items()),
        subject=_decoded(message.get("Subject")),
        from_name=from_name,
        from_address=from_address,
        reply_to=_first_address(message, "Reply-To")[1],
        to=_addresses(message, "To"),
        cc=_addresses(message, "Cc"),
        message_id=next(iter(_ids(message, "Message-ID")), ""),
        references=tuple(dict.fromkeys(_ids(message, "References") + _ids(message, "In-Reply-To"))),
        text="\n".join(texts) if texts else words_of_html(html),
        html=html,
        attachments=tuple(attachments),
    )
    return contents, files


def _decoded(value: object) -> str:
    """Return a header's words: encoded words decoded, raw bytes read as UTF-8, control characters gone."""
    if value is None:
        return ""
    pieces: list[str] = []
    try:
        for words, charset in email.header.decode_header(str(value) if isinstance(value, str) else value):  # type: ignore[arg-type]
            pieces.append(words if isinstance(words, str) else _charset_text(words, charset))
    except (email.errors.HeaderParseError, ValueError):
        pieces = [str(value)]
    words = "".join(pieces).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())


def _charset_text(content: bytes, charset: str | None) -> str:
    try:
        return content.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")


def _text(part: Message, content: bytes) -> str:
    return _charset_text(content, part.get_content_charset()).replace("\r\n", "\n").replace("\x00", "")


def _addresses(message: Message, name: str) -> tuple[str, ...]:
    values = [_raw_text(value) for value in message.get_all(name, [])]
    return tuple(address.lower() for _, address in email.utils.getaddresses(values) if address)[:100]


def _first_address(message: Message, name: str) -> tuple[str, str]:
    values = [_raw_text(value) for value in message.get_all(name, [])]
    for words, address in email.utils.getaddresses(values):
        return _decoded(words), address.lower()
    return "", ""


def _raw_text(value: object) -> str:
    return str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _ids(message: Message, name: str) -> list[str]:
    return [found for value in message.get_all(name, []) for found in _ID.findall(_raw_text(value))][:100]


class _Words(HTMLParser):
    """Collects the words of HTML, with a line for each block and nothing of what is not shown."""

    _BLOCKS = frozenset({"p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "blockquote", "table", "ul", "ol"})
    _HIDDEN = frozenset({"style", "script", "head", "title"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._HIDDEN:
            self._hidden += 1
        elif tag in self._BLOCKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in self._BLOCKS - {"br"}:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(re.sub(r"\s+", " ", data))


@lru_cache(maxsize=64)
def words_of_html(html: str) -> str:
    """Return HTML as plain words."""
    words = _Words()
    words.feed(html)
    words.close()
    lines = [line.strip() for line in "".join(words.pieces).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()

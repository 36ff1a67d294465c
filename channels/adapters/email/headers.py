"""A mail's header block: read from bytes without ever raising, decoded, and the key that a mail is known by.

The standard library's modern policy raises on some broken headers and repairs others; here the block is
taken as it is and each value is decoded only when somebody asks for it.
"""

from __future__ import annotations

import binascii
import hashlib
import quopri
import re
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import Compat32

from channels.adapters.email.charsets import decode
from contactcentre.lib.text import clean, clean_line

# Beyond this a header block is an attack: servers refuse them at a tenth of it.
HEADER_LIMIT = 512 * 1024
_VALUE_LIMIT = 64 * 1024
_ID_LIMIT = 480

_END = re.compile(rb"\r?\n\r?\n|\r\r")
_FOLD = re.compile(r"[\r\n]+[ \t]*|[\r\n]+")
_ANGLED = re.compile(r"<([^<>]*)>")
_SPACE = re.compile(r"\s+")
# RFC 2047: =?charset*language?encoding?text?=; white space between two of them is no part of the text.
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_BETWEEN = re.compile(r"(=\?[^?\s]{1,60}\?[bBqQ]\?[^?]*\?=)[ \t\r\n]+(?==\?[^?\s]{1,60}\?[bBqQ]\?)")


class Untouched(Compat32):
    """Header values as they came, 8-bit bytes as surrogate escapes, nothing wrapped in Header objects."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        """The value itself."""
        return value


UNTOUCHED = Untouched(mangle_from_=False, max_line_length=None)


class Headers:
    """The header fields of one mail. Names in any case; values unfolded, still encoded."""

    def __init__(self, message: Message) -> None:
        self._message = message
        self._known: dict[str, list[str]] = {}

    @classmethod
    def read(cls, raw: bytes) -> Headers:
        """The fields of a raw mail, of which only the header block is looked at."""
        return cls(BytesHeaderParser(policy=UNTOUCHED).parsebytes(head(raw)))

    def every(self, name: str) -> list[str]:
        """All values of a field as text (bytes that are no ASCII decoded as UTF-8, else by guess)."""
        known = self._known.get(name)
        if known is None:
            values = self._message.get_all(name) or []
            known = self._known[name] = [unfold(str(value)) for value in values[:100]]
        return known

    def first(self, name: str) -> str:
        """The first value that is not empty, else empty."""
        return next((value for value in self.every(name) if value), "")

    def has(self, name: str) -> bool:
        """Whether the field is there at all."""
        return name in self._message

    def raw(self, name: str) -> bytes:
        """The first value's bytes with white space folded, for digests. Relays fold lines anew."""
        value = str(self._message.get(name) or "")
        return b" ".join(value.encode("utf-8", "surrogateescape").split())

    def line(self, name: str, limit: int = 255) -> str:
        """The first value decoded (RFC 2047), one line, nothing in it that could break a header."""
        return clean_line(decode_words(self.first(name)), limit)


def head(raw: bytes) -> bytes:
    """The header block of a raw mail with its closing blank line, at most HEADER_LIMIT bytes."""
    match = _END.search(raw, 0, HEADER_LIMIT)
    return raw[: match.end()] if match else raw[:HEADER_LIMIT]


def unfold(value: str) -> str:
    """A raw header value on one line, its bytes decoded, at most 64 thousand characters."""
    value = value[:_VALUE_LIMIT]
    if value.isascii() and value.isprintable():
        return value.strip()
    value = _FOLD.sub(" ", value)
    if not value.isascii():
        value = decode(value.encode("utf-8", "surrogateescape"))
    return clean(value).replace("\n", " ").strip()


def decode_words(value: str) -> str:
    """A header's text with its encoded words (RFC 2047) decoded; broken ones stay as they are written."""
    return clean("".join(_decoded(_BETWEEN.sub(r"\1", value))) if "=?" in value else value)


def _decoded(value: str) -> Iterator[str]:
    position = 0
    run: list[bytes] = []
    charset = ""
    for match in _WORD.finditer(value):
        data = _word_bytes(match[2], match[3])
        between = value[position : match.start()]
        name = match[1].partition("*")[0].lower()
        # Some programs cut a character of several bytes in two words, so neighbours of one charset are
        # joined before they are decoded.
        if run and (between or data is None or name != charset):
            yield decode(b"".join(run), charset)
            run = []
        yield between
        if data is None:
            yield match[0]
        else:
            run.append(data)
            charset = name
        position = match.end()
    if run:
        yield decode(b"".join(run), charset)
    yield value[position:]


def _word_bytes(encoding: str, text: str) -> bytes | None:
    data = text.encode("utf-8", "surrogateescape")
    if encoding in "qQ":
        return quopri.decodestring(data, header=True)
    letters = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
    try:
        return binascii.a2b_base64(letters[: len(letters) - (len(letters) % 4 == 1)] + b"==")
    except binascii.Error:
        return None


def message_ids(value: str) -> list[str]:
    """The message ids of a header value in their order, normalised: `<…>` without white space, case kept.

    Folded, glued and surrounded by junk they are still found (RFC 5322 3.6.4 allows comments between them);
    a value without any angle brackets is one bare id. At most 200.
    """
    found = [_SPACE.sub("", inner) for inner in _ANGLED.findall(value)]
    if not found and "<" not in value:
        bare = value.split()
        found = [bare[0]] if len(bare) == 1 and "@" in bare[0] else []
    return [_bounded(identifier) for identifier in found if identifier][:200]


def message_id(headers: Headers) -> str:
    """The mail's own normalised id, empty where it has none."""
    for value in headers.every("Message-ID"):
        ids = message_ids(value)
        if ids:
            return ids[0]
        bare = _SPACE.sub("", value).strip("<>")
        if bare:
            return _bounded(bare)
    return ""


def mail_key(raw: bytes) -> str:
    """What a mail is known by: its Message-ID, `#`, and 12 hex digits over its From and Date fields.

    The same mail in two mailboxes, or delivered twice, has one key; another mail that carries a used id has
    a key of its own and is never dropped. Without an id it is `sha256:` and the digest of the raw bytes.
    Never raises.
    """
    return key_of(Headers.read(raw), raw)


def key_of(headers: Headers, raw: bytes) -> str:
    """The same for whoever has read the mail's headers already."""
    identifier = message_id(headers)
    if not identifier:
        return f"sha256:{hashlib.sha256(raw).hexdigest()}"
    digest = hashlib.sha256(headers.raw("From") + b"\0" + headers.raw("Date")).hexdigest()
    return f"{identifier}#{digest[:12]}"


def _bounded(identifier: str) -> str:
    """The id in angle brackets. Absurdly long ones end in a digest, the same wherever they are named."""
    if len(identifier) > _ID_LIMIT:
        digest = hashlib.sha256(identifier.encode("utf-8", "surrogateescape")).hexdigest()
        identifier = f"{identifier[: _ID_LIMIT - 70]}-{digest}"
    return f"<{identifier}>"

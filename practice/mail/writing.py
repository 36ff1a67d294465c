"""Writes letters: plain or HTML, answers with what they answer, attachments, and a few that are broken on purpose."""

from __future__ import annotations

import email.policy
import email.utils
import html as html_words
import smtplib
import struct
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import cache

from practice.mail.accounts import Account
from practice.settings import HOST

#: How long a submission may take altogether at each step, in seconds.
PATIENCE = 60.0
#: The film of the large letter, in bytes: as base64 it is just below what the server takes.
FILM_SIZE = 24 * 1024 * 1024


@dataclass(frozen=True)
class File:
    """Something to attach."""

    name: str
    type: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A letter before it is written out. Empty `html` means plain text only; `headers` are added as they are."""

    to: Sequence[str]
    cc: Sequence[str] = ()
    subject: str = ""
    text: str = ""
    html: str = ""
    in_reply_to: str = ""
    references: Sequence[str] = ()
    message_id: str = ""
    charset: str = "utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[File] = ()


def write(author: Account, draft: Draft) -> bytes:
    """Return the letter as it goes over the wire; raise ValueError for a header that cannot be written."""
    letter = EmailMessage(policy=email.policy.SMTP)
    letter["From"] = email.utils.formataddr((author.name, author.address))
    if draft.to:
        letter["To"] = ", ".join(draft.to)
    if draft.cc:
        letter["Cc"] = ", ".join(draft.cc)
    letter["Subject"] = draft.subject
    letter["Date"] = email.utils.format_datetime(datetime.now(UTC))
    letter["Message-ID"] = draft.message_id or email.utils.make_msgid(domain=author.address.rpartition("@")[2])
    if draft.in_reply_to:
        letter["In-Reply-To"] = draft.in_reply_to
    if draft.references:
        letter["References"] = " ".join(draft.references)
    for name, value in draft.headers.items():
        del letter[name]
        letter[name] = value
    letter.set_content(draft.text, charset=draft.charset)
    if draft.html:
        letter.add_alternative(draft.html, subtype="html")
    for file in draft.files:
        maintype, _, subtype = file.type.partition("/")
        letter.add_attachment(file.content, maintype=maintype, subtype=subtype or "octet-stream", filename=file.name)
    return letter.as_bytes()


def submit(author: Account, sender: str, recipients: Sequence[str], raw: bytes, *, port: int) -> dict[str, str]:
    """Hand a letter in over SMTP with the author's own login, and return who was refused and why.

    Raises smtplib.SMTPException or OSError when the letter as a whole did not go.
    """
    with smtplib.SMTP(HOST, port, local_hostname="customer.example", timeout=PATIENCE) as server:
        server.login(author.address, author.password)
        refused = server.sendmail(sender, list(recipients), with_crlf(raw))
    return {address: f"{code} {words.decode('utf-8', 'replace')}" for address, (code, words) in refused.items()}


def with_crlf(raw: bytes) -> bytes:
    """Return the bytes with every line ended as SMTP wants it (RFC 5321 section 2.3.8)."""
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def quoted(text: str, *, who: str, when: str) -> str:
    """Return a letter's words as mail programs quote them below an answer."""
    lines = "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())
    return f"\n\nOn {when}, {who} wrote:\n{lines}\n"


def as_html(text: str) -> str:
    """Return plain words as the HTML a mail program makes of them."""
    paragraphs = html_words.escape(text.strip()).split("\n\n")
    body = "".join(f"<p>{paragraph.replace(chr(10), '<br>')}</p>" for paragraph in paragraphs)
    return f'<!doctype html><html><body><div style="font-family: sans-serif">{body}</div></body></html>'


@cache
def picture() -> File:
    """Return a small picture: a box with a dent, more or less."""
    width, height = 480, 320
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            dent = (x - 330) ** 2 + (y - 120) ** 2 < 2600
            box = 90 < x < 390 and 60 < y < 270
            shade = (x + y) * 40 // (width + height)
            rows += bytes((120, 84, 52) if dent else (196 - shade, 150 - shade, 98) if box else (232, 238 - shade, 240))
    return File("dent.png", "image/png", _png(width, height, bytes(rows)))


@cache
def film() -> File:
    """Return a large file that begins like a film. Its bytes are always the same."""
    head = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
    block = bytes((n * n + 7 * n) % 251 for n in range(65521))
    return File("film.mp4", "video/mp4", (head + block * (FILM_SIZE // len(block) + 1))[:FILM_SIZE])


def broken(author: Account, to: Sequence[str], subject: str, text: str) -> bytes:
    """Return a letter whose header no standard allows, such as real ones have.

    Bytes of an unnamed charset in Subject and From, a charset nobody knows, a date that is none, References glued
    together with rubbish between, a folded Message-ID, and an attachment that wants to lie elsewhere.
    """
    words = subject.encode("latin-1", "replace")
    local = author.address.partition("@")[0].encode()
    domain = author.address.partition("@")[2].encode()
    return b"\r\n".join(
        (
            b"From: " + author.name.encode("utf-8") + b" <" + author.address.encode() + b">",
            b"To: " + ", ".join(to).encode(),
            b"Subject: " + words + b" \xe9\xe8 =?x-foo?B?w6k=?= =?utf-8?Q?unfinished",
            b"Date: Thu, 32 Foo 2026 25:61:00 +9999",
            b"Message-ID:\r\n <" + local + b"." + str(time.time_ns()).encode() + b"@" + domain + b">",
            b"References: <nobody.1@" + domain + b"><nobody.2@" + domain + b"> (rubbish",
            b"MIME-Version: 1.0",
            b'Content-Type: multipart/mixed; boundary="=-=broken"; charset',
            b"",
            b"--=-=broken",
            b"Content-Type: text/plain; charset=x-foo",
            b"Content-Transfer-Encoding: 8bit",
            b"",
            *text.encode("latin-1", "replace").splitlines(),
            b"--=-=broken",
            b"Content-Type: text/plain; name=../../etc/passwd",
            b'Content-Disposition: attachment; filename="../../etc/passwd"',
            b"",
            b"Nothing to see here.",
            b"--=-=broken",
            b"",
        )
    )


def _png(width: int, height: int, rows: bytes) -> bytes:
    """Return a PNG of 8-bit RGB rows, each led by its filter byte (ISO/IEC 15948)."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")

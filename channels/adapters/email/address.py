"""Mail addresses out of header fields that strangers wrote."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import getaddresses

from channels.adapters.email.headers import decode_words
from channels.happenings import Address
from contactcentre.lib.text import clean_line

LIMIT = 200

_SPEC = re.compile(r"[^\s<>()\[\]:;,\\\"@]+@[^\s<>():;,\\\"@]+|\"[^\"\\\r\n]{1,64}\"@[^\s<>():;,\\\"@]+")
# What a list of mailboxes is made of: a quoted text, a comment, an address in brackets (the last may be unclosed), what
# separates mailboxes, and everything else. What a backslash stands before begins no text and no comment: else each of a
# thousand of them would be followed to the end of the field.
_PIECE = re.compile(
    r"\"(?:[^\"\\]|\\.)*\"|\((?:[^()\\]|\\.)*\)|(?P<angled><[^<>]*>?)|(?P<end>[,;:])|(?P<words>(?:\\[\"(\\]|[^\"(<,;:])+|.)",
    re.DOTALL,
)
_LOOSE = re.compile(r"[^\s<>()\[\]:;,\\\"'@=?]{1,64}@[^\s<>()\[\]:;,\\\"'@=?]{1,255}")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mailbox of a header: the bare address, and the name in front of it where there is one."""

    spec: str
    name: str = ""

    def address(self) -> Address:
        """The same as the rest of the house knows it. Lower-casing is the customers' house's work."""
        return Address(kind="email", value=self.spec, display=self.spec, name=self.name)


def mailboxes(values: Iterable[str]) -> list[Mailbox]:
    """The mailboxes of a field's values in their order, each once, at most LIMIT.

    Names are decoded after the list is taken apart, so that a comma or a bracket inside an encoded name
    cannot make an address of its own. Anything that is no address is left out.
    """
    found: dict[str, Mailbox] = {}
    for value in values:
        for each in _in(value[:32_768]):
            found.setdefault(each.spec.casefold(), each)
            if len(found) >= LIMIT:
                return list(found.values())
    return list(found.values())


def split_plus(address: str, own: str) -> str:
    """What stands behind the plus, where `address` is `own` with a plus part; else empty."""
    local, at, domain = own.rpartition("@")
    prefix, ending = f"{local}+".casefold(), f"@{domain}".casefold()
    folded = address.casefold()
    # Case folding can change a text's length; the token is cut by position, so both must be of one length.
    if not at or len(folded) != len(address) or not (folded.startswith(prefix) and folded.endswith(ending)):
        return ""
    return address[len(prefix) : len(address) - len(ending)]


def _names_quoted(value: str) -> str:
    """The value with quotes around names that hold an @ and have none.

    `carla@home.example <eve@evil.example>` is Eve's mail: what stands in brackets is the address (RFC 5322, 3.4), and
    the check of a sender's domain (DMARC) looks at nothing else. The library would give up on the whole field.
    """
    if "<" not in value:
        return value
    made: list[str] = []
    begins, is_bare = 0, False
    for piece in _PIECE.finditer(value):
        if piece["angled"] and "@" in piece["angled"] and is_bare:
            name = re.sub(r'["\\]', "", "".join(made[begins:])).strip()
            made[begins:] = [f' "{name}" ']
        made.append(piece[0])
        is_bare = is_bare or "@" in (piece["words"] or "")
        if piece["end"] or piece["angled"]:
            begins, is_bare = len(made), False
    return "".join(made)


def _in(value: str) -> list[Mailbox]:
    value = _names_quoted(value)
    try:
        pairs = getaddresses([value])
    except (RecursionError, IndexError):
        # A thousand nested comments, or a list that ends inside a quote.
        pairs = []
    made = [each for name, spec in pairs if (each := _mailbox(name, spec))]
    if made:
        return made
    # Some programs encode the whole field, brackets and all; and some write what no grammar knows.
    decoded = decode_words(value)
    return [each for spec in _LOOSE.findall(decoded) if (each := _mailbox("", spec))]


def _mailbox(name: str, spec: str) -> Mailbox | None:
    spec = clean_line(spec, 400).strip("'")
    if len(spec) > 320 or not _SPEC.fullmatch(spec):
        return None
    decoded = clean_line(decode_words(name), 200).strip("\"' ")
    return Mailbox(spec=spec, name="" if decoded.casefold() == spec.casefold() else decoded)

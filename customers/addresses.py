"""One normaliser for each kind of identity (docs/one-ticket.md, row 14). What comes out is compared and stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import phonenumbers

from channels.adapters.phone import NotANumber, e164
from channels.happenings import Address
from contactcentre.lib.text import clean_line
from customers.models import IdentityKind


class NotAnAddress(ValueError):
    """The value cannot be an address of its kind, so it may never be matched."""


@dataclass(frozen=True, slots=True)
class Key:
    """What identifies somebody: unique over all identities."""

    kind: str
    scope: str
    value: str


def _email(value: str, region: str) -> str:
    """The whole mail address in lower case, plus-tags kept."""
    address = clean_line(value, 320).strip("<> ").lower()
    local, at, domain = address.rpartition("@")
    if not (at and local and domain) or " " in address:
        raise NotAnAddress(f"not a mail address: {value[:80]!r}")
    return address


def _phone(value: str, region: str) -> str:
    """E.164 by the line's region; raises for withheld, emergency, internal and impossible numbers.

    Read by the function that the exchange's events are read by: a number that is logged by hand, told by a hook or
    asked for over the API is the same number, however it was written.
    """
    try:
        return e164(value, region=region)
    except NotANumber as error:
        raise NotAnAddress(str(error)) from error


def _digits(value: str, region: str) -> str:
    """A network's numeric id; a handle or a name is none."""
    if not (value.isascii() and value.isdigit()):
        raise NotAnAddress(f"not a numeric id: {value[:40]!r}")
    return value


def _as_it_is(value: str, region: str) -> str:
    line = clean_line(value, 320)
    if not line:
        raise NotAnAddress("an empty id")
    return line


NORMALISERS: dict[str, Callable[[str, str], str]] = {
    IdentityKind.X_USER: _digits,
    IdentityKind.FB_PSID: _as_it_is,
    IdentityKind.FB_COMMENTER: _as_it_is,
    IdentityKind.EMAIL: _email,
    IdentityKind.PHONE: _phone,
    IdentityKind.EXTERNAL: _as_it_is,
    IdentityKind.NAMELESS: _as_it_is,
}


def key(address: Address) -> Key:
    """The address as it is compared and stored. Raises NotAnAddress; KeyError for a kind nobody knows."""
    return Key(address.kind, address.scope, NORMALISERS[address.kind](address.value, address.region))


def shown(address: Address) -> str:
    """How the address is shown: a number in international form, anything else as it was written."""
    if address.kind == IdentityKind.PHONE:
        try:
            number = phonenumbers.parse(e164(address.value, region=address.region))
        except NotANumber:
            return clean_line(address.value, 60)
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return clean_line(address.display or address.handle or address.value, 320)


def digits_to_find(text: str) -> str:
    """The digits of a telephone number, perhaps a part of one, as they stand in the E.164 of whoever it is; or "".

    020 7946 0142 finds +442079460142: the leading zero of a national number is not part of it, nor is the one in
    +44 (0)20 7946 0142. A search knows no line, so a number without its country is found by its end.
    """
    line = clean_line(text, 100)
    if line.startswith(("+", "00", "sip:", "sips:", "tel:")):
        try:
            return e164(f"+{line[2:]}" if line.startswith("00") else line, region="")[1:]
        except NotANumber:
            # Not typed to its end yet.
            line = line.partition("@")[0].partition(";")[0]
    return "".join(character for character in line if character.isascii() and character.isdigit()).lstrip("0")

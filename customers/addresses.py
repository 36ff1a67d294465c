"""One normaliser for each kind of identity (docs/one-ticket.md, row 14). What comes out is compared and stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import phonenumbers

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
    """E.164 by the line's region; raises for withheld, short and impossible numbers."""
    try:
        number = phonenumbers.parse(clean_line(value, 60), region or None)
    except phonenumbers.NumberParseException as error:
        raise NotAnAddress(f"not a telephone number: {value[:40]!r}") from error
    if not phonenumbers.is_possible_number(number):
        raise NotAnAddress(f"no possible telephone number: {value[:40]!r}")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


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
            number = phonenumbers.parse(address.value, address.region or None)
        except phonenumbers.NumberParseException:
            return clean_line(address.value, 60)
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return clean_line(address.display or address.handle or address.value, 320)

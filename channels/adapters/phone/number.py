"""Telephone numbers as exchanges write them: with a plus, without one, as dialled, or not at all."""

from __future__ import annotations

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, ValidationResult

from contactcentre.lib.text import clean_line

LONGEST = 60


class NotANumber(ValueError):
    """Nobody can be called at this, so nobody may be recognised by it."""


def e164(told: str, *, region: str) -> str:
    """The number in E.164, read by the line's country where it was told without one. Raises NotANumber.

    Withheld callers ("anonymous", "", "*67"), short and impossible numbers are none. Possible is enough: ranges
    that were opened last month, and those kept for drama, are unknown to the tables of valid numbers.

    The exchange's document writes international numbers without their plus (493055571600) and national ones with
    their trunk prefix (03055571600). So bare digits are read as international first, except in countries whose
    numbers have no trunk prefix of their own (and in North America), where a bare number is usually a national one.
    """
    line = _bare(told)
    readings = [reading for text in _texts(line, region) if (reading := _possible(text, region)) is not None]
    for reading in readings:
        if phonenumbers.is_valid_number(reading):
            return phonenumbers.format_number(reading, PhoneNumberFormat.E164)
    if not readings:
        raise NotANumber(f"no telephone number: {told[:LONGEST]!r}")
    return phonenumbers.format_number(readings[0], PhoneNumberFormat.E164)


def _bare(told: str) -> str:
    line = clean_line(told, 200)
    if line[:4].lower() == "sip:" or line[:5].lower() == "sips:":
        # The user part of an exchange's address is the number (RFC 3261, 19.1.6); what comes after is its host.
        line = line.partition(":")[2].partition("@")[0].partition(";")[0]
    return line[:LONGEST]


def _texts(line: str, region: str) -> tuple[str, ...]:
    if not (line.isascii() and line.isdigit()) or line.startswith("0"):
        return (line,)
    trunk = phonenumbers.ndd_prefix_for_region(region, True) if region else "0"
    return (f"+{line}", line) if trunk and trunk != "1" else (line, f"+{line}")


def _possible(text: str, region: str) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return None
    # Not is_possible_number: that one says yes to 112, which is a number inside its own country only.
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    return number

"""Telephone numbers as exchanges write them: with a plus, without one, as dialled, or not at all."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, ValidationResult

from contactcentre.lib.text import clean_line

LONGEST = 60
# So many digits are an extension, or a service of one country (112, 116117), far more often than they are somebody's.
SHORT = 6
_SEPARATORS = re.compile(r"[\s()./-]+")


class NotANumber(ValueError):
    """Nobody can be called at this, so nobody may be recognised by it."""


def e164(told: str, *, region: str) -> str:
    """The number in E.164, read by the line's country where it was told without one. Raises NotANumber.

    Withheld callers ("anonymous", "", "*67"), impossible numbers, emergency numbers and internal lines are none: two
    people who called from extension 201 are not one. Otherwise possible is enough: ranges that were opened last
    month, and those kept for drama, are unknown to the tables of valid numbers.

    The exchange's document writes international numbers without their plus (493055571600) and national ones with
    their trunk prefix (03055571600). So bare digits are read as international first, except in countries whose
    numbers have no trunk prefix of their own (and in North America), where a bare number is usually a national one.
    """
    line = _bare(told)
    readings = [reading for text in _texts(line, region) if (reading := _possible(text, region)) is not None]
    for reading in readings:
        if phonenumbers.is_valid_number(reading):
            return phonenumbers.format_number(reading, PhoneNumberFormat.E164)
    # A number as short as that is somebody's only where the tables say so, as they do of small islands.
    whole = [reading for reading in readings if len(phonenumbers.national_significant_number(reading)) > SHORT]
    if not whole:
        raise NotANumber(f"no telephone number: {told[:LONGEST]!r}")
    return phonenumbers.format_number(whole[0], PhoneNumberFormat.E164)


def _bare(told: str) -> str:
    line = clean_line(told, 200)
    if line[:4].lower() == "sip:" or line[:5].lower() == "sips:":
        # The user part of an exchange's address is the number (RFC 3261, 19.1.6); what comes after is its host.
        line = line.partition(":")[2].partition("@")[0].partition(";")[0]
    return line[:LONGEST]


def _texts(line: str, region: str) -> tuple[str, ...]:
    """The ways to read it, the likelier first; none for digits that can only be an internal line."""
    # 49 151 2345678 is the same number as 491512345678, so people's spaces change nothing about how it is read.
    bare = _SEPARATORS.sub("", line)
    if not (bare.isascii() and bare.isdigit()) or bare.startswith("0"):
        return (line,)
    trunk = phonenumbers.ndd_prefix_for_region(region, True) if region else "0"
    if not trunk or trunk == "1":
        return (bare, f"+{bare}")
    # Where national numbers begin with a trunk prefix, so few digits without one are no whole number.
    return (f"+{bare}", bare) if len(bare) > SHORT else ()


def _possible(text: str, region: str) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return None
    # Not is_possible_number: that one says yes to 112, which is a number inside its own country only.
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    return number

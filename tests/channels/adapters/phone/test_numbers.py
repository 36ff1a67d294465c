"""Numbers as exchanges write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.adapters.phone import NotANumber, e164


@pytest.mark.parametrize(
    ("told", "region", "number"),
    [
        ("+44 20 7946 0142", "", "+442079460142"),
        ("442079460142", "GB", "+442079460142"),
        ("020 7946 0142", "GB", "+442079460142"),
        ("0044-20-7946-0142", "GB", "+442079460142"),
        # Kept for drama: no table calls it valid, and it is somebody's all the same.
        ("447700900317", "GB", "+447700900317"),
        ("493055571600", "GB", "+493055571600"),
        ("03055571600", "DE", "+493055571600"),
        ("493055571600", "DE", "+493055571600"),
        # However somebody types it, it is the number the exchange tells in bare digits.
        ("49 30 55571600", "DE", "+493055571600"),
        ("+44 (0)20 7946 0142", "DE", "+442079460142"),
        # A whole number of an island may be as short as another country's extension.
        ("201456", "FO", "+298201456"),
        ("442079460142", "DE", "+442079460142"),
        ("4155550100", "US", "+14155550100"),
        ("14155550100", "US", "+14155550100"),
        ("442079460142", "US", "+442079460142"),
        ("912345678", "ES", "+34912345678"),
        ("+1 650 253 0000 ext. 123", "", "+16502530000"),
        ("tel:+1-201-555-0123", "US", "+12015550123"),
        ("sip:+442079460142@pbx.acme.example;transport=tcp", "DE", "+442079460142"),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("442079460142", "", "+442079460142"),
    ],
)
def test_a_number_is_read_by_the_lines_country(told: str, region: str, number: str) -> None:
    assert e164(told, region=region) == number


@pytest.mark.parametrize(
    "told", ["", " ", "anonymous", "Anonymous", "withheld", "unknown", "restricted", "*67", "112", "999", "0", "+",
             "42", "201", "20145", "201456", "116117", "+49116117", "0800",
             "sip:anonymous@anonymous.invalid", "sip:", "+999123", "1" * 200, "٠", "💥", "\x00"]
)  # fmt: skip
def test_whoever_cannot_be_called_has_no_number(told: str) -> None:
    with pytest.raises(NotANumber):
        e164(told, region="GB")


@given(told=st.text(max_size=80), region=st.sampled_from(["", "GB", "DE", "US", "XX", "gb", "001"]))
def test_any_text_is_a_number_or_none(told: str, region: str) -> None:
    try:
        number = e164(told, region=region)
    except NotANumber:
        return
    assert number.startswith("+")
    assert number[1:].isdigit()
    # What came out reads as itself, wherever it is read again.
    assert e164(number, region="DE") == number

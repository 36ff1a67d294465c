"""Strangers' text made fit: the quick way for what is fit already takes nothing else for it."""

from __future__ import annotations

import pytest

from contactcentre.lib import text

# To the end of the surrogates; beyond them nothing is unfit.
EVERY = [chr(code) for code in range(0xE000)]


def test_nothing_unfit_takes_the_quick_way() -> None:
    assert not [one for one in EVERY if one.isprintable() and (text._UNFIT.match(one) or one in "\r\n")]
    assert [one for one in EVERY if one.isprintable() and text._SPACE.match(one)] == [" "]


@pytest.mark.parametrize(
    ("given", "cleaned", "line"),
    [
        ("Where is it?", "Where is it?", "Where is it?"),
        ("  two  spaces ", "  two  spaces ", "two spaces"),
        ("a\r\nb\rc\x00\ud800\x7f", "a\nb\nc", "a b c"),
        ("Päckchen\u00a0hier", "Päckchen\u00a0hier", "Päckchen hier"),
    ],
)
def test_what_is_not_fit_is_taken_out(given: str, cleaned: str, line: str) -> None:
    assert (text.clean(given), text.clean_line(given)) == (cleaned, line)
    assert text.clean_line(given, 3) == line[:3]

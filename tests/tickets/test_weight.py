"""How long X finds a public reply: what is counted too little is refused by X after Send."""

from __future__ import annotations

import pytest

from practice.x.wording import weight
from tickets.weight import weighted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The bare name of a site becomes a link of 23, as an address does; what stands behind it does not belong to it.
        ("acme.com", 23),
        ("See acme.com/track, or www.acme.co.uk.", 4 + 23 + 5 + 23 + 1),
        ("Look (https://acme.com/a?b=c).", 6 + 23 + 2),
        ("https://acme.com/日本語", 23 + 6),
        ("https://acme.com/" + "a" * 300, 23),
        # No link: a mail address, a handle, a number, a missing space.
        ("carla@acme.com", 14),
        ("@acme.com", 9),
        ("3.50 and 12.5", 13),
        ("It is done.Thank you", 20),
        # A whole picture counts two, however many code points it takes.
        ("1️⃣", 2),
        ("▶️ℹ️™️", 6),
        ("©", 2),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", 2),
        ("👩‍👩‍👧‍👦👍🏽🇬🇧❤️", 8),
        ("1 2 # *", 7),
    ],
)
def test_a_text_is_as_long_as_x_finds_it(text: str, expected: int) -> None:
    assert weighted(text) == expected


@pytest.mark.parametrize("text", ["see acme.com/track " * 9, "▶️ 1️⃣ © " * 40, "日本 https://acme.com/a, " * 10])
def test_nothing_is_shorter_here_than_at_the_practice_x(text: str) -> None:
    assert weighted(text) >= weight(text)

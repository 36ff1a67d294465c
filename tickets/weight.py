"""How long a text is where it goes: X counts weighted characters, the others plain ones."""

from __future__ import annotations

import re
import unicodedata

from channels.surfaces import Surface

# X, "Counting characters", configuration v3: these ranges weigh 1, everything else 2; a link counts 23.
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
_LINK = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_LINK_WEIGHT = 23
_JOINER, _VARIATION = "\u200d", "\ufe0f"
_SKIN = range(0x1F3FB, 0x1F400)
_FLAG = range(0x1F1E6, 0x1F200)


def length(text: str, surface: Surface) -> int:
    """The length as the surface's network counts it."""
    return weighted(text) if surface.name == "x:mention" else len(text)


def weighted(text: str) -> int:
    """X's weighted length: 1 for the light ranges, 2 for the rest and for a whole emoji sequence, 23 for a link."""
    text = unicodedata.normalize("NFC", text)
    total, position = 0, 0
    for match in _LINK.finditer(text):
        total += _plain(text[position : match.start()]) + _LINK_WEIGHT
        position = match.end()
    return total + _plain(text[position:])


def _plain(text: str) -> int:
    total, index = 0, 0
    while index < len(text):
        code = ord(text[index])
        if _is_emoji(code):
            index = _sequence_end(text, index)
            total += 2
            continue
        total += 1 if any(low <= code <= high for low, high in _LIGHT) else 2
        index += 1
    return total


def _is_emoji(code: int) -> bool:
    return 0x1F000 <= code <= 0x1FAFF or 0x2600 <= code <= 0x27BF or 0x2B00 <= code <= 0x2BFF


def _sequence_end(text: str, index: int) -> int:
    """Where an emoji sequence that begins here ends: flags in pairs, skin tones, and what is joined."""
    if ord(text[index]) in _FLAG:
        following = index + 1
        return following + 1 if following < len(text) and ord(text[following]) in _FLAG else following
    index += 1
    while index < len(text):
        if text[index] == _VARIATION or ord(text[index]) in _SKIN:
            index += 1
        elif text[index] == _JOINER and index + 1 < len(text):
            index += 2
        else:
            break
    return index

"""How long a text is where it goes: X counts weighted characters, the others plain ones."""

from __future__ import annotations

import re
import unicodedata

from channels.surfaces import Surface

# X, "Counting characters", configuration v3: these ranges weigh 1, everything else 2; a link counts 23.
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
_LINK_WEIGHT = 23
# What X makes a link of (twitter-text, regexp/): an address, and also the bare name of a site. It knows all 1,500 top
# domains; here stand those of two letters and the usual ones. What is counted too much costs somebody a few letters,
# what is counted too little is refused by X after Send.
_TOP = (
    "com|org|net|info|biz|edu|gov|int|mil|name|pro|app|dev|shop|store|online|site|blog|cloud|tech|xyz|club|live|news|"
    "page|link|help|support|email|agency|digital|media|services|today|world|london|berlin|[a-z]{2}"
)
_LETTER = "a-z0-9\u00c0-\u024f\u0400-\u04ff"
_LINK = re.compile(
    rf"(?:https?://[{_LETTER}][{_LETTER}_.-]*[{_LETTER}]"
    rf"|(?<![{_LETTER}_@$#./-])(?:[{_LETTER}](?:[{_LETTER}_-]*[{_LETTER}])?\.)+(?:{_TOP})(?![{_LETTER}@+-]))"
    rf"(?::[0-9]+)?(?:/(?:[{_LETTER}!*';:=+,.$/%#\[\]_~@|&()-]*[{_LETTER}=_#/+-])?)?"
    rf"(?:\?[{_LETTER}!?*'@();:&=+$/%#\[\]_.,~|-]*[{_LETTER}_&=#/-])?",
    re.IGNORECASE,
)
_JOINER, _VARIATION, _KEYCAP = "\u200d", "\ufe0f", "\u20e3"
_SKIN = range(0x1F3FB, 0x1F400)
_FLAG = range(0x1F1E6, 0x1F200)
# The letters behind a black flag that make it England's, Scotland's or Wales'.
_TAG = range(0xE0020, 0xE0080)
# Pictures among the letters and signs; all others stand in the blocks that _is_emoji names.
_SIGNS = frozenset("©®‼⁉™ℹ↔↕↖↗↘↙↩↪⌚⌛⌨⏏Ⓜ▪▫▶◀◻◼◽◾⤴⤵〰〽㊗㊙")


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
        keycap = _keycap_end(text, index)
        if keycap or _is_emoji(code):
            index = keycap or _sequence_end(text, index)
            total += 2
            continue
        total += 1 if any(low <= code <= high for low, high in _LIGHT) else 2
        index += 1
    return total


def _is_emoji(code: int) -> bool:
    return (
        0x1F000 <= code <= 0x1FAFF
        or 0x2600 <= code <= 0x27BF
        or 0x2B00 <= code <= 0x2BFF
        or 0x23E9 <= code <= 0x23FA
        or chr(code) in _SIGNS
    )


def _keycap_end(text: str, index: int) -> int:
    """Where a digit on a key ends that begins here; 0 where none does."""
    if text[index] not in "0123456789#*":
        return 0
    end = index + 2 if text[index + 1 : index + 2] == _VARIATION else index + 1
    return end + 1 if text[end : end + 1] == _KEYCAP else 0


def _sequence_end(text: str, index: int) -> int:
    """Where an emoji sequence that begins here ends: flags in pairs, skin tones, and what is joined."""
    if ord(text[index]) in _FLAG:
        following = index + 1
        return following + 1 if following < len(text) and ord(text[following]) in _FLAG else following
    index += 1
    while index < len(text):
        if text[index] == _VARIATION or ord(text[index]) in _SKIN or ord(text[index]) in _TAG:
            index += 1
        elif text[index] == _JOINER and index + 1 < len(text):
            index += 2
        else:
            break
    return index

"""What X makes of the words of a post: how long they are, and whom and what they name.

Lengths as in twitter-text's configuration version 3 (github.com/twitter/twitter-text, config/v3.json): most letters
count one, others two, an address always 23, an emoji two.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

#: The longest post, and the longest one of somebody with Premium, in weighted letters.
LONGEST = 280
LONGEST_PREMIUM = 25_000
_ADDRESS_LENGTH = 23
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))

_ADDRESS = re.compile(
    r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]"
    r"|(?<![@\w./-])(?:[a-z0-9-]+\.)+(?:com|org|net|co\.uk|de|fr)(?![\w@+-])(?:/(?:[^\s<>\"']*[^\s<>\"'.,;:!?)\]])?)?"
)
_MENTION = re.compile(r"(?<![\w@])@([A-Za-z0-9_]{1,15})(?![\w@])")
_HASHTAG = re.compile(r"(?<![\w#&])#(\w*[^\W\d]\w*)")
_LEADING = re.compile(r"(?:@[A-Za-z0-9_]{1,15}\s+)+")

_PICTURE = (
    "[\U0001f300-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u2190-\u21ff"
    "\u2300-\u23ff\u25aa-\u25fe\u2122\u2139\u3030\u303d\u3297\u3299\xa9\xae]"
)
_TONE = "[\U0001f3fb-\U0001f3ff]"
_EMOJI = re.compile(
    f"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|{_PICTURE}\ufe0f?{_TONE}?(?:\u200d{_PICTURE}\ufe0f?{_TONE}?)*"
)


@dataclass(frozen=True)
class Link:
    """An address in a post: what stands in the text in its place, and where it leads."""

    short: str
    full: str


def weight(text: str) -> int:
    """Return how long X finds a text."""
    text = unicodedata.normalize("NFC", text)
    counted = 0
    text, addresses = _ADDRESS.subn("", text)
    counted += addresses * _ADDRESS_LENGTH
    text, emoji = _EMOJI.subn("", text)
    counted += emoji * 2
    return counted + sum(1 if any(low <= ord(each) <= high for low, high in _LIGHT) else 2 for each in text)


def shortened(text: str, seed: str) -> tuple[str, list[Link]]:
    """Return the text with t.co addresses in it, and what they stand for. The same seed gives the same addresses."""
    links: list[Link] = []

    def short(found: re.Match[str]) -> str:
        full = found[0] if "://" in found[0] else f"http://{found[0]}"
        if full.startswith("https://t.co/"):
            return full
        links.append(Link(short_address(f"{seed} {len(links)}"), full))
        return links[-1].short

    return _ADDRESS.sub(short, text), links


def short_address(seed: str) -> str:
    """Return a t.co address."""
    return "https://t.co/" + hashlib.blake2b(seed.encode(), digest_size=5).hexdigest()


def mentioned(text: str) -> list[str]:
    """Return the handles a text names, in lower case, each once, in order."""
    return list(dict.fromkeys(handle.lower() for handle in _MENTION.findall(text)))


def addressed(text: str) -> str:
    """Return the handle a text begins with, in lower case, or ""."""
    first = _MENTION.match(text)
    return first[1].lower() if first else ""


def cut(text: str, at: int = LONGEST) -> str:
    """Return the beginning of a long text, which X shows in `text` while the whole stands in `note_tweet`."""
    room = at - _ADDRESS_LENGTH - 2
    kept = text[:room]
    while weight(kept) > room:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def shown_from(text: str) -> int:
    """Return where the words begin behind the leading mentions, which X hides in a reply."""
    leading = _LEADING.match(text)
    return leading.end() if leading else 0


def entities(text: str, links: list[Link], id_of: Callable[[str], str | None]) -> dict[str, Any]:
    """Return X's `entities` of a text; `id_of` tells whose handle it is, or None. Places count in code points."""
    found: dict[str, Any] = {}
    mentions = [
        {"start": each.start(), "end": each.end(), "username": each[1], "id": owner}
        for each in _MENTION.finditer(text)
        if (owner := id_of(each[1]))
    ]
    hashtags = [{"start": each.start(), "end": each.end(), "tag": each[1]} for each in _HASHTAG.finditer(text)]
    urls = [
        {
            "start": text.index(link.short),
            "end": text.index(link.short) + len(link.short),
            "url": link.short,
            "expanded_url": link.full,
            "display_url": link.full.partition("://")[2][:26],
        }
        for link in links
        if link.short in text
    ]
    for name, each in (("mentions", mentions), ("hashtags", hashtags), ("urls", urls)):
        if each:
            found[name] = each
    return found


def language(text: str) -> str:
    """Return a guess at the language, by the script alone: X has a better one, and nothing here needs it."""
    for code, low, high in (
        ("ar", 0x0600, 0x06FF),
        ("ja", 0x3040, 0x30FF),
        ("zh", 0x4E00, 0x9FFF),
        ("ru", 0x400, 0x4FF),
    ):
        if any(low <= ord(each) <= high for each in text):
            return code
    return "en" if any(each.isalpha() for each in text) else "zxx"

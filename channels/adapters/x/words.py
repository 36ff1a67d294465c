"""What X does to a text on its way, and how to undo or overlook it."""

from __future__ import annotations

import re
import unicodedata

from channels.adapters.x.fields import Object, inner, link, objects

_LEADING = re.compile(r"^(?:\s*@\w{1,15}\b)+")
_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
# A text that X cut ends in an ellipsis, mostly followed by the post's own address.
_CUT = re.compile(r"…(?:\s*https://t\.co/\w+)?\s*$")
_CUT_LENGTH = 200


def unescaped(text: str) -> str:
    """A post's text without the three escapes that X writes (&lt; &gt; &amp;); nothing else is an escape there."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def expanded(text: str, entities: Object) -> str:
    """The text with X's short links (t.co) replaced by where they lead, and those of its own media left out."""
    for entity in objects(entities, "urls"):
        short = link(entity, "url")
        if not short:
            continue
        if isinstance(entity.get("media_key"), str):
            text = text.replace(short, "")
        elif long := link(entity, "expanded_url"):
            text = text.replace(short, long)
    return text.strip()


def looks_cut(text: str) -> bool:
    """Whether X seems to have handed over only the beginning of a long post."""
    return len(text) >= _CUT_LENGTH and _CUT.search(text) is not None


def of_post(post: Object, text: str, note: Object) -> str:
    """The whole text of a post: of its note where it is a long one, links written out, escapes undone."""
    whole = note.get("text")
    if isinstance(whole, str) and whole:
        return unescaped(expanded(whole, inner(note, "entities") or inner(post, "entities")))
    return unescaped(expanded(text, inner(post, "entities")))


def same(ours: str, theirs: str) -> bool:
    """Whether a text read back from X is the one we sent.

    X puts the handles of those who are answered before a reply, normalises characters (NFC) and writes links out;
    none of that makes it another text.
    """
    return _plain(ours) == _plain(theirs)


def _plain(text: str) -> str:
    text = _LEADING.sub("", unicodedata.normalize("NFC", unescaped(text)))
    text = " ".join(word.rstrip("/") for word in _SCHEME.sub("", text).split())
    return _SPACE.sub(" ", text).strip()

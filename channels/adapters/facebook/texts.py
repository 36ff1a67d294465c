"""Whether a text read back from Facebook is the one we sent."""

from __future__ import annotations

import re
import unicodedata

_SPACE = re.compile(r"\s+")


def same(ours: str, theirs: str) -> bool:
    """Facebook trims, folds blank lines and normalises characters (NFC); none of that makes it another text."""
    return _plain(ours) == _plain(theirs)


def _plain(text: str) -> str:
    return _SPACE.sub(" ", unicodedata.normalize("NFC", text)).strip()

"""Bytes to text for mail, where the declared charset is often a wish.

The ladder: what is declared (widened to what its senders really use), UTF-8, a guess, Latin-1. The last
rung fits every byte, so decoding never fails and never has to put in replacement characters.
"""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

# Declared names and what programs that use them really write: each is a superset of its key.
_WIDER = {
    "ascii": ("ascii",),
    "us-ascii": ("ascii",),
    "gb2312": ("gb18030",),
    "gbk": ("gb18030",),
    "x-gbk": ("gb18030",),
    "gb_2312-80": ("gb18030",),
    "iso-8859-1": ("cp1252",),
    "latin-1": ("cp1252",),
    "latin1": ("cp1252",),
    "iso-8859-8-i": ("iso-8859-8", "cp1255"),
    "iso-8859-9": ("cp1254",),
    "iso-8859-11": ("cp874",),
    "tis-620": ("cp874",),
    "ks_c_5601-1987": ("cp949",),
    "ks_c_5601": ("cp949",),
    "euc-kr": ("cp949",),
    "shift_jis": ("cp932",),
    "shift-jis": ("cp932",),
    "x-sjis": ("cp932",),
    "sjis": ("cp932",),
    "iso-2022-jp": ("iso2022_jp", "iso2022_jp_2", "iso2022_jp_ext"),
    "big5": ("big5", "cp950", "big5hkscs"),
    "unicode-1-1-utf-7": ("utf-7",),
    "utf-8": ("utf-8-sig",),
    "utf8": ("utf-8-sig",),
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,39}")
# Python's codecs that are no charset of any mail: two are quadratic, the others rewrite backslashes.
_NO_CHARSET = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
# A guess reads a sample: guessing a long text takes seconds and is no better.
_SAMPLE = 32_768


def decode(data: bytes, declared: str = "") -> str:
    """The text of some bytes, whatever was declared. Never raises, never adds U+FFFD."""
    for name in _declared(declared):
        text = _try(data, name)
        if text is not None:
            return text
    text = _try(data, "utf-8-sig")
    if text is not None:
        return text
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = _try(data, "utf-16")
        if text is not None:
            return text
    # A few odd letters among many plain ones are Western, and too little to guess from: "caf\xe9" is no Chinese.
    sample = data[:_SAMPLE]
    if sum(byte > 127 for byte in sample) * (4 if len(sample) > 24 else 2) < len(sample):
        return _try(data, "cp1252") or data.decode("latin-1")
    guess = from_bytes(sample, steps=4, chunk_size=1024).best()
    if guess is not None:
        text = _try(data, guess.encoding)
        if text is not None:
            return text
    return _try(data, "cp1252") or data.decode("latin-1")


def _declared(declared: str) -> tuple[str, ...]:
    """Codec names to try for a declared charset; escape sequences and other junk around the name are cut off."""
    match = _NAME.search(declared.strip("\"' \t_"))
    if match is None:
        return ()
    name = match[0].lower().rstrip(".:-_")
    return _WIDER.get(name, (name,))


def _try(data: bytes, name: str) -> str | None:
    try:
        codec = codecs.lookup(name)
        if codec.name in _NO_CHARSET:
            return None
        return data.decode(codec.name)
    except (LookupError, ValueError):
        # Unknown or no text encoding at all (LookupError), or bytes that are not in it (UnicodeDecodeError).
        return None

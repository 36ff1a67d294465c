"""HTML of strangers: made harmless for showing, and made into text for reading, searching and quoting.

Both read the same stream of tokens in one pass. What is to be shown is first written anew with every element
closed and nested a bounded number of times, then cleaned by nh3: a browser's parser, nh3's included, can be
driven into minutes and gigabytes by unclosed formatting elements, and it cannot be stopped once it began.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

import nh3

from contactcentre.lib.text import clean

# Beyond this the formatted version is not shown: its text is, and the original is kept.
HTML_LIMIT = 5_000_000
MAX_DEPTH = 60

_GENERIC = {"title", "lang", "dir"}
_ATTRIBUTES: dict[str, set[str]] = {
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align", "scope"},
    "tr": {"align"},
    "col": {"span"},
    "colgroup": {"span"},
    "ol": {"start", "type"},
    "table": {"align"},
}
_TAGS = frozenset({
    "a", "abbr", "b", "bdi", "bdo", "big", "blockquote", "br", "caption", "center", "cite", "code", "col",
    "colgroup", "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "footer", "h1",
    "h2", "h3", "h4", "h5", "h6", "header", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q",
    "s", "samp", "section", "article", "small", "span", "strike", "strong", "sub", "summary", "sup", "table",
    "tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul", "var", "wbr",
})  # fmt: skip
_VOID = frozenset({"br", "col", "hr", "img", "wbr"})
# What stands in these is no text of the mail.
_SILENT = frozenset({"script", "style", "title", "noembed", "noframes", "iframe", "template", "xmp", "textarea"})
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "center", "dd", "details", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main",
    "ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul",
})  # fmt: skip
# A blank line stands around these, a mere new line around the other blocks.
_PARAGRAPHS = frozenset({"p", "ul", "ol", "dl", "table", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote"})

# Possessive throughout (no backtracking), so that each character is looked at a bounded number of times.
_TAG = re.compile(
    r"<(/?)([a-zA-Z][^\s/>]*+)"
    r"((?:[\s/]++|[^\s/>=][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s>\"'][^\s>]*+)?+)?+|=)*+)>"
)
_ATTRIBUTE = re.compile(r"([^\s/>=]++)(?:\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s>\"'][^\s>]*+))?+)?+")
_LONG_NUMBER = re.compile(r"&#(?:[0-9]{8,}+|[xX][0-9a-fA-F]{7,}+);?")
_WEB = re.compile(r"^\s*(https?:|mailto:)", re.I)
_CID = re.compile(r"^\s*cid:(.+)$", re.I | re.S)
_SPACE = re.compile(r"[ \t\r\n\f\xa0]+")
# In nh3's own writing: attributes in double quotes, so that the words of a mail cannot look like a picture.
_MARKER = re.compile(r'(<img(?: (?!src=)[a-z]+="[^"]*+")*+) src="cid:([^"]{1,600})"')
# A tag whose quote is never closed reads all the rest of the mail; so many are forgiven, then the rest is text.
_BROKEN_TAGS = 20


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of HTML: text with its entities resolved, or a tag with the attributes as they are written."""

    kind: Literal["text", "open", "close"]
    value: str
    attributes: str = ""


@dataclass(frozen=True, slots=True)
class Sanitised:
    """HTML that may be shown. `pictures` are the content ids it shows; `too_long` where it was given up."""

    html: str
    pictures: frozenset[str] = frozenset()
    pictures_left_out: int = 0
    too_long: bool = False


def sanitise(html: str, *, cid: Mapping[str, str] | None) -> str:
    """The HTML without scripts, styles, forms, frames and anything that would load from elsewhere.

    Pictures of the mail itself (`cid:…`) become the addresses that `cid` gives for their content ids, and
    vanish where it gives none; with None they keep the marker for `place_pictures`. Other pictures leave
    their alternative text. Links lead to http, https and mailto only.
    """
    made = sanitise_counted(html).html
    return made if cid is None else place_pictures(made, cid)


def sanitise_counted(html: str) -> Sanitised:
    """The same with `cid:` markers kept, and what was left out."""
    if len(html) > HTML_LIMIT:
        return Sanitised(html="", too_long=True)
    if not html.strip():
        return Sanitised(html="")
    writer = _Writer()
    for token in _tokens(clean(html)):
        writer.take(token)
    made = nh3.clean(
        writer.done(),
        tags=set(_TAGS),
        clean_content_tags={"script", "style"},
        attributes={name: allowed | _GENERIC for name, allowed in _every_tag().items()},
        url_schemes={"http", "https", "mailto", "cid"},
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    ).strip()
    return Sanitised(html=made, pictures=frozenset(writer.pictures), pictures_left_out=writer.left_out)


def place_pictures(sanitised: str, cid: Mapping[str, str]) -> str:
    """Sanitised HTML with its picture markers made addresses; a picture that nobody has loses its source."""

    def place(match: re.Match[str]) -> str:
        address = cid.get(entities.unescape(match[2]))
        return f'{match[1]} src="{entities.escape(address)}"' if address else match[1]

    return _MARKER.sub(place, sanitised)


def to_text(html: str) -> str:
    """Readable text: paragraphs and lists on lines of their own, quotes behind `> `, links with where they lead.

    Reads HTML_LIMIT characters at most.
    """
    reader = _Reader()
    for token in _tokens(clean(html[:HTML_LIMIT])):
        reader.take(token)
    return reader.done()


def _every_tag() -> dict[str, set[str]]:
    return {name: _ATTRIBUTES.get(name, set()) for name in _TAGS}


def _tokens(html: str) -> Iterator[Token]:
    """The HTML's tokens, in one pass. Comments, declarations and the content of silent elements are left out."""
    position = 0
    broken = 0
    while position < len(html):
        start = html.find("<", position)
        if start < 0:
            yield Token("text", _resolved(html[position:]))
            return
        if start > position:
            yield Token("text", _resolved(html[position:start]))
        following = html[start + 1 : start + 2]
        if following in {"!", "?"}:
            position = _behind_declaration(html, start)
            continue
        if not (following.isascii() and (following.isalpha() or following == "/")):
            yield Token("text", "<")
            position = start + 1
            continue
        match = _TAG.match(html, start)
        if match is None:
            broken += 1
            if broken > _BROKEN_TAGS:
                yield Token("text", _resolved(html[start:]))
                return
            yield Token("text", "<")
            position = start + 1
            continue
        name = match[2].lower()
        position = match.end()
        if match[1]:
            yield Token("close", name)
            continue
        if name in _SILENT and not match[3].rstrip().endswith("/"):
            position = _behind_silent(html, position, name)
            continue
        yield Token("open", name, match[3])


def _behind_declaration(html: str, start: int) -> int:
    if html.startswith("<!--", start):
        end = html.find("-->", start + 4)
        return end + 3 if end >= 0 else len(html)
    end = html.find(">", start)
    return end + 1 if end >= 0 else len(html)


def _behind_silent(html: str, position: int, name: str) -> int:
    match = re.compile(rf"</{name}(?=[\s/>])", re.I).search(html, position)
    end = html.find(">", match.end()) if match else -1
    return end + 1 if end >= 0 else len(html)


def _resolved(text: str) -> str:
    """Entities resolved. Numbers of many digits are no character, and Python refuses to read the longest."""
    return entities.unescape(_LONG_NUMBER.sub("\ufffd", text)) if "&" in text else text


def _attributes(raw: str) -> Iterator[tuple[str, str]]:
    for match in _ATTRIBUTE.finditer(raw[:20_000]):
        yield match[1].lower(), _resolved(match[2] or match[3] or match[4] or "")


class _Writer:
    """Writes tokens anew as HTML in which everything is closed in order and nothing is nested too deeply."""

    def __init__(self) -> None:
        self.pictures: set[str] = set()
        self.left_out = 0
        self._parts: list[str] = []
        self._open: list[str] = []

    def take(self, token: Token) -> None:
        """One token more."""
        if token.kind == "text":
            self._parts.append(entities.escape(token.value, quote=False))
        elif token.value not in _TAGS:
            return
        elif token.kind == "close":
            self._close(token.value)
        elif token.value in _VOID:
            self._parts.append(f"<{token.value}{self._written(token)}>")
        elif len(self._open) < MAX_DEPTH:
            self._open.append(token.value)
            self._parts.append(f"<{token.value}{self._written(token)}>")

    def done(self) -> str:
        """Everything written, with what is still open closed."""
        while self._open:
            self._parts.append(f"</{self._open.pop()}>")
        return "".join(self._parts)

    def _close(self, name: str) -> None:
        if name in self._open:
            while self._open:
                last = self._open.pop()
                self._parts.append(f"</{last}>")
                if last == name:
                    return

    def _written(self, token: Token) -> str:
        allowed = _ATTRIBUTES.get(token.value, set()) | _GENERIC
        kept: dict[str, str] = {}
        for name, value in _attributes(token.attributes):
            if name in allowed and name not in kept:
                kept[name] = value
        if token.value == "img":
            self._picture(kept)
        elif not _WEB.match(kept.get("href", "http:")):
            del kept["href"]
        return "".join(f' {name}="{entities.escape(value)}"' for name, value in kept.items())

    def _picture(self, kept: dict[str, str]) -> None:
        source = kept.pop("src", "")
        match = _CID.match(source)
        if match:
            identifier = unquote(match[1]).strip().strip("<>")[:250]
            self.pictures.add(identifier)
            # Escaped only: a content id may hold what an address may not, and the marker must be found again.
            kept["src"] = f"cid:{identifier}"
        elif source.strip():
            self.left_out += 1


class _Reader:
    """Makes tokens into lines of text."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._words: list[str] = []
        self._quotes = 0
        self._pre = 0
        self._links: list[tuple[str, int]] = []

    def take(self, token: Token) -> None:
        """One token more."""
        if token.kind == "text":
            self._text(token.value)
        elif token.kind == "open":
            self._enter(token)
        else:
            self._leave(token.value)

    def done(self) -> str:
        """The text: at most one blank line in a row, none at either end."""
        while self._links:
            self._leave("a")
        self._end_line()
        kept: list[str] = []
        for line in self._lines:
            if line.strip("> ") or (kept and kept[-1].strip("> ")):
                kept.append(line)
            elif kept:
                # Several blank lines in a row are one, and it belongs to the outermost of their quotes.
                kept[-1] = min(kept[-1], line, key=len)
        while kept and not kept[-1].strip("> "):
            kept.pop()
        return "\n".join(kept)

    def _text(self, value: str) -> None:
        if self._pre:
            first, *others = value.split("\n")
            self._words.append(first)
            for line in others:
                self._break()
                self._words.append(line)
            return
        self._words.append(_SPACE.sub(" ", value))

    def _enter(self, token: Token) -> None:
        name = token.value
        if name in _BLOCKS:
            self._end_line(blank=name in _PARAGRAPHS)
        if name == "br":
            self._break()
        elif name == "blockquote":
            self._quotes = min(self._quotes + 1, 20)
        elif name == "pre":
            self._pre += 1
        elif name == "li":
            self._words.append("- ")
        elif name in {"td", "th"} and any(word.strip() for word in self._words):
            self._words.append(" ")
        elif name == "a":
            href = next((value for key, value in _attributes(token.attributes) if key == "href"), "")
            self._links.append((href.strip(), len(self._words)))
        elif name == "img":
            alt = next((value for key, value in _attributes(token.attributes) if key == "alt"), "")
            if alt.strip():
                self._words.append(f"[{_SPACE.sub(' ', alt).strip()}]")

    def _leave(self, name: str) -> None:
        if name == "a" and self._links:
            href, start = self._links.pop()
            said = "".join(self._words[start:]).strip()
            bare = re.sub(r"^(mailto:|https?://)|/$", "", href, flags=re.I)
            if _WEB.match(href) and said and bare not in said and len(href) <= 500:
                self._words.append(f" <{href}>")
            return
        if name in _BLOCKS:
            self._end_line(blank=name in _PARAGRAPHS)
        if name == "blockquote":
            self._quotes = max(0, self._quotes - 1)
        elif name == "pre":
            self._pre = max(0, self._pre - 1)

    def _break(self) -> None:
        """A line ends here even if it is empty."""
        self._lines.append(self._line())

    def _end_line(self, *, blank: bool = False) -> None:
        if any(word.strip() for word in self._words):
            self._lines.append(self._line())
        else:
            self._words.clear()
        if blank:
            self._lines.append(("> " * self._quotes).rstrip())

    def _line(self) -> str:
        words = "".join(self._words)
        self._words.clear()
        # What a link began on an earlier line is gone from the words; it counts from here.
        self._links = [(href, 0) for href, _start in self._links]
        line = words.rstrip() if self._pre else _SPACE.sub(" ", words).strip()
        return ("> " * self._quotes + line).rstrip()

"""A rendered page, read element by element, as strictly as no browser does."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "input", "img", "br", "hr", "circle", "use", "path"}


@dataclass
class Element:
    """One element: its name, attributes, place in the tree, and the words in and below it."""

    name: str
    attributes: dict[str, str]
    parent: Element | None = None
    words: str = ""

    def __getitem__(self, attribute: str) -> str:
        return self.attributes.get(attribute, "")

    def is_inside(self, name: str) -> bool:
        """Whether an element of this name holds it."""
        return self.parent is not None and (self.parent.name == name or self.parent.is_inside(name))


@dataclass
class Page(HTMLParser):
    """A rendered page, read as a browser would."""

    source: str
    elements: list[Element] = field(default_factory=list)
    open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element, and keep it open until its end."""
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(self.elements[-1])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element that ends where it begins, such as <use/>."""
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append(Element(tag, attributes, self.open[-1] if self.open else None))

    def handle_endtag(self, tag: str) -> None:
        """Close an element; one that was never opened, or lies across another, is a mistake in a template."""
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1].name == tag, f"</{tag}> where </{self.open[-1].name}> belongs"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        """Words count for every element around them."""
        for element in self.open:
            element.words += data

    def all(self, tag: str, /, **attributes: str) -> list[Element]:
        """Elements with this tag whose attributes have these values; `class_` looks for one class."""
        return [
            element
            for element in self.elements
            if element.name == tag
            and all(
                value in element["class"].split() if key == "class_" else element[key.replace("_", "-")] == value
                for key, value in attributes.items()
            )
        ]

    def one(self, tag: str, /, **attributes: str) -> Element:
        """The only such element."""
        (found,) = self.all(tag, **attributes)
        return found

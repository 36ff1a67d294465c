"""HTML from templates, in which everything is escaped unless it is known to be HTML already."""

from __future__ import annotations

import html
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from string import Template

_TEMPLATES = Path(__file__).parent / "templates"


class Html(str):
    """Text that may go into a page as it is, because it was made by `fill` or `joined`."""


def fill(name: str, /, **values: object) -> Html:
    """Return a template with its `$names` filled in; raise KeyError when a value is missing."""
    return Html(_template(name).substitute({key: safe(value) for key, value in values.items()}))


def safe(value: object) -> Html:
    """Return the value as HTML: unchanged when it is HTML, escaped when it is anything else."""
    return value if isinstance(value, Html) else Html(html.escape(str(value)))


def joined(pieces: Iterable[Html]) -> Html:
    """Return pieces of HTML one after another."""
    return Html("".join(pieces))


def icon(name: str, *, small: bool = True) -> Html:
    """Return an icon of the sprite. It is decoration: the words beside it say the same."""
    size = " icon--sm" if small else ""
    return Html(f'<svg class="icon{size}" aria-hidden="true"><use href="/static/icons.svg#{html.escape(name)}"/></svg>')


def when(condition: object, attribute: str) -> Html:
    """Return an attribute with the space before it if the condition holds."""
    return Html(f" {attribute}") if condition else Html("")


@cache
def _template(name: str) -> Template:
    return Template((_TEMPLATES / f"{name}.html").read_text(encoding="utf-8").strip())

"""The words of the house for HTML that is written in Python: translated and escaped once a process and language.

A look into Django's catalogues goes through three of them and costs as much as a line of HTML.
"""

from __future__ import annotations

from functools import cache

# The same five replacements as Django's escape().
from html import escape

from django.utils.translation import get_language, gettext


class Wording:
    """Called with a text of the sources, like gettext(); to be bound to `_`, so that texts are found for translation.

    Returns it translated and escaped. For literal texts only: whatever it was asked is kept.
    """

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        """The text in the language in force."""
        found = self._known.get(text)
        if found is None:
            found = self._known[text] = escape(gettext(text))
        return found

    def with_markup(self, text: str) -> str:
        """The same for a text that has markup of ours in it: not escaped, as in a template."""
        key = f"<>{text}"
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = gettext(text)
        return found


def in_force() -> Wording:
    """The wording in the reader's language: asked for once a page."""
    return _of(get_language())


@cache
def _of(language: str | None) -> Wording:
    return Wording()

"""`manage.py makemessages`: as Django's own, and it sees what stands inside an f-string as well.

GNU xgettext takes an f-string for one piece of text (0.21 does). Our HTML in Python is written in f-strings, so words
that people read on every page would be missing from every catalogue, silently. Python's own parser knows better.
"""

from __future__ import annotations

import ast
from functools import cached_property
from pathlib import Path

from django.core.management.commands import makemessages

WORDS = frozenset(
    {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext", "npgettext"}
)


def calls_only(source: str) -> str:
    """Python that says the same words for translation as `source`, each on its line, and nothing else.

    Raises SyntaxError.
    """
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and _says_words(node)]
    lines = [""] * len(source.splitlines())
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        lines[call.lineno - 1] += f"{ast.unparse(call)}; "
    return "\n".join(lines) + "\n"


def _says_words(call: ast.Call) -> bool:
    name = call.func
    return (name.id if isinstance(name, ast.Name) else name.attr if isinstance(name, ast.Attribute) else "") in WORDS


class BuildFile(makemessages.BuildFile):
    """A file on its way to xgettext; Python goes there as its words alone."""

    @cached_property
    def is_templatized(self) -> bool:
        """Whether xgettext reads another file in its place: here always, Python included."""
        return self.domain == "django"

    def preprocess(self) -> None:
        """Write what xgettext reads. Raises SyntaxError for Python that is none."""
        if self.translatable.file.endswith(".py") and self.is_templatized:
            source = Path(self.path).read_text(encoding="utf-8")
            Path(self.work_path).write_text(calls_only(source), encoding="utf-8")
        else:
            super().preprocess()


class Command(makemessages.Command):
    """Django's makemessages with our way of reading Python."""

    build_file_class = BuildFile

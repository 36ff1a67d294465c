"""var/run.json: what runs and where to look, for scripts. Only its owner may read it: it holds passwords."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contactcentre.supervisor import private_json

FILE_NAME = "run.json"


@dataclass
class RunFile:
    """The file of one var folder, written anew whenever something in it changes."""

    var: Path
    content: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return self.var / FILE_NAME

    def set(self, **what: Any) -> None:
        """Put these entries in, and write if that changed anything."""
        changed = self.content | what
        if changed != self.content:
            self.content = changed
            private_json.write(self.path, self.content)

    def remove(self) -> None:
        """Nothing runs any more."""
        self.path.unlink(missing_ok=True)


def read(var: Path) -> dict[str, Any] | None:
    """What `var` says about itself, or None. After a `kill -9` it may tell of processes that are gone."""
    return private_json.read(var / FILE_NAME)

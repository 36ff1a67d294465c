"""`python -m practice.facebook.compare <folder>`: hold the webhooks' schema against recorded webhooks, a file each.

Prints a line for each place where a recorded one does not fit, and last how many were read. Status 0 when all fit, 1
when one does not, 2 when the folder holds none.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from practice.facebook.schemas import webhook_schema


def differences(folder: Path) -> Iterator[str]:
    """Tell every place in every file that does not fit."""
    validator = Draft202012Validator(webhook_schema())
    for path in sorted(folder.glob("*.json")):
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            yield f"{path.name}: no JSON ({error})"
            continue
        for fault in validator.iter_errors(told):
            place = "/".join(str(each) for each in fault.absolute_path)
            yield f"{path.name}: {place}: {fault.message[:200]}"


def main(arguments: list[str]) -> int:
    """Compare, and return the status."""
    folder = Path(arguments[0]) if len(arguments) == 1 else Path()
    count = len(list(folder.glob("*.json"))) if len(arguments) == 1 else 0
    if not count:
        sys.stderr.write("Give a folder of recorded webhooks.\n")
        return 2
    found = list(differences(folder))
    sys.stdout.writelines(f"{line}\n" for line in found)
    sys.stdout.write(f"{count} webhooks read, {len(found)} contradictions.\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""What the supervisor's tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.supervisor.starts import TinyRun


@pytest.fixture
def tiny_run(tmp_path: Path) -> Iterator[TinyRun]:
    run = TinyRun(var=tmp_path / "a folder with spaces" / "var", log=tmp_path / "log")
    yield run
    run.end()

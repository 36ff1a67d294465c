"""The points themselves: cheap and harmless unless a fault is armed, and none of them misspelt."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from contactcentre.lib import faults

PROJECT = Path(__file__).resolve().parents[2]


def test_every_point_in_the_product_is_listed_and_every_listed_one_is_placed() -> None:
    placed: set[str] = set()
    for house in ("channels", "tickets", "customers", "agents", "contactcentre"):
        for path in (PROJECT / house).rglob("*.py"):
            placed |= set(re.findall(r'faults\.point\("([^"]+)"\)', path.read_text(encoding="utf-8")))
    assert placed == faults.POINTS


@pytest.mark.parametrize("off", ["no practice", "no folder", "nothing armed"])
def test_a_point_without_an_armed_fault_does_nothing(
    off: str, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PRACTICE = off != "no practice"
    if off != "no folder":
        monkeypatch.setenv(faults.VARIABLE, str(tmp_path))
    if off != "nothing armed":
        faults.arm(tmp_path, "delivery.after_claim", "kill")
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("it fired"))
    faults.point("delivery.after_claim")
    assert (tmp_path / "delivery.after_claim").exists() == (off != "nothing armed")


def test_an_armed_fault_fires_once(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PRACTICE = True
    monkeypatch.setenv(faults.VARIABLE, str(tmp_path))
    killed: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _: killed.append(pid))
    faults.arm(tmp_path, "delivery.after_claim", "kill")
    for _ in range(3):
        faults.point("delivery.before_claim")
        faults.point("delivery.after_claim")
    assert killed == [os.getpid()]
    assert not list(tmp_path.iterdir())


def test_a_thread_that_hangs_goes_on_when_it_may(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PRACTICE = True
    monkeypatch.setenv(faults.VARIABLE, str(tmp_path))
    faults.arm(tmp_path, "delivery.before_write", "hang")
    faults.reached(tmp_path, "delivery.before_write")
    thread = threading.Thread(target=faults.point, args=("delivery.before_write",))
    thread.start()
    while not faults.reached(tmp_path, "delivery.before_write").exists():
        assert thread.is_alive()
    faults.point("delivery.before_write")
    assert thread.is_alive(), "only one of them hangs"
    faults.reached(tmp_path, "delivery.before_write").unlink()
    thread.join(10)
    assert not thread.is_alive()


def test_a_misspelt_point_is_no_point(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PRACTICE = True
    monkeypatch.setenv(faults.VARIABLE, str(tmp_path))
    with pytest.raises(ValueError, match="no fault point"):
        faults.arm(tmp_path, "delivery.after_clam", "kill")
    with pytest.raises(ValueError, match="no fault point"):
        faults.point("delivery.after_clam")

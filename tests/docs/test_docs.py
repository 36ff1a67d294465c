"""What the documents name is there: tests, files, make targets, variables; and no file names what readers lack."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md")])

# Folders that are made here or installed, and hold other people's words.
NOT_OURS = {".venv", ".git", "var", ".hypothesis", ".mypy_cache", ".ruff_cache", ".pytest_cache", "__pycache__"}
NOT_OURS |= {".import_linter_cache", "vendor", "htmlcov"}
READ_AS_TEXT = {".py", ".md", ".html", ".css", ".js", ".toml", ".json", ".svg", ".yml", ".txt", ".sh", ".po", ""}
# In two halves each, so that this file does not name them itself.
FOREIGN_WORDS = ("/wo" + "rk/", "../sha" + "red", "chat" + "gpt", "lan" + "guage model", "co-auth" + "ored-by")

TEST_NAME = re.compile(r"(tests/[\w/]+\.py)::(\w+)")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)|src=\"([^\"]+)\"")
CODE = re.compile(r"`([^`\n]+)`")
# A path has a slash or an ending that our files have, and nothing that a command or an address has.
PATH = re.compile(r"(?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|md|toml|json|lock|html|css|js|yml)")


@cache
def functions(path: Path) -> frozenset[str]:
    """The names of a file's functions, also of those in classes."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def page(path: Path) -> str:
    """How a page is named in a test's id."""
    return str(path.relative_to(ROOT))


def project_files() -> Iterator[Path]:
    """Every file of ours that is text."""
    for folder, inside, names in os.walk(ROOT):
        inside[:] = [name for name in inside if name not in NOT_OURS]
        yield from (
            path for path in map(Path(folder).joinpath, names) if path.suffix in READ_AS_TEXT and path.is_file()
        )


@pytest.mark.parametrize("path", PAGES, ids=page)
def test_every_test_that_a_page_names_exists(path: Path) -> None:
    missing = [
        f"{file}::{name}"
        for file, name in TEST_NAME.findall(path.read_text(encoding="utf-8"))
        if not (ROOT / file).is_file() or name not in functions(ROOT / file)
    ]
    assert missing == []


def test_one_ticket_has_all_its_rows_and_each_a_test_or_says_not_yet() -> None:
    rows = re.findall(r"^\| (\d+) \|.*\|(.*)\|$", (DOCS / "one-ticket.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 30))
    assert [number for number, held in rows if not TEST_NAME.search(held) and "not yet" not in held] == []


def test_every_fault_case_is_on_the_list_and_nothing_else_is() -> None:
    played = re.findall(r'^    Case\("([\w-]+)"', (ROOT / "tests/faults/test_stack.py").read_text(), re.MULTILINE)
    listed = re.findall(r"`\[([\w-]+)\]`", (DOCS / "faults.md").read_text(encoding="utf-8"))
    assert sorted(listed) == sorted(played)


@pytest.mark.parametrize("path", PAGES, ids=page)
def test_every_link_and_picture_leads_somewhere(path: Path) -> None:
    links = [one or other for one, other in LINK.findall(path.read_text(encoding="utf-8"))]
    own = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in own if not (path.parent / link).exists()] == []


def test_every_path_that_the_readme_names_exists() -> None:
    named = {word for word in CODE.findall((ROOT / "README.md").read_text(encoding="utf-8")) if PATH.fullmatch(word)}
    # Made by the first start.
    assert sorted(name for name in named - {"var/run.json"} if not (ROOT / name).exists()) == []


@pytest.mark.parametrize(
    "path", [path for path in PAGES if path.name in ("architecture.md", "adding-a-channel.md")], ids=page
)
def test_every_file_that_the_design_names_exists(path: Path) -> None:
    words = CODE.findall(path.read_text(encoding="utf-8"))
    # With a folder before it; `models/` alone is a kind of folder and not one place.
    named = {word for word in words if PATH.fullmatch(word) and "/" in word[:-1]}
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        named = set(re.findall(r"(?:`|^ {4})make ([a-z]+)", text, re.MULTILINE))
        assert named <= targets, path


def test_every_make_target_for_people_is_in_the_readme() -> None:
    described = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"make ([a-z]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert described <= named


def test_every_variable_of_the_settings_is_described() -> None:
    read = re.findall(r'env\.\w+\(\s*"(\w+)"', (ROOT / "contactcentre/settings.py").read_text(encoding="utf-8"))
    described = (DOCS / "production.md").read_text(encoding="utf-8")
    assert read
    assert sorted(name for name in set(read) if f"`{name}`" not in described) == []


def test_every_decision_says_context_decision_and_consequence() -> None:
    decisions = sorted((DOCS / "decisions").glob("*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {int(path.name[:4])}. "), path
        assert all(f"**{part}.**" in text for part in ("Context", "Decision", "Consequence")), path


def test_no_file_names_what_its_reader_does_not_have() -> None:
    found = []
    for path in project_files():
        text = path.read_text(encoding="utf-8", errors="replace").lower()
        found += [f"{path.relative_to(ROOT)}: {word}" for word in FOREIGN_WORDS if word in text]
    assert found == []


def test_every_page_is_read_in_one_sitting() -> None:
    assert [page(path) for path in PAGES if len(path.read_text(encoding="utf-8").splitlines()) > 400] == []


def test_pictures_of_the_readme_are_light() -> None:
    pictures = sorted((DOCS / "pictures").glob("*.png"))
    assert pictures
    assert [path.name for path in pictures if path.stat().st_size > 250_000] == []

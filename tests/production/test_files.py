"""The files for a server name only what is there; no engine runs here, so both are read instead."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SETTINGS = (ROOT / "contactcentre/settings.py").read_text(encoding="utf-8")
READ = set(re.findall(r'env\.\w+\(\s*"(\w+)"', SETTINGS))
OURS = {name: one for name, one in COMPOSE["services"].items() if one.get("image") == "contactcentre"}


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, each with the rest of its line."""
    joined = re.sub(r"\\\n", " ", DOCKERFILE)
    lines = [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, rest.strip()) for word, _space, rest in (line.partition(" ") for line in lines)]


def test_what_the_image_copies_is_there_and_every_house_is_copied() -> None:
    copied = [shlex.split(rest) for word, rest in instructions() if word == "COPY"]
    sources = [source for words in copied if not words[0].startswith("--from") for source in words[:-1]]
    assert sources
    assert [source for source in sources if not (ROOT / source).exists()] == []
    houses = set(re.findall(r'^    "(\w+)",$', SETTINGS.split("INSTALLED_APPS")[1].split("]")[0], re.MULTILINE))
    houses = {house for house in houses if (ROOT / house).is_dir()}
    assert houses | {"contactcentre", "templates", "static"} <= set(sources)


def test_the_image_holds_no_practice_network_no_test_and_no_secret() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {".git", ".venv", "var", "tests", "practice", "secrets", ".env"} <= set(ignored)
    kept = [rest for word, rest in instructions() if word in ("ENV", "ARG")]
    assert not re.search(r"SECRET|PASSWORD|KEYS|DATABASE_URL", " ".join(kept))
    assert ("USER", "contactcentre") in instructions()


def test_every_program_the_image_runs_is_in_its_lock_file() -> None:
    lock = (ROOT / "requirements-production.lock").read_text(encoding="utf-8")
    names = set(re.findall(r"^([\w-]+)==", lock, re.MULTILINE))
    commands = [words for one in OURS.values() for words in [one["command"]]]
    assert {words[0] for words in commands} <= {"python", "uvicorn", "celery"}
    assert {"uvicorn", "celery"} <= names
    assert "pytest" not in names
    assert "pymap" not in names


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_variable_and_secret_of_a_service_is_read_and_given(name: str) -> None:
    service = OURS[name]
    given = set(service["environment"])
    assert {variable.removesuffix("_FILE") for variable in given} <= READ
    needed = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "CONTACTCENTRE_ENCRYPTION_KEYS", "BASE_URL"}
    assert needed <= {variable.removesuffix("_FILE") for variable in given}
    for variable, value in service["environment"].items():
        if variable.endswith("_FILE"):
            assert value.removeprefix("/run/secrets/") in service["secrets"]
    assert set(service["secrets"]) <= set(COMPOSE["secrets"])
    assert "PRACTICE" not in given


def test_every_celery_queue_has_a_worker_and_there_is_one_clock() -> None:
    routes = set(re.findall(r'"queue": "(\w+)"', SETTINGS)) | set(
        re.findall(r'CELERY_TASK_DEFAULT_QUEUE = "(\w+)"', SETTINGS)
    )
    served = [one["command"][one["command"].index("-Q") + 1] for one in OURS.values() if "-Q" in one["command"]]
    assert sorted(served) == sorted(routes)
    assert [name for name, one in OURS.items() if "beat" in one["command"]] == ["beat"]


def test_the_workers_without_containers_are_those_of_the_containers() -> None:
    page = (ROOT / "docs/production.md").read_text(encoding="utf-8")
    told = {tuple(command.split()[4:]) for command in re.findall(r"`(celery [^`]* worker [^`]*)`", page)}
    run = [one["command"] for one in OURS.values() if "worker" in one["command"]]
    named = [words.index("-n") for words in run]
    assert told == {tuple(words[4:at] + words[at + 2 :]) for words, at in zip(run, named, strict=True)}


def test_everything_that_shows_on_pages_can_be_given_to_the_containers() -> None:
    assert {"BRAND", "TIME_ZONE", "LANGUAGE_CODE"} <= set(OURS["web"]["environment"])


def test_what_the_commands_name_can_be_imported() -> None:
    named = {word for one in OURS.values() for word in one["command"] if word.startswith("contactcentre.")}
    for target in named:
        module = target.partition(":")[0]
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file(), target
    for one in OURS.values():
        for word in one["command"]:
            if word.endswith(".py"):
                assert (ROOT / word).is_file()


@pytest.mark.parametrize("name", sorted(set(COMPOSE["services"]) - {"migrate"}))
def test_every_service_that_goes_on_has_a_health_check(name: str) -> None:
    check: dict[str, Any] = COMPOSE["services"][name]["healthcheck"]
    assert check["test"][0] in ("CMD", "CMD-SHELL")
    assert {"interval", "timeout"} <= set(check)
    if name == "web":
        assert "/healthz/ready" in check["test"][-1]
    if name.startswith("worker-"):
        worker = COMPOSE["services"][name]["command"]
        assert f"{worker[worker.index('-n') + 1].partition('@')[0]}@$$HOSTNAME" in check["test"][-1]


def test_volumes_and_what_services_wait_for_exist() -> None:
    for name, one in COMPOSE["services"].items():
        for volume in one.get("volumes", ()):
            assert volume.partition(":")[0] in COMPOSE["volumes"], name
        assert set(one.get("depends_on", ())) <= set(COMPOSE["services"]), name
    assert OURS["web"]["volumes"] == OURS["worker-intake"]["volumes"] == OURS["worker-delivery"]["volumes"]


def test_only_the_page_is_reached_and_only_from_this_machine() -> None:
    open_ = {name: one["ports"] for name, one in COMPOSE["services"].items() if "ports" in one}
    assert open_ == {"web": ["127.0.0.1:8000:8000"]}


def production(tmp_path: Path, **changes: str) -> dict[str, str]:
    """The environment of a server, with its secrets in files."""
    secrets = {
        "DATABASE_URL": "postgres://contactcentre:nothing@127.0.0.1:1/contactcentre",
        "SECRET_KEY": "a-long-and-plainly-invented-key-for-this-test-alone-0123456789-abcdefgh",
        "CONTACTCENTRE_ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    }
    files = {}
    for name, value in secrets.items():
        (tmp_path / name).write_text(f"{value}\n")
        files[f"{name}_FILE"] = str(tmp_path / name)
    return {
        "PATH": os.environ["PATH"],
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "BASE_URL": "https://care.acme.example",
        "BEHIND_PROXY": "1",
        "CONTACTCENTRE_VAR": str(tmp_path / "var"),
        **files,
        **changes,
    }


def _check(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_deployment_check_is_clean_under_the_settings_of_a_server(tmp_path: Path) -> None:
    done = _check(production(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_practice_mode_unusable_keys_and_a_door_narrower_than_the_hooks_do_not_pass_the_deployment_check(
    tmp_path: Path,
) -> None:
    (tmp_path / "keys").write_text("not-a-key")
    keys = {"CONTACTCENTRE_ENCRYPTION_KEYS_FILE": str(tmp_path / "keys")}
    wrong = production(tmp_path, PRACTICE="1", WEB_MAX_BODY_BYTES="1000000") | keys
    done = _check(wrong)
    assert done.returncode != 0
    errors = set(re.findall(r"contactcentre\.E\d+", done.stderr))
    assert {f"contactcentre.E00{number}" for number in (1, 2, 3)} <= errors

"""Stored files: once per content, capped, named by what they are."""

from __future__ import annotations

import io
import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import connection

from channels import files
from channels.models import StoredFile
from tests.channels.conftest import NOW

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(default_storage._wrapped if default_storage.path("x") else None, "_location", str(tmp_path))
    for name in ("base_location", "location"):
        default_storage._wrapped.__dict__.pop(name, None)
    return tmp_path


@pytest.mark.django_db
def test_the_same_content_is_kept_once(folder: Path) -> None:
    first = files.store(PNG, now=NOW)
    assert files.store(io.BytesIO(PNG), now=NOW) == first
    assert (first.content_type, first.size) == ("image/png", len(PNG))
    assert first.path == f"{first.sha256[:2]}/{first.sha256[2:4]}/{first.sha256}"
    with files.opener(first.path) as content:
        assert content.read() == PNG
    assert [path.name for path in folder.rglob("*") if path.is_file()] == [first.sha256]


@pytest.mark.django_db
def test_a_stream_is_read_no_further_than_the_cap(settings: object, folder: Path) -> None:
    settings.ATTACHMENT_MAX_BYTES = 1_000_000  # type: ignore[attr-defined]

    class Endless(io.RawIOBase):
        read_so_far = 0

        def read(self, size: int = -1) -> bytes:
            self.read_so_far += size
            return b"a" * size

    stream = Endless()
    with pytest.raises(files.TooLarge, match=r"report.pdf is larger than 976.6.KB"):
        files.store(stream, now=NOW, name="../../report.pdf")
    assert stream.read_so_far < 2_000_000
    assert not StoredFile.objects.exists()
    assert [path for path in folder.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("head", "content_type"),
    [
        (b"", "text/plain"),
        (b"hello \xe2\x82", "text/plain"),
        ("grüß".encode("latin-1"), "application/octet-stream"),
        (b"\0\1\2", "application/octet-stream"),
        (b"%PDF-1.7\n%", "application/pdf"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
    ],
)
def test_content_is_named_by_what_it_is(head: bytes, content_type: str) -> None:
    assert files.sniff(head) == content_type


PAGES = [b"<html><script>alert(1)</script>", b"<svg xmlns='http://www.w3.org/2000/svg'>", b"<?xml"]


@pytest.mark.parametrize("page", PAGES)
def test_what_could_run_in_a_browser_is_never_shown_inline(page: bytes) -> None:
    assert not files.is_shown_inline(files.sniff(page))


@pytest.mark.django_db
def test_half_a_file_of_a_lost_disk_is_replaced(folder: Path) -> None:
    stored = files.store(PNG, now=NOW)
    (folder / stored.path).write_bytes(PNG[:5])
    StoredFile.objects.all().delete()
    with files.opener(files.store(PNG, now=NOW).path) as content:
        assert content.read() == PNG


@pytest.mark.django_db(transaction=True)
def test_eight_who_store_the_same_content_at_once_get_the_same_row(folder: Path) -> None:
    rows: list[int] = []
    start = threading.Barrier(8)

    def run() -> None:
        try:
            start.wait(20)
            rows.append(files.store(b"x" * 3_000_000, now=NOW).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(rows) == 8
    assert len(set(rows)) == 1
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 1


@pytest.mark.django_db
def test_what_a_killed_process_left_half_written_goes_after_a_day_and_nothing_else_does(folder: Path) -> None:
    kept = files.store(PNG, now=NOW)
    left, under_way = (folder / "incoming" / name for name in ("part-left", "part-under-way"))
    for part, age in ((left, timedelta(hours=25)), (under_way, timedelta(hours=23))):
        part.write_bytes(b"half")
        os.utime(part, times=((NOW - age).timestamp(),) * 2)
    assert files.clear_unfinished(now=NOW) == 1
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == sorted([kept.sha256, under_way.name])


def test_without_a_folder_there_is_nothing_half_written(folder: Path) -> None:
    assert files.clear_unfinished(now=NOW) == 0

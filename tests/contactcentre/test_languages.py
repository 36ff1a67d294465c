"""A page is in one language: one without a catalogue of ours is not offered, whatever Django itself could say in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils.translation import gettext

from contactcentre.management.commands import makemessages
from tests.conftest import House

ROOT = Path(__file__).resolve().parents[2]


def test_every_language_offered_but_english_has_a_whole_catalogue() -> None:
    for code, _name in settings.LANGUAGES:
        if code.partition("-")[0] == "en":
            continue
        catalogue = ROOT / "locale" / code.replace("-", "_") / "LC_MESSAGES" / "django.po"
        assert catalogue.with_suffix(".mo").is_file()
        entries = catalogue.read_text(encoding="utf-8").split("\n\n")[1:]
        assert [entry for entry in entries if re.search(r'^msgstr(\[\d\])? ""\Z', entry, re.MULTILINE)] == []


@pytest.mark.parametrize("asked", ["de", "de-AT,de;q=0.9", "fr", "ja,en;q=0.1", "xx"])
def test_whoever_asks_for_another_language_gets_english_throughout(house: House, asked: str) -> None:
    house.mail()
    browser = Client(headers={"accept-language": asked})
    assert '<html lang="en' in browser.get("/sign-in/").content.decode()
    browser.force_login(house.ada)
    # Django's own words, of which it has a hundred languages.
    refused = browser.post("/settings/people/new/", {"name": "Nora", "email": "x", "is_agent": "on"}).content.decode()
    assert "Enter a valid email address." in refused
    browser.force_login(house.anna)
    page = browser.get(f"/t/{house.ticket().pk}/").content.decode()
    assert '<html lang="en' in page
    assert gettext("All open") in page


def test_words_inside_an_f_string_are_collected_on_their_line() -> None:
    source = '''
heading = _("Plain")
page = (
    f'<a title="{_("Inside")}">'
    f"{html(ngettext('One', 'Several', count))}" + gettext(
        "In two "
        "pieces") % {"a": 1}
)
log.info("not for people")
'''
    lines = makemessages.calls_only(source).splitlines()
    assert [line for line in lines if line] == [
        "_('Plain'); ",
        "_('Inside'); ",
        "ngettext('One', 'Several', count); gettext('In two pieces'); ",
    ]
    assert lines[1] == "_('Plain'); "


def test_no_words_of_the_pages_are_left_out_of_a_catalogue(tmp_path: Path) -> None:
    command = makemessages.Command()
    where = ROOT / "tickets"
    found = 0
    for path in sorted(where.glob("*_html.py")):
        copy = tmp_path / path.name
        copy.write_bytes(path.read_bytes())
        translatable = makemessages.Command.translatable_file_class(str(tmp_path), path.name, str(tmp_path))
        built = makemessages.BuildFile(command, "django", translatable)
        built.preprocess()
        words = Path(built.work_path).read_text(encoding="utf-8")
        for marked in re.findall(r'\{_\("([^"\\]+)"\)\}', path.read_text(encoding="utf-8")):
            assert repr(marked) in words
            found += 1
        built.cleanup()
        assert not Path(built.work_path).exists()
    assert found > 20

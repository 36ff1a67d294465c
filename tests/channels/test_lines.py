"""Our lines: connecting them, their tokens, and trying them out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction

from agents.models import HistoryEntry, Person
from channels import lines
from channels.lines import NotALine
from channels.models import AccountState, ChannelAccount
from contactcentre.lib.secrets import hide
from tests.channels.conftest import NOW

pytestmark = pytest.mark.django_db

SUPPORT = "+44 20 7946 0100"


def connect(ada: Person, number: str = SUPPORT, **given: object) -> tuple[ChannelAccount, str]:
    return lines.connect_line(actor=ada, number=number, **{"name": "Support", "region": "GB", "now": NOW, **given})  # type: ignore[arg-type]


def test_a_line_is_connected_by_its_number(ada: Person) -> None:
    account, token = connect(ada, "020 7946 0100", region="gb ")
    kept = ChannelAccount.objects.get()
    assert (kept.kind, kept.address, kept.name, kept.state) == (
        "phone",
        "+442079460100",
        "Support",
        AccountState.ACTIVE,
    )
    assert (kept.settings["region"], kept.begins_at, kept.next_poll_at) == ("GB", NOW, None)
    assert kept.credentials["hook_token"] == token
    assert kept.hook_digest == hashlib.sha256(token.encode()).hexdigest()
    assert len(token) >= 43
    entry = HistoryEntry.objects.get()
    assert (entry.act, entry.actor, entry.account_id) == ("account.connected", ada, account.pk)
    assert token not in str(entry.data)


def test_the_same_number_finds_its_old_row_and_its_old_token_is_dead(ada: Person) -> None:
    first, old = connect(ada)
    second, new = connect(ada, "+442079460100", name="", now=NOW + timedelta(days=3))
    assert (second.pk, second.name) == (first.pk, "Support")
    assert second.begins_at == NOW + timedelta(days=3)
    assert lines.line_of(old) is None
    assert lines.line_of(new) == first
    assert list(HistoryEntry.objects.order_by("id").values_list("act", flat=True)) == [
        "account.connected",
        "account.connected_again",
    ]


def test_another_token_is_another_key_to_the_same_line(ada: Person) -> None:
    account, old = connect(ada)
    new = lines.new_token(account=account, actor=ada, now=NOW)
    assert new != old
    assert lines.line_of(old) is None
    assert lines.line_of(new) == account
    assert ChannelAccount.objects.get().credentials["hook_token"] == new
    assert HistoryEntry.objects.filter(act="account.token_renewed", account_id=account.pk).exists()


def test_a_mailbox_has_no_token(ada: Person, account: ChannelAccount) -> None:
    with pytest.raises(NotALine):
        lines.new_token(account=account, actor=ada, now=NOW)
    assert lines.line_of("") is None


def test_two_lines_never_share_a_token(ada: Person, make_account: Callable[..., ChannelAccount]) -> None:
    first, _token = connect(ada)
    make_account("one@acme.example")
    make_account("two@acme.example")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_account("+442079460101", kind="phone", hook_digest=first.hook_digest)


@pytest.mark.parametrize(("number", "region"), [("", "GB"), ("anonymous", "GB"), ("112", "GB"), (SUPPORT, "Britain")])
def test_what_is_no_line_is_refused_in_words(ada: Person, number: str, region: str) -> None:
    with pytest.raises(NotALine, match=r"\w+"):
        connect(ada, number, region=region)
    assert not ChannelAccount.objects.exists()


def test_without_a_country_it_is_the_numbers_own(ada: Person) -> None:
    assert connect(ada, region="")[0].settings["region"] == "GB"
    assert connect(ada, "+49 30 55571600", region="")[0].settings["region"] == "DE"


def test_the_address_holds_the_token_and_logs_do_not() -> None:
    address = lines.hook_address("practice-token")
    assert address == f"{settings.BASE_URL}/hooks/phone/practice-token/"
    assert "practice-token" not in hide(f'"POST {address} HTTP/1.1" 200')
    # Neither does one that tells of a new password's link (RFC 9110, 4.2.4: addresses end up in logs).
    assert hide("Forbidden: /password/practice-token:1xV:9Z_w/") == "Forbidden: /password/…/"


def test_trying_a_line_out_says_whether_it_was_ever_heard(ada: Person) -> None:
    account, _token = connect(ada)
    assert not lines.try_out(account=account).ok
    account.heard_at = NOW
    assert lines.try_out(account=account).ok

"""The acts of an admin: connect, mend, pause, look before switching on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from cryptography.fernet import Fernet, InvalidToken
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from agents.models import HistoryEntry, Person
from channels import accounts, ledger, polling
from channels.accounts import Mailbox
from channels.adapters.base import Polled, PollError, Tried
from channels.models import ChannelAccount, LedgerKey
from contactcentre.lib.secrets import CannotDecrypt
from tests.channels.conftest import NOW, ScriptedAdapter, raw

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=3)


def typed(**given: object) -> Mailbox:
    values: dict[str, object] = {
        "address": "care@acme.example", "name": "Acme Care", "password": "practice-only",
        "imap_host": "imap.acme.example", "imap_port": 993, "imap_security": "tls",
        "smtp_host": "smtp.acme.example", "smtp_port": 465, "smtp_security": "tls",
    }  # fmt: skip
    return Mailbox(**{**values, **given})  # type: ignore[arg-type]


def acts() -> list[str]:
    return list(HistoryEntry.objects.order_by("id").values_list("act", flat=True))


def test_a_new_mailbox_begins_now_and_is_off_until_somebody_switches_it_on(ada: Person) -> None:
    made = accounts.connect_mailbox(actor=ada, data=typed(address=" Care@ACME.example"), now=NOW)
    assert (made.address, made.state, made.begins_at) == ("care@acme.example", "paused", NOW)
    assert polling.take_due(now=NOW) == []
    assert accounts.resume(account=made, actor=ada, now=NOW)
    assert polling.take_due(now=NOW) == [made.pk]
    assert acts() == ["account.connected", "account.switched_on"]


def test_the_password_is_stored_encrypted_and_shown_by_nothing(ada: Person) -> None:
    made = accounts.connect_mailbox(actor=ada, data=typed(), now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM channels_channelaccount")
        assert "practice-only" not in str([bytes(v) if isinstance(v, memoryview) else v for v in cursor.fetchone()])
    assert "practice-only" not in repr(made.credentials) + repr(typed()) + str(made.settings)
    assert ChannelAccount.objects.get().credentials["password"] == "practice-only"


def test_the_same_address_finds_its_old_row_and_begins_anew(ada: Person, account: ChannelAccount) -> None:
    ledger.record(account, "email", [raw()], source="poll", now=NOW)
    ChannelAccount.objects.update(cursor={"uid": 4}, state="refused", failures=3, error_text="no", polled_at=NOW)
    again = accounts.connect_mailbox(actor=ada, data=typed(), now=LATER)
    assert (again.pk, again.state, again.begins_at, again.cursor) == (account.pk, "paused", LATER, {})
    assert again.ledger.count() == 1
    assert ledger.record(again, "email", [raw()], source="poll", now=LATER) == []
    assert acts() == ["account.connected_again"]


def test_an_earlier_beginning_can_be_chosen_but_none_in_the_future(ada: Person) -> None:
    chosen = accounts.connect_mailbox(actor=ada, data=typed(), now=NOW, begins_at=NOW - timedelta(days=2))
    assert chosen.begins_at == NOW - timedelta(days=2)
    assert accounts.connect_mailbox(actor=ada, data=typed(), now=NOW, begins_at=LATER).begins_at == NOW


def test_connecting_again_after_a_refusal_goes_on_from_the_cursor(
    ada: Person, account: ChannelAccount, scripted: ScriptedAdapter
) -> None:
    ChannelAccount.objects.update(cursor={"uid": 4}, polled_at=NOW)
    scripted.pages = [PollError("The mail server refuses the password.", credentials=True, code="login refused")]
    polling.poll(account.pk, now=NOW)
    mended = accounts.update_mailbox(account=account, actor=ada, data=typed(password="another"), now=LATER)
    assert (mended.state, mended.begins_at, mended.error_text) == ("active", account.begins_at, "")
    assert polling.poll(account.pk, now=LATER).outcome == "caught up"
    told, cursor = scripted.asked[-1]
    assert (told.credentials["password"], cursor) == ("another", {"uid": 4})
    assert acts() == ["account.refused", "account.reconnected"]


def test_an_empty_password_keeps_the_one_we_have(ada: Person, account: ChannelAccount) -> None:
    accounts.update_mailbox(account=account, actor=ada, data=typed(password="", name="Care"), now=NOW)
    account.refresh_from_db()
    assert (account.credentials["password"], account.name, account.state) == ("practice-only", "Care", "active")
    assert acts() == ["account.changed"]


def test_pausing_and_resuming_keep_the_place(ada: Person, account: ChannelAccount) -> None:
    ChannelAccount.objects.update(cursor={"uid": 4}, polled_at=NOW)
    account.refresh_from_db()
    assert accounts.pause(account=account, actor=ada, now=NOW)
    assert not accounts.pause(account=account, actor=ada, now=NOW)
    assert not accounts.poll_now(account=account, actor=ada, now=NOW)
    assert accounts.resume(account=account, actor=ada, now=LATER)
    account.refresh_from_db()
    assert (account.state, account.cursor, account.next_poll_at) == ("active", {"uid": 4}, LATER)
    assert acts() == ["account.paused", "account.resumed"]


def test_a_look_counts_and_changes_nothing(ada: Person, account: ChannelAccount, scripted: ScriptedAdapter) -> None:
    scripted.pages = [Polled(items=(raw("<1>"), raw("<2>")), cursor={"uid": 2}, more=True), PollError("No answer.")]
    assert accounts.preview(account=account, now=NOW) == accounts.Preview(account.begins_at, 2, True)
    assert accounts.preview(account=account, now=NOW).words == "No answer."
    account.refresh_from_db()
    assert account.cursor == {}
    assert not account.ledger.exists()


def test_trying_out_uses_what_was_typed_and_answers_a_bug_in_words(
    ada: Person, account: ChannelAccount, scripted: ScriptedAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert accounts.try_out_mailbox(data=typed(password="typed"), now=NOW).ok
    accounts.try_out_mailbox(data=typed(password=""), now=NOW, account=account)
    assert [told.credentials["password"] for told, _ in scripted.asked] == ["typed", "practice-only"]

    def broken(told: object) -> Tried:
        raise KeyError("carla@example.example")

    monkeypatch.setattr(scripted, "try_out", broken)
    tried = accounts.try_out_mailbox(data=typed(), now=NOW)
    assert not tried.ok
    assert "carla" not in tried.words[0]


def test_rotating_lets_the_old_key_go(
    make_account: Callable[..., ChannelAccount], settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [old]  # type: ignore[attr-defined]
    made = make_account()
    ledger.record(made, "email", [raw()], source="poll", now=NOW)
    settings.ENCRYPTION_KEYS = [new, old]  # type: ignore[attr-defined]
    said = StringIO()
    call_command("rotate_credentials", stdout=said)
    assert said.getvalue().startswith("2 credentials")
    settings.ENCRYPTION_KEYS = [new]  # type: ignore[attr-defined]
    assert ChannelAccount.objects.get().credentials["password"] == "practice-only"
    assert LedgerKey.objects.get().secret
    settings.ENCRYPTION_KEYS = [old]  # type: ignore[attr-defined]
    with pytest.raises((CannotDecrypt, InvalidToken)):
        ChannelAccount.objects.get()
    with pytest.raises(CommandError, match="Put the key it was encrypted with back"):
        call_command("rotate_credentials", stdout=said)

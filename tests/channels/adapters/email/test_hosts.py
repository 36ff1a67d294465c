"""Which servers may be talked to."""

from __future__ import annotations

import socket
import threading

import pytest

from channels.adapters.base import DeliveryError, PollError
from channels.adapters.email import EmailAdapter, check_host, hosts
from channels.happenings import Address, Outgoing

OUT = Outgoing(
    surface="email", recipient=Address(kind="email", value="c@mail.example"), marker="<a@b.example>", text="x"
)


@pytest.fixture
def names(monkeypatch):
    """A resolver that knows what a test tells it."""
    known: dict[str, list[str]] = {}

    def look_up(host, port, **_ignored):
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in known[host]]

    monkeypatch.setattr(hosts.socket, "getaddrinfo", look_up)
    return known


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
        "240.0.0.1", "::1", "::", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
        "ff02::1", "fec0::1",
    ],
)  # fmt: skip
def test_addresses_of_our_own_network_are_refused(names, settings, address):
    settings.PRACTICE = False
    names["mail.example"] = [address]
    with pytest.raises(hosts.HostRefused, match=r"mail\.example"):
        check_host("mail.example")


def test_a_name_with_one_bad_address_is_refused_as_a_whole(names, settings):
    settings.PRACTICE = False
    names["mail.example"] = ["93.184.216.34", "127.0.0.1"]
    with pytest.raises(hosts.HostRefused):
        check_host("mail.example")


def test_a_public_address_is_what_is_dialled(names, settings):
    settings.PRACTICE = False
    names["mail.example"] = ["93.184.216.34"]
    assert check_host(" mail.example ") == "93.184.216.34"


@pytest.mark.parametrize("host", ["", " ", "a b", "http://x", "x@y", "a\x00b", "x" * 300])
def test_what_is_no_host_is_refused(host):
    with pytest.raises(hosts.HostRefused):
        check_host(host)


def test_reading_sending_and_trying_all_ask(names, settings, connection):
    settings.PRACTICE = False
    names["127.0.0.1"] = ["127.0.0.1"]
    for security in ("tls", "starttls", "none"):
        changed = {**connection.settings, "imap_security": security, "smtp_security": security}
        there = type(connection)(
            **{name: getattr(connection, name) for name in connection.__slots__ if name != "settings"}, settings=changed
        )
        with pytest.raises(PollError) as failure:
            EmailAdapter().poll(there, {}, now=connection.begins_at)
        assert failure.value.code == ("not-encrypted" if security == "none" else "host-refused")
        with pytest.raises(DeliveryError) as refusal:
            EmailAdapter().send(there, OUT, opener=None, still_ours=lambda: True)
        assert refusal.value.code == failure.value.code
        assert not EmailAdapter().try_out(there).ok


def test_no_password_goes_unencrypted_beyond_this_machine(names, settings, at):
    settings.PRACTICE = True
    names["mail.example"] = ["93.184.216.34"]
    with pytest.raises(PollError) as failure:
        EmailAdapter().poll(at(imap_host="mail.example"), {}, now=at().begins_at)
    assert failure.value.code == "not-encrypted"


def test_a_resolver_that_hangs_is_not_waited_for(monkeypatch, settings):
    forever = threading.Event()
    monkeypatch.setattr(hosts, "RESOLVE_SECONDS", 0.1)
    monkeypatch.setattr(hosts.socket, "getaddrinfo", lambda *_a, **_k: forever.wait(20) and [])
    with pytest.raises(TimeoutError):
        check_host("mail.example")
    forever.set()

"""One running product for all faults of the whole stack, with a single mailbox that fetches."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from contactcentre.supervisor import ports
from tests.running import Browser, Running, running, until

# What a killed poll holds is free again after this many seconds.
POLL_LEASE_SECONDS = "8"
CARE = "care@acme.example"


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    # Ports of its own: the product is started twice, and must find the same ones free the second time, whoever else
    # starts one meanwhile at the usual ports.
    web = ports.free()
    own = {"WEB_PORT": str(web), "PRACTICE_PORT": str(ports.free(taken=[web]))}
    with running(tmp_path_factory.mktemp("fault product"), POLL_LEASE_SECONDS=POLL_LEASE_SECONDS, **own) as started:
        _pause_all_but_care(started)
        yield started


@pytest.fixture(scope="session")
def agent(product: Running) -> Browser:
    return product.signed_in()


def _pause_all_but_care(product: Running) -> None:
    """A fault armed for a poll must be met by the poll that brings the mail, not by one of another mailbox."""
    admin = product.signed_in("admin")
    for (account_id,) in product.rows("SELECT id FROM channels_channelaccount WHERE address <> %s", CARE):
        assert admin.post(f"/settings/accounts/{account_id}/pause/").ok
    polled = "SELECT 1 FROM channels_channelaccount WHERE state = 'paused' AND lease_token IS NOT NULL"
    until(
        lambda: not product.rows(polled),
        what="the last polls of the paused mailboxes",
    )

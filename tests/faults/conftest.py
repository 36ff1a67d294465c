"""One running product for all faults, connected on all four channels."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.theatre import Theatre
from tests.running import Running, running

QUICK = {
    # What a killed poll, and a killed delivery, hold is free again after so many seconds.
    "POLL_LEASE_SECONDS": "5",
    "DELIVERY_LEASE_SECONDS": "5",
    "LOOK_SECONDS": "0,1",
    "RETRY_SECONDS": "1",
    # Only Facebook's own telling brings what is said there: a poll must not hide that nobody told.
    "FACEBOOK_POLL_SECONDS": "3600",
}


@pytest.fixture(scope="package")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("fault product"), **QUICK) as started:
        yield started


@pytest.fixture(scope="package")
def theatre(product: Running) -> Theatre:
    return Theatre(product)

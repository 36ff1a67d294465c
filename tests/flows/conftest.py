"""One running product for all flow tests: each uses customers of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.running import Running, running


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("flow product")) as started:
        yield started


@pytest.fixture(autouse=True)
def _well_behaved(product: Running) -> Iterator[None]:
    """No test leaves a misbehaving network to the next."""
    yield
    product.behave()

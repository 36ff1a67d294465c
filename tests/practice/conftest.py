"""One running program for all tests here; after each of them the network behaves again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.practice.facebook_client import Facebook
from tests.practice.running import Practice
from tests.practice.x_client import X


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    program = Practice(tmp_path_factory.mktemp("practice networks"))
    yield program
    assert program.end() == ""


@pytest.fixture
def practice(running: Practice) -> Iterator[Practice]:
    yield running
    assert running.ask("/practice/mischief", {"network": "mail", "behave": True}).status == 200


@pytest.fixture
def x(practice: Practice) -> Iterator[X]:
    network = X(practice)
    network.act("limits")
    yield network
    assert practice.ask("/practice/mischief", {"network": "x", "behave": True}).status == 200
    network.act("times", **dict.fromkeys(network.facts["times"]))


@pytest.fixture(scope="session")
def facebook_network(running: Practice) -> Facebook:
    return Facebook(running)


@pytest.fixture
def fb(practice: Practice, facebook_network: Facebook) -> Iterator[Facebook]:
    yield facebook_network
    facebook_network.act("proof", required=False)
    assert practice.ask("/practice/mischief", {"network": "facebook", "behave": True}).status == 200

"""One running product for all flow tests: each uses customers of its own.

It ends with the last of them (scope "package"): polling for nobody it would take time from the tests that come after.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flows import at_facebook
from tests.flows.at_facebook import AtFacebook
from tests.flows.at_x import CARE, AtX
from tests.running import Running, running

# Looks, second attempts and waits that need not be waited for.
QUICK = {
    "LOOK_SECONDS": "0,1",
    "RETRY_SECONDS": "1",
    "X_NO_CREDITS_SECONDS": "1",
    "FETCH_AGAIN_SECONDS": "1",
    # Facebook is asked only when a test presses the button, so that each knows which way something came.
    "FACEBOOK_POLL_SECONDS": "36000",
}


@pytest.fixture(scope="package")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("flow product"), **QUICK) as started:
        yield started


@pytest.fixture(scope="package")
def connected_x(product: Running) -> AtX:
    """X, with @AcmeCare connected through the consent page."""
    at_x = AtX(product, str(product.got("/people.json")["networks"]["x"]["origin"]))
    at_x.behave()
    at_x.connect(CARE)
    return at_x


@pytest.fixture
def x(connected_x: AtX) -> Iterator[AtX]:
    """The same for one test, which may make it misbehave."""
    yield connected_x
    connected_x.behave()


@pytest.fixture(scope="package")
def connected_facebook(product: Running) -> AtFacebook:
    """Facebook, with both of our Pages connected through its login dialog."""
    facebook = AtFacebook(product, str(product.got("/people.json")["networks"]["facebook"]["origin"]))
    facebook.behave()
    facebook.connect(at_facebook.CARE, at_facebook.OUTLET)
    return facebook


@pytest.fixture
def facebook(connected_facebook: AtFacebook) -> Iterator[AtFacebook]:
    """The same for one test, which may make it misbehave."""
    yield connected_facebook
    connected_facebook.behave()
    connected_facebook.mend()


@pytest.fixture(autouse=True)
def _well_behaved(product: Running) -> Iterator[None]:
    """No test leaves a misbehaving network to the next."""
    yield
    product.behave()

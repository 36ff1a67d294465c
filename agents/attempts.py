"""A limit on guessing passwords that locks nobody else out.

Three counters of wrong passwords, each forgotten after five minutes:

* A browser that has signed in as this email before carries a signed sign of it and is counted by itself, so that
  nothing a guest does behind the same address keeps Anna from her own desk.
* Any other browser is counted by (address, email): a stranger who guesses Anna's password stops himself, and Anna only
  in a browser she never used, behind the very address the guesses come from. The right password clears it.
* The wrong passwords of such browsers are counted by address, too. Many of them are somebody who tries a few passwords
  on many names. From then on each name has two tries there instead of five. Nobody is refused for what was tried on
  other names: an office is one address, and whoever types their own password at the first or second try comes in
  while the guessing goes on.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import secrets

from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 300
PER_BROWSER = 10
PER_PAIR = 5
# Wrong passwords of one address, on whatever names, after which a name has fewer tries there.
MANY = 50
PER_PAIR_AMONG_MANY = 2
NETWORK_BITS = 64
COOKIE = "contactcentre_known"
COOKIE_SECONDS = 180 * 24 * 3600


def address(request: HttpRequest) -> str:
    """Where the request comes from: the proxy's word only where BEHIND_PROXY says there is one.

    Of an IPv6 address the network: a single customer is given 2^64 of them (RFC 6177), so that whoever is stopped
    behind one would go on from the next.
    """
    told = str(request.META.get("REMOTE_ADDR", ""))
    if settings.SECURE_PROXY_SSL_HEADER:
        told = request.headers.get("X-Forwarded-For", "").rsplit(",", 1)[-1].strip() or told
    try:
        place = ipaddress.ip_address(told)
    except ValueError:
        return told
    if isinstance(place, ipaddress.IPv6Address):
        mapped = place.ipv4_mapped
        return str(mapped or ipaddress.ip_network((int(place), NETWORK_BITS), strict=False))
    return told


def allowed(request: HttpRequest, email: str) -> bool:
    """Whether this browser may try this email now. A cache that is down stops nobody from working."""
    own, *shared = _keys(request, email)
    try:
        counts: dict[str, int] = cache.get_many([own, *shared])
    except RedisError:
        logger.warning("the cache cannot be asked for sign-in attempts", exc_info=True)
        return True
    wrong = counts.get(own, 0)
    if not shared:
        return wrong < PER_BROWSER
    is_many = counts.get(shared[0], 0) >= MANY
    return wrong < (PER_PAIR_AMONG_MANY if is_many else PER_PAIR)


def failed(request: HttpRequest, email: str) -> None:
    """Count one wrong password."""
    try:
        for key in _keys(request, email):
            cache.add(key, 0, WINDOW_SECONDS)
            cache.incr(key)
    # ValueError: the counter was forgotten between the two lines.
    except (RedisError, ValueError):
        logger.warning("a failed sign-in could not be counted", exc_info=True)


def succeeded(request: HttpRequest, email: str) -> None:
    """Forget this browser's wrong passwords for this email: its next mistake is its first."""
    try:
        cache.delete(_keys(request, email)[0])
    except RedisError:
        logger.warning("wrong passwords could not be forgotten", exc_info=True)


def remember(response: HttpResponseBase, email: str) -> None:
    """Give the browser a signed sign that this email has signed in here; it is counted by itself from now on."""
    response.set_cookie(
        COOKIE,
        signing.dumps([email.lower(), secrets.token_urlsafe(12)], salt=COOKIE),
        max_age=COOKIE_SECONDS,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def _browser(request: HttpRequest, email: str) -> str:
    """What tells this browser from others, where it has signed in as this email before; else empty."""
    try:
        known, browser = signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=COOKIE_SECONDS)
    except (signing.BadSignature, ValueError):
        return ""
    return str(browser) if known == email.lower() else ""


def _keys(request: HttpRequest, email: str) -> list[str]:
    """Where a wrong password is counted: the browser's or the pair's own counter, then what it shares with others."""
    browser = _browser(request, email)
    if browser:
        return [f"signin-browser:{_digest(browser, email)}"]
    where = address(request)
    return [f"signin-pair:{_digest(where, email)}", f"signin-address:{_digest(where, '')}"]


def _digest(where: str, email: str) -> str:
    return hashlib.sha256(f"{where}\n{email.lower()}".encode()).hexdigest()

"""A limit on guessing passwords that locks nobody else out.

Counted per (address, email): a stranger who guesses Anna's password from elsewhere stops himself, not Anna.
Counted per address over all emails, too; a browser that has signed in as this email before is let past
that one, so that one office behind one address cannot be locked out by a guest in it.
"""

from __future__ import annotations

import hashlib
import logging

from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 300
PER_PAIR = 5
PER_ADDRESS = 50
COOKIE = "contactcentre_known"
COOKIE_SECONDS = 180 * 24 * 3600


def address(request: HttpRequest) -> str:
    """Where the request comes from: the proxy's word only where BEHIND_PROXY says there is one."""
    if settings.SECURE_PROXY_SSL_HEADER:
        forwarded = request.headers.get("X-Forwarded-For", "")
        if forwarded:
            return forwarded.rsplit(",", 1)[-1].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def allowed(request: HttpRequest, email: str) -> bool:
    """Whether this browser may try this email now. A cache that is down stops nobody from working."""
    pair, everyone = _keys(request, email)
    try:
        counts = cache.get_many([pair, everyone])
    except Exception:
        logger.warning("the cache cannot be asked for sign-in attempts", exc_info=True)
        return True
    if counts.get(pair, 0) >= PER_PAIR:
        return False
    return counts.get(everyone, 0) < PER_ADDRESS or _is_known(request, email)


def failed(request: HttpRequest, email: str) -> None:
    """Count one wrong password."""
    try:
        for key in _keys(request, email):
            cache.add(key, 0, WINDOW_SECONDS)
            cache.incr(key)
    except Exception:
        logger.warning("a failed sign-in could not be counted", exc_info=True)


def remember(response: HttpResponseBase, email: str) -> None:
    """Give the browser a signed sign that this email has signed in here."""
    response.set_cookie(
        COOKIE,
        signing.dumps(email.lower(), salt=COOKIE),
        max_age=COOKIE_SECONDS,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def _is_known(request: HttpRequest, email: str) -> bool:
    try:
        return bool(
            signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=COOKIE_SECONDS) == email.lower()
        )
    except signing.BadSignature:
        return False


def _keys(request: HttpRequest, email: str) -> tuple[str, str]:
    where = address(request)
    pair = hashlib.sha256(f"{where}\n{email.lower()}".encode()).hexdigest()
    return f"signin-pair:{pair}", f"signin-address:{where}"

"""Files that a network hands over as links: fetched from its own hosts, within limits, and kept like any attachment.

A link comes out of a stranger's message, so it is followed only to hosts that are the network's own, by https, to the
usual port, and a redirect only to another of them. What comes is judged by its bytes.
"""

from __future__ import annotations

import mimetypes
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from channels import files
from channels.models import StoredFile
from contactcentre.lib.http import NotSent, RedirectAdapter, TooLarge, session
from contactcentre.lib.secrets import Credentials

X_API = "https://api.twitter.com"
# Facebook's lookaside sends on to its picture hosts; more than a few such steps lead in a circle.
_HOPS = 3
_MOVED = {301, 302, 303, 307, 308}
_HEAD = 64 * 1024
# What every host of theirs is made of. Of others, such as "evil.example\\.fbcdn.net", it depends on who reads the link
# where the name ends: urlsplit() takes the whole for the host, requests goes to evil.example.
_HOST = re.compile(r"[a-z0-9.-]+")
# X's address of a picture in a direct message: by whose event, which medium, which file of it.
_DM_FILE = re.compile(r"/dm/([0-9]{1,19})/([0-9]{1,19})/([A-Za-z0-9_-]{1,100}\.[a-z0-9]{2,5})")


class NotFetched(Exception):
    """The file did not come. The text says why, to go on "could not be fetched: ".

    `permanent`: asking again is no use. `retry_after`: the network's own wish.
    """

    def __init__(self, message: str, *, permanent: bool = False, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a kind of channel keeps its files. A host that begins with a dot stands for all below it.

    `private` hosts want the account's token. `origin` says where its hosts really are in practice, "" for themselves.
    """

    hosts: tuple[str, ...]
    origin: Callable[[], str]
    private: tuple[str, ...] = ()


def _x_origin() -> str:
    # The practice network has one origin for everything of X's.
    return "" if settings.X_ORIGIN == X_API else str(settings.X_ORIGIN)


def _facebook_origin() -> str:
    return str(settings.FACEBOOK_MEDIA_ORIGIN)


_SOURCES = {
    "x": _Source(
        hosts=("pbs.twimg.com", "video.twimg.com", "ton.twimg.com", "ton.twitter.com", "api.twitter.com"),
        origin=_x_origin,
        private=("ton.twimg.com", "ton.twitter.com", "api.twitter.com"),
    ),
    "facebook": _Source(hosts=(".fbcdn.net", ".fbsbx.com"), origin=_facebook_origin),
}


def may_fetch(url: str, *, kind: str) -> bool:
    """Whether this is a link to one of the hosts where this kind of channel keeps its files."""
    return _place(url, kind) is not None


def needs_credentials(url: str, *, kind: str) -> bool:
    """Whether the account's own token is asked for there."""
    place = _place(url, kind)
    return place is not None and place.hostname in _SOURCES[kind].private


def fetch(url: str, *, kind: str, now: datetime, credentials: Credentials | None = None, name: str = "") -> StoredFile:
    """Fetch what the link leads to and keep it, once however often the same content comes.

    At most settings.ATTACHMENT_MAX_BYTES and settings.FETCH_SECONDS. `name` is the attachment's: what its ending
    promises has to come. Never inside a transaction. Raises NotFetched.
    """
    place = _place(url, kind)
    if place is None:
        raise NotFetched(_("the link leads away from the network"), permanent=True)
    body = _body(place, _SOURCES[kind], credentials or Credentials())
    _look_at(body, name)
    return files.store(body, name=name, now=now)


def _place(url: str, kind: str) -> SplitResult | None:
    """The link taken apart, None where it leads anywhere but to the kind's own hosts."""
    source = _SOURCES.get(kind)
    try:
        place = urlsplit(url)
        host, port = place.hostname or "", place.port
    except ValueError:
        return None
    if source is None or place.scheme != "https" or port not in (None, 443) or place.username is not None:
        return None
    if not _HOST.fullmatch(host):
        return None
    known = any(host.endswith(each) if each.startswith(".") else host == each for each in source.hosts)
    return place if known else None


def _body(place: SplitResult, source: _Source, credentials: Credentials) -> bytes:
    ends = time.monotonic() + settings.FETCH_SECONDS
    for _hop in range(_HOPS):
        answer = _asked(place, source, credentials, seconds=max(ends - time.monotonic(), 0.1))
        if answer.status_code not in _MOVED:
            return _content(answer)
        target = urljoin(place.geturl(), answer.headers.get("location", ""))
        kind = next(each for each, known in _SOURCES.items() if known is source)
        moved = _place(target, kind)
        if moved is None:
            raise NotFetched(_("the network sent us on to a place that is not its own"), permanent=True)
        place = moved
    raise NotFetched(_("the network sent us on from place to place"))


def _asked(place: SplitResult, source: _Source, credentials: Credentials, *, seconds: float) -> requests.Response:
    address = _of_message(place)
    public = f"https://{urlsplit(address).netloc}"
    headers = {}
    if place.hostname in source.private:
        headers["Authorization"] = f"Bearer {credentials.get('access_token', '')}"
    adapter = RedirectAdapter(source.origin() or public, total=seconds, max_bytes=settings.ATTACHMENT_MAX_BYTES)
    try:
        with session(public, adapter) as asking:
            # No cookies and no proxies' passwords of this machine go to a link out of a stranger's message.
            asking.trust_env = False
            return asking.get(address, headers=headers, allow_redirects=False)
    except requests.TooManyRedirects as error:
        # The session follows none by itself; where this one leads is looked at first.
        if error.response is None:
            raise NotFetched(_("the connection broke")) from error
        return error.response
    except TooLarge as error:
        words = _("it is larger than %(cap)s") % {"cap": filesizeformat(settings.ATTACHMENT_MAX_BYTES)}
        raise NotFetched(words, permanent=True) from error
    except NotSent as error:
        raise NotFetched(_("the network cannot be reached just now")) from error
    except requests.Timeout as error:
        raise NotFetched(_("the network did not hand it over in time")) from error
    except requests.RequestException as error:
        raise NotFetched(_("the connection broke")) from error


def _of_message(place: SplitResult) -> str:
    """The address to ask. Pictures of X's direct messages are handed to an app by its API only (OpenAPI document,
    "Download DM Media"), for whose sake the address that the message names is taken apart."""
    found = _DM_FILE.search(place.path) if place.hostname in ("ton.twimg.com", "ton.twitter.com") else None
    if found is None:
        return place.geturl()
    return f"{X_API}/2/dm_conversations/media/{found[1]}/{found[2]}/{found[3]}"


def _content(answer: requests.Response) -> bytes:
    status = answer.status_code
    if status == 200:
        if not answer.content:
            raise NotFetched(_("it came empty"))
        # A page of HTML in the place of a picture is an error page or a sign-in, whatever its status.
        return answer.content
    if status in (404, 410):
        # Pictures are now and then there a moment after the message that names them.
        raise NotFetched(_("it is not there"), permanent=status == 410)
    if status in (401, 403):
        raise NotFetched(_("the network does not hand it to us (%(status)d)") % {"status": status}, permanent=True)
    if status == 429:
        after = answer.headers.get("retry-after", "")
        wait = timedelta(seconds=min(int(after), 3600)) if after.isascii() and after.isdigit() else None
        raise NotFetched(_("the network asks us to wait"), retry_after=wait)
    raise NotFetched(_("the network answered with %(status)d") % {"status": status})


def _look_at(body: bytes, name: str) -> None:
    """Raise NotFetched where what came is plainly not what the name promises: a web page, or words for a picture."""
    promised = (mimetypes.guess_type(name)[0] or "").partition("/")
    came = files.sniff(body[:_HEAD])
    is_page = came in {"text/html", "application/xhtml+xml"} or body[:200].lstrip().lower().startswith(
        (b"<!doctype html", b"<html")
    )
    if is_page and promised[2] != "html":
        raise NotFetched(_("a web page came in its place"))
    if promised[0] in {"image", "video", "audio"} and (came.startswith("text/") or came == "application/json"):
        raise NotFetched(_("something else came in its place"))

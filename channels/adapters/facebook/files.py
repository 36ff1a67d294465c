"""Pictures, films and files as Facebook names them: by links that somebody else fetches. What is no file, in words."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from channels.adapters.facebook import fields
from channels.adapters.facebook.fields import Object
from channels.happenings import FilePart
from contactcentre.lib.text import file_name

# Messenger takes 30 pictures a message; more than these are not shown as files.
MOST = 40
_TYPES = {"image": "image/jpeg", "video": "video/mp4", "audio": "audio/mpeg", "file": "application/octet-stream"}
_FILES = frozenset(_TYPES)


def of_webhook(message: Object) -> tuple[tuple[FilePart, ...], tuple[str, ...]]:
    """The files of a message as a webhook names them, and in words what else came with it."""
    found: list[FilePart] = []
    words: list[str] = []
    for each in list(fields.objects(message, "attachments"))[:MOST]:
        kind, payload = fields.line(each, "type", 40), fields.inner(each, "payload")
        url = fields.link(payload, "url") or fields.link(each, "url")
        if kind in _FILES:
            name = _("sticker") if payload.get("sticker_id") is not None else _named(kind, len(found) + 1)
            given = fields.line(payload, "name", 200) or fields.line(each, "name", 200)
            found.append(_part(url, kind=kind, given=given, fallback=name))
        elif kind == "location":
            words.append(_location(payload, url))
        else:
            words.append(_other(kind, fields.line(each, "title") or fields.line(payload, "title"), url))
    return tuple(found), tuple(words)


def of_conversation(message: Object) -> tuple[tuple[FilePart, ...], tuple[str, ...]]:
    """The same of a message as it was read from its conversation."""
    found: list[FilePart] = []
    words: list[str] = []
    for each in list(fields.data(message, "attachments"))[:MOST]:
        picture, film = fields.inner(each, "image_data"), fields.inner(each, "video_data")
        url = fields.link(picture, "url") or fields.link(film, "url") or fields.link(each, "file_url")
        said_type = fields.line(each, "mime_type", 100)
        kind = said_type.partition("/")[0] or ("image" if picture else "video" if film else "file")
        kind = kind if kind in _FILES else "file"
        part = _part(url, kind=kind, given=fields.line(each, "name", 200), fallback=_named(kind, len(found) + 1))
        size = fields.whole(each.get("size"))
        found.append(
            FilePart(
                name=part.name,
                content_type=said_type or part.content_type,
                url=part.url,
                size=size,
                note=part.note,
            )
        )
    sticker = fields.link(message, "sticker")
    if sticker:
        found.append(_part(sticker, kind="image", given="", fallback=_("sticker")))
    for each in list(fields.data(message, "shares"))[:MOST]:
        words.append(_other("share", fields.line(each, "name"), fields.link(each, "link")))
    return tuple(found), tuple(words)


def of_feed(value: Object) -> tuple[FilePart, ...]:
    """The pictures and the film of a comment or post as a webhook names them."""
    urls = [("image", fields.link(value, "photo")), ("video", fields.link(value, "video"))]
    if not urls[0][1] and not urls[1][1] and fields.line(value, "item", 40) in ("photo", "video"):
        urls = [("video" if fields.line(value, "item", 40) == "video" else "image", fields.link(value, "link"))]
    photos = value.get("photos")
    for each in photos if isinstance(photos, list) else []:
        urls.append(("image", fields.link({"url": each}, "url")))
    once = dict.fromkeys((kind, url) for kind, url in urls if url)
    return tuple(
        _part(url, kind=kind, given="", fallback=_named(kind, number))
        for number, (kind, url) in enumerate(list(once)[:MOST], start=1)
    )


def of_story(attachments: Iterator[Object]) -> tuple[tuple[FilePart, ...], tuple[str, ...]]:
    """The same of a comment's `attachment` or a post's `attachments` as they were read."""
    found: list[FilePart] = []
    words: list[str] = []
    for each in attachments:
        inside = list(fields.data(each, "subattachments")) or [each]
        for one in inside[: MOST - len(found)]:
            kind = fields.line(one, "type", 60)
            media = fields.inner(one, "media")
            film, picture = fields.link(media, "source"), fields.link(fields.inner(media, "image"), "src")
            if "video" in kind and film:
                found.append(_part(film, kind="video", given="", fallback=_named("video", len(found) + 1)))
            elif picture and not _is_link(kind):
                found.append(_part(picture, kind="image", given="", fallback=_named("image", len(found) + 1)))
            else:
                words.append(_other(kind or "share", fields.line(one, "title"), fields.link(one, "url")))
    return tuple(found), tuple(words)


def _is_link(kind: str) -> bool:
    # The picture of a shared page is that page's, not the customer's.
    return kind in {"share", "link", "unavailable"}


def _part(url: str, *, kind: str, given: str, fallback: str) -> FilePart:
    path = urlsplit(url).path if _parses(url) else ""
    name = file_name(given or path, fallback)
    guessed = mimetypes.guess_type(name)[0]
    note = "" if url else _("Facebook did not say where this is. It can be seen there.")
    return FilePart(name=name, content_type=guessed or _TYPES[kind], url=url, note=note)


def _parses(url: str) -> bool:
    try:
        urlsplit(url)
    except ValueError:
        # "http://[" and the like.
        return False
    return True


def _named(kind: str, number: int) -> str:
    names = {"image": _("picture %(number)d"), "video": _("video %(number)d"), "audio": _("recording %(number)d")}
    return names.get(kind, _("file %(number)d")) % {"number": number}


def _location(payload: Object, url: str) -> str:
    where = fields.inner(payload, "coordinates")
    latitude, longitude = where.get("lat"), where.get("long")
    if isinstance(latitude, int | float) and isinstance(longitude, int | float):
        return _("A place on the map: %(latitude).5f, %(longitude).5f") % {
            "latitude": float(max(min(latitude, 90), -90)),
            "longitude": float(max(min(longitude, 180), -180)),
        }
    return _("A place on the map: %(link)s") % {"link": url} if url else _("A place on the map.")


def _other(kind: str, title: str, url: str) -> str:
    shared = " ".join(each for each in (title, url) if each)
    if shared:
        return _("Shared with it: %(what)s") % {"what": shared}
    known = {"fallback", "share", "template"}
    if kind in known:
        return _("Something was shared with it. It can be seen on Facebook.")
    return _("Something this inbox does not know (%(kind)s). It can be seen on Facebook.") % {"kind": kind or "?"}

"""Pictures and videos of posts and messages: what is handed up is where they are and what they are, not the bytes."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from channels.adapters.x.fields import Object, inner, line, link, objects
from channels.happenings import FilePart
from contactcentre.lib.text import file_name

_TYPES = {"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "gif": "image/gif"}
_VIDEO = "video/mp4"
# X takes four pictures a post; anybody's own upload of more is not shown as files.
_MOST = 20


def keys(given: Object) -> list[str]:
    """The media keys of a post or message: of its attachments, and of the links that stand for them in its text."""
    named = inner(given, "attachments").get("media_keys")
    found = [key for key in named if isinstance(key, str)] if isinstance(named, list) else []
    links = objects(inner(given, "entities"), "urls")
    found += [key for each in links if isinstance(key := each.get("media_key"), str)]
    return list(dict.fromkeys(found))[:_MOST]


def parts(given: Object, known: dict[str, Object]) -> Iterator[FilePart]:
    """One file for each media key, in their order. `known` is what came with the page, by media key."""
    for number, key in enumerate(keys(given), start=1):
        medium = known.get(key)
        if medium is None:
            # Not handed over with the page (a protected or withheld one): the post is understood without it.
            note = _("X did not say where this is. It can be seen there.")
            yield FilePart(name=_("attachment %(number)d") % {"number": number}, content_type="", note=note)
        else:
            yield _part(medium, number)


def _part(medium: Object, number: int) -> FilePart:
    kind = line(medium, "type", 40)
    url = link(medium, "url")
    content_type, name = "", _("%(kind)s %(number)d") % {"kind": kind or _("attachment"), "number": number}
    if kind == "photo":
        content_type = _TYPES.get(urlsplit(url).path.rpartition(".")[2].lower(), "image/jpeg")
        name = _("picture %(number)d") % {"number": number}
    elif kind in {"video", "animated_gif"}:
        url = _film(medium) or url or link(medium, "preview_image_url")
        content_type = _VIDEO
        name = _("video %(number)d") % {"number": number}
    return FilePart(
        name=file_name(urlsplit(url).path, name),
        content_type=content_type,
        url=url,
        note=_note(kind, line(medium, "alt_text", 400), has_link=bool(url)),
    )


def _film(medium: Object) -> str:
    """The address of the finest version that every browser plays, empty where there is none."""
    best, rate = "", -1
    for variant in objects(medium, "variants"):
        bits = variant.get("bit_rate", 0)
        if variant.get("content_type") == _VIDEO and isinstance(bits, int) and bits > rate and link(variant, "url"):
            best, rate = link(variant, "url"), bits
    return best


def _note(kind: str, described: str, *, has_link: bool) -> str:
    """Of what can be fetched how its author described it; of anything else where it can be seen."""
    if kind not in {"photo", "video", "animated_gif"}:
        where = _("Something this inbox does not know (%(kind)s). It can be seen at X.") % {"kind": kind or "?"}
    elif has_link:
        return described
    else:
        where = _("Kept by X; it can be seen there.")
    return _("%(where)s Described as: %(words)s") % {"where": where, "words": described} if described else where

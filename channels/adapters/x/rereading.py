"""Reading known posts again: X tells nobody when a customer edits or deletes one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from channels.adapters.x import api, fields, items, posts, snowflakes
from channels.adapters.x.api import Answer, Api
from channels.happenings import RawItem

# X takes this many ids in one question.
MOST = 100


def reread(access: Api, external_ids: Iterable[str], *, now: datetime) -> tuple[RawItem, ...]:
    """An item for each post that has another version now, and for each that is gone. Raises XProblem.

    `external_ids` are those of messages; direct messages among them are left out, X does not let them be edited.
    Raises ValueError for more than 100 posts.
    """
    wanted = list(dict.fromkeys(each for each in external_ids if snowflakes.is_id(each)))
    if not wanted:
        return ()
    if len(wanted) > MOST:
        raise ValueError(f"at most {MOST} posts are read again at once")
    answer = access.read(api.POSTS, ",".join(wanted))
    # Asked by its first id, a post comes in its first version, with the ids of all later ones beside it.
    later = {
        newest: fields.as_ident(post.get("id"))
        for post in fields.objects(answer.body, "data")
        if (newest := posts.newest(post)) and newest != fields.as_ident(post.get("id"))
    }
    found = [*_edits(answer), *_gone(answer, set(wanted), now=now)]
    if later:
        found += _edits(access.read(api.POSTS, ",".join(list(later)[:MOST])))
    return tuple({(item.happening, item.external_id, item.revision): item for item in found}.values())


def anew(access: Api, external_ids: Iterable[str]) -> tuple[RawItem, ...]:
    """These posts as X has them now, each as the item that a list of X would have made of it. Raises XProblem.

    Left out are those that X has no more, and direct messages. Raises ValueError for more than 100 posts.
    """
    wanted = list(dict.fromkeys(each for each in external_ids if snowflakes.is_id(each)))
    if not wanted:
        return ()
    if len(wanted) > MOST:
        raise ValueError(f"at most {MOST} posts are read again at once")
    answer = access.read(api.POSTS, ",".join(wanted))
    return tuple(each.raw for each in items.of_page(answer.body, items.POST) if each.raw.external_id in wanted)


def _edits(answer: Answer) -> Iterator[RawItem]:
    """Of the posts in an answer those that are a later version, and the latest."""
    includes = fields.inner(answer.body, "includes")
    for post in fields.objects(answer.body, "data"):
        number = fields.as_ident(post.get("id"))
        listed = fields.first(post, *fields.EDIT_HISTORY)
        if number and isinstance(listed, list) and len(listed) > 1 and posts.newest(post) == number:
            yield items.edit(post, includes)


def _gone(answer: Answer, wanted: set[str], *, now: datetime) -> Iterator[RawItem]:
    """The posts that X names as not found. One that is merely hidden from us (a protected account) is not gone."""
    for error in fields.objects(answer.body, "errors"):
        number = fields.as_ident(fields.first(error, "resource_id", "value"))
        if number in wanted and fields.line(error, "type").endswith("/resource-not-found"):
            body = {"id": number, "seen_gone_at": now.isoformat(), "error": error}
            yield RawItem(happening="delete", external_id=number, body=json.dumps(body).encode())

"""X's pages cut into single items for the ledger, each with what its reader will need and nothing of the others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from channels.adapters.x import dms, fields, media
from channels.adapters.x.fields import Object
from channels.happenings import RawItem

POST = "post"
DM = "dm_event"


@dataclass(frozen=True, slots=True)
class Item:
    """One ledger item and its number; 0 where it has no usable id."""

    number: int
    raw: RawItem


def of_page(body: Object, name: str) -> list[Item]:
    """Every entry of a page's `data`, oldest first. Whatever is in the list becomes an item: it was handed to us."""
    data = body.get("data")
    entries: Sequence[object] = data if isinstance(data, list) else [data] if isinstance(data, dict) else []
    includes = _Includes(fields.inner(body, "includes"))
    return sorted((_item(entry, name, includes) for entry in entries), key=lambda item: item.number)


def edit(entry: Object, includes: Object) -> RawItem:
    """A post read again whose text is another now; known by its first version, told once for each version."""
    newest = fields.ident(entry, "id")
    body = json.dumps({POST: entry, "includes": _Includes(includes).of(entry)}).encode()
    listed = fields.first(entry, *fields.EDIT_HISTORY)
    versions = [fields.as_ident(each) for each in listed] if isinstance(listed, list) else []
    # What is no id there is left out: it must not keep the other posts of the answer from being looked at.
    first = min((each for each in versions if each), key=int, default=newest)
    return RawItem(happening="edit", external_id=first, revision=newest, body=body)


class _Includes:
    """What came with a page, by id, so that each item takes only its own."""

    def __init__(self, given: Object) -> None:
        self._users = fields.by_key(fields.objects(given, "users"), "id")
        self._posts = fields.by_key(fields.objects(given, *fields.INCLUDED_POSTS), "id")
        self._media = fields.by_key(fields.objects(given, "media"), "media_key")

    def of(self, entry: Object) -> dict[str, list[Object]]:
        """The people, posts and media that an entry speaks of."""
        named = [fields.as_ident(each.get("id")) for each in fields.objects(entry, *fields.REFERENCES)]
        found = [self._posts[each] for each in named if each in self._posts]
        people = [entry.get("author_id"), entry.get("sender_id"), entry.get("in_reply_to_user_id")]
        conversation = entry.get("dm_conversation_id")
        if isinstance(conversation, str):
            people += conversation.split("-")[:2]
        people += [each.get("author_id") for each in found]
        ids = dict.fromkeys(fields.as_ident(each) for each in people)
        return {
            "users": [self._users[each] for each in ids if each in self._users],
            "tweets": found,
            "media": [self._media[key] for key in media.keys(entry) if key in self._media],
        }


def _item(entry: object, name: str, includes: _Includes) -> Item:
    body: dict[str, object] = {name: entry}
    number = ""
    if isinstance(entry, dict):
        number = fields.as_ident(entry.get("id"))
        body["includes"] = includes.of(entry)
    # ASCII, so that a lone surrogate travels as an escape and not as an exception.
    encoded = json.dumps(body).encode()
    if not number:
        known_by = f"unreadable:{hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()[:32]}"
        return Item(0, RawItem(happening="message", external_id=known_by, body=encoded))
    external_id = dms.external_id(number) if name == DM else number
    return Item(int(number), RawItem(happening="message", external_id=external_id, body=encoded))

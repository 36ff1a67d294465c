"""One call event as an exchange posts it, in the shape of Zammad's generic CTI interface.

https://docs.zammad.org/en/latest/api/generic-cti/ names the fields: event, from, to, direction, callId, user[],
queue, answeringNumber, user, cause; as a form or as JSON. Many exchanges speak it, and py-zammad-cti is a client
for it. It carries no time: an event happened when it arrived.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from django.utils.translation import gettext as _

from channels.adapters.base import PayloadError
from contactcentre.lib.text import clean_line

# What the ledger calls each event. An event that is not here is well formed all the same, and filtered.
HAPPENINGS: Mapping[str, str] = {"newCall": "call-new", "answer": "call-answer", "hangup": "call-hangup"}

# The user that "answers" when a call went to the voicemail box: nobody of ours has spoken.
VOICEMAIL = "voicemail"

# The document allows 250 characters for a callId.
LONGEST_ID = 250
LONGEST_FIELD = 1000
MOST_FIELDS = 100

_BOUNDARY = re.compile(r"boundary=(?:\"([^\"]{1,200})\"|([^;\s]{1,200}))", re.IGNORECASE)
_PART_NAME = re.compile(rb";\s*name=(?:\"([^\"]{0,200})\"|([^;\s]{0,200}))", re.IGNORECASE)

# Causes in the document's own words; FreeSWITCH and its kin post the names of Q.850 instead.
_CAUSES = {
    "normalclearing": "normalClearing",
    "busy": "busy",
    "userbusy": "busy",
    "cancel": "cancel",
    "originatorcancel": "cancel",
    "noanswer": "noAnswer",
    "nouserresponse": "noAnswer",
    "callrejected": "noAnswer",
    "congestion": "congestion",
    "normalcircuitcongestion": "congestion",
    "notfound": "notFound",
    "unallocatednumber": "notFound",
    "forwarded": "forwarded",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a body said. `name` and `call_id` are never empty; all else may be."""

    name: str
    call_id: str
    direction: str = ""
    caller: str = ""
    called: str = ""
    cause: str = ""
    answered_by: str = ""


def read(body: bytes, content_type: str) -> Event:
    """The event in a hook's body. Raises PayloadError where there is none, and nothing else, whatever the body is."""
    fields = _fields(body, content_type)
    name, call_id = fields.get("event", ""), fields.get("callId", "")
    if not name:
        raise PayloadError(_("The exchange did not say which event this is."))
    if not call_id:
        raise PayloadError(_("The exchange did not say which call this belongs to."))
    if len(call_id) > LONGEST_ID:
        raise PayloadError(_("The call's id is longer than the exchange may make it."))
    return Event(
        name=name[:60],
        call_id=call_id,
        direction=fields.get("direction", "").lower()[:20],
        caller=fields.get("from", "")[:200],
        called=fields.get("to", "")[:200],
        cause=_cause(fields.get("cause", "")),
        answered_by=_answered_by(fields),
    )


def _answered_by(fields: Mapping[str, str]) -> str:
    user = fields.get("user") or fields.get("user[]") or ""
    return VOICEMAIL if user.lower() == VOICEMAIL else (user or fields.get("answeringNumber", ""))[:200]


def _cause(told: str) -> str:
    known = _CAUSES.get(re.sub(r"[^a-z]", "", told.lower()))
    return known or told[:40]


def _fields(body: bytes, content_type: str) -> dict[str, str]:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return _folded(_multipart(body, content_type))
    if kind == "application/json" or kind.endswith("+json") or body.lstrip()[:1] == b"{":
        return _json(body)
    text = body.decode("utf-8", "replace")
    try:
        return _folded(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError as error:
        raise PayloadError(_("The exchange posted something that is no form.")) from error


def _folded(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Each field once: the first telling wins, but of the several people of user[] all are kept."""
    fields: dict[str, str] = {}
    for name, value in pairs:
        line = clean_line(value, LONGEST_FIELD)
        if name not in fields:
            fields[name] = line
        elif name == "user[]":
            fields[name] = clean_line(f"{fields[name]}, {line}", LONGEST_FIELD)
    return fields


def _json(body: bytes) -> dict[str, str]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        # UnicodeDecodeError is a ValueError; a body of nothing but brackets exhausts the parser's stack.
        raise PayloadError(_("The exchange posted something that is no JSON.")) from error
    if not isinstance(told, dict):
        raise PayloadError(_("The exchange posted JSON that is no object."))
    pairs: list[tuple[str, str]] = []
    for name, value in list(told.items())[:MOST_FIELDS]:
        values = value[:MOST_FIELDS] if isinstance(value, list) else [value]
        # A list under `user` means the same as several user[] in a form.
        key = "user[]" if name == "user" and isinstance(value, list) else name
        pairs.extend((key, text) for text in map(_scalar, values) if text is not None)
    return _folded(pairs)


def _scalar(value: object) -> str | None:
    if isinstance(value, str):
        return value[: LONGEST_FIELD * 2]
    # Exchanges that count their calls post the id as a number. Beyond 64 bits it is none.
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**64:
        return str(value)
    return None


def _multipart(body: bytes, content_type: str) -> list[tuple[str, str]]:
    """The fields of a multipart form (RFC 7578), as curl's --form sends it; files and nested parts are none."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise PayloadError(_("The exchange posted something that is no form."))
    mark = b"--" + (found[1] or found[2]).encode("utf-8", "replace")
    pairs: list[tuple[str, str]] = []
    for part in body.split(mark, MOST_FIELDS)[1:]:
        head, _blank, value = part.partition(b"\r\n\r\n")
        name = _PART_NAME.search(head)
        if name is not None:
            text = value.removesuffix(b"\r\n").decode("utf-8", "replace")
            pairs.append(((name[1] or name[2] or b"").decode("utf-8", "replace"), text[: LONGEST_FIELD * 2]))
    return pairs

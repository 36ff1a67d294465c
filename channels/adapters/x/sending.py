"""A reply goes out by X: publicly below a post, or as a direct message."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _

from channels.adapters.base import Connection, DeliveryError
from channels.adapters.x import dms, fields, looking, problems, snowflakes
from channels.adapters.x.api import Answer, Api
from channels.adapters.x.problems import XProblem
from channels.happenings import Outgoing, Sent


def send(access: Api, connection: Connection, outgoing: Outgoing, *, still_ours: Callable[[], bool]) -> Sent:
    """Hand it to X. Raises DeliveryError, XProblem."""
    if outgoing.files:
        raise DeliveryError(_("X takes no files from here."), permanent=True, code="files")
    private = outgoing.surface == dms.SURFACE
    wanted = outgoing.recipient.value if private else outgoing.parent_id
    if not snowflakes.is_id(wanted):
        # Without it X would take the answer for a statement of ours to everybody.
        words = _("It is not known which post this answers.") if not private else _("It is not known whom this is for.")
        raise DeliveryError(words, permanent=True, code="nobody")
    if not still_ours():
        raise DeliveryError(_("Somebody else has taken this message over meanwhile."), code="lease-lost")
    if private:
        answer = access.message(text=outgoing.text, to=wanted)
        number = fields.as_ident(fields.inner(answer.body, "data").get("dm_event_id"))
        external_id = dms.external_id(number)
    else:
        answer = _posted(access, connection, outgoing)
        number = external_id = fields.as_ident(fields.inner(answer.body, "data").get("id"))
    if not number:
        # It was taken, and nobody knows as what.
        raise problems.unreadable(201)
    return Sent(external_id=external_id)


def _posted(access: Api, connection: Connection, outgoing: Outgoing) -> Answer:
    try:
        return access.post(text=outgoing.text, answers=outgoing.parent_id)
    except XProblem as problem:
        if problem.code != "duplicate" or _is_elsewhere(access, connection, outgoing):
            raise
        # An earlier try of this very answer may have arrived. X's guard tells that there is one, and not which:
        # so it is looked for like any other answer of unknown fate.
        raise XProblem(str(problem), code="duplicate", done="unknown", status=403, detail=problem.detail) from problem


def _is_elsewhere(access: Api, connection: Connection, outgoing: Outgoing) -> bool:
    """Whether the words stand below another post of late and not below this one: then it was surely not sent."""
    try:
        found = looking.answered_with(access, connection, outgoing.text)
    except XProblem:
        return False
    return bool(found) and outgoing.parent_id not in found

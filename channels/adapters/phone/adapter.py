"""The phone adapter: the three events of a call become Calls. A call is logged, never sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Literal

from django.conf import settings
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from channels.adapters.base import Connection, DeliveryError, Looked, NotOurs, Opener, PayloadError, Polled, Tried
from channels.adapters.phone.event import Event, read
from channels.adapters.phone.number import LONGEST, NotANumber, e164
from channels.happenings import Address, Call, Direction, Happening, Outgoing, RawItem, Sent
from contactcentre.lib.text import clean_line

_EVENTS: dict[str, Literal["new", "answered", "ended"]] = {"newCall": "new", "answer": "answered", "hangup": "ended"}


class PhoneAdapter:
    """A line of an exchange that posts its events to the line's hook address."""

    kind = "phone"

    def poll(self, connection: Connection, cursor: Mapping[str, object], *, now: datetime) -> Polled:
        """Nothing: an exchange tells by itself, and cannot be asked."""
        return Polled(items=(), cursor=dict(cursor))

    def parse(self, item: RawItem, connection: Connection) -> Iterator[Happening]:
        """The call's event; nothing for an event of a kind we have no use for.

        Raises PayloadError, and NotOurs for a call between two lines of ours, of which no customer knows.
        """
        told = read(item.body, str(item.meta.get("content_type", "")))
        event = _EVENTS.get(told.name)
        if event is None:
            return
        direction = _direction(told)
        yield Call(
            external_id=told.call_id,
            scope=connection.address,
            event=event,
            direction=direction,
            customer=_customer(told, direction, connection),
            line=connection.address,
            at=_received_at(item),
            cause=told.cause if event == "ended" else "",
            answered_by=told.answered_by if event == "answered" else "",
        )

    def send(
        self, connection: Connection, outgoing: Outgoing, *, opener: Opener, still_ours: Callable[[], bool]
    ) -> Sent:
        """Never: raises DeliveryError, for good."""
        raise DeliveryError(_("A call is logged here, not made."), permanent=True, code="calls-are-logged")

    def look(self, connection: Connection, outgoing: Outgoing, *, since: datetime) -> Looked:
        """Never: raises DeliveryError, for good."""
        raise DeliveryError(_("A call is logged here, not made."), permanent=True, code="calls-are-logged")

    def try_out(self, connection: Connection) -> Tried:
        """Where the exchange must post, and when it last did (`heard_at` of the settings, where the caller knows it).

        Not ok until the first event came, because only the exchange can prove that it reaches us.
        """
        where = _("The exchange posts to %(address)s, with the line's token in place of the dots.") % {
            "address": f"{settings.BASE_URL}/hooks/phone/…/"
        }
        heard_at = parse_datetime(str(connection.settings.get("heard_at") or ""))
        if heard_at is None:
            return Tried(ok=False, words=(where, _("No event has come yet: ring the line once, and look here again.")))
        when = date_format(localtime(heard_at), "j F Y, H:i")
        return Tried(ok=True, words=(where, _("The last event came on %(when)s.") % {"when": when}))


def _direction(told: Event) -> Direction:
    if told.direction == "in":
        return "in"
    if told.direction == "out":
        return "out"
    raise PayloadError(_("The exchange did not say whether the call came in or went out."))


def _customer(told: Event, direction: Direction, connection: Connection) -> Address:
    """Whoever is at the other end. Nobody to be seen gets the call's own id, which is never matched again."""
    number = told.caller if direction == "in" else told.called
    region = str(connection.settings.get("region") or "")
    shown = clean_line(number, LONGEST)
    try:
        value = e164(number, region=region)
    except NotANumber:
        # Two exchanges may count their calls from one, so the line belongs to the address.
        return Address(kind="nameless", value=told.call_id, scope=connection.address, display=shown, region=region)
    if value in connection.own:
        raise NotOurs(gettext_noop("a call between our own lines"))
    return Address(kind="phone", value=value, display=shown, region=region)


def _received_at(item: RawItem) -> datetime:
    told = str(item.meta.get("received_at", ""))
    try:
        received_at = parse_datetime(told)
    except ValueError as error:
        raise PayloadError(_("When the event came is not known.")) from error
    if received_at is None or received_at.tzinfo is None:
        raise PayloadError(_("When the event came is not known."))
    return received_at

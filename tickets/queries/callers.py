"""Who a number is, while it is typed: the customers it may be, and the call it probably is."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from channels.happenings import Address
from customers.addresses import NotAnAddress, key
from customers.models import Customer, Identity, IdentityKind
from tickets import access
from tickets.models import Message, Ticket

# A call logged by hand within this long of one the exchange told of is probably the same call.
RECENT = timedelta(hours=2)


def recent(*, number: str, region: str, now: datetime, direction: str = "in") -> Message | None:
    """The latest call with this number within two hours that nobody has written down yet.

    `direction` is "in" or "out": who calls back is not writing down the call that was missed.
    """
    try:
        wanted = key(Address(kind=IdentityKind.PHONE, value=number, region=region))
    except NotAnAddress:
        return None
    return (
        Message.objects.select_related("call", "contact", "ticket__customer")
        .filter(
            channel_kind="phone",
            direction=direction,
            contact__identity__kind=IdentityKind.PHONE,
            contact__identity__value=wanted.value,
            person=None,
            said_at__gte=now - RECENT,
        )
        .order_by("-said_at", "-id")
        .first()
    )


def lookup(number: str, *, region: str, have: access.Rights) -> tuple[list[Customer], list[Customer]]:
    """Who a number is: those whose number it is (known), and those whose number ends the same (maybe).

    Only customers with a ticket this person may see; at most ten each.
    """
    digits = "".join(character for character in number if character.isdigit())
    if len(digits) < 3:
        return [], []
    mine = Q(tickets__in=access.visible(have, Ticket.objects.all()))
    known: list[Customer] = []
    try:
        wanted = key(Address(kind=IdentityKind.PHONE, value=number, region=region))
        known = list(
            Customer.objects.filter(
                mine, identities__kind=IdentityKind.PHONE, identities__value=wanted.value
            ).distinct()[:10]
        )
    except NotAnAddress:
        wanted = None
    maybe: list[Customer] = []
    if len(digits) >= 6:
        alike = Identity.objects.filter(kind=IdentityKind.PHONE, value__contains=digits.lstrip("0")[-9:])
        maybe = list(
            Customer.objects.filter(mine, pk__in=alike.values("customer"))
            .exclude(pk__in=[one.pk for one in known])
            .distinct()[:10]
        )
    return known, maybe

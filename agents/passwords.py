"""How a person gets a password: by a link that an admin hands over, good for one use and three days.

No mail is sent: the admin gives the link to whom they know. The link holds a nonce that also stands in the person's
row; a newer link, the chosen password and deactivation each end it.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.core import signing
from django.db import transaction
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from agents import history, tokens
from agents.models import Person
from agents.people import CannotChange
from contactcentre.lib import realtime

LASTS = timedelta(days=3)
_SALT = "agents.passwords"


def new_link(*, actor: Person | None, person: Person, now: datetime) -> str:
    """The token of a new link, which ends the one before. Raises CannotChange for somebody deactivated."""
    nonce = secrets.token_urlsafe(18)
    with transaction.atomic():
        if not Person.objects.filter(pk=person.pk, is_active=True).update(password_link=nonce):
            raise CannotChange(_("%(name)s is deactivated. Activate them first.") % {"name": person.name})
        history.record(at=now, act="person.link_made", actor=actor, person=person.pk)
    return signing.dumps({"p": person.pk, "n": nonce}, salt=_SALT)


def whose(token: str, *, lock: bool = False) -> Person | None:
    """The active person whom a link is for; None where it is no link, too old, used, or replaced by another."""
    try:
        told = signing.loads(token, salt=_SALT, max_age=LASTS)
    except signing.BadSignature:
        return None
    rows = Person.objects.select_for_update(no_key=True) if lock else Person.objects.all()
    person = rows.filter(pk=told["p"], is_active=True).first()
    if person is None or not person.password_link or not constant_time_compare(person.password_link, told["n"]):
        return None
    return person


def choose(token: str, password: str, *, now: datetime) -> Person | None:
    """Give the link's person this password and use the link up; None where the link is good no longer.

    All their sessions end: those were opened with the old password. So do their API tokens: whoever had the old one
    may have made some.
    """
    hashed = make_password(password)  # slow by design, so before the lock
    with transaction.atomic():
        person = whose(token, lock=True)
        if person is None:
            return None
        person.password, person.password_link = hashed, ""
        person.save(update_fields=["password", "password_link"])
        tokens.revoke_all(person=person, now=now)
        history.record(at=now, act="person.password_chosen", actor=person, person=person.pk)
        realtime.person_changed(person.pk)
    return person

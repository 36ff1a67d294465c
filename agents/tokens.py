"""Tokens of the API: a program shows one to act as the person who made it, with exactly that person's rights."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _

from agents import history
from agents.models import ApiToken, Person
from contactcentre.lib.text import clean_line

# So that whoever finds one in a log or a repository can tell what it is.
PREFIX = "cc_"
MOST = 20
USE_NOTED_EVERY = timedelta(minutes=1)


class CannotMake(Exception):
    """This token cannot be made; the text says why in plain words."""


def make(*, person: Person, name: str, now: datetime) -> tuple[ApiToken, str]:
    """A new token of this person and its text, which is told this once and kept nowhere. Raises CannotMake."""
    called = clean_line(name, 80)
    if not called:
        raise CannotMake(_("Give the token a name, such as the program that will use it."))
    text = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        # Locked, so that two presses at once do not pass the limit together.
        Person.objects.select_for_update(no_key=True).get(pk=person.pk)
        if ApiToken.objects.filter(person=person, revoked_at=None).count() >= MOST:
            raise CannotMake(_("%(most)s tokens are the most one person has. Revoke one first.") % {"most": MOST})
        token = ApiToken.objects.create(person=person, name=called, digest=_digest(text), created_at=now)
        history.record(at=now, act="token.made", actor=person, token=token.pk)
    return token, text


def revoke(*, person: Person, token_id: int, now: datetime) -> ApiToken:
    """End one of this person's tokens at once and return it; one that was ended stays so. Raises Http404."""
    with transaction.atomic():
        token = ApiToken.objects.select_for_update().filter(person=person, pk=token_id).first()
        if token is None:
            raise Http404
        if token.revoked_at is None:
            token.revoked_at = now
            token.save(update_fields=["revoked_at"])
            history.record(at=now, act="token.revoked", actor=person, token=token.pk)
    return token


def revoke_all(*, person: Person, now: datetime) -> int:
    """End every token of this person, inside the caller's transaction, and return how many there were."""
    ended = list(ApiToken.objects.select_for_update().filter(person=person, revoked_at=None).order_by("pk"))
    for token in ended:
        history.record(at=now, act="token.revoked", actor=person, token=token.pk)
    ApiToken.objects.filter(pk__in=[token.pk for token in ended]).update(revoked_at=now)
    return len(ended)


def of(person: Person) -> list[ApiToken]:
    """This person's tokens that still open something, newest first."""
    return list(ApiToken.objects.filter(person=person, revoked_at=None).order_by("-id")[:MOST])


def person_of(text: str, *, now: datetime) -> Person | None:
    """The active person whose token this is; None for one that nobody has, that was revoked, or whose owner left."""
    if not text.startswith(PREFIX) or len(text) > 100:
        return None
    token = ApiToken.objects.select_related("person").filter(digest=_digest(text), revoked_at=None).first()
    if token is None or not token.person.is_active:
        return None
    if token.last_used_at is None or now - token.last_used_at >= USE_NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token.person


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

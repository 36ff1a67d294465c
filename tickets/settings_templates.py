"""What admins do with reply templates: make, change, remove, and put back what they have just removed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils.translation import gettext as _

from agents import history
from agents.models import Person
from agents.people import CannotChange
from channels.surfaces import SURFACES
from contactcentre.lib.text import clean, clean_line
from tickets.models import ReplyTemplate

LONGEST = 10_000
# The composer lists this many (templates.LIMIT); more would never be found there.
MOST = 100


def save(
    *, actor: Person, template_id: int | None, name: str, text: str, surfaces: Sequence[str], now: datetime
) -> ReplyTemplate:
    """Make a template (`template_id` None) or change one; no surfaces means all of them.

    Raises Http404, and CannotChange for a name that is taken and for one template too many.
    """
    with transaction.atomic():
        if template_id is None:
            if ReplyTemplate.objects.count() >= MOST:
                raise CannotChange(_("There are %(count)s templates. Remove one first.") % {"count": MOST})
            template = ReplyTemplate()
        else:
            found = ReplyTemplate.objects.select_for_update().filter(pk=template_id).first()
            if found is None:
                raise Http404
            template = found
        template.name, template.text = clean_line(name, 80), clean(text).strip()
        template.surfaces = [surface for surface in SURFACES if surface in surfaces]
        _save(template)
        act = "template.made" if template_id is None else "template.changed"
        history.record(at=now, act=act, actor=actor, template=template.pk)
    return template


def remove(*, actor: Person, template_id: int, now: datetime) -> dict[str, Any]:
    """Remove a template; returns what put_back() needs. Raises Http404."""
    with transaction.atomic():
        template = ReplyTemplate.objects.select_for_update().filter(pk=template_id).first()
        if template is None:
            raise Http404
        kept: dict[str, Any] = {
            "id": template_id,
            "name": template.name,
            "text": template.text,
            "surfaces": template.surfaces,
        }
        template.delete()
        history.record(at=now, act="template.removed", actor=actor, template=template_id)
    return kept


def put_back(*, actor: Person, kept: dict[str, Any], now: datetime) -> ReplyTemplate:
    """Put a removed template back as it was; a second time it is simply there.

    Raises CannotChange where another one has its name by now.
    """
    with transaction.atomic():
        there = ReplyTemplate.objects.filter(pk=kept["id"]).first()
        if there is not None:
            return there
        template = ReplyTemplate(pk=kept["id"], name=kept["name"], text=kept["text"], surfaces=kept["surfaces"])
        _save(template)
        history.record(at=now, act="template.put_back", actor=actor, template=template.pk)
    return template


def _save(template: ReplyTemplate) -> None:
    try:
        with transaction.atomic():
            template.save()
    except IntegrityError as error:
        raise CannotChange(_("There is a template of this name already."), field="name") from error

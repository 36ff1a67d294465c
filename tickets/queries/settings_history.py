"""What admins did, newest first: the entries of history that concern no ticket and no customer, in plain words.

History holds ids and enumerated words only; names are looked up as they are now, a page of them in
at most six statements.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from agents.models import HistoryEntry, Person, Team
from channels.books import day_of
from channels.health import called
from channels.models import ChannelAccount
from channels.surfaces import SURFACES
from tickets.models import Queue, ReplyTemplate

PAGE = 50

# What stands in the column beside who did it.
ACTS = {
    "account.changed": gettext_lazy("Account changed"),
    "account.connected": gettext_lazy("Account connected"),
    "account.connected_again": gettext_lazy("Account connected again"),
    "account.paused": gettext_lazy("Account paused"),
    "account.poll_asked": gettext_lazy("Account polled at once"),
    "account.reconnected": gettext_lazy("Account connected again"),
    "account.refused": gettext_lazy("Account refused by the network"),
    "account.resumed": gettext_lazy("Account switched on again"),
    "account.switched_on": gettext_lazy("Account switched on"),
    "account.token_renewed": gettext_lazy("New hook address of a line"),
    "app.changed": gettext_lazy("App of ours changed"),
    "app.entered": gettext_lazy("App of ours entered"),
    "app.hook_registered": gettext_lazy("Hook address registered"),
    "app.verify_token_renewed": gettext_lazy("Verify token made anew"),
    "feed.changed": gettext_lazy("Feed changed"),
    "ledger.body_opened": gettext_lazy("Content of an item opened"),
    "ledger.processed_again": gettext_lazy("Items processed again"),
    "ledger.read_anew": gettext_lazy("Items read at the network anew"),
    "person.activated": gettext_lazy("Person activated again"),
    "person.added": gettext_lazy("Person added"),
    "person.changed": gettext_lazy("Person changed"),
    "person.deactivated": gettext_lazy("Person deactivated"),
    "person.link_made": gettext_lazy("Password link made"),
    "person.password_chosen": gettext_lazy("Password chosen"),
    "queue.brought_back": gettext_lazy("Queue brought back"),
    "queue.changed": gettext_lazy("Queue changed"),
    "queue.made": gettext_lazy("Queue made"),
    "queue.made_confidential": gettext_lazy("Queue made confidential"),
    "queue.made_default": gettext_lazy("Default queue chosen"),
    "queue.made_open": gettext_lazy("Queue no longer confidential"),
    "queue.placed": gettext_lazy("Order of queues changed"),
    "queue.removed": gettext_lazy("Queue removed"),
    "target.changed": gettext_lazy("Target changed"),
    "team.changed": gettext_lazy("Team changed"),
    "team.deleted": gettext_lazy("Team deleted"),
    "team.made": gettext_lazy("Team made"),
    "team.served": gettext_lazy("Queues of a team changed"),
    "template.changed": gettext_lazy("Template changed"),
    "template.made": gettext_lazy("Template made"),
    "template.put_back": gettext_lazy("Template put back"),
    "template.removed": gettext_lazy("Template removed"),
    "token.made": gettext_lazy("API token made"),
    "token.revoked": gettext_lazy("API token revoked"),
}
FIELDS = {
    "name": gettext_lazy("name"),
    "email": gettext_lazy("email"),
    "roles": gettext_lazy("roles"),
    "teams": gettext_lazy("teams"),
    "members": gettext_lazy("members"),
    "reopen_days": gettext_lazy("reopen window"),
}
ROLES = {"agent": gettext_lazy("agent"), "lead": gettext_lazy("lead"), "admin": gettext_lazy("admin")}


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One act: who, what, about what, and the details that history holds."""

    id: int
    at: datetime
    starts_day: date | None
    actor: str
    words: str
    about: str
    details: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryList:
    """One page of acts, newest first. `older` and `newer` are the ids to go on from, None at the ends."""

    rows: tuple[HistoryRow, ...]
    older: int | None
    newer: int | None


@dataclass(slots=True)
class Names:
    """The names, as they are now, of what a page of entries is about."""

    people: dict[int, str]
    teams: dict[int, str]
    queues: dict[int, str]
    accounts: dict[int, str]
    templates: dict[int, str]


def page(*, before: int | None = None, after: int | None = None) -> HistoryList:
    """The newest 50 acts, or the 50 before or after an id."""
    found = HistoryEntry.objects.select_related("actor").filter(ticket_id=None, customer_id=None)
    backwards = after is not None and before is None
    if before is not None:
        found = found.filter(pk__lt=before)
    elif after is not None:
        found = found.filter(pk__gt=after)
    rows = list(found.order_by("id" if backwards else "-id")[: PAGE + 1])
    further = len(rows) > PAGE
    rows = rows[:PAGE]
    if backwards:
        rows.reverse()
    return HistoryList(
        rows=tuple(_rows(rows)),
        older=rows[-1].pk if rows and (backwards or further) else None,
        newer=rows[0].pk if rows and (further if backwards else before is not None) else None,
    )


def _rows(entries: list[HistoryEntry]) -> Iterable[HistoryRow]:
    names = _names(entries)
    day: date | None = None
    for entry in entries:
        on = day_of(entry.at)
        yield HistoryRow(
            id=entry.pk,
            at=entry.at,
            starts_day=on if on != day else None,
            actor=entry.actor.name if entry.actor else "",
            words=str(ACTS.get(entry.act, entry.act)),
            about=_about(entry, names),
            details=_details(entry, names),
        )
        day = on


def _ids(entries: list[HistoryEntry], *keys: str) -> set[int]:
    found: set[int] = set()
    for entry in entries:
        for key in keys:
            value = entry.data.get(key)
            found.update(one for one in (value if isinstance(value, list) else [value]) if isinstance(one, int))
    return found


def _names(entries: list[HistoryEntry]) -> Names:
    people = _ids(entries, "person", "joined", "left")
    teams = _ids(entries, "team")
    queues = _ids(entries, "queue", "successor", "began", "ceased")
    accounts = {entry.account_id for entry in entries if entry.account_id is not None}
    templates = _ids(entries, "template")
    return Names(
        people=dict(Person.objects.filter(pk__in=people).values_list("pk", "name")),
        teams=dict(Team.objects.filter(pk__in=teams).values_list("pk", "name")),
        queues=dict(Queue.objects.filter(pk__in=queues).values_list("pk", "name")),
        accounts={
            pk: called(kind, address, name)
            for pk, kind, address, name in ChannelAccount.objects.filter(pk__in=accounts).values_list(
                "pk", "kind", "address", "name"
            )
        },
        templates=dict(ReplyTemplate.objects.filter(pk__in=templates).values_list("pk", "name")),
    )


def _about(entry: HistoryEntry, names: Names) -> str:
    """What the act is about, by its name of today."""
    data: dict[str, Any] = entry.data
    subject = entry.act.partition(".")[0]
    if subject == "person" and data.get("person") != entry.actor_id:
        return names.people.get(data.get("person", 0), "")
    if subject == "team":
        return names.teams.get(data.get("team", 0), "")
    if subject == "queue":
        return names.queues.get(data.get("queue", 0), "")
    if subject == "template":
        return names.templates.get(data.get("template", 0), "")
    if subject == "target":
        surface = SURFACES.get(str(data.get("surface")))
        return str(surface.label) if surface else ""
    return names.accounts.get(entry.account_id or 0, "")


def _details(entry: HistoryEntry, names: Names) -> str:
    data: dict[str, Any] = entry.data
    parts = [str(FIELDS.get(field, field)) for field in data.get("fields", [])]
    if entry.act in ("person.added", "person.changed") and ("roles" in parts or entry.act == "person.added"):
        parts.append(_("now %(roles)s") % {"roles": ", ".join(str(ROLES.get(role, role)) for role in data["roles"])})
    if entry.act == "target.changed":
        parts.append(_minutes(data.get("minutes_before")) + " → " + _minutes(data.get("minutes")))
        if data.get("queue") is not None:
            parts.append(names.queues.get(data["queue"], ""))
    if entry.act == "feed.changed":
        parts.append("→ " + (names.queues.get(data.get("queue") or 0) or _("the default queue")))
    if entry.act == "queue.removed":
        parts.append("→ " + names.queues.get(data.get("successor", 0), ""))
    lists = (("joined", names.people), ("left", names.people), ("began", names.queues), ("ceased", names.queues))
    for key, known in lists:
        shown = [known[one] for one in data.get(key, []) if one in known][:10]
        if shown:
            parts.append(("+ " if key in ("joined", "began") else "− ") + ", ".join(shown))
    return " · ".join(part for part in parts if part)


def _minutes(value: object) -> str:
    if not isinstance(value, int):
        return _("none")
    return ngettext("%(count)s minute", "%(count)s minutes", value) % {"count": value}

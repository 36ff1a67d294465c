"""History in words: what a person reads in the timeline of what somebody did."""

from __future__ import annotations

from django.utils.translation import gettext as _

from agents.models import HistoryEntry, Person
from tickets.access import Rights


def act_words(entry: HistoryEntry, *, have: Rights, me: Person) -> tuple[str, str]:
    """A sentence and an icon for one act; empty words for what nobody needs to read."""
    who = _actor(entry, me)
    data = entry.data
    queue = have.queue_name(int(data.get("queue") or 0))
    match entry.act:
        case "ticket.opened":
            return _("A new ticket in %(queue)s") % {"queue": queue}, "inbox"
        case "ticket.written_first":
            return _("%(who)s wrote first") % {"who": who}, "mail"
        case "ticket.reopened":
            if data.get("by") == "customer":
                return _("The customer is back: open again"), "refresh"
            if data.get("by") == "send":
                return _("A reply did not go out: open again"), "alert-circle"
            return _("%(who)s opened it again") % {"who": who}, "refresh"
        case "ticket.woken":
            return _("It woke up"), "zzz"
        case "ticket.assigned":
            return _assigned(entry, who, me)
        case "ticket.moved":
            return _("%(who)s moved it from %(before)s to %(queue)s") % {
                "who": who,
                "before": have.queue_name(int(data.get("queue_before") or 0)),
                "queue": queue,
            }, "arrows-exchange"
        case "ticket.solved":
            return _("%(who)s solved it") % {"who": who}, "check"
        case "ticket.closed":
            return _("Closed: nothing came within the reopen window"), "lock"
        case "ticket.waiting":
            return _("%(who)s set it to wait for the customer") % {"who": who}, "hourglass"
        case "ticket.snoozed":
            return _("%(who)s snoozed it") % {"who": who}, "zzz"
        case "ticket.no_reply":
            return _("%(who)s: no reply needed") % {"who": who}, "message-off"
        case "ticket.tagged":
            return _("%(who)s changed the tags") % {"who": who}, "flag"
        case "ticket.prioritised":
            return _("%(who)s changed the priority") % {"who": who}, "flag"
        case "ticket.taken_back":
            return _("%(who)s took the last step back") % {"who": who}, "arrow-left"
        case "ticket.joined":
            return _("%(who)s joined an address of somebody else to the customer") % {"who": who}, "users"
        case "ticket.parted":
            return _("%(who)s took a joining back") % {"who": who}, "arrow-back-up"
        case "ticket.merged":
            return _("It became part of #%(ticket)s") % {"ticket": data.get("into")}, "arrow-guide"
        case "ticket.unmerged":
            return _("It is a ticket of its own again"), "arrow-back-up"
        case "ticket.contact_moved":
            return _("%(who)s gave a contact to somebody else") % {"who": who}, "arrow-guide"
        case "ticket.contact_returned":
            return _("%(who)s let a contact return") % {"who": who}, "arrow-back-up"
        case "ticket.blocked":
            return _("%(who)s blocked the sender") % {"who": who}, "message-off"
        case "ticket.unblocked":
            return _("%(who)s let the sender through again") % {"who": who}, "check"
        case _:
            return "", ""


def _actor(entry: HistoryEntry, me: Person) -> str:
    if entry.actor is None:
        return _("The system")
    return _("You") if entry.actor_id == me.pk else entry.actor.first_name


def _assigned(entry: HistoryEntry, who: str, me: Person) -> tuple[str, str]:
    owner = entry.data.get("owner")
    if owner is None:
        return _("%(who)s put it back into the queue") % {"who": who}, "user"
    if owner == entry.actor_id:
        return _("%(who)s took it") % {"who": who}, "user"
    if owner == me.pk:
        return _("%(who)s assigned it to you") % {"who": who}, "user-plus"
    return _("%(who)s assigned it to a colleague") % {"who": who}, "user-plus"

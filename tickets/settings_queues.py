"""What admins do with queues: make, change, order, choose the default one, make confidential, remove, bring back.

Every act locks the queues it is about, in the order of their ids, so that there is always exactly one default
queue, and no live ticket without a queue that somebody looks at.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from celery import current_app
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.http import Http404
from django.utils.translation import gettext as _

from agents import history
from agents import teams as agents_teams
from agents.models import Membership, Person, Team
from agents.people import CannotChange
from channels.models import ChannelAccount
from contactcentre.lib import realtime
from contactcentre.lib.text import clean_line
from tickets import recounting
from tickets.models import AccountFeed, Queue, Recount
from tickets.queries import figures

# More stand side by side on no board; the sidebar of everybody lists them.
MOST = 100


def make(*, actor: Person, name: str, reopen_days: int, teams: Iterable[int], now: datetime) -> Queue:
    """A new queue at the end of the list. Raises CannotChange where there is one of that name."""
    with transaction.atomic():
        last = Queue.objects.aggregate(last=Max("position"))["last"]
        if Queue.objects.filter(successor=None).count() >= MOST:
            raise CannotChange(_("There are %(count)s queues, more would serve nobody.") % {"count": MOST})
        queue = Queue(
            name=clean_line(name, 60),
            reopen_days=reopen_days,
            position=0 if last is None else last + 1,
            # The first queue of all takes what no account feeds anywhere else: without one nothing can come in.
            is_default=not Queue.objects.filter(is_default=True).exists(),
        )
        _save(queue)
        _serve(queue, teams)
        history.record(at=now, act="queue.made", actor=actor, queue=queue.pk, teams=_teams(queue))
        _tell(queue)
    return queue


def change(
    *, actor: Person, queue_id: int, name: str, reopen_days: int, teams: Iterable[int], now: datetime
) -> list[str]:
    """Change a queue's name, its reopen window (row 3) and who serves it; returns what changed.

    Everybody whose rights change with the teams is told, so that their live stream looks again. Raises Http404,
    CannotChange.
    """
    with transaction.atomic():
        queue = locked(queue_id)
        changed = []
        if queue.name != clean_line(name, 60):
            queue.name = clean_line(name, 60)
            changed.append("name")
        if queue.reopen_days != reopen_days:
            queue.reopen_days = reopen_days
            changed.append("reopen_days")
        if changed:
            _save(queue)
        if _serve(queue, teams):
            changed.append("teams")
        if changed:
            history.record(
                at=now,
                act="queue.changed",
                actor=actor,
                queue=queue.pk,
                fields=changed,
                reopen_days=reopen_days,
                teams=_teams(queue),
            )
            _tell(queue)
    return changed


def serve(*, actor: Person, team_id: int, queues: Iterable[int], now: datetime) -> list[int]:
    """Let a team serve just these queues; returns those that began or ceased to be served by it."""
    with transaction.atomic():
        team = agents_teams.locked(team_id)
        before = set(team.queues.filter(successor=None).values_list("pk", flat=True))
        wanted = set(Queue.objects.filter(pk__in=list(queues), successor=None).values_list("pk", flat=True))
        # A removed queue keeps its teams: they still read what went through it.
        team.queues.remove(*(before - wanted))
        team.queues.add(*(wanted - before))
        changed = sorted(before ^ wanted)
        if changed:
            history.record(
                at=now,
                act="team.served",
                actor=actor,
                team=team.pk,
                began=sorted(wanted - before),
                ceased=sorted(before - wanted),
            )
            _people_changed({team.pk})
    return changed


def delete_team(*, actor: Person, team_id: int, now: datetime) -> None:
    """Delete a team that nobody is in and that serves no queue in use. Raises Http404, CannotChange."""
    with transaction.atomic():
        team = agents_teams.locked(team_id)
        if team.queues.filter(successor=None).exists():
            raise CannotChange(_("This team serves a queue. Let another team serve it first."))
        agents_teams.delete(actor=actor, team_id=team_id, now=now)


def place(*, actor: Person, queue_id: int, up: bool, now: datetime) -> bool:
    """Move a queue one place up or down in every list; False where it is at the end already. Raises Http404."""
    with transaction.atomic():
        rows = list(Queue.objects.select_for_update(no_key=True).filter(successor=None).order_by("pk"))
        rows.sort(key=lambda row: (row.position, row.name, row.pk))
        index = next((index for index, row in enumerate(rows) if row.pk == queue_id), None)
        if index is None:
            raise Http404
        other = index - 1 if up else index + 1
        if not 0 <= other < len(rows):
            return False
        rows[index], rows[other] = rows[other], rows[index]
        for position, row in enumerate(rows):
            row.position = position
        Queue.objects.bulk_update(rows, ["position"])
        history.record(at=now, act="queue.placed", actor=actor, queue=queue_id, up=up)
        _tell()
    return True


def make_default(*, actor: Person, queue_id: int, now: datetime) -> bool:
    """Let a queue take what no account feeds anywhere else; False where it does already. Raises Http404."""
    with transaction.atomic():
        rows = list(Queue.objects.select_for_update(no_key=True).order_by("pk"))
        chosen = next((row for row in rows if row.pk == queue_id and row.successor_id is None), None)
        if chosen is None:
            raise Http404
        if chosen.is_default:
            return False
        was = next((row.pk for row in rows if row.is_default), None)
        Queue.objects.filter(is_default=True).update(is_default=False)
        Queue.objects.filter(pk=queue_id).update(is_default=True)
        # What fed the other one decides for good who may read what came in then (access.hidden_accounts).
        elsewhere = AccountFeed.objects.values("account_id")
        fed = list(ChannelAccount.objects.exclude(pk__in=elsewhere).values_list("pk", flat=True))
        history.record(at=now, act="queue.made_default", actor=actor, queue=queue_id, was=was, accounts=fed)
    return True


def set_confidential(*, actor: Person, queue_id: int, confidential: bool, now: datetime) -> Recount | None:
    """Make a queue confidential, or open again (row 7); None where it is so already.

    Pages and search keep to it from now on; what lists show of its tickets is written anew by a task, whose row is
    given back. Raises Http404.
    """
    with transaction.atomic():
        # The whole row: nobody may just now be writing a contact of it with the old rule.
        queue = locked(queue_id, whole=True)
        if queue.is_confidential == confidential:
            return None
        queue.is_confidential = confidential
        queue.save(update_fields=["is_confidential"])
        act = "queue.made_confidential" if confidential else "queue.made_open"
        history.record(at=now, act=act, actor=actor, queue=queue.pk)
        _tell(queue)
        return recounting.ask(kind=Recount.Kind.WORDS, queue=queue, actor=actor, now=now)


def remove(*, actor: Person, queue_id: int, successor_id: int, now: datetime) -> Queue:
    """Take a queue out of use; its live tickets, its accounts and what follows it go to another. Returns that one.

    The tickets move in small steps (leaving.move_on), also one that is reopened next week. Raises Http404, and
    CannotChange for the default queue and for a successor that is none.
    """
    with transaction.atomic():
        rows = {
            row.pk: row
            for row in Queue.objects.select_for_update().filter(pk__in=[queue_id, successor_id]).order_by("pk")
        }
        queue, successor = rows.get(queue_id), rows.get(successor_id)
        if queue is None or queue.successor_id is not None:
            raise Http404
        if queue.is_default:
            raise CannotChange(_("This is the default queue. Choose another default queue first."))
        if successor is None or successor.pk == queue.pk or successor.successor_id is not None:
            raise CannotChange(_("Choose the queue its tickets go to."), field="successor")
        queue.successor = successor
        queue.save(update_fields=["successor"])
        Queue.objects.filter(successor=queue).update(successor=successor)
        feeds = AccountFeed.objects.filter(queue=queue)
        fed = list(feeds.values_list("account_id", flat=True))
        feeds.update(queue=successor)
        history.record(at=now, act="queue.removed", actor=actor, queue=queue.pk, successor=successor.pk, accounts=fed)
        _tell(queue)
        transaction.on_commit(_hint, robust=True)
    return successor


def bring_back(*, actor: Person, queue_id: int, now: datetime) -> bool:
    """Use a removed queue again, empty: what went to its successor stays there. False where it is in use."""
    with transaction.atomic():
        queue = locked(queue_id, removed=True)
        if queue.successor_id is None:
            return False
        queue.successor = None
        queue.save(update_fields=["successor"])
        history.record(at=now, act="queue.brought_back", actor=actor, queue=queue.pk)
        _tell(queue)
    return True


def locked(queue_id: int, *, whole: bool = False, removed: bool = False) -> Queue:
    """The queue, locked until the caller's transaction ends. Raises Http404, for a removed one unless wanted."""
    queue = Queue.objects.select_for_update(no_key=not whole).filter(pk=queue_id).first()
    if queue is None or (queue.successor_id is not None and not removed):
        raise Http404
    return queue


def _hint() -> None:
    current_app.send_task("tickets.tasks.move_on", kwargs={}, retry=False)


def _save(queue: Queue) -> None:
    if not queue.name:
        raise CannotChange(_("Please give a name."), field="name")
    try:
        with transaction.atomic():
            queue.save()
    except IntegrityError as error:
        raise CannotChange(
            _("There is a queue of this name already, perhaps among the removed ones."), field="name"
        ) from error


def _serve(queue: Queue, teams: Iterable[int]) -> bool:
    before = set(queue.teams.values_list("pk", flat=True))
    wanted = set(Team.objects.filter(pk__in=list(teams)).values_list("pk", flat=True))
    if before == wanted:
        return False
    queue.teams.set(wanted)
    _people_changed(before ^ wanted)
    return True


def _teams(queue: Queue) -> list[int]:
    return sorted(queue.teams.values_list("pk", flat=True))


def _people_changed(teams: Iterable[int]) -> None:
    """Whose rights hang on these teams: their live streams look again."""
    members = Membership.objects.filter(team_id__in=list(teams)).values_list("person_id", flat=True).distinct()
    for person_id in sorted(members):
        realtime.person_changed(person_id)


def _tell(*queues: Queue) -> None:
    """Sidebars and boards look again: the names of queues stand on everybody's page."""
    names = ["lists", *(f"queue-{queue.pk}" for queue in queues)]
    realtime.publish(*(realtime.Event(name=name, everyone=True) for name in names))
    transaction.on_commit(figures.forget, robust=True)

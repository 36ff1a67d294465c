"""The merge ledger: which identities went to whom by which merge, so that each can return.

Docs/one-ticket.md, row 15. Where an identity stands is what the merges in force say, in their order; taking one
back leaves the others in force, so that any order of taking back ends where everything began. What becomes of
tickets is decided in the house above.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Subquery
from django.db.models.functions import JSONObject

from agents.models import Person
from customers.models import Customer, Identity, IdentityMove, Merge


@dataclass(frozen=True, slots=True)
class Return:
    """One identity that goes back: from the customer it is with to the one it belongs to again."""

    identity: Identity
    here: int
    back: int


def join(*, identity: Identity, into: Customer, person: Person | None, evidence: str, now: datetime) -> Merge:
    """Move the identity to the other customer and return the ledger's entry.

    `evidence` is one enumerated word, such as "by-hand". The caller holds both customers' locks and the identity's,
    and writes the history.
    """
    merge = Merge.objects.create(into=into, made_at=now, made_by=person, evidence=evidence)
    IdentityMove.objects.create(merge=merge, identity=identity, from_customer_id=identity.customer_id, to_customer=into)
    identity.customer = into
    identity.save(update_fields=["customer"])
    return merge


def returns(merge: Merge, identities: Iterable[Identity]) -> list[Return]:
    """What taking this merge back would move: of its identities those that then stand elsewhere than now."""
    found = []
    for identity in sorted(identities, key=lambda one: one.pk):
        place = _place(identity, without=merge)
        if place is not None and place != identity.customer_id:
            found.append(Return(identity, identity.customer_id, place))
    return found


def take_back(merge: Merge, going: Sequence[Return], *, person: Person | None, now: datetime) -> None:
    """Mark the merge as taken back and let its identities go where returns() said; the caller holds all locks."""
    merge.undone_at, merge.undone_by = now, person
    merge.save(update_fields=["undone_at", "undone_by"])
    for one in going:
        one.identity.customer_id = one.back
        one.identity.save(update_fields=["customer"])


def in_force() -> Subquery:
    """For a query of identities: the latest merge in force that brought each to its customer, as a dictionary of
    `id`, `made_at` (ISO 8601), `by_id` and `by_name`; null where none did. Costs a page no statement of its own."""
    moves = IdentityMove.objects.filter(
        identity=OuterRef("pk"), to_customer=OuterRef("customer"), merge__undone_at=None
    ).order_by("-id")
    told = JSONObject(
        id="merge_id", made_at="merge__made_at", by_id="merge__made_by_id", by_name="merge__made_by__name"
    )
    return Subquery(moves.values(told=told)[:1])


def _place(identity: Identity, *, without: Merge) -> int | None:
    """Where the merges in force put an identity if one of them were not; None for one that was never moved."""
    moves = list(IdentityMove.objects.select_related("merge").filter(identity=identity).order_by("id"))
    if not moves:
        return None
    place = moves[0].from_customer_id
    for move in moves:
        if move.merge_id != without.pk and move.merge.undone_at is None:
            place = move.to_customer_id
    return place

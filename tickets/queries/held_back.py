"""Why a reply that is to leave has not left yet, in words for its bubble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from channels.models import AccountState, OutboxState
from tickets.models import Contact
from tickets.queries.timeline_rows import Said


def words(found: Sequence[Said], contacts: Mapping[int, Contact]) -> dict[int, str]:
    """What holds back those of these that are still to leave, by their ids; most have nothing.

    Their account may be off, or an earlier reply of the same thread may not have come through yet, for those leave in
    order (channels/delivery.py). Either may take hours, and whoever is told "in a moment" tells their customer so.
    """
    held: dict[int, str] = {}
    for message in found:
        if message.state != OutboxState.QUEUED:
            continue
        account = contacts[message.contact_id].account
        if account.state == AccountState.PAUSED:
            why = _("%(account)s is paused. It leaves once an admin switches it on.")
        elif account.state == AccountState.REFUSED:
            why = _("%(account)s is not connected any more. It leaves once an admin connects it again.")
        elif _is_behind(message, found):
            why = _("It leaves after the reply before it, which is tried again.")
        else:
            continue
        held[message.id] = why % {"account": account}
    return held


def _is_behind(message: Said, found: Sequence[Said]) -> bool:
    """Whether an earlier one of its contact waits for another attempt."""
    return any(
        one.state == OutboxState.RETRY and one.id < message.id and one.contact_id == message.contact_id
        for one in found
    )

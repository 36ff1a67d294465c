"""A ticket's list columns, worked out from all its messages: for when messages change tickets.

Everyday writing sets these columns as it goes (intake.py, outgoing.py, calls.py); this is the slow way, which must come
to the same.
"""

from __future__ import annotations

from django.db.models import Max, Q

from contactcentre.lib.text import clean_line, snippet
from tickets import call_words, instants
from tickets.models import Attachment, CallDetails, Contact, Message, Ticket
from tickets.receipts import TROUBLE


def rebuild(ticket: Ticket) -> None:
    """Set last words (that are not confidential), times, surfaces and troubled sends; the caller saves the ticket.

    A ticket without messages, such as one that was merged, shows nothing but its own times. Five statements.
    """
    messages = Message.objects.filter(ticket=ticket).exclude(state="cancelled")
    times = messages.aggregate(
        last=Max("said_at"),
        theirs=Max("said_at", filter=Q(direction="in", automatic="")),
    )
    ticket.last_at = times["last"] or ticket.opened_at
    ticket.last_customer_at = times["theirs"]
    present = Contact.objects.filter(ticket=ticket).order_by("id").values_list("surface", flat=True)
    ticket.surfaces = list(dict.fromkeys(present))
    ticket.send_trouble = messages.filter(direction="out", state__in=TROUBLE).count()
    last = (
        messages.filter(contact__entry_queue__is_confidential=False)
        .select_related("person", "call")
        .order_by(*instants.LATEST_FIRST)
        .first()
    )
    if last is None:
        ticket.last_words, ticket.last_direction, ticket.last_author = "", "", None
        return
    ticket.last_words = snippet(words(last))
    ticket.last_direction, ticket.last_author = last.direction, last.person
    if not ticket.subject:
        named = Contact.objects.filter(ticket=ticket, entry_queue__is_confidential=False).exclude(subject="")
        ticket.subject = clean_line(
            named.order_by("first_said_at", "id").values_list("subject", flat=True).first() or ""
        )


def words(message: Message) -> str:
    """What a list shows of a message: its words, a call in a line, else its subject or the names of its files."""
    if message.surface == "phone":
        details = CallDetails.objects.filter(message=message).first()
        if details is not None:
            return call_words.words(details, message.direction, message.text)
    if message.text or message.subject:
        return message.text or message.subject
    return ", ".join(
        Attachment.objects.filter(message=message).order_by("position").values_list("name", flat=True)[:20]
    )

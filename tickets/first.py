"""We write first: a mail from the customer's page, on the live ticket or on a new one (row 26)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _

from agents import history
from agents.models import Person
from channels.models import AccountState, ChannelAccount
from contactcentre.lib.prepared import insert
from contactcentre.lib.text import clean, clean_line
from customers import resolving
from customers.models import IdentityKind
from tickets import access, finishing, intake, outgoing, reading
from tickets.models import Contact, Message, Ticket
from tickets.outgoing import CannotReply


def write(
    *,
    person: Person,
    identity_id: int,
    account_id: int,
    subject: str,
    text: str,
    now: datetime,
    undo: timedelta = timedelta(0),
) -> Message:
    """Queue a first mail to a customer's address and return the message; its contact is marked outbound.

    Raises CannotReply with a sentence, Http404, and PermissionDenied for somebody who may see no ticket of
    this customer, or not the one that this mail would go on (row 7). The caller holds a transaction.
    """
    have = access.rights(person)
    # Locked first, as everywhere: an address that is just being joined to somebody is written to as theirs.
    identity = resolving.lock_identities([identity_id]).get(identity_id)
    account = ChannelAccount.objects.filter(pk=account_id, kind="email").first()
    if identity is None or identity.kind != IdentityKind.EMAIL or account is None:
        raise Http404
    words, line = clean(text).strip(), clean_line(subject)
    if not words or not line:
        raise CannotReply(_("A first mail needs a subject and some words."))
    if account.state != AccountState.ACTIVE:
        raise CannotReply(_("%(account)s is not connected just now.") % {"account": account})
    customer = resolving.lock(identity.customer_id)
    if not access.visible(have, Ticket.objects.filter(customer=customer)).exists():
        raise PermissionDenied
    try:
        queue = intake.feed_queue(account.pk)
    except intake.NoQueue as error:
        raise CannotReply(_("There is no queue yet. An admin has to make one first.")) from error
    ticket = intake.ticket_for(customer, queue=queue, subject=line, now=now, reopens=False)
    if ticket.arrivals and not have.may_read(ticket):
        # Not begun just now, and somebody else's: writing would hand it to whoever knows an old one of the customer.
        raise PermissionDenied
    ticket.arrivals += 1
    contact = Contact(
        ticket=ticket,
        customer=customer,
        identity=identity,
        account=account,
        surface="email",
        # Known only once the mail has its Message-ID; unique until then.
        thread=f"first-{ticket.pk}-{ticket.arrivals}",
        entry_queue=queue,
        is_outbound=True,
        subject=line,
        first_said_at=now,
        last_said_at=now,
    )
    insert(contact)
    contact.thread = outgoing.marker(contact)
    recipient = outgoing.recipient(contact, to_reply_to=False)
    message = Message(
        ticket=ticket,
        contact=contact,
        customer=customer,
        account=account,
        channel_kind="email",
        reference=contact.thread,
        surface="email",
        direction="out",
        person=person,
        arrival=ticket.arrivals,
        said_at=now,
        received_at=now,
        subject=line,
        text=words,
        state="queued",
        extra={
            "to": recipient.display or recipient.value,
            "undo_until": (now + undo).isoformat() if undo else "",
            "then": "",
            **finishing.before(ticket),
        },
    )
    insert(message)
    outgoing.queue(message, contact, recipient, (), cc=(), not_before=now + undo, now=now)
    if not queue.is_confidential:
        outgoing.last_words(ticket, message)
    finishing.take(ticket, person=person, now=now)
    history.record(
        at=now,
        act="ticket.written_first",
        actor=person,
        ticket_id=ticket.pk,
        customer_id=customer.pk,
        message=message.pk,
    )
    finishing.finish(ticket, contact, "thread")
    reading.mark(person=person, ticket=ticket, arrival=ticket.arrivals, now=now)
    return message

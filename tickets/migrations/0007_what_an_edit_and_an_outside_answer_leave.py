"""An edit leaves a message's arrival number alone, and an answer from outside meets only what was asked before it."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q

# What answers from outside had met by their arrival number stays met: on their own contacts and on those of the same
# queue and ticket.
_MET = """
UPDATE tickets_contact contact SET answered_arrival = greatest(contact.answered_arrival, given.arrival)
FROM (
    SELECT met.id, max(message.arrival) AS arrival
    FROM tickets_message message
    JOIN tickets_contact own ON own.id = message.contact_id
    JOIN tickets_contact met ON met.ticket_id = message.ticket_id
        AND (met.id = own.id OR (met.entry_queue_id = own.entry_queue_id AND NOT message.answers_own_only))
    WHERE message.is_outside AND message.direction = 'out'
    GROUP BY met.id
) AS given
WHERE contact.id = given.id
"""
_UNTIL = """
UPDATE tickets_contact contact SET answered_until = given.said_at
FROM (
    SELECT contact_id, max(said_at) AS said_at FROM tickets_message
    WHERE is_outside AND direction = 'out' GROUP BY contact_id
) AS given
WHERE contact.id = given.contact_id
"""
_OWN = "UPDATE tickets_message SET answers_own_only = true WHERE is_outside AND direction = 'out'"


class Migration(migrations.Migration):
    dependencies = [("tickets", "0006_contacts_by_time_of_answer")]

    operations = [
        migrations.AddField(
            model_name="message", name="changed_arrival", field=models.PositiveIntegerField(blank=True, null=True)
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=Q(changed_arrival__isnull=False),
                fields=["ticket", "changed_arrival"],
                name="message_changed",
            ),
        ),
        migrations.AddField(
            model_name="contact", name="answered_until", field=models.DateTimeField(blank=True, null=True)
        ),
        migrations.RunSQL([_MET, _UNTIL, _OWN], migrations.RunSQL.noop),
    ]

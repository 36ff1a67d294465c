"""What was answered today, without a look at all that was ever answered."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("tickets", "0005_contacts_by_thread")]

    operations = [
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                fields=["first_answered_at"], condition=Q(first_answered_at__isnull=False), name="contact_answered"
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(fields=["no_reply_at"], condition=Q(no_reply_at__isnull=False), name="contact_no_reply"),
        ),
    ]

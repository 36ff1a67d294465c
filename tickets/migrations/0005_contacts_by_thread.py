"""The contacts of a conversation, whoever's they are."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0004_settings")]

    operations = [
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(fields=["surface", "thread", "-id"], name="contact_of_thread"),
        ),
    ]

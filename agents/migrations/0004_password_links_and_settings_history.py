"""The nonce of a person's password link, and the index behind the page of what admins did."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("agents", "0003_api_tokens")]

    operations = [
        migrations.AddField(
            model_name="person",
            name="password_link",
            field=models.CharField(blank=True, default="", max_length=32),
        ),
        migrations.AddIndex(
            model_name="historyentry",
            index=models.Index(
                condition=models.Q(("customer_id__isnull", True), ("ticket_id__isnull", True)),
                fields=["-id"],
                name="history_of_settings",
            ),
        ),
    ]

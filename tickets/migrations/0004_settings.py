"""A removed queue names the one its tickets go to, and long work after an admin's change is a row."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0004_password_links_and_settings_history"),
        ("tickets", "0002_attachments_fetched_from_links"),
    ]

    operations = [
        migrations.AddField(
            model_name="queue",
            name="successor",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="predecessors",
                to="tickets.queue",
            ),
        ),
        migrations.AddConstraint(
            model_name="queue",
            constraint=models.CheckConstraint(
                condition=Q(("successor__isnull", True)) | Q(("is_default", False)), name="the_default_queue_is_in_use"
            ),
        ),
        migrations.AddConstraint(
            model_name="queue",
            constraint=models.CheckConstraint(condition=~Q(("successor", F("id"))), name="no_queue_follows_itself"),
        ),
        migrations.CreateModel(
            name="Recount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(choices=[("due", "deadlines"), ("words", "what lists show")], max_length=5),
                ),
                ("reach", models.BigIntegerField(blank=True, null=True)),
                ("total", models.PositiveIntegerField()),
                ("done", models.PositiveIntegerField(default=0)),
                ("asked_at", models.DateTimeField()),
                ("leased_until", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "queue",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tickets.queue",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(("finished_at__isnull", True)),
                        fields=("kind", "queue"),
                        name="one_recount_at_a_time",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
    ]

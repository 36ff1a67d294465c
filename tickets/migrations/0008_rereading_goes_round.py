"""How far each account has come with looking at posts again."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("channels", "0001_initial"),
        ("tickets", "0007_what_an_edit_and_an_outside_answer_leave"),
    ]

    operations = [
        migrations.CreateModel(
            name="Rereading",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reach", models.BigIntegerField()),
                ("read_at", models.DateTimeField()),
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rereading",
                        to="channels.channelaccount",
                    ),
                ),
            ],
        ),
    ]

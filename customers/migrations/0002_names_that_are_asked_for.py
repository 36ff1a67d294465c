"""Names that a network tells only to who asks for them."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="identity",
            name="ask_name_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="identity",
            name="name_asked",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddIndex(
            model_name="identity",
            index=models.Index(
                condition=Q(("ask_name_at__isnull", False)), fields=["ask_name_at", "id"], name="identity_to_name"
            ),
        ),
    ]

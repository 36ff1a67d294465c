"""What helps people write."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _


class ReplyTemplate(models.Model):
    """A prepared answer with variables such as {{ customer.first_name }}; no surfaces means all of them."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    text = models.TextField(_("text"))
    surfaces = ArrayField(models.CharField(max_length=24), default=list, blank=True)

    def __str__(self) -> str:
        return self.name

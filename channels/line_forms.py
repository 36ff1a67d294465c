"""What an admin types to connect a phone line."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from channels.models import ChannelAccount


class LineForm(forms.Form):
    """A phone line: its number, what we call it, and the country its numbers are read by."""

    number = forms.CharField(
        label=_("Number"),
        max_length=60,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
        help_text=_("With its country, such as +44 20 7946 0100."),
    )
    name = forms.CharField(label=_("Name"), max_length=120, required=False, help_text=_("What we call this line."))
    region = forms.CharField(
        label=_("Country"),
        max_length=2,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_(
            "Two letters, such as GB: numbers that come without a country are read as numbers of this one. "
            "Empty: the country of the number."
        ),
    )

    def __init__(self, *args: Any, account: ChannelAccount | None = None, **kwargs: Any) -> None:
        if account is not None:
            region = account.settings.get("region", "")
            kwargs.setdefault("initial", {"number": account.address, "name": account.name, "region": region})
        super().__init__(*args, **kwargs)
        # The number is what the account is.
        self.fields["number"].disabled = account is not None
        for name, bound in self.fields.items():
            bound.widget.attrs["class"] = "input"
            bound.widget.attrs["aria-describedby"] = f"{name}-hint"

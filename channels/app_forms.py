"""What an admin types to enter our app at a network."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from channels.models import App

# What each network calls the two; people look for these words in its developer console.
LABELS = {
    "x": {"client_id": _("Client ID"), "client_secret": _("Client secret")},
    "facebook": {"client_id": _("App ID"), "client_secret": _("App secret")},
}
_FACEBOOK_ID = re.compile(r"[1-9][0-9]{4,24}")


class AppForm(forms.Form):
    """An app as the network's developer console shows it. The secret is never shown, not even the one just typed."""

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("What we call it here."))
    client_id = forms.CharField(max_length=120, widget=forms.TextInput())
    client_secret = forms.CharField(
        max_length=500,
        required=False,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, kind: str, app: App | None = None, **kwargs: Any) -> None:
        self.kind = kind
        if app is not None:
            kwargs.setdefault("initial", {"name": app.name, "client_id": app.client_id})
        super().__init__(*args, **kwargs)
        for name, label in LABELS[kind].items():
            self.fields[name].label = label
        if app is None:
            self.fields["client_secret"].required = True
        elif kind == "x":
            self.fields["client_secret"].help_text = _("Empty: the one we have, where the client ID stays the same.")
        else:
            self.fields["client_secret"].help_text = _("Empty: the one we have, where the app ID stays the same.")
        self.fields["client_id"].widget.attrs.update({"autocomplete": "off", "spellcheck": "false"})
        for name, bound in self.fields.items():
            bound.widget.attrs["class"] = "input"
            bound.widget.attrs["aria-describedby"] = f"{name}-hint"

    def clean_client_id(self) -> str:
        """The id as typed. Facebook's is a number, and stands in the hook address."""
        typed = str(self.cleaned_data["client_id"])
        if self.kind == "facebook" and not _FACEBOOK_ID.fullmatch(typed):
            raise forms.ValidationError(_("Facebook's app ID is a number, such as 1234567890123456."))
        return typed

    def clean(self) -> dict[str, Any]:
        """The typed values. Only an app that we know goes without its secret."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("client_id") and not cleaned.get("client_secret") and not self.errors:
            known = App.objects.filter(kind=self.kind, client_id=cleaned["client_id"]).first()
            if known is None or not known.secrets.get("client_secret"):
                words = {
                    "x": _("Please type the secret that belongs to this client ID."),
                    "facebook": _("Please type the secret that belongs to this app ID."),
                }
                self.add_error("client_secret", words[self.kind])
        return cleaned

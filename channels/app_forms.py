"""What an admin types to enter our app at a network."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from channels.models import App


class AppForm(forms.Form):
    """An app as the network's developer console shows it. The secret is never shown, not even the one just typed."""

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("What we call it here."))
    client_id = forms.CharField(label=_("Client ID"), max_length=120, widget=forms.TextInput())
    client_secret = forms.CharField(
        label=_("Client secret"),
        max_length=500,
        required=False,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, kind: str, app: App | None = None, **kwargs: Any) -> None:
        self.kind = kind
        if app is not None:
            kwargs.setdefault("initial", {"name": app.name, "client_id": app.client_id})
        super().__init__(*args, **kwargs)
        if app is None:
            self.fields["client_secret"].required = True
        else:
            self.fields["client_secret"].help_text = _("Empty: the one we have, where the client ID stays the same.")
        self.fields["client_id"].widget.attrs.update({"autocomplete": "off", "spellcheck": "false"})
        for name, bound in self.fields.items():
            bound.widget.attrs["class"] = "input"
            bound.widget.attrs["aria-describedby"] = f"{name}-hint"

    def clean(self) -> dict[str, Any]:
        """The typed values. Only an app that we know goes without its secret."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("client_id") and not cleaned.get("client_secret") and not self.errors:
            known = App.objects.filter(kind=self.kind, client_id=cleaned["client_id"]).first()
            if known is None or not known.secrets.get("client_secret"):
                self.add_error("client_secret", _("Please type the secret that belongs to this client ID."))
        return cleaned

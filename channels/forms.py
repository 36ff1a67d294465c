"""What an admin types to connect an account."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from channels.accounts import Mailbox
from channels.models import AccountState, ChannelAccount

SECURITY = [("tls", _("TLS from the start")), ("starttls", _("STARTTLS"))]
# Passwords in clear text: only towards the stand-ins on this machine.
UNPROTECTED = ("none", _("None (practice only)"))


class MailboxForm(forms.Form):
    """How to reach a mailbox. The password is never shown again, neither the stored one nor the one just typed."""

    address = forms.EmailField(label=_("Mail address"), max_length=254)
    name = forms.CharField(
        label=_("Name customers see"),
        max_length=120,
        required=False,
        help_text=_("Stands beside the address in every reply."),
    )
    username = forms.CharField(
        label=_("User name"), max_length=254, required=False, help_text=_("Empty: the mail address.")
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=500,
        strip=False,
        required=False,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
    )
    imap_host = forms.CharField(label=_("IMAP server"), max_length=253)
    imap_port = forms.IntegerField(label=_("IMAP port"), min_value=1, max_value=65535, initial=993)
    imap_security = forms.ChoiceField(label=_("IMAP security"))
    smtp_host = forms.CharField(label=_("SMTP server"), max_length=253)
    smtp_port = forms.IntegerField(label=_("SMTP port"), min_value=1, max_value=65535, initial=465)
    smtp_security = forms.ChoiceField(label=_("SMTP security"))
    begins_at = forms.DateTimeField(
        label=_("Take mail from"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("Empty: from now on. Nothing older becomes a ticket."),
    )

    def __init__(self, *args: Any, account: ChannelAccount | None = None, **kwargs: Any) -> None:
        self.account = account
        if account is not None:
            kwargs.setdefault("initial", {"address": account.address, "name": account.name, **account.settings})
        super().__init__(*args, **kwargs)
        choices = [*SECURITY, UNPROTECTED] if settings.PRACTICE else SECURITY
        for name in ("imap_security", "smtp_security"):
            self.fields[name].choices = choices  # type: ignore[attr-defined]
        if account is not None:
            # The address is what the account is; where it begins was decided when it was connected.
            self.fields["address"].disabled = True
            del self.fields["begins_at"]
            self.fields["password"].help_text = _("Empty: the one we have.")
        else:
            self.fields["password"].required = True
        self.fields["address"].widget.attrs["autocomplete"] = "off"
        for name, bound in self.fields.items():
            bound.widget.attrs["class"] = "select" if isinstance(bound.widget, forms.Select) else "input"
            bound.widget.attrs["aria-describedby"] = f"{name}-hint"

    def clean_address(self) -> str:
        """The address. Connecting begins a mailbox anew and switches it off, which nobody means who types the address
        of one that runs: its own page changes how it is reached, and loses nothing."""
        typed = str(self.cleaned_data["address"])
        running = [AccountState.ACTIVE, AccountState.REFUSED]
        known = None
        if self.account is None:
            known = ChannelAccount.objects.filter(kind="email", address=typed.lower(), state__in=running).first()
        if known is not None:
            raise forms.ValidationError(
                format_html(
                    '{} <a href="{}">{}</a>',
                    _("This mailbox is connected already."),
                    reverse("channels:edit", kwargs={"account_id": known.pk}),
                    _("Change its servers or password"),
                )
            )
        return typed

    def clean(self) -> dict[str, Any]:
        """The typed values. A stored password never goes to another server than the one it was typed for."""
        cleaned: dict[str, Any] = super().clean() or {}
        if self.account is None or cleaned.get("password"):
            return cleaned
        kept = self.account.settings
        reached = ("imap_host", "imap_port", "imap_security", "smtp_host", "smtp_port", "smtp_security")
        username = cleaned.get("username") or self.account.address
        moved = any(cleaned.get(name) != kept.get(name) for name in reached) or username != kept.get(
            "username", self.account.address
        )
        if moved and not self.errors:
            self.add_error(
                "password", _("The server or the user name is another one now. Please type the password for it.")
            )
        return cleaned

    def mailbox(self) -> Mailbox:
        """The cleaned values as the domain takes them."""
        return Mailbox(**{name: value for name, value in self.cleaned_data.items() if name != "begins_at"})

    def beginning(self) -> datetime | None:
        """The chosen moment, or None for now."""
        chosen: datetime | None = self.cleaned_data.get("begins_at")
        return chosen

"""What admins type about people and teams, and the password a person chooses."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents.models import Person, Team
from agents.people import CannotChange, Roles
from contactcentre.lib.text import clean_line

# More cannot be chosen from in a list of boxes; each person's own page is the other way in.
MOST_CHOICES = 300


def explain(form: forms.Form, problem: CannotChange) -> None:
    """Put what could not be done beside the field it is about, or above the form."""
    form.add_error(problem.field if problem.field in form.fields else None, str(problem))


def dress(form: forms.Form) -> None:
    """The class names of app.css, and for each field the id of its hint."""
    for name, field in form.fields.items():
        if not isinstance(field.widget, forms.CheckboxSelectMultiple | forms.CheckboxInput):
            field.widget.attrs["class"] = "select" if isinstance(field.widget, forms.Select) else "input"
            field.widget.attrs["aria-describedby"] = f"{name}-hint"
        else:
            field.widget.attrs["class"] = "checkbox"


class Line(forms.CharField):
    """One line of words; spaces alone are nothing."""

    def to_python(self, value: Any) -> Any:
        """The words without what no line holds."""
        return clean_line(str(super().to_python(value)), self.max_length or 255)


class PersonForm(forms.Form):
    """Who somebody is, what they may do, and the teams they work in."""

    name = Line(label=gettext_lazy("Name"), max_length=120)
    email = forms.EmailField(
        label=gettext_lazy("Email"),
        max_length=254,
        help_text=gettext_lazy("They sign in with it. Nothing is mailed."),
    )
    is_agent = forms.BooleanField(
        label=gettext_lazy("Agent"),
        required=False,
        help_text=gettext_lazy("answers the customers of the queues their teams serve"),
    )
    is_lead = forms.BooleanField(
        label=gettext_lazy("Lead"), required=False, help_text=gettext_lazy("sees all queues and the board")
    )
    is_admin = forms.BooleanField(
        label=gettext_lazy("Admin"),
        required=False,
        help_text=gettext_lazy("these settings; alone, no customer's words"),
    )
    teams = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Teams"), required=False, coerce=int, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, person: Person | None = None, **kwargs: Any) -> None:
        if person is not None:
            kwargs.setdefault(
                "initial",
                {
                    "name": person.name,
                    "email": person.email,
                    "is_agent": person.is_agent,
                    "is_lead": person.is_lead,
                    "is_admin": person.is_admin,
                    "teams": list(person.teams.values_list("pk", flat=True)),
                },
            )
        else:
            kwargs.setdefault("initial", {"is_agent": True})
        super().__init__(*args, **kwargs)
        self.fields["teams"].choices = list(  # type: ignore[attr-defined]
            Team.objects.order_by("name").values_list("pk", "name")[:MOST_CHOICES]
        )
        dress(self)
        self.fields["email"].widget.attrs["autocomplete"] = "off"
        self.fields["name"].widget.attrs["autocomplete"] = "off"

    def clean(self) -> dict[str, Any]:
        """Nobody is here without a role."""
        cleaned: dict[str, Any] = super().clean() or {}
        if not any(cleaned.get(role) for role in ("is_agent", "is_lead", "is_admin")):
            self.add_error("is_agent", _("Choose at least one role, or deactivate the person."))
        return cleaned

    def values(self) -> dict[str, Any]:
        """The cleaned values as agents/people.py takes them."""
        typed = self.cleaned_data
        return {
            "name": typed["name"],
            "email": typed["email"],
            "roles": Roles(agent=typed["is_agent"], lead=typed["is_lead"], admin=typed["is_admin"]),
            "teams": typed["teams"],
        }


class PasswordForm(forms.Form):
    """A new password, typed once and shown on wish by the browser."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "input input--large"}),
    )
    again = forms.CharField(
        label=gettext_lazy("The same again"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "input input--large"}),
    )

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        self.person = person
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs["aria-describedby"] = f"{name}-hint"
        self.fields["password"].help_text = _("At least ten characters; not one that everybody knows.")

    def clean(self) -> dict[str, Any]:
        """Both the same, and good enough for the installation's rules."""
        cleaned: dict[str, Any] = super().clean() or {}
        password, again = cleaned.get("password"), cleaned.get("again")
        if password:
            try:
                validate_password(password, self.person)
            except forms.ValidationError as error:
                self.add_error("password", error)
            if again and again != password:
                self.add_error("again", _("The two are not the same."))
        return cleaned

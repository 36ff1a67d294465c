"""What admins type about teams, queues, targets and templates."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents.models import Team
from agents.people_forms import Line, dress
from channels.surfaces import SURFACES
from tickets import settings_targets, settings_templates, templates
from tickets.models import Queue, ReplyTemplate
from tickets.queries import settings as queries


class Boxes(forms.TypedMultipleChoiceField):
    """Several of a list of ids, as boxes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(coerce=int, required=False, widget=forms.CheckboxSelectMultiple, **kwargs)


class TeamForm(forms.Form):
    """A team: its name, who is in it, which queues it serves."""

    name = Line(label=gettext_lazy("Name"), max_length=80)
    members = Boxes(label=gettext_lazy("Members"))
    queues = Boxes(label=gettext_lazy("Queues"))

    def __init__(self, *args: Any, team: Team | None = None, **kwargs: Any) -> None:
        if team is not None:
            kwargs.setdefault(
                "initial",
                {
                    "name": team.name,
                    "members": list(team.people.values_list("pk", flat=True)),
                    "queues": list(team.queues.values_list("pk", flat=True)),
                },
            )
        super().__init__(*args, **kwargs)
        self.fields["members"].choices = queries.member_choices(team)  # type: ignore[attr-defined]
        self.fields["queues"].choices = queries.queue_choices()  # type: ignore[attr-defined]
        dress(self)


class QueueForm(forms.Form):
    """A queue: its name, its reopen window, the teams that serve it."""

    name = Line(label=gettext_lazy("Name"), max_length=60)
    reopen_days = forms.IntegerField(
        label=gettext_lazy("Reopen window, in days"),
        min_value=0,
        max_value=365,
        initial=7,
        help_text=gettext_lazy(
            "Who writes again within it finds their solved ticket reopened; after it a new one begins."
        ),
    )
    teams = Boxes(label=gettext_lazy("Teams"))

    def __init__(self, *args: Any, queue: Queue | None = None, **kwargs: Any) -> None:
        if queue is not None:
            kwargs.setdefault(
                "initial",
                {
                    "name": queue.name,
                    "reopen_days": queue.reopen_days,
                    "teams": list(queue.teams.values_list("pk", flat=True)),
                },
            )
        super().__init__(*args, **kwargs)
        self.fields["teams"].choices = queries.team_choices()  # type: ignore[attr-defined]
        dress(self)


class RemoveForm(forms.Form):
    """Where a removed queue's tickets go."""

    successor = forms.TypedChoiceField(
        label=gettext_lazy("Its tickets go to"),
        coerce=int,
        error_messages={"required": gettext_lazy("Choose the queue its tickets go to.")},
    )

    def __init__(self, *args: Any, queue: Queue, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = [(pk, name) for pk, name in queries.queue_choices() if pk != queue.pk]
        self.fields["successor"].choices = [("", _("Choose a queue")), *others]  # type: ignore[attr-defined]
        dress(self)


class TargetsForm(forms.Form):
    """Minutes for every surface; empty means that nothing is promised, or in a queue what is promised everywhere."""

    def __init__(self, *args: Any, of_queue: bool, now: dict[str, int], **kwargs: Any) -> None:
        kwargs["initial"] = {self.field_name(name): now.get(name) for name in SURFACES}
        super().__init__(*args, **kwargs)
        for name, surface in SURFACES.items():
            self.fields[self.field_name(name)] = forms.IntegerField(
                label=str(surface.label),
                required=False,
                min_value=1,
                max_value=settings_targets.MOST_MINUTES,
                widget=forms.NumberInput(attrs={"placeholder": _("as all") if of_queue else _("none")}),
            )
        dress(self)

    @staticmethod
    def field_name(surface: str) -> str:
        """The name of a surface's field: a colon would not do in an id."""
        return surface.replace(":", "-")

    def minutes(self) -> dict[str, int | None]:
        """The cleaned minutes by surface."""
        return {name: self.cleaned_data[self.field_name(name)] for name in SURFACES}


class TemplateForm(forms.Form):
    """A reply template: its name, where it is offered, its text with variables."""

    name = Line(label=gettext_lazy("Name"), max_length=80)
    surfaces = forms.MultipleChoiceField(
        label=gettext_lazy("Offered on"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None chosen: everywhere."),
    )
    text = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=settings_templates.LONGEST,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 10}),
    )

    def __init__(self, *args: Any, template: ReplyTemplate | None = None, **kwargs: Any) -> None:
        if template is not None:
            kwargs.setdefault(
                "initial", {"name": template.name, "text": template.text, "surfaces": template.surfaces}
            )
        super().__init__(*args, **kwargs)
        self.fields["surfaces"].choices = [(name, each.label) for name, each in SURFACES.items()]  # type: ignore[attr-defined]
        dress(self)
        self.fields["text"].widget.attrs["class"] = "input settings-text"

    def clean_text(self) -> str:
        """The text, if every variable in it stands for something: a customer should never read a raw one."""
        text: str = self.cleaned_data["text"]
        if strange := templates.unknown(text):
            names = ", ".join(f"{{{{ {name} }}}}" for name in strange)
            raise forms.ValidationError(_("Nothing stands for %(names)s.") % {"names": names})
        return text

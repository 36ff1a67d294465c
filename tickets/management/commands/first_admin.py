"""`manage.py first_admin EMAIL NAME`: who lets everybody else in on a new installation, and its first queue."""

from __future__ import annotations

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.forms import ValidationError
from django.urls import reverse
from django.utils import timezone

from agents import passwords, people
from agents.models import Person
from tickets import beginning


class Command(BaseCommand):
    """Makes an admin and prints a link to choose a password by, good for one use and three days.

    For somebody who is there already it prints a new link and leaves them as they are: the way back in for an admin
    who forgot their password and has no colleague to ask. Where there is no queue yet it makes one, with targets,
    because without a queue nothing can come in. The link is the last line.
    """

    help = "Make an admin, or a new password link for one, and print the link. Make the first queue, if there is none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The two words the command needs."""
        parser.add_argument("email")
        parser.add_argument("name", nargs="?", default="")

    def handle(self, *, email: str, name: str, **_options: object) -> None:
        """Make or find the person and print their link. Raises CommandError."""
        now = timezone.now()
        person = Person.objects.filter(email__iexact=email).first()
        try:
            validate_email(email)
            if person is None:
                if not name.strip():
                    raise CommandError("Give the new admin's name behind the email.")
                roles = people.Roles(admin=True)
                person = people.add(actor=None, name=name, email=email, roles=roles, teams=(), now=now)
            elif not person.is_admin:
                raise CommandError(f"{person.email} is there and no admin: an admin can change that.")
            token = passwords.new_link(actor=None, person=person, now=now)
        except ValidationError as error:
            raise CommandError(f"{email} is no email address.") from error
        except people.CannotChange as error:
            raise CommandError(str(error)) from error
        queue = beginning.first_queue(now=now)
        if queue is not None:
            self.stdout.write(
                f"Made the queue {queue.name}, where everything comes in, and its targets: mail is answered within "
                "four hours, all else within 15 minutes. No team serves it yet, so only leads see what is in it: "
                "choose its teams under Settings, Queues."
            )
        self.stdout.write(settings.BASE_URL + reverse("agents:choose-password", args=[token]))

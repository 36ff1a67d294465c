"""What pages cost: through Django's WSGI handler in this process, each round another ticket or another word.

The floor of a page is an authenticated Django page of the same size with no query but session and person, looked up
as Django does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import cycle
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path
from django.utils import timezone

from agents.access import signed_in
from agents.models import Person
from bench import loading
from bench.figures import Figure, timed
from tickets import replies
from tickets.models import Contact, Ticket

SHORT = 50
LONG = 5


@signed_in
def floor_page(request: HttpRequest) -> HttpResponse:
    """A page of a given size, with no query but session and person."""
    return HttpResponse("x" * int(request.GET["bytes"]), content_type="text/html")


urlpatterns = [path("floor/", floor_page)]


def measured(size: int) -> list[tuple[Figure, Figure | None]]:
    """Every page and the reply, at this many tickets."""
    browser = Client(HTTP_HOST="127.0.0.1")
    browser.force_login(Person.objects.get(email="anna@acme.example"))
    open_ones = list(Ticket.objects.filter(state="open", queue__name="General").order_by("id")[: SHORT + LONG])
    short, long = open_ones[:SHORT], open_ones[SHORT:]
    loading.lengthen(tickets=[ticket.pk for ticket in short], messages=4)
    loading.lengthen(tickets=[ticket.pk for ticket in long], messages=994)
    loading.vacuum()
    addresses: dict[str, Iterator[str]] = {
        "inbox": cycle(["/"]),
        "inbox, one queue": cycle([f"/?queue={short[0].queue_id}"]),
        "list alone (live refreshing)": cycle(["/list/"]),
        "ticket, 10 messages": cycle([f"/t/{ticket.pk}/" for ticket in short]),
        "ticket, 1,000 messages": cycle([f"/t/{ticket.pk}/" for ticket in long]),
        "timeline alone (live refreshing)": cycle([f"/t/{ticket.pk}/timeline/" for ticket in long]),
        "search, a rare word": cycle([f"/search/?q=AC-{number}1" for number in range(size - 400, size)]),
        "search, a common word": cycle(["/search/?q=parcel", "/search/?q=voucher", "/search/?q=refund"]),
        "search, a name": cycle([f"/search/?q=Customer+{number}" for number in range(100, 500)]),
    }
    figures: list[tuple[Figure, Figure | None]] = []
    for what, wanted in addresses.items():
        figure = timed(what, lambda wanted=wanted: got(browser, next(wanted)))  # type: ignore[misc]
        figures.append((figure, _floor(figure.bytes)))
    leads = Client(HTTP_HOST="127.0.0.1")
    leads.force_login(Person.objects.get(email="leo@acme.example"))
    board = timed("board", lambda: got(leads, "/board/"), rounds=50)
    figures.append((board, _floor(board.bytes)))
    figures.append((timed("reply, without sending", _press()), None))
    return figures


def got(browser: Client, address: str) -> Any:
    """The page. Raises RuntimeError for anything but a page: nothing would have been measured."""
    answer = browser.get(address)
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered {answer.status_code}")
    return answer


def _floor(size: int) -> Figure:
    """Measured at once after its page, so that both meet the machine in the same mood."""
    with override_settings(
        ROOT_URLCONF="bench.pages",
        SESSION_ENGINE="django.contrib.sessions.backends.db",
        AUTHENTICATION_BACKENDS=["django.contrib.auth.backends.ModelBackend"],
    ):
        # Of its own: a client takes the middleware as the settings are at its first page.
        browser = Client(HTTP_HOST="127.0.0.1")
        browser.force_login(Person.objects.get(email="anna@acme.example"))
        return timed("floor", lambda: got(browser, f"/floor/?bytes={size}"))


def _press() -> Callable[[], None]:
    """A reply, as the page's form sends it, up to the outbox row; each time on another ticket."""
    person = Person.objects.get(email="anna@acme.example")
    waiting = iter(
        Contact.objects.filter(ticket__state="open", ticket__queue__name="General", unanswered_since__isnull=False)
        .select_related("ticket")
        .order_by("-id")[:1000]
    )

    def press() -> None:
        contact = next(waiting)
        with transaction.atomic():
            replies.reply(
                person=person,
                ticket_id=contact.ticket_id,
                contact_id=contact.pk,
                text="It leaves tonight.",
                seen=contact.ticket.arrivals,
                undo=timedelta(seconds=10),
                now=timezone.now(),
            )

    return press

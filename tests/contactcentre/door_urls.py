"""Pages that show what comes through the doors, and who may be told what in these tests."""

from __future__ import annotations

import hashlib
import io
import threading

from django.contrib.auth import login
from django.db import connection
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from agents.models import Membership, Person
from agents.views import sign_out
from contactcentre import health
from contactcentre.lib import realtime
from contactcentre.lib.realtime import Topics


def topics(person_id: int) -> Topics | None:
    """In these tests a team's id is the id of the queue it serves."""
    person = Person.objects.filter(pk=person_id, is_active=True).first()
    if person is None or not person.works_tickets:
        return None
    queues = frozenset(Membership.objects.filter(person=person).values_list("team_id", flat=True))
    return {"queues": queues, "person": person_id, "all": person.is_lead}


def enter(request: HttpRequest, person_id: int) -> HttpResponse:
    """Sign in without a password; the answer is the stream's position."""
    login(request, Person.objects.get(pk=person_id), backend="agents.backend.People")
    return HttpResponse(realtime.position())


@csrf_exempt
def echo(request: HttpRequest) -> JsonResponse:
    """What arrived: bytes, their digest, and the request's variables."""
    digest, size = hashlib.sha256(), 0
    while block := request.read(65536):
        digest.update(block)
        size += len(block)
    meta = {name: value for name, value in request.META.items() if name.startswith(("HTTP_", "CONTENT_"))}
    return JsonResponse({"size": size, "sha256": digest.hexdigest(), "meta": meta})


@csrf_exempt
def upload(request: HttpRequest) -> JsonResponse:
    """The uploaded file's size."""
    return JsonResponse({"size": request.FILES["file"].size})


def who_works(request: HttpRequest) -> JsonResponse:
    """The thread and the database connection behind this page, and all threads of the process."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    names = [thread.name for thread in threading.enumerate()]
    return JsonResponse({"thread": threading.current_thread().name, "backend": backend, "threads": names})


def large_file(request: HttpRequest, size: int) -> FileResponse:
    """A download of `size` zero bytes."""
    return FileResponse(io.BytesIO(bytes(size)), filename="zeroes.bin")


def trivial(request: HttpRequest) -> HttpResponse:
    """The cheapest page there is."""
    return HttpResponse("x" * 2000)


urlpatterns = [
    path("enter/<int:person_id>/", enter),
    path("sign-out/", csrf_exempt(sign_out)),
    path("echo/", echo),
    path("upload/", upload),
    path("who-works/", who_works),
    path("file/<int:size>/", large_file),
    path("trivial/", trivial),
    *health.urlpatterns,
]

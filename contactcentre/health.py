"""Two questions of whoever runs this: does the process live, and can it do its work?

/healthz/live answers as long as a thread is free; restart the process when it does not. /healthz/ready
also asks PostgreSQL and Valkey; take the process out of the proxy while it answers 503, do not restart it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from contactcentre.lib import valkey

LIMIT_SECONDS = 2.0


class Probe:
    """Asks one service, and waits for its answer no longer than the limit.

    The asking has a thread of its own, because a frozen server holds whoever asks it, whatever the limit.
    While one question hangs no second is asked, so that a dead service costs one thread, not one a probe.
    """

    def __init__(self, question: Callable[[], None]) -> None:
        self._question = question
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._problem = ""

    def ask(self, *, limit_seconds: float = LIMIT_SECONDS) -> str:
        """What came of it: "ok", "silent" or the kind of error; never its text, because anybody may read this."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._problem = ""
                self._thread = threading.Thread(target=self._run, name="probe", daemon=True)
                self._thread.start()
            thread = self._thread
        thread.join(limit_seconds)
        if thread.is_alive():
            return "silent"
        return self._problem or "ok"

    def _run(self) -> None:
        try:
            self._question()
        except Exception as error:  # noqa: BLE001 - whatever it is, the service cannot be used
            self._problem = type(error).__name__


def _ask_postgres() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        # This thread's own, which ends with it.
        connection.close()


def _ask_valkey() -> None:
    valkey.ask(lambda pipeline: pipeline.ping())


_postgres = Probe(_ask_postgres)
_valkey = Probe(_ask_valkey)


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """200 as soon as a thread is free to say so."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when PostgreSQL and Valkey answer, else 503; which of them and how long it took."""
    began = time.monotonic()
    services = {"postgresql": _postgres.ask(), "valkey": _valkey.ask()}
    fine = all(answer == "ok" for answer in services.values())
    body = {
        "status": "ok" if fine else "not ready",
        "services": services,
        "milliseconds": round((time.monotonic() - began) * 1000),
    }
    return JsonResponse(body, status=200 if fine else 503)


urlpatterns = [
    path("healthz/live", live, name="health-live"),
    path("healthz/ready", ready, name="health-ready"),
]

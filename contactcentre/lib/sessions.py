"""Django's sessions in the database, read by a statement that is kept: every page begins with one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from contactcentre.lib.prepared import PreparedRows


def _session_of(*, key: str, now: datetime) -> QuerySet[Session]:
    return Session.objects.filter(session_key=key, expire_date__gt=now)


_SESSION = PreparedRows(_session_of, Session)


class SessionStore(db.SessionStore):
    """See above; it writes as Django does, and an older version of us reads the same rows."""

    def _get_session_from_db(self) -> Any:
        found = _SESSION.first(key=self.session_key or "", now=timezone.now())
        if found is None:
            # As Django does: a key that nothing stands behind is nobody's, and a new session gets one of its own.
            self._session_key = None
        return found

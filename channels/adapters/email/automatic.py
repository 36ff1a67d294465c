"""Whether a mail was written by a machine, and by which sort. The words are stable: rules and books use them.

From RFC 3834 (Auto-Submitted, and whom never to answer) and the fields that vendors use instead of it.
"""

from __future__ import annotations

import re

from channels.adapters.email.headers import Headers

BOUNCE = "bounce"
OUT_OF_OFFICE = "out-of-office"
AUTO_SUBMITTED = "auto-submitted"
LIST = "list"
BULK = "bulk"
LOOP = "loop"
NO_REPLY = "no-reply"
READ_RECEIPT = "read-receipt"

_NO_REPLY = re.compile(r"^(no|do[._-]?not)[._-]?reply([._+-].*)?@|^(noreply|nepasrepondre|keine-?antwort)[^@]*@", re.I)
_DAEMON = re.compile(r"^(mailer-daemon|postmaster|mail-daemon|mailerdaemon)([+._-][^@]*)?@", re.I)


def reason(headers: Headers, *, author: str) -> str:
    """Why this is no person's mail: one of this module's words, or empty for a person's.

    `author` is the bare address it is from.
    """
    kind = headers.first("Content-Type").lower().replace(" ", "")
    if kind.startswith("multipart/report"):
        return READ_RECEIPT if "disposition-notification" in kind else BOUNCE
    if is_daemon(author) or headers.has("X-Failed-Recipients"):
        return BOUNCE
    submitted = headers.first("Auto-Submitted").lower().partition(";")[0].strip()
    precedence = headers.first("Precedence").lower()
    # RFC 3834 5: an answering machine says auto-replied; the other fields are older habits of the same.
    if submitted.startswith("auto-replied") or precedence == "auto_reply":
        return OUT_OF_OFFICE
    if any(headers.has(name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply-From")):
        return OUT_OF_OFFICE
    if submitted and submitted != "no":
        return AUTO_SUBMITTED
    if headers.has("List-Id") or precedence == "list":
        return LIST
    if precedence in {"bulk", "junk"} or headers.has("Feedback-ID"):
        return BULK
    if headers.has("X-Loop"):
        return LOOP
    # Exchange puts it on what its own machines write; "None" takes it back.
    suppress = headers.first("X-Auto-Response-Suppress").lower()
    if suppress and suppress != "none":
        return AUTO_SUBMITTED
    if _NO_REPLY.match(author):
        return NO_REPLY
    # RFC 3834 2: nobody is to be answered, so nobody is there.
    return AUTO_SUBMITTED if headers.first("Return-Path").replace(" ", "") == "<>" else ""


def is_daemon(author: str) -> bool:
    """Whether an address belongs to a mail system itself."""
    return bool(_DAEMON.match(author))

"""Hand-made values for the inbox's pages: plausible ones, and every kind of unkind one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from channels.surfaces import SURFACES, surface
from tickets.rows import (
    Bubble,
    CallCard,
    Colleague,
    ComposerState,
    ContactHead,
    CustomerCard,
    EarlierTicket,
    Entry,
    FileRow,
    IdentityRow,
    NoteRow,
    QueueLink,
    Recipient,
    SystemLine,
    TicketList,
    TicketPage,
    TicketRow,
)

NOW = datetime(2026, 11, 20, 15, 12, tzinfo=UTC)
ANNA = Colleague(id=1, name="Anna Reid", initials="AR", is_me=True)
BEN = Colleague(id=2, name="Ben Tallis", initials="BT")

SCRIPT = "<script>alert('pinched')</script><img src=x onerror=alert(1)>"
LONG_NAME = "Maximiliana-Theodora Featherstonehaugh-Cholmondeley the Third"
ARABIC = "هل يمكنني تغيير عنوان التسليم؟ رقم الطلب AC-48213"
EMOJI = "👩‍👩‍👧‍👦🏳️‍🌈🧑🏽‍🚀"
ENDLESS = "https://shop.example/" + "a" * 400


def ago(**by: float) -> datetime:
    """A moment before NOW."""
    return NOW - timedelta(**by)


def row(number: int, **changes: Any) -> TicketRow:
    """One line of a list; every field can be changed."""
    values: dict[str, Any] = {
        "id": number,
        "who": "Carla Hughes",
        "words": "Hi, any news? I have to leave at four and nobody has called yet",
        "words_by": "",
        "state": "open",
        "awaiting": "us",
        "due_at": NOW + timedelta(minutes=48),
        "due_reason": "target",
        "last_at": ago(minutes=5),
        "surfaces": (surface("email"),),
        "tags": (),
        "also": (),
        "owner": None,
        "is_unread": False,
        "is_high": False,
        "queue_name": "General",
        "snoozed_until": None,
    }
    return TicketRow(**{**values, **changes})


def bubble(number: int, text: str = "Hello, where is my order?", **changes: Any) -> Bubble:
    """One message; `direction="out"` makes it ours."""
    ours = changes.get("direction") == "out"
    values: dict[str, Any] = {
        "id": number,
        "arrival": number,
        "direction": "in",
        "surface": surface("email"),
        "said_at": ago(minutes=60 - number),
        "who": "Anna" if ours else "",
        "person": ANNA if ours else None,
        "is_outside": False,
        "subject": "",
        "text": text,
        "quoted": "",
        "has_html": False,
        "permalink": "",
        "automatic": "",
        "files": (),
        "notes": (),
        "warning": "",
        "edited_at": None,
        "deleted_at": None,
        "versions": (),
        "state": "sent" if ours else "",
        "state_words": "Sent" if ours else "",
        "state_reason": "",
        "may_undo_until": None,
    }
    return Bubble(**{**values, **changes})


def entry(shown: Bubble | None = None, **changes: Any) -> Entry:
    """A bubble's place in the timeline, or whatever else `changes` names."""
    values: dict[str, Any] = {"at": shown.said_at if shown else NOW, "ticket_id": 42, "bubble": shown}
    return Entry(**{**values, **changes})


def head(name: str = "email", **changes: Any) -> ContactHead:
    """The divider above a contact."""
    values: dict[str, Any] = {
        "id": 9,
        "surface": surface(name),
        "account": "care@acme.example",
        "subject": "",
        "at": ago(minutes=40),
        "is_unanswered": True,
        "queue_name": "General",
    }
    return ContactHead(**{**values, **changes})


def file(number: int, **changes: Any) -> FileRow:
    """An attachment that was taken."""
    values: dict[str, Any] = {
        "id": number,
        "name": "dent.pdf",
        "size": 48_213,
        "content_type": "application/pdf",
        "url": f"/attachments/{number}/",
        "note": "",
        "is_image": False,
    }
    return FileRow(**{**values, **changes})


def call(**changes: Any) -> CallCard:
    """A call that was answered."""
    values: dict[str, Any] = {
        "title": "Carla called",
        "number": "+44 20 7946 0142",
        "line": "0800 line",
        "duration_seconds": 252,
        "disposition": "call back agreed",
        "answered_after_seconds": 18,
        "direction": "in",
        "is_over": True,
    }
    return CallCard(**{**values, **changes})


def customer(**changes: Any) -> CustomerCard:
    """Who it is, known on every channel."""
    kinds = (
        ("x:mention", "@carla_hughes"),
        ("facebook:messenger", "Carla Hughes"),
        ("email", "carla.hughes@post.example"),
        ("phone", "+44 20 7946 0142"),
    )
    values: dict[str, Any] = {
        "id": 7,
        "name": "Carla Hughes",
        "initials": "CH",
        "since": datetime(2024, 3, 2, tzinfo=UTC),
        "ticket_number": 3,
        "identities": tuple(
            IdentityRow(
                id=number,
                kind=SURFACES[name].kind,
                label=label,
                detail="",
                surface=name,
                is_shared=False,
                is_blocked=False,
            )
            for number, (name, label) in enumerate(kinds)
        ),
        "earlier": (
            EarlierTicket(
                id=17, subject="Kettle lost on the way", state="solved", at=ago(days=78), words="Solved by Ben"
            ),
        ),
        "related": (),
        "is_blocked": False,
    }
    return CustomerCard(**{**values, **changes})


def composer(**changes: Any) -> ComposerState:
    """Three ways to answer, one of them closed."""
    values: dict[str, Any] = {
        "recipients": (
            Recipient(key="11", surface=surface("x:mention"), account="@AcmeCare", to="@carla_hughes"),
            Recipient(
                key="12",
                surface=surface("facebook:messenger"),
                account="Acme UK",
                to="Carla Hughes",
                window_until=NOW + timedelta(hours=23),
            ),
            Recipient(
                key="13",
                surface=surface("email"),
                account="care@acme.example",
                to="carla.hughes@post.example",
                participants=("joe.hughes@post.example",),
                reply_to="carla@elsewhere.example",
            ),
            Recipient(
                key="14",
                surface=surface("x:dm"),
                account="@AcmeCare",
                to="@carla_hughes",
                closed="Carla has closed her direct messages",
            ),
        ),
        "chosen": "13",
        "draft": "",
        "draft_note": "",
        "draft_files": (),
        "saved_at": None,
        "seen": 17,
    }
    return ComposerState(**{**values, **changes})


def page(*entries: Entry, **changes: Any) -> TicketPage:
    """A ticket with these entries."""
    values: dict[str, Any] = {
        "id": 42,
        "who": "Carla Hughes",
        "state": "open",
        "state_words": "Open",
        "queue_id": 1,
        "queue_name": "General",
        "also": (),
        "owner": ANNA,
        "is_high": False,
        "tags": ("lost parcel",),
        "awaiting": "us",
        "due_at": NOW + timedelta(minutes=8),
        "due_reason": "target",
        "snoozed_until": None,
        "subject": "Coffee machine",
        "merged_into": None,
        "may_act": True,
        "is_blocked": False,
        "arrivals": 17,
        "entries": entries,
        "customer": customer(),
        "composer": composer(),
        "stream": "1-0",
    }
    return TicketPage(**{**values, **changes})


def listed(*rows: TicketRow, **changes: Any) -> TicketList:
    """A list of these rows."""
    values = {"title": "All open", "view": "open", "rows": rows, "older": "", "newer": "", "stream": "1-0"}
    return TicketList(**{**values, **changes})


VIEWS = (
    QueueLink(key="open", name="All open", url="/", open=50, overdue=5, is_current=True, icon="inbox"),
    QueueLink(key="mine", name="Mine", url="/?view=mine", open=9, icon="user"),
    QueueLink(key="waiting", name="Waiting for customer", url="/?view=waiting", open=17, icon="hourglass"),
    QueueLink(key="snoozed", name="Snoozed", url="/?view=snoozed", icon="zzz"),
)
QUEUES = (
    QueueLink(key="queue-1", name="General", url="/?queue=1", open=21, overdue=3),
    QueueLink(key="queue-2", name="Deliveries and everything that got lost on its way", url="/?queue=2", open=1000),
)


def busy_rows() -> tuple[TicketRow, ...]:
    """A list with one of each."""
    return (
        row(
            41,
            who="Tom Okafor",
            due_at=ago(minutes=3),
            is_unread=True,
            tags=("refund",),
            also=("Billing",),
            surfaces=(surface("email"), surface("facebook:comment")),
            owner=BEN,
        ),
        row(
            42,
            due_at=NOW + timedelta(minutes=8),
            is_unread=True,
            is_high=True,
            owner=ANNA,
            surfaces=tuple(SURFACES.values()),
            tags=("lost parcel", "courier", "replacement", "second loss"),
        ),
        row(43, who=LONG_NAME, words="word " * 40),
        row(44, who="نورا المنصوري", words=ARABIC, is_unread=True, surfaces=(surface("facebook:messenger"),)),
        row(45, who=EMOJI, words=EMOJI * 12, words_by="Ben", last_at=ago(days=2), due_at=NOW + timedelta(hours=30)),
        row(46, who="+44 20 7946 0817", words="Missed call, 1 min 10 s", surfaces=(surface("phone"),)),
        row(47, who="Marek Nowak", state="waiting", awaiting="customer", due_at=None, last_at=ago(days=400)),
        row(48, who="Hattie Osei", state="snoozed", snoozed_until=NOW + timedelta(days=3), due_at=None),
        row(49, who=SCRIPT, words=SCRIPT, tags=(SCRIPT[:40],)),
    )


def busy_entries() -> tuple[Entry, ...]:
    """A timeline with one of each, kind and unkind."""
    reply_words = "Sorry, Carla, that is not good enough. We chase the driver right away."
    return (
        entry(
            bubble(1, "The machine was due yesterday.\nIt is not here.\n\nOrder AC-48213", subject="Where is it?"),
            day=True,
            contact=head(),
        ),
        entry(bubble(2, reply_words, direction="out")),
        entry(
            bubble(3, ARABIC, subject="طلبي", quoted="On 18 Nov 2026 Acme wrote:\n> Good news", has_html=True),
            contact=head("email", account="care@acme.example"),
        ),
        entry(bubble(4, ("Ten thousand characters of grief. " * 300)[:10_000] + f" {ENDLESS}")),
        entry(
            bubble(
                5,
                EMOJI,
                surface=surface("x:mention"),
                who="@carla_hughes",
                permalink="https://x.example/status/1",
                edited_at=ago(minutes=2),
                files=(
                    file(1),
                    file(2, name="n" * 150 + ".exe", url="", note="Larger than 25 MB, so it was not taken"),
                ),
                notes=("12 further attachments were left at the provider.",),
            ),
            contact=head("x:mention", account="@AcmeCare"),
        ),
        entry(note=NoteRow(id=1, arrival=6, person=BEN, text=f"@Anna says {SCRIPT}\n\nReplace it.", written_at=NOW)),
        entry(
            at=ago(minutes=16),
            system=(
                SystemLine(at=ago(minutes=16), words="Ben moved it from General to Deliveries", icon="arrows-exchange"),
                SystemLine(at=ago(minutes=16), words="Ben set the priority to high", icon="flag"),
            ),
        ),
        entry(at=ago(minutes=15), hidden="Something in Legal"),
        entry(
            bubble(11, f"Wants it before Sunday.\n\n{SCRIPT}", surface=surface("phone"), call=call(), person=BEN),
            contact=head("phone", account="0800 line"),
        ),
        entry(bubble(7, SCRIPT, who=SCRIPT, subject=SCRIPT), contact=head("facebook:messenger"), is_first_unread=True),
        entry(bubble(8, reply_words, direction="out", state="queued", state_words="Leaves soon", may_undo_until=NOW)),
        entry(
            bubble(
                9,
                reply_words,
                direction="out",
                state="failed",
                state_words="Not sent",
                state_reason="The mail server refused the recipient.",
                offers=("retry",),
            )
        ),
        entry(
            bubble(
                10,
                reply_words,
                direction="out",
                state="unknown",
                state_words="Perhaps sent",
                offers=("is_there", "send_again"),
            )
        ),
    )

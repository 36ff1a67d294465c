"""The surfaces: where on a channel something is said. One literal table, asked by everybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


# Each is one object, compared and hashed as that: a hash of its translated words costs as much as a line of HTML.
@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """What is true of a surface whatever the account.

    `limit`: how many characters (X: weighted ones) one message may hold, None where there is no limit.
    `window`: how long after the customer's last words the network lets us answer, None where always;
    `window_words` says why not any more.
    `session`: a silence of this length begins a new contact, None where the thread decides alone.
    `below_thread`: answers stand below what the conversation began with, and fall with it; elsewhere below the words
    they answer. `files_apart`: each file leaves as a message of its own. `ids_within_account`: the network's ids of
    messages are unique within one account of ours only.
    """

    name: str
    kind: str
    is_public: bool
    label: Promise
    short: Promise
    limit: int | None = None
    window: timedelta | None = None
    session: timedelta | None = None
    below_thread: bool = False
    takes_files: bool = False
    files_apart: bool = False
    ids_within_account: bool = False
    window_words: str | Promise = ""


SURFACES: dict[str, Surface] = {
    surface.name: surface
    for surface in (
        Surface("x:mention", "x", True, _("X · public"), _("Public"), limit=280),
        Surface("x:dm", "x", False, _("X · direct message"), _("DM"), limit=10000, session=timedelta(hours=24)),
        Surface(
            "facebook:comment", "facebook", True, _("Facebook · public"), _("Comment"), limit=8000, below_thread=True
        ),
        Surface(
            "facebook:messenger",
            "facebook",
            False,
            _("Messenger"),
            _("Messenger"),
            limit=2000,
            window=timedelta(hours=24),
            session=timedelta(hours=24),
            takes_files=True,
            files_apart=True,
            ids_within_account=True,
            # Beyond them Facebook wants a tag for answers of people, which is granted to few apps; ours has none.
            window_words=_(
                "Messenger lets us answer within 24 hours of their last words, and these are over. Use another "
                "channel, or wait until they write again."
            ),
        ),
        Surface("email", "email", False, _("Email"), _("Email"), takes_files=True),
        Surface("phone", "phone", False, _("Phone"), _("Phone")),
    )
}


def surface(name: str) -> Surface:
    """The surface of this name; KeyError for a name that no channel has."""
    return SURFACES[name]

"""Small pieces of the phone that the Page and Messenger have in common."""

from __future__ import annotations

from datetime import datetime

from practice.html import Html, fill
from practice.people import Person


def act(person: Person, sight: str, thing: str, words: str) -> Html:
    """Return a link that opens the form for an answer to something."""
    return fill("facebook/act_reply", key=person.key, sight=sight, id=thing, words=words)


def touch(person: Person, do: str, thing: str, words: str) -> Html:
    """Return a button that does something to something at once."""
    return fill("facebook/act_touch", key=person.key, do=do, id=thing, words=words)


def exact(at: float) -> str:
    """Return a time in full, for whoever points at it."""
    return f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M:%S %Z}"


def initials(name: str) -> str:
    """Return the letters on somebody's round picture."""
    words = name.split()
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def size(count: int) -> str:
    """Return how large a file is, for people."""
    if count < 10**6:
        return f"{count} bytes" if count < 1000 else f"{count / 1000:.0f} kB"
    return f"{count / 10**6:.1f} MB"

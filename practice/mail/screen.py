"""The mail phone: letters and threads as their owner sees them, and the form to write on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from practice.html import Html, fill, joined, when
from practice.mail.accounts import OUR_DOMAIN, OUR_MAILBOXES, OUR_NAME
from practice.mail.delivery import Delivery
from practice.mail.post import Opened, Post, Thread
from practice.mail.reading import Attachment
from practice.network import Visit, World
from practice.page import clock

#: How much of a letter the phone shows; the rest is behind a link.
_SHOWN_TEXT = 20_000
#: How many threads the list shows, and how many letters a thread.
_SHOWN_THREADS = 60
_SHOWN_LETTERS = 60


class MailScreen:
    """Draws the phone. It asks; it changes nothing but \\Seen, as looking at a letter does."""

    def __init__(self, *, world: World, delivery: Delivery, post: Post, facts: Callable[[], Mapping[str, Any]]) -> None:
        self._world = world
        self._delivery = delivery
        self._post = post
        self._facts = facts

    async def phone(self, visit: Visit) -> Html:
        """Return the whole phone: list, thread or new letter, as the address says."""
        person = visit.person
        if not person.mail:
            return fill("mail/phone_none", name=person.name)
        showing = visit.query.get("mail", "")
        thread = await self._thread(visit)
        live = await self.live(visit)
        if thread:
            form = fill("mail/form_answer", fields=self._fields(visit, str(thread.last.letter.id)), to=thread.answer_to)
        elif showing == "new":
            form = fill("mail/form_new", fields=self._fields(visit, "new"), to=_choices(OUR_MAILBOXES))
        else:
            form = fill("mail/form_none", key=person.key, away=live["mail-away"])
        return fill(
            "mail/phone",
            name=person.name,
            key=person.key,
            address=person.mail,
            list_current=when(showing != "new", 'aria-current="true"'),
            new_current=when(showing == "new", 'aria-current="true"'),
            unread=live["mail-unread"],
            screen=live["mail-screen"],
            screen_class="" if showing != "new" or thread else " phone-frame__screen--short",
            form=form,
        )

    async def live(self, visit: Visit) -> Mapping[str, Html]:
        """Return what changes by itself."""
        person = visit.person
        if not person.mail:
            return {}
        thread = await self._thread(visit)
        if thread:
            self._post.look_at(thread)
        threads = await self._post.threads(person.mail)
        if thread:
            screen = _letters(person.key, person.mail, thread)
        elif visit.query.get("mail") == "new":
            screen = fill("mail/screen_new", name=OUR_NAME)
        else:
            screen = _list(person.key, threads)
        unread = sum(each.unread for each in threads)
        return {
            "mail-screen": screen,
            "mail-unread": fill("count", number=unread, what="new") if unread else Html(""),
            "mail-away": self._away(person.mail),
        }

    def desk(self, visit: Visit) -> Html:
        """Return what an admin types to connect one of our mailboxes, and the mailbox's own mail program."""
        facts, person = self._facts(), visit.person
        own = fill("mail/desk_own", key=person.key, name=person.short, mailboxes=_choices(OUR_MAILBOXES))
        return fill(
            "mail/desk",
            imap_host=facts["imap"]["host"],
            imap_port=facts["imap"]["port"],
            smtp_host=facts["smtp"]["host"],
            smtp_port=facts["smtp"]["port"],
            mailboxes=joined(
                fill("mail/desk_mailbox", address=each["address"], password=each["password"])
                for each in facts["mailboxes"]
            ),
            own=own if person.mail else Html(""),
        )

    async def _thread(self, visit: Visit) -> Thread | None:
        letter = visit.query.get("mail", "")
        # SQLite's largest integer has 19 digits; what is longer is nobody's letter.
        if not letter.isascii() or not letter.isdigit() or len(letter) > 18:
            return None
        return await self._post.thread_of(visit.person.mail, int(letter))

    def _away(self, address: str) -> Html:
        away = self._delivery.is_away(address)
        return fill("mail/away", address=address, pressed="true" if away else "false", wished="" if away else "on")

    def _fields(self, visit: Visit, letter: str) -> Html:
        others = [person.mail for person in self._world.people.everybody() if person.mail != visit.person.mail]
        return fill(
            "mail/form_fields",
            key=visit.person.key,
            address=visit.person.mail,
            letter=letter,
            quoting=Html("") if letter == "new" else fill("mail/form_quote"),
            others=_choices(address for address in [*OUR_MAILBOXES, *others] if address),
        )


def _choices(addresses: Any) -> Html:
    return joined(fill("mail/choice", address=address) for address in addresses)


def _list(key: str, threads: list[Thread]) -> Html:
    if not threads:
        return fill("mail/screen_empty", key=key, name=OUR_NAME)
    return joined(
        fill(
            "mail/thread",
            key=key,
            letter=thread.last.letter.id,
            who=_who(thread.last),
            at=clock(thread.last.letter.arrived_at),
            exact=_exact(thread.last.letter.arrived_at),
            subject=thread.subject or "(no subject)",
            snippet=" ".join(thread.last.contents.text[:400].split())[:120] or _files_in_words(thread.last),
            unread=fill("mail/unread", number=thread.unread) if thread.unread else Html(""),
            unread_class=" thread--unread" if thread.unread else "",
        )
        for thread in threads[:_SHOWN_THREADS]
    )


def _letters(key: str, address: str, thread: Thread) -> Html:
    letters = joined(_letter(address, opened) for opened in thread.letters[-_SHOWN_LETTERS:])
    return fill("mail/screen_thread", key=key, subject=thread.subject or "(no subject)", letters=letters)


def _letter(address: str, opened: Opened) -> Html:
    contents, letter = opened.contents, opened.letter
    where = f"/practice/mail/{quote(address)}/{letter.id}"
    more = [("raw", "As it arrived")] + ([("html", "As HTML")] if contents.html else [])
    copies = ", ".join(contents.cc)
    return fill(
        "mail/letter",
        mine=" letter--me" if opened.mine else "",
        who=_who(opened),
        at=clock(letter.arrived_at),
        exact=_exact(letter.arrived_at),
        copies=fill("mail/copies", copies=copies) if copies else Html(""),
        text=contents.text.strip()[:_SHOWN_TEXT] or "(no words)",
        cut=fill("mail/cut") if len(contents.text) > _SHOWN_TEXT else Html(""),
        files=joined(_attachment(where, each) for each in contents.attachments),
        links=joined(fill("mail/letter_link", address=f"{where}/{view}", words=words) for view, words in more),
    )


def _attachment(where: str, attachment: Attachment) -> Html:
    template = "mail/picture" if attachment.is_picture else "mail/file"
    return fill(
        template,
        address=f"{where}/files/{attachment.index}",
        name=attachment.name,
        size=_size(attachment.size),
    )


def _who(opened: Opened) -> str:
    contents = opened.contents
    if opened.mine:
        return f"You to {contents.to[0] if contents.to else 'nobody'}"
    if contents.from_address.endswith("@" + OUR_DOMAIN) and not contents.from_name:
        return OUR_NAME
    return contents.from_name or contents.from_address or "Nobody"


def _files_in_words(opened: Opened) -> str:
    return ", ".join(attachment.name for attachment in opened.contents.attachments)


def _size(count: int) -> str:
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def _exact(at: float) -> str:
    return f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M:%S %Z}"

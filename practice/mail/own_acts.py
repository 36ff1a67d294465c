"""Our own people at work in a mail program, past the inbox: an answer from one of our mailboxes, over HTTP."""

from __future__ import annotations

import smtplib

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from practice.given import Given, Refused, done, given
from practice.mail.accounts import OUR_MAILBOXES, Account, Accounts
from practice.mail.post import KNOWN_LETTERS, Opened, Post
from practice.mail.reading import header_of
from practice.mail.store import INBOX
from practice.mail.writing import Draft, picture, quoted, write
from practice.page import clock
from practice.people import People


class OwnActs:
    """The endpoint."""

    def __init__(self, *, people: People, accounts: Accounts, post: Post) -> None:
        self._people = people
        self._accounts = accounts
        self._post = post

    def routes(self) -> list[Route]:
        """Return the addresses; see docs/practice.md."""
        return [Route("/practice/mail/mailbox", self.answer, methods=["POST"])]

    async def answer(self, request: Request) -> Response:
        """Answer the newest letter of somebody, in the thread, as webmail and desktop programs do."""
        fields = await given(request)
        fields.only("mailbox", "person", "text", "to", "cc", "quote", "picture", "automatic")
        mailbox = self._mailbox(fields)
        text = fields.text("text").rstrip()
        if not text and not fields.flag("picture"):
            raise Refused("There is nothing in the answer yet.")
        asked = await self._asked(mailbox, fields.text("person"))
        to = fields.texts("to") or [asked.contents.reply_to or asked.contents.from_address]
        cc = fields.texts("cc")
        raw = write(mailbox, _draft(asked, fields, to=to, cc=cc, text=text))
        try:
            await self._post.send(mailbox, [*to, *cc], raw)
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            raise Refused(f"The letter did not go: {error}", 502) from error
        return done(request, fields, {"to": to, "message_id": header_of(raw, "Message-ID")})

    def _mailbox(self, fields: Given) -> Account:
        address = fields.text("mailbox") or next(iter(OUR_MAILBOXES))
        account = self._accounts.find(address)
        if account is None or not account.ours:
            raise Refused(f"{address!r} is no mailbox of ours; there are {', '.join(OUR_MAILBOXES)}.", 404)
        return account

    async def _asked(self, mailbox: Account, key: str) -> Opened:
        person = self._people.by_key(key)
        if person is None or not person.mail:
            raise Refused(f"Nobody with a mailbox goes by {key!r}.", 404)
        for opened in await self._post.letters(mailbox.address, KNOWN_LETTERS, INBOX):
            if opened.contents.from_address.lower() == person.mail:
                return opened
        raise Refused(f"{person.name} has not written to {mailbox.address}.", 404)


def _draft(asked: Opened, fields: Given, *, to: list[str], cc: list[str], text: str) -> Draft:
    contents = asked.contents
    if fields.flag("quote"):
        who = contents.from_name or contents.from_address
        text += quoted(contents.text, who=who, when=clock(asked.letter.arrived_at))
    subject = contents.subject
    return Draft(
        to=to,
        cc=cc,
        subject=subject if subject.lower().startswith("re:") else f"Re: {subject}",
        text=text + "\n",
        in_reply_to=contents.message_id,
        references=[*contents.references, contents.message_id] if contents.message_id else [],
        headers={"Auto-Submitted": "auto-replied"} if fields.flag("automatic") else {},
        files=[picture()] if fields.flag("picture") else [],
    )

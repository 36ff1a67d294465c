"""The acts of the mail network over HTTP: for scripts, and for the mail phone's form."""

from __future__ import annotations

import asyncio
import base64
import binascii
import smtplib
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from practice.given import Given, Refused, done, given
from practice.mail.accounts import Account, Accounts
from practice.mail.delivery import Delivery
from practice.mail.post import Opened, Post, Thread
from practice.mail.reading import attached_file, header_of
from practice.mail.store import INBOX, SENT, Letter, MailStore
from practice.mail.writing import Draft, File, as_html, broken, film, picture, quoted, write
from practice.page import clock

_MAIL_FIELDS = (
    "from", "sender", "to", "cc", "recipients", "subject", "text", "html", "in_reply_to", "references", "headers",
    "attachments", "message_id", "raw",
)  # fmt: skip
_FORM_FIELDS = ("as", "mail", "to", "cc", "subject", "text", "html", "quote", "extra", "files")

#: Letters that one request may list.
_MOST_LISTED = 1000


class MailActs:
    """The endpoints of the mail network."""

    def __init__(self, *, accounts: Accounts, store: MailStore, delivery: Delivery, post: Post) -> None:
        self._accounts = accounts
        self._store = store
        self._delivery = delivery
        self._post = post

    def routes(self) -> Sequence[Route]:
        """Return the addresses; see docs/practice.md."""
        return [
            Route("/practice/mail", self.send, methods=["POST"]),
            Route("/practice/mail/write", self.write_on_the_phone, methods=["POST"]),
            Route("/practice/mail/{address}", self.list_letters),
            Route("/practice/mail/{address}/away", self.leave, methods=["POST"]),
            Route("/practice/mail/{address}/recreate", self.recreate, methods=["POST"]),
            Route("/practice/mail/{address}/{letter:int}/raw", self.raw),
            Route("/practice/mail/{address}/{letter:int}/html", self.html),
            Route("/practice/mail/{address}/{letter:int}/files/{index:int}", self.file),
        ]

    async def send(self, request: Request) -> Response:
        """Send a letter that a script describes."""
        fields = await given(request)
        fields.only(*_MAIL_FIELDS)
        author = self._account(fields.text("from"))
        to, cc = fields.texts("to"), fields.texts("cc")
        if fields.has("raw"):
            raw = _from_base64(fields.text("raw"), "raw")
        else:
            raw = await _written(
                author,
                Draft(
                    to=to,
                    cc=cc,
                    subject=fields.text("subject"),
                    text=fields.text("text"),
                    html=fields.text("html"),
                    in_reply_to=fields.text("in_reply_to"),
                    references=fields.texts("references"),
                    message_id=fields.text("message_id"),
                    headers=fields.mapping("headers"),
                    files=[_file(each) for each in fields.objects("attachments")],
                ),
            )
        recipients = fields.texts("recipients") or [*to, *cc]
        refused = await self._send(author, recipients, raw, sender=fields.text("sender"))
        accepted = [address for address in recipients if address not in refused]
        return JSONResponse(
            {"accepted": accepted, "refused": refused, "message_id": header_of(raw, "Message-ID"), "size": len(raw)}
        )

    async def write_on_the_phone(self, request: Request) -> Response:
        """Send what was typed on the phone: an answer when `mail` names a letter, else a new letter."""
        fields = await given(request)
        fields.only(*_FORM_FIELDS)
        author = self._account(fields.text("as"))
        answered = await self._answered(author, fields.text("mail"))
        to = [answered.answer_to] if answered else fields.texts("to")
        cc = fields.texts("cc")
        text = fields.text("text").rstrip()
        extras = set(fields.texts("extra"))
        files = [await _uploaded(upload) for upload in fields.uploads("files")]
        if "picture" in extras:
            files.append(picture())
        if "film" in extras:
            files.append(film())
        if not text and not files and not extras:
            raise Refused("There is nothing in the letter yet.")
        subject = _answer_subject(answered) if answered else fields.text("subject")
        if "broken" in extras:
            raw = broken(author, [*to, *cc], subject, text)
        else:
            if answered and fields.flag("quote"):
                last = answered.last
                who = last.contents.from_name or last.contents.from_address
                text += quoted(last.contents.text, who=who, when=clock(last.letter.arrived_at))
            html = as_html(text) if fields.flag("html") else ""
            raw = await _written(author, _draft(answered, to, cc, subject, text, html, files))
        await self._send(author, [*to, *cc], raw)
        sent = self._store.newest(author.address, 1, SENT)
        back = f"/?as={quote(request.query_params.get('as', ''))}&mail={sent[0][1].id}"
        return done(request, fields, {"open": back}, back=back)

    async def list_letters(self, request: Request) -> Response:
        """Tell what a mailbox holds, newest first."""
        account = self._account(request.path_params["address"])
        limit = request.query_params.get("limit", "100")
        if not limit.isdecimal() or not 1 <= int(limit) <= _MOST_LISTED:
            raise Refused(f"limit must be from 1 to {_MOST_LISTED}.")
        letters = await self._post.letters(account.address, int(limit), request.query_params.get("folder"))
        return JSONResponse({"address": account.address, "letters": [_told(opened) for opened in letters]})

    async def leave(self, request: Request) -> Response:
        """Let somebody go on holiday, or come back."""
        fields = await given(request)
        fields.only("away")
        account = self._account(request.path_params["address"])
        self._delivery.set_away(account.address, fields.flag("away"))
        return done(request, fields, {"address": account.address, "away": self._delivery.is_away(account.address)})

    async def recreate(self, request: Request) -> Response:
        """Build a folder anew: another UIDVALIDITY, and UIDs from 1."""
        fields = await given(request)
        fields.only("folder")
        account = self._account(request.path_params["address"])
        try:
            folder = self._store.recreate(account.address, fields.text("folder") or INBOX)
        except KeyError as error:
            raise Refused("There is no such folder.", 404) from error
        return JSONResponse({"folder": folder.name, "uid_validity": folder.uid_validity, "uid_next": folder.uid_next})

    async def raw(self, request: Request) -> Response:
        """Give a letter's bytes as they arrived."""
        return Response(self._raw(request), media_type="text/plain; charset=us-ascii")

    async def html(self, request: Request) -> Response:
        """Show the HTML of a letter, shut off from everything: no script, nothing loaded, no way out."""
        opened = await self._post.open("", self._letter(request))
        policy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        return Response(opened.contents.html, media_type="text/html", headers={"Content-Security-Policy": policy})

    async def file(self, request: Request) -> Response:
        """Give an attachment: a picture to look at, anything else to keep."""
        found = await asyncio.to_thread(attached_file, self._raw(request), request.path_params["index"])
        if found is None:
            raise Refused("There is no such attachment.", 404)
        attachment, content = found
        disposition = "inline" if attachment.is_picture else "attachment"
        return Response(
            content,
            media_type=attachment.type if attachment.is_picture else "application/octet-stream",
            headers={"Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(attachment.name, safe='')}"},
        )

    def _account(self, address: str) -> Account:
        account = self._accounts.find(address)
        if account is None:
            raise Refused(f"Nobody here has the address {address!r}.", 404)
        return account

    def _letter(self, request: Request) -> Letter:
        letter = self._store.letter(request.path_params["letter"])
        owner = self._account(request.path_params["address"])
        if letter is None or self._store.owner(letter.id) != owner.address:
            raise Refused("There is no such letter.", 404)
        return letter

    def _raw(self, request: Request) -> bytes:
        return self._store.raw(self._letter(request).id)

    async def _answered(self, author: Account, letter: str) -> Thread | None:
        if letter in ("", "new"):
            return None
        thread = await self._post.thread_of(author.address, int(letter)) if letter.isdecimal() else None
        if thread is None:
            raise Refused("The letter to answer is gone.", 404)
        return thread

    async def _send(self, author: Account, recipients: Sequence[str], raw: bytes, sender: str = "") -> dict[str, str]:
        if not recipients:
            raise Refused("A letter needs somebody to go to.")
        try:
            return await self._post.send(author, recipients, raw, sender=sender)
        except smtplib.SMTPRecipientsRefused as error:
            words = "; ".join(_answer(*answer) for answer in error.recipients.values())
            raise Refused(f"The mail server refused it: {words}", 422) from error
        except smtplib.SMTPResponseException as error:
            raise Refused(f"The mail server refused it: {_answer(error.smtp_code, error.smtp_error)}", 422) from error
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            raise Refused(f"The letter did not go: {error}", 502) from error


async def _written(author: Account, draft: Draft) -> bytes:
    """Return the letter written out. A film takes a second of that, so it is done beside the loop."""
    try:
        return await asyncio.to_thread(write, author, draft)
    except (ValueError, LookupError) as error:
        raise Refused(f"That cannot be written as a letter: {error}") from error


def _draft(
    answered: Thread | None,
    to: Sequence[str],
    cc: Sequence[str],
    subject: str,
    text: str,
    html: str,
    files: Sequence[File],
) -> Draft:
    """Return the draft; an answer names what it answers and all that came before (RFC 5322 section 3.6.4)."""
    last = answered.last.contents if answered else None
    return Draft(
        to=to,
        cc=cc,
        subject=subject,
        text=text + "\n",
        html=html,
        in_reply_to=last.message_id if last else "",
        references=[*last.references, last.message_id] if last and last.message_id else [],
        files=files,
    )


def _answer_subject(thread: Thread) -> str:
    subject = thread.last.contents.subject
    return subject if subject.lower().startswith("re:") else f"Re: {subject}"


def _answer(code: int, words: bytes | str) -> str:
    return f"{code} {words.decode('utf-8', 'replace') if isinstance(words, bytes) else words}"


def _file(fields: Given) -> File:
    fields.only("name", "type", "content")
    content = _from_base64(fields.text("content"), "content")
    return File(fields.text("name") or "file", fields.text("type") or "application/octet-stream", content)


async def _uploaded(upload: Any) -> File:
    return File(upload.filename, upload.content_type or "application/octet-stream", await upload.read())


def _from_base64(text: str, name: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Refused(f"{name} must be base64.") from error


def _told(opened: Opened) -> dict[str, Any]:
    letter, contents = opened.letter, opened.contents
    return {
        "id": letter.id,
        "folder": opened.folder,
        "uid": letter.uid,
        "arrived_at": letter.arrived_at,
        "seen": "\\Seen" in letter.flags,
        "size": letter.size,
        "message_id": contents.message_id,
        "references": list(contents.references),
        "from": contents.from_address,
        "from_name": contents.from_name,
        "reply_to": contents.reply_to,
        "to": list(contents.to),
        "cc": list(contents.cc),
        "subject": contents.subject,
        "headers": [list(header) for header in contents.headers],
        "text": contents.text,
        "html": contents.html,
        "attachments": [
            {"name": each.name, "type": each.type, "size": each.size, "sha256": each.sha256}
            for each in contents.attachments
        ],
    }

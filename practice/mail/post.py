"""What a person's mail program does: sends letters by SMTP, and sorts those it has into threads."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from practice.mail.accounts import Account, Accounts
from practice.mail.reading import Contents, read
from practice.mail.store import SENT, Letter, MailStore
from practice.mail.writing import submit

#: How many letters of a mailbox its program knows. Older ones are still there over IMAP.
KNOWN_LETTERS = 200
#: How many read letters are remembered, over all people.
_REMEMBERED = 1000


@dataclass(frozen=True)
class Opened:
    """A letter that was read: where it lies and what is in it."""

    letter: Letter
    folder: str
    contents: Contents

    @property
    def mine(self) -> bool:
        """Return whether the owner of the mailbox sent it."""
        return self.folder == SENT


@dataclass(frozen=True)
class Thread:
    """Letters that answer each other, oldest first."""

    letters: tuple[Opened, ...]

    @property
    def last(self) -> Opened:
        """Return the newest letter."""
        return self.letters[-1]

    @property
    def subject(self) -> str:
        """Return the first subject that says anything."""
        return next((opened.contents.subject for opened in self.letters if opened.contents.subject), "")

    @property
    def answer_to(self) -> str:
        """Return whom an answer goes to: the newest letter's Reply-To, else its From; for one's own, its first To."""
        contents = self.last.contents
        if self.last.mine:
            return contents.to[0] if contents.to else ""
        return contents.reply_to or contents.from_address

    @property
    def unread(self) -> int:
        """Return how many letters of it nobody has looked at."""
        return sum("\\Seen" not in opened.letter.flags for opened in self.letters if not opened.mine)


class Post:
    """The mail program of everybody. `port` is the SMTP server's, once it listens."""

    def __init__(self, accounts: Accounts, store: MailStore) -> None:
        self.port = 0
        self._accounts = accounts
        self._store = store
        self._read: dict[int, asyncio.Task[Contents]] = {}

    async def send(self, author: Account, recipients: Sequence[str], raw: bytes, *, sender: str = "") -> dict[str, str]:
        """Send a letter and return who was refused and why; raises what `submit` raises.

        smtplib waits for its answers, and the server that gives them runs in this very loop: hence the thread.
        """
        return await asyncio.to_thread(submit, author, sender or author.address, recipients, raw, port=self.port)

    async def open(self, folder: str, letter: Letter) -> Opened:
        """Return a letter, read. 30 MB take seconds to read: that happens beside the loop, once for all who wait."""
        reading = self._read.get(letter.id)
        if reading is None:
            reading = asyncio.create_task(asyncio.to_thread(read, self._store.raw(letter.id)))
            self._read[letter.id] = reading
            while len(self._read) > _REMEMBERED:
                self._read.pop(next(iter(self._read)))
        # Shielded: one page that is closed must not take the letter away from the others.
        return Opened(letter, folder, await asyncio.shield(reading))

    async def letters(self, address: str, limit: int, folder: str | None = None) -> list[Opened]:
        """Return the newest letters of a mailbox, newest first."""
        return [await self.open(name, letter) for name, letter in self._store.newest(address, limit, folder)]

    async def threads(self, address: str) -> list[Thread]:
        """Return the threads of a mailbox, the one with the newest letter first."""
        letters = (await self.letters(address, KNOWN_LETTERS))[::-1]
        roots: dict[str, str] = {}

        def root(message_id: str) -> str:
            while roots.setdefault(message_id, message_id) != message_id:
                message_id = roots[message_id]
            return message_id

        def own_id(opened: Opened) -> str:
            return opened.contents.message_id or f"letter {opened.letter.id}"

        for opened in letters:
            for reference in opened.contents.references:
                roots[root(reference)] = root(own_id(opened))
        grouped: dict[str, list[Opened]] = {}
        for opened in letters:
            grouped.setdefault(root(own_id(opened)), []).append(opened)
        return sorted(
            (Thread(tuple(group)) for group in grouped.values()),
            key=lambda thread: thread.last.letter.id,
            reverse=True,
        )

    async def thread_of(self, address: str, letter_id: int) -> Thread | None:
        """Return the thread that a letter of this mailbox belongs to."""
        for thread in await self.threads(address):
            if any(opened.letter.id == letter_id for opened in thread.letters):
                return thread
        return None

    def look_at(self, thread: Thread) -> None:
        """Mark the letters of a thread as read by their owner."""
        for opened in thread.letters:
            if "\\Seen" not in opened.letter.flags:
                self._store.set_flags(opened.letter, opened.letter.flags | {"\\Seen"})

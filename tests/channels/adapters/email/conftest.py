"""What the mail adapter's tests share: a connection, a letter to write, and two small servers on loopback."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from channels.adapters.base import Connection
from channels.adapters.email import EmailAdapter, mail_key
from channels.happenings import InboundMessage, RawItem
from contactcentre.lib.secrets import Credentials

BEGINS = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
AT = "2026-11-21T10:00:00+00:00"


@pytest.fixture
def connection() -> Connection:
    """The mailbox care@shop.example; returns@shop.example is ours, too."""
    return Connection(
        account_id=1,
        kind="email",
        address="care@shop.example",
        name="The Shop",
        settings={
            "imap_host": "127.0.0.1",
            "imap_port": 1,
            "imap_security": "none",
            "smtp_host": "127.0.0.1",
            "smtp_port": 1,
            "smtp_security": "none",
        },
        credentials=Credentials(password="plainly-fake"),
        begins_at=BEGINS,
        own=frozenset({"care@shop.example", "returns@shop.example"}),
    )


@pytest.fixture
def read(connection: Connection) -> Callable[..., InboundMessage]:
    """Reads a raw mail as the adapter does."""

    def reading(raw: bytes | str, *, happening: str = "message", **meta: object) -> InboundMessage:
        body = raw if isinstance(raw, bytes) else raw.encode()
        item = RawItem(happening=happening, external_id=mail_key(body), body=body, meta={"internaldate": AT, **meta})
        (message,) = EmailAdapter().parse(item, connection)
        assert isinstance(message, InboundMessage)
        return message

    return reading


@dataclass
class Stored:
    """A mail in the small IMAP server. `refuse` answers its FETCH with NO, `garbled` with nonsense."""

    uid: int
    body: bytes
    at: str = "21-Nov-2026 10:00:00 +0000"
    refuse: bool = False
    garbled: bool = False
    size: int | None = None
    flags: str = r"\Seen"


@dataclass
class SmallFolder:
    """The folder "Sent" of the small IMAP server. `answers` are given in place of its own, by command; "drip" drips."""

    mails: list[Stored] = field(default_factory=list)
    uid_validity: int = 3
    uid_next: int | None = None
    answers: dict[str, str] = field(default_factory=dict)


@dataclass
class SmallServer:
    """A server for one thread and a handful of commands, which can be told to misbehave."""

    talk: Callable[[SmallServer, socket.socket], None]
    mails: list[Stored] = field(default_factory=list)
    uid_validity: int = 7
    uid_next: int | None = None
    folders: list[bytes] = field(default_factory=list)
    sent: SmallFolder | None = None
    opened: SmallFolder | None = None
    seen: list[str] = field(default_factory=list)
    drip: bool = False
    fetch_refused: bool = False
    answers: dict[str, str] = field(default_factory=dict)
    after_dot: str = "250 2.0.0 taken"
    data: bytes = b""
    port: int = 0

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections: list[socket.socket] = []
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        for each in (self._listener, *self._connections):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _peer = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            try:
                self.talk(self, connection)
            except OSError:
                pass
            finally:
                connection.close()


def _imap(server: SmallServer, connection: socket.socket) -> None:
    stream = connection.makefile("rb")
    connection.sendall(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
    for line in stream:
        text = line.decode("latin-1").strip()
        server.seen.append(text)
        tag, _, command = text.partition(" ")
        if server.drip or _of_sent(server, command) == "drip":
            _drip(connection, stop=server)
            return
        connection.sendall(b"".join(_imap_answers(server, tag.encode(), command)))
        if command == "LOGOUT":
            return


def _drip(connection: socket.socket, *, stop: SmallServer) -> None:
    """A byte now and then, never a line, until the other side hangs up."""
    connection.settimeout(0.05)
    while True:
        connection.sendall(b"*")
        try:
            if not connection.recv(1):
                return
        except TimeoutError:
            continue


def _of_sent(server: SmallServer, command: str) -> str | None:
    """What the folder "Sent" answers in place of its own answer, where the command is about it."""
    verb = command.split(" ")[0]
    if server.sent is None or (verb in {"STATUS", "EXAMINE"} and '"Sent"' not in command):
        return None
    if verb == "UID" and server.opened is None:
        return None
    return server.sent.answers.get(verb)


def _imap_answers(server: SmallServer, tag: bytes, command: str) -> Iterator[bytes]:
    word = command.split(" ", 2)
    done = tag + b" OK done\r\n"
    if word[0] == "EXAMINE":
        server.opened = server.sent if '"Sent"' in command else None
    mails = server.mails if server.opened is None else server.opened.mails
    instead = _of_sent(server, command)
    if instead is not None:
        done = instead.encode() if instead.startswith("*") else tag + b" " + instead.encode() + b"\r\n"
    elif word[0] == "STATUS" and server.sent is not None:
        numbers = (_uid_next(server.sent), server.sent.uid_validity)
        yield b'* STATUS "Sent" (UIDNEXT %d UIDVALIDITY %d)\r\n' % numbers
    elif word[0] == "LOGIN" and "plainly-fake" not in command:
        done = tag + b" NO [AUTHENTICATIONFAILED] wrong\r\n"
    elif word[0] == "CAPABILITY":
        yield b"* CAPABILITY IMAP4rev1\r\n"
    elif word[0] == "EXAMINE":
        folder = server.opened or server
        numbers = (len(mails), folder.uid_validity, _uid_next(folder))
        yield b"* %d EXISTS\r\n* OK [UIDVALIDITY %d] .\r\n* OK [UIDNEXT %d] .\r\n" % numbers
    elif word[0] == "LIST":
        yield from (b"* LIST " + each + b"\r\n" for each in server.folders)
    elif command.startswith("UID SEARCH"):
        lowest = re.search(r"UID (\d+)", command[4:])
        wanted = re.search(r"HEADER Message-ID \"?(<[^\"\s]+>)", command)
        uids = [each.uid for each in mails if not wanted or wanted[1].encode() in each.body]
        if lowest and uids:
            # RFC 3501: n:* always holds the last mail, even when n is beyond it.
            uids = [uid for uid in uids if uid >= int(lowest[1])] or [max(uids)]
        yield b"* SEARCH " + b" ".join(b"%d" % uid for uid in uids) + b"\r\n"
    elif command.startswith("UID FETCH"):
        uids = {int(each) for each in word[2].split(" ")[0].split(",")}
        for number, mail in enumerate(mails, 1):
            if mail.uid not in uids:
                continue
            if "INTERNALDATE" in command:
                size = len(mail.body) if mail.size is None else mail.size
                flags = f" FLAGS ({mail.flags})" if "FLAGS" in command else ""
                told = (number, mail.uid, mail.at.encode(), size, flags.encode())
                yield b'* %d FETCH (UID %d INTERNALDATE "%s" RFC822.SIZE %d%s)\r\n' % told
            elif mail.refuse or server.fetch_refused:
                done = tag + b" NO [SERVERBUG] cannot read it\r\n"
            elif mail.garbled:
                yield b"* %d FETCH (UID %d BODY[] oops (\r\n" % (number, mail.uid)
            else:
                body = mail.body.split(b"\r\n\r\n")[0] + b"\r\n\r\n" if "HEADER" in command else mail.body
                name = b"BODY[HEADER]<0>" if "HEADER" in command else b"BODY[]"
                yield b"* %d FETCH (UID %d %s {%d}\r\n%s)\r\n" % (number, mail.uid, name, len(body), body)
    elif word[0] == "LOGOUT":
        yield b"* BYE\r\n"
    yield done


def _uid_next(folder: SmallServer | SmallFolder) -> int:
    return folder.uid_next or max((each.uid for each in folder.mails), default=0) + 1


def _smtp(server: SmallServer, connection: socket.socket) -> None:
    stream = connection.makefile("rb")

    def say(words: str) -> None:
        connection.sendall(words.encode() + b"\r\n")

    say(server.answers.get("greeting", "220 small"))
    for line in stream:
        text = line.decode("latin-1").strip()
        server.seen.append(text)
        verb = text.split(" ")[0].upper()
        answer = server.answers.get(text) or server.answers.get(verb)
        if answer == "hang up":
            return
        if verb == "DATA" and answer is None:
            say("354 go on")
            received = []
            for each in stream:
                if each == b".\r\n":
                    break
                received.append(each)
            else:
                server.data = b"".join(received)
                return
            server.data = b"".join(received)
            server.seen.append("dot")
            if server.after_dot == "hang up":
                return
            if server.after_dot == "drip":
                _drip(connection, stop=server)
                return
            say(server.after_dot)
        else:
            say(answer or ("221 bye" if verb == "QUIT" else "250 fine"))
        if verb == "QUIT":
            return


@pytest.fixture
def imap() -> Iterator[SmallServer]:
    server = SmallServer(talk=_imap)
    yield server
    server.close()


@pytest.fixture
def smtp() -> Iterator[SmallServer]:
    server = SmallServer(talk=_smtp)
    yield server
    server.close()


@pytest.fixture
def sent(imap: SmallServer) -> SmallFolder:
    """The folder for sent mail of the small IMAP server, marked so."""
    imap.folders = [rb'(\HasNoChildren) "/" "INBOX"', rb'(\Sent) "/" "Sent"']
    imap.sent = SmallFolder()
    return imap.sent


@pytest.fixture
def stored() -> type[Stored]:
    return Stored


@pytest.fixture
def at(connection: Connection) -> Callable[..., Connection]:
    """The connection with other settings."""

    def changed(**settings: object) -> Connection:
        return replace(connection, settings={**connection.settings, **settings})

    return changed

"""The store's folders and letters in the shape in which pymap asks for them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from pymap.backend.mailbox import MailboxDataInterface, MailboxSetInterface
from pymap.bytes import Writeable
from pymap.concurrent import Event
from pymap.context import subsystem
from pymap.flags import FlagOp
from pymap.interfaces.message import CachedMessage
from pymap.listtree import ListTree
from pymap.mailbox import MailboxSnapshot
from pymap.message import BaseLoadedMessage, BaseMessage
from pymap.mime import MessageContent
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials import FetchRequirement, ObjectId
from pymap.parsing.specials.flag import Flag, Seen
from pymap.selected import SelectedMailbox, SelectedSet

from practice.mail.store import Folder, Letter, MailStore

_END_OF_HEADER = re.compile(rb"\r?\n\r?\n")


class LoadedLetter(BaseLoadedMessage):
    """A letter's content.

    Whole letters and their sizes are given out from the bytes themselves. pymap's parser is asked only where a client
    wants a part, and for a header it sees nothing but the header: a letter of 30 MB takes it seconds.
    """

    def __init__(self, message: StoredMessage, requirement: FetchRequirement, store: MailStore) -> None:
        super().__init__(message, requirement, None)
        self._letter = message.letter
        self._store = store
        self._whole: MessageContent | None = None
        self._head: MessageContent | None = None

    @property
    def raw(self) -> bytes:
        """Return the bytes. They are read from the disk only when a client wants some of them."""
        return self._store.raw(self._letter.id)

    @property
    def content(self) -> MessageContent:
        """Return the letter taken apart."""
        if self._whole is None:
            self._whole = MessageContent.parse(self.raw)
        return self._whole

    @property
    def head(self) -> MessageContent:
        """Return the header alone, taken apart."""
        if self._head is None:
            end = _END_OF_HEADER.search(self.raw)
            self._head = MessageContent.parse(self.raw[: end.end()] if end else self.raw)
        return self._head

    def get_header(self, name: bytes) -> Sequence[str]:
        """Return the values of a header, as SEARCH wants them."""
        wanted = name.lower()
        folded = [bytes(raw) for key, raw in self.head.header.folded if key.lower() == wanted]
        return [raw.partition(b":")[2].decode("utf-8", "replace").strip() for raw in folded]

    def get_body(self, section: Sequence[int] | None = None, binary: bool = False) -> Writeable:
        """Return the letter or a part of it."""
        if not section and not binary:
            return Writeable.wrap(self.raw)
        return super().get_body(section, binary)

    def get_message_headers(
        self, section: Sequence[int] | None = None, subset: Collection[bytes] | None = None, inverse: bool = False
    ) -> Writeable:
        """Return the header, or the chosen lines of it."""
        if section:
            return super().get_message_headers(section, subset, inverse)
        if subset is None:
            return self.head.header
        chosen = [bytes(raw) for key, raw in self.head.header.folded if inverse != (key.upper() in subset)]
        return Writeable.concat([*chosen, b"\r\n"])

    def get_size(self, section: Sequence[int] | None = None) -> int:
        """Return the number of bytes."""
        return super().get_size(section) if section else self._letter.size


class StoredMessage(BaseMessage):
    """A letter as a client that has the folder open sees it."""

    __slots__ = ["_store", "letter"]

    def __init__(self, letter: Letter, store: MailStore, *, expunged: bool = False) -> None:
        super().__init__(
            letter.uid,
            datetime.fromtimestamp(letter.arrived_at, UTC),
            [Flag(flag) for flag in letter.flags],
            email_id=ObjectId(b"M%d" % letter.id),
            expunged=expunged,
        )
        self.letter = letter
        self._store = store

    async def load_content(self, requirement: FetchRequirement) -> LoadedLetter:
        """Return the content."""
        return LoadedLetter(self, requirement, self._store)


class StoredFolder(MailboxDataInterface[StoredMessage]):
    """A folder, shared by all clients that have it open."""

    def __init__(self, folder: Folder, store: MailStore) -> None:
        self.folder = folder
        self._store = store
        self._selected_set = SelectedSet()
        self._updated: Event = subsystem.get().new_event()

    def changed(self) -> None:
        """Wake the clients that wait in IDLE."""
        self._updated.set()

    @property
    def mailbox_id(self) -> ObjectId:
        """Return an id that changes with UIDVALIDITY: to a client a re-created folder is another one."""
        return ObjectId(b"F%d-%d" % (self.folder.id, self.folder.uid_validity))

    @property
    def readonly(self) -> bool:
        """Return False: everybody may write in their own mailbox."""
        return False

    @property
    def uid_validity(self) -> int:
        """Return UIDVALIDITY."""
        return self.folder.uid_validity

    @property
    def selected_set(self) -> SelectedSet:
        """Return the clients that have the folder open."""
        return self._selected_set

    async def update_selected(self, selected: SelectedMailbox, *, wait_on: Event | None = None) -> SelectedMailbox:
        """Tell a client what is in the folder now; with `wait_on` (IDLE), only once something changed."""
        if wait_on is not None:
            either: Any = wait_on
            await either.or_event(self._updated).wait()
        selected.set_messages([StoredMessage(letter, self._store) for letter in self._store.letters(self.folder.id)])
        return selected

    async def append(self, append_msg: AppendMessage, *, recent: bool = False) -> StoredMessage:
        """File what a client brings along (APPEND)."""
        letter = self._store.file(
            self.folder.address,
            self.folder.name,
            bytes(append_msg.literal),
            arrived_at=append_msg.when.timestamp() if append_msg.when else None,
            flags=[str(flag) for flag in append_msg.flag_set],
            is_recent=recent,
        )
        return StoredMessage(letter, self._store)

    async def copy(self, uid: int, destination: StoredFolder, *, recent: bool = False) -> int | None:
        """Copy a letter and return its UID there, or None when it is gone. INTERNALDATE stays (RFC 3501 6.4.7)."""
        letter = self._store.letter_by_uid(self.folder.id, uid)
        if letter is None:
            return None
        return self._store.file(
            destination.folder.address,
            destination.folder.name,
            self._store.raw(letter.id),
            arrived_at=letter.arrived_at,
            flags=letter.flags,
            is_recent=recent,
        ).uid

    async def move(self, uid: int, destination: StoredFolder, *, recent: bool = False) -> int | None:
        """Move a letter and return its UID there, or None when it is gone."""
        there = await self.copy(uid, destination, recent=recent)
        if there is not None:
            self._store.remove(self.folder.id, [uid])
        return there

    async def get(self, uid: int, cached_msg: CachedMessage) -> StoredMessage:
        """Return a letter as it is now; one that is gone as it was, marked so."""
        letter = self._store.letter_by_uid(self.folder.id, uid)
        if letter is None:
            assert isinstance(cached_msg, StoredMessage)
            return StoredMessage(cached_msg.letter, self._store, expunged=True)
        return StoredMessage(letter, self._store)

    async def update(
        self, uid: int, cached_msg: CachedMessage, flag_set: frozenset[Flag], mode: FlagOp
    ) -> StoredMessage:
        """Change the flags of a letter and return it."""
        message = await self.get(uid, cached_msg)
        if not message.expunged:
            flags = mode.apply(message.permanent_flags, flag_set)
            if flags != message.permanent_flags:
                self._store.set_flags(message.letter, [str(flag) for flag in flags])
                message.permanent_flags = flags
        return message

    async def delete(self, uids: Iterable[int]) -> None:
        """Remove letters."""
        self._store.remove(self.folder.id, uids)

    async def claim_recent(self, selected: SelectedMailbox) -> None:
        """Mark as recent what no client has heard of."""
        for uid in self._store.claim_recent(self.folder.id):
            selected.session_flags.add_recent(uid)

    async def cleanup(self) -> None:
        """Nothing to tidy."""

    async def messages(self) -> AsyncIterator[StoredMessage]:
        """Yield all letters."""
        for letter in self._store.letters(self.folder.id):
            yield StoredMessage(letter, self._store)

    async def snapshot(self) -> MailboxSnapshot:
        """Return the figures that SELECT and STATUS give."""
        letters = self._store.letters(self.folder.id)
        unseen = [seq for seq, letter in enumerate(letters, 1) if str(Seen) not in letter.flags]
        return MailboxSnapshot(
            self.mailbox_id,
            self.readonly,
            self.uid_validity,
            self.permanent_flags,
            self.session_flags,
            len(letters),
            sum(letter.is_recent for letter in letters),
            len(unseen),
            unseen[0] if unseen else None,
            self.folder.uid_next,
        )


class StoredFolders(MailboxSetInterface[StoredFolder]):
    """The folders of one mailbox."""

    def __init__(self, address: str, store: MailStore) -> None:
        self._address = address
        self._store = store
        self._open: dict[tuple[int, int], StoredFolder] = {}

    def changed(self, folder_id: int) -> None:
        """Wake the clients of a folder."""
        for (known, _), folder in self._open.items():
            if known == folder_id:
                folder.changed()

    @property
    def delimiter(self) -> str:
        """Return what stands between a folder and the one inside it."""
        return "/"

    async def set_subscribed(self, name: str, subscribed: bool) -> None:
        """Remember a subscription."""
        self._store.subscribe(self._address, name, subscribed)

    async def list_subscribed(self) -> ListTree:
        """Return the folders for LSUB."""
        return ListTree(self.delimiter).update(*self._store.subscribed(self._address))

    async def list_mailboxes(self) -> ListTree:
        """Return the folders for LIST."""
        return ListTree(self.delimiter).update(*(folder.name for folder in self._store.folders(self._address)))

    async def get_mailbox(self, name: str) -> StoredFolder:
        """Return a folder as it is now; raise KeyError."""
        folder = self._store.folder(self._address, name)
        if folder is None:
            raise KeyError(name)
        stored = self._open.setdefault((folder.id, folder.uid_validity), StoredFolder(folder, self._store))
        stored.folder = folder
        return stored

    async def add_mailbox(self, name: str) -> ObjectId:
        """Make a folder; raise ValueError."""
        self._store.add_folder(self._address, name)
        return (await self.get_mailbox(name)).mailbox_id

    async def delete_mailbox(self, name: str) -> None:
        """Remove a folder; raise KeyError."""
        self._store.remove_folder(self._address, name)

    async def rename_mailbox(self, before: str, after: str) -> None:
        """Rename a folder; raise KeyError or ValueError."""
        self._store.rename_folder(self._address, before, after)

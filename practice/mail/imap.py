"""IMAP: pymap's protocol engine over our store."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from proxyprotocol.reader import ProxyProtocolReader
from proxyprotocol.version import ProxyProtocolVersion
from pymap.backend.session import BaseSession
from pymap.config import BackendCapability, IMAPConfig
from pymap.exceptions import AuthorizationFailure, InvalidAuth, MailboxNotFound, ResponseError, UserNotFound
from pymap.imap import IMAPServer
from pymap.interfaces.login import IdentityInterface, LoginInterface
from pymap.interfaces.session import SessionInterface
from pymap.parsing.response import Response, ResponseBad, ResponseCode, ResponseNo
from pymap.parsing.specials import SearchKey, SequenceSet
from pymap.selected import SelectedMailbox
from pymap.token import AllTokens
from pymap.user import UserMetadata
from pysasl.creds.server import ServerCredentials
from pysasl.hashing import Cleartext

from practice.mail.accounts import Account, Accounts
from practice.mail.imap_folders import StoredFolder, StoredFolders, StoredMessage
from practice.mail.store import SENT, MailStore
from practice.mail.switches import NETWORK
from practice.mischief import Mischief
from practice.settings import HOST


class ServerTrouble(ResponseError):
    """An error of the server's own, in one of the two ways in which real servers word it."""

    def __init__(self, *, bad: bool) -> None:
        super().__init__("Internal error")
        self._bad = bad

    def get_response(self, tag: bytes) -> Response:
        """Return NO [SERVERBUG] (RFC 5530), or the BAD with which some servers confess to the same."""
        if self._bad:
            return ResponseBad(tag, b"Internal error occurred. Refer to server log for more information.")
        return ResponseNo(tag, b"Internal error occurred.", ResponseCode.of(b"SERVERBUG"))


class Config(IMAPConfig):
    """pymap's settings: no TLS on loopback, passwords in clear, which is what practice passwords are."""

    def __init__(self) -> None:
        super().__init__(
            Namespace(passlib_cfg=None, proxy_protocol=None),
            host=HOST,
            port=0,
            tls_enabled=False,
            hash_context=Cleartext(),
            reject_dnsbl=False,
            bad_command_limit=None,
        )

    @property
    def backend_capability(self) -> BackendCapability:
        """Return what the store can do; SPECIAL-USE tells clients which folder is Sent (RFC 6154)."""
        return BackendCapability(idle=True, object_id=True, multi_append=True, custom=[b"SPECIAL-USE"])

    @property
    def greeting(self) -> bytes:
        """Return the first words of the server, without looking up any host name."""
        return b"Practice mail is ready."


class Session(BaseSession[StoredMessage]):
    """One client that has logged in."""

    def __init__(self, account: Account, config: Config, folders: StoredFolders, mischief: Mischief) -> None:
        super().__init__(account.address)
        self._account = account
        self._config = config
        self._folders = folders
        self._mischief = mischief

    @property
    def config(self) -> Config:
        """Return pymap's settings."""
        return self._config

    @property
    def mailbox_set(self) -> StoredFolders:
        """Return the folders of this mailbox."""
        return self._folders

    async def list_mailboxes(
        self, ref_name: str, filter_: str, subscribed: bool = False, selected: SelectedMailbox | None = None
    ) -> tuple[Iterable[tuple[str, str | None, Sequence[bytes]]], SelectedMailbox | None]:
        """Return the folders, with Sent marked as such."""
        entries, selected = await super().list_mailboxes(ref_name, filter_, subscribed, selected)
        marked = [(name, sep, [*attrs, b"Sent"] if name == SENT else attrs) for name, sep, attrs in entries]
        return marked, selected

    async def select_mailbox(self, name: str, readonly: bool = False) -> Any:
        """Open a folder."""
        self._perhaps_fail()
        return await super().select_mailbox(name, readonly)

    async def search_mailbox(self, selected: SelectedMailbox, keys: frozenset[SearchKey]) -> Any:
        """Search the open folder."""
        self._perhaps_fail()
        return await super().search_mailbox(selected, keys)

    async def fetch_messages(self, selected: SelectedMailbox, sequence_set: SequenceSet, set_seen: bool) -> Any:
        """Fetch from the open folder."""
        self._perhaps_fail()
        return await super().fetch_messages(selected, sequence_set, set_seen)

    async def _get_selected(self, selected: SelectedMailbox) -> StoredFolder:
        folder = await self._folders.get_mailbox(selected.lookup)
        if folder.mailbox_id != selected.mailbox_id:
            # Re-created under the client's hands: every number it holds is void, so it is sent away.
            raise MailboxNotFound(selected.lookup)
        return folder

    def _perhaps_fail(self) -> None:
        for switch, bad in (("imap_no", False), ("imap_bad", True)):
            if self._account.ours and self._mischief.take(NETWORK, switch, address=self._account.address):
                raise ServerTrouble(bad=bad)


class Identity(IdentityInterface):
    """A mailbox as pymap wants to see it. Nothing about it can be changed over IMAP."""

    def __init__(self, account: Account, login: Login) -> None:
        self._account = account
        self._login = login

    @property
    def name(self) -> str:
        """Return the address."""
        return self._account.address

    @property
    def roles(self) -> frozenset[str]:
        """Return no roles: there are no administrators here."""
        return frozenset()

    @asynccontextmanager
    async def new_session(self) -> AsyncIterator[SessionInterface]:
        """Give the client its session."""
        login = self._login
        yield Session(self._account, login.config, login.folders(self._account.address), login.mischief)

    async def new_token(self, *, expiration: datetime | None = None) -> str | None:
        """Return None: there are no tokens."""
        return None

    async def get(self) -> UserMetadata:
        """Return what a password is checked against."""
        return UserMetadata(self._login.config, self._account.address, password=self._account.password)

    async def set(self, metadata: UserMetadata) -> int | None:
        """Refuse: accounts come from the people, not from IMAP."""
        raise UserNotFound(self.name)

    async def delete(self) -> None:
        """Refuse, likewise."""
        raise UserNotFound(self.name)


class Login(LoginInterface):
    """Lets people and our own mailboxes in."""

    def __init__(self, *, accounts: Accounts, store: MailStore, mischief: Mischief) -> None:
        self.config = Config()
        self.mischief = mischief
        self._accounts = accounts
        self._store = store
        self._tokens = AllTokens(self.config)
        self._folders: dict[str, StoredFolders] = {}
        store.watch(self._changed)

    @property
    def tokens(self) -> AllTokens:
        """Return pymap's own tokens, which nobody gets."""
        return self._tokens

    def folders(self, address: str) -> StoredFolders:
        """Return the folders of a mailbox, the same object for all its clients, so that each hears of the others."""
        return self._folders.setdefault(address, StoredFolders(address, self._store))

    async def authenticate(self, credentials: ServerCredentials) -> Identity:
        """Return who this is; raise InvalidAuth."""
        account = self._accounts.find(credentials.authcid)
        if account is None or account.address != credentials.authcid.lower():
            raise InvalidAuth()
        if account.ours and self.mischief.take(NETWORK, "imap_refuse_login", address=account.address):
            raise InvalidAuth("The password has expired.")
        identity = Identity(account, self)
        if not credentials.verify(UserMetadata(self.config, credentials.authcid, password=account.password)):
            raise InvalidAuth()
        return identity

    async def authorize(self, authenticated: IdentityInterface, authzid: str) -> Identity:
        """Return the identity again; raise AuthorizationFailure for somebody who wants to be somebody else."""
        if authzid.lower() != authenticated.name or not isinstance(authenticated, Identity):
            raise AuthorizationFailure()
        return authenticated

    def _changed(self, folder_id: int) -> None:
        for folders in self._folders.values():
            folders.changed(folder_id)


async def start_imap(login: Login) -> asyncio.Server:
    """Return the engine, listening on a port of its own that only the front knows (imap_front)."""
    no_proxy_protocol = ProxyProtocolReader(ProxyProtocolVersion.get(None))
    server = IMAPServer(login, login.config)
    login.config.apply_context()
    return await asyncio.start_server(no_proxy_protocol.get_callback(server), host=HOST, port=0)

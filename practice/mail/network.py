"""The mail network: puts its parts together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from random import Random
from typing import ClassVar

from starlette.routing import Route

from practice.html import Html
from practice.mail.accounts import OUR_MAILBOXES, Accounts
from practice.mail.acts import MailActs
from practice.mail.customers import BusyCustomers
from practice.mail.delivery import Delivery
from practice.mail.imap import Login, start_imap
from practice.mail.imap_front import ImapFront
from practice.mail.own_acts import OwnActs
from practice.mail.post import Post
from practice.mail.screen import MailScreen
from practice.mail.smtp import LARGEST, Submission, start_smtp
from practice.mail.store import INBOX, SENT, MailStore
from practice.mail.switches import NETWORK, SWITCHES
from practice.mischief import Switch
from practice.network import Visit, World
from practice.settings import HOST


class MailNetwork:
    """IMAP, SMTP, the mail phone, and the acts for scripts, over one store."""

    key: ClassVar[str] = NETWORK
    switches: ClassVar[Sequence[Switch]] = SWITCHES

    def __init__(self, world: World) -> None:
        self._world = world
        self.store = MailStore(world.db)
        self.accounts = Accounts(world.people, self.store)
        self.delivery = Delivery(
            db=world.db,
            accounts=self.accounts,
            store=self.store,
            mischief=world.mischief,
            happenings=world.happenings,
        )
        self.post = Post(self.accounts, self.store)
        self._imap_port = 0
        self._screen = MailScreen(world=world, delivery=self.delivery, post=self.post, facts=self.facts)
        self._acts = MailActs(accounts=self.accounts, store=self.store, delivery=self.delivery, post=self.post)
        self._own_acts = OwnActs(people=world.people, accounts=self.accounts, post=self.post)
        self._customers = BusyCustomers(world.people, self.accounts, self.post)
        for address in OUR_MAILBOXES:
            self.store.open_mailbox(address)

    @property
    def world(self) -> World:
        """Return what all networks share."""
        return self._world

    async def start(self, stack: AsyncExitStack) -> None:
        """Listen for IMAP and SMTP."""
        world = self._world
        engine = await start_imap(Login(accounts=self.accounts, store=self.store, mischief=world.mischief))
        stack.callback(engine.close)
        front = ImapFront(engine_port=_port(engine), mischief=world.mischief, happenings=world.happenings)
        imap = await front.listen(world.settings.imap_port)
        stack.callback(imap.close)
        self._imap_port = _port(imap)
        submission = Submission(
            accounts=self.accounts, delivery=self.delivery, mischief=world.mischief, happenings=world.happenings
        )
        smtp = await start_smtp(submission, world.settings.smtp_port)
        stack.callback(smtp.close)
        self.post.port = _port(smtp)

    def routes(self) -> Sequence[Route]:
        """Return the acts for scripts, for the phone's form, and for our own mail program."""
        return [*self._own_acts.routes(), *self._acts.routes()]

    def facts(self) -> Mapping[str, object]:
        """Return servers and mailboxes. There is no TLS on loopback."""
        return {
            "imap": {"host": HOST, "port": self._imap_port, "tls": False},
            "smtp": {"host": HOST, "port": self.post.port, "tls": False, "largest": LARGEST},
            "mailboxes": [{"address": address, "password": word} for address, word in OUR_MAILBOXES.items()],
            "held": {"late": self.store.held(INBOX), "sent_late": self.store.held(SENT)},
        }

    def moved(self, switch: str, *, on: bool) -> None:
        """Deliver what was held once its switch goes off."""
        if not on:
            self.delivery.release(switch)

    async def phone(self, visit: Visit) -> Html:
        """Return the mail phone."""
        return await self._screen.phone(visit)

    async def desk(self, visit: Visit) -> Html:
        """Return how to connect a mailbox, and its own mail program."""
        return self._screen.desk(visit)

    async def live(self, visit: Visit) -> Mapping[str, Html]:
        """Return the phone's letters."""
        return await self._screen.live(visit)

    async def play(self, random: Random) -> None:
        """Write one plausible letter."""
        await self._customers.write_one(random)


def _port(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])

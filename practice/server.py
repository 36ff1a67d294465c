"""Starts everything in one event loop, says so in one line, and stays until told to go."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import AsyncExitStack

import uvicorn

from practice.busy import BusyHour
from practice.database import open_database
from practice.happenings import Happenings
from practice.mischief import Mischief
from practice.network import World
from practice.networks import NETWORKS
from practice.people import People
from practice.settings import HOST, Settings
from practice.web import make_app

#: How long open requests may finish once the end has come, in seconds. The page polls; it never quite stops asking.
_GRACE = 2


class _Web(uvicorn.Server):
    """uvicorn, which sends those home who wait for a happening before it waits for their requests to end."""

    def __init__(self, config: uvicorn.Config, happenings: Happenings) -> None:
        super().__init__(config)
        self._happenings = happenings

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End in good order."""
        self._happenings.end()
        await super().shutdown(sockets)


async def serve(settings: Settings) -> None:
    """Run until SIGINT or SIGTERM. Raises DatabaseError or OSError when something cannot be had at the start."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    db = open_database(settings.data)
    happenings = Happenings(db)
    world = World(
        settings=settings,
        db=db,
        people=People(db),
        happenings=happenings,
        mischief=Mischief(db, {network.key: network.switches for network in NETWORKS}),
    )
    async with AsyncExitStack() as stack:
        stack.callback(db.close)
        networks = [network(world) for network in NETWORKS]
        for network in networks:
            await network.start(stack)
        busy = BusyHour(happenings)
        stack.push_async_callback(busy.stop)
        door = socket.create_server((HOST, settings.web_port), backlog=128)
        web = _Web(
            uvicorn.Config(
                make_app(world, networks, busy),
                lifespan="off",
                access_log=False,
                log_level="warning",
                ws="none",
                server_header=False,
                timeout_graceful_shutdown=_GRACE,
            ),
            happenings,
        )
        serving = asyncio.create_task(web.serve(sockets=[door]))
        while not web.started and not serving.done():
            await asyncio.sleep(0.01)
        if web.started:
            print(f"practice networks ready: http://{HOST}:{door.getsockname()[1]}", flush=True)
        await serving

"""The page on which one is the customer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from practice.busy import BusyHour
from practice.happenings import Happening
from practice.html import Html, fill, joined, when
from practice.mischief import Position
from practice.network import Network, Visit, World

#: How many happenings the page shows.
SHOWN = 40


async def whole_page(world: World, networks: Sequence[Network], busy: BusyHour, visit: Visit) -> Html:
    """Return the page for somebody."""
    live = await live_parts(world, networks, busy, visit)
    people = joined(
        fill("person", key=person.key, short=person.short, current=when(person == visit.person, 'aria-current="true"'))
        for person in world.people.everybody()
    )
    product = world.settings.product_url
    return fill(
        "page",
        people=people,
        name=visit.person.name,
        key=visit.person.key,
        inbox=fill("inbox_link", address=product) if product else Html(""),
        mischief=live["mischief"],
        mischief_count=live["mischief-count"],
        busy=live["busy"],
        happenings=live["happenings"],
        phones=joined([await network.phone(visit) for network in networks]),
        desks=joined([await network.desk(visit) for network in networks]),
    )


async def live_parts(world: World, networks: Sequence[Network], busy: BusyHour, visit: Visit) -> dict[str, Html]:
    """Return the parts that change by themselves, by the id of the element they belong into."""
    positions = {network.key: world.mischief.positions(network.key) for network in networks}
    turned = sum(position.turned for each in positions.values() for position in each)
    parts = {
        "mischief": joined(_switches(key, each) for key, each in positions.items()),
        "mischief-count": fill("count", number=turned, what="in force") if turned else Html(""),
        "busy": _busy(busy),
        "happenings": _happenings(world.happenings.newest(SHOWN)),
    }
    for network in networks:
        parts.update(await network.live(visit))
    return parts


def clock(at: float) -> str:
    """Return a time as a telephone shows it: hour and minute today, the day before that otherwise."""
    then = datetime.fromtimestamp(at).astimezone()
    if then.date() == datetime.now().astimezone().date():
        return f"{then:%H:%M}"
    return f"{then.day} {then:%b, %H:%M}"


def _switches(network: str, positions: Sequence[Position]) -> Html:
    groups = [
        fill("switch_group", title=title, switches=joined(_switch(network, position) for position in group))
        for title, group in groupby(positions, key=lambda position: position.switch.group)
    ]
    return fill("mischief", network=network, groups=joined(groups))


def _switch(network: str, position: Position) -> Html:
    limits = [
        f"{position.times_left} more" if position.times_left is not None else "",
        f"only {position.address}" if position.address else "",
    ]
    return fill(
        "switch",
        network=network,
        key=position.switch.key,
        title=position.switch.title,
        hint=position.switch.hint,
        checked=when(position.on, "checked"),
        left=", ".join(limit for limit in limits if limit),
    )


def _busy(busy: BusyHour) -> Html:
    if busy.state.running:
        return fill("busy_running", done=busy.state.done, acts=busy.state.acts)
    return fill("busy_still")


def _happenings(happenings: Sequence[Happening]) -> Html:
    if not happenings:
        return fill("happenings_none")
    return joined(
        fill(
            "happening",
            at=clock(each.at),
            exact=f"{datetime.fromtimestamp(each.at).astimezone():%Y-%m-%d %H:%M:%S %Z}",
            kind=each.kind,
            words=each.words,
        )
        for each in happenings
    )

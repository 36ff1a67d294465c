"""Every page of the product that somebody can look at: what must have happened for it to be full, and its address.

The pictures (screenshots.py) and the tests of every page (browser/test_every_page.py) share this list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tests.flows import at_facebook
from tests.flows.at_facebook import AtFacebook
from tests.flows.at_x import CARE, AtX
from tests.running import Running, until

# As long as names may be that somebody is asked for on a form; what stands around it must give way.
LONG_NAME = "Wilhelmina Aleksandra Montgomery-Featherstonehaugh von Habsb"
EMOJI = "👩‍👩‍👧‍👦🇬🇧🎉 Where is my parcel? ❤️👍🏽 "
RIGHT_TO_LEFT = "مرحباً، هل يمكنني تغيير عنوان التسليم للطلب AC-20933؟ سأكون في مكتبي طوال الأسبوع."


@dataclass(frozen=True)
class Sight:
    """One page: `role` of whoever looks ("" is nobody), `typed` into the composer before, `status` it answers with.

    `path` names in braces what is known only once there is something to see (Furnished.places).
    `through_consent`: the path leads to a network's own consent page, and our page comes after "Allow" there.
    """

    name: str
    path: str
    role: str = "agent"
    typed: str = ""
    status: int = 200
    through_consent: bool = False


@dataclass(frozen=True)
class Furnished:
    """A product with something on every page, and what stands in the braces of their paths."""

    x: AtX
    places: Mapping[str, int | str]

    def path(self, sight: Sight) -> str:
        """Where this page is."""
        return sight.path.format(**self.places)


def connect_x(product: Running) -> AtX:
    """@AcmeCare, connected through X's consent page and switched on."""
    x = AtX(product, str(product.got("/people.json")["networks"]["x"]["origin"]))
    x.behave()
    x.connect(CARE)
    return x


def connect_facebook(product: Running) -> AtFacebook:
    """The Page Acme Care, connected through Facebook's dialog and switched on."""
    facebook = AtFacebook(product, str(product.got("/people.json")["networks"]["facebook"]["origin"]))
    facebook.behave()
    facebook.connect(at_facebook.CARE)
    return facebook


def furnish(product: Running, *, x: AtX | None = None, facebook: AtFacebook | None = None) -> Furnished:
    """Fill the product with what pages have to stand: long words and names, all channels, trouble, settings."""
    x = x or connect_x(product)
    facebook = facebook or connect_facebook(product)
    made = product.act("/practice/people", name=LONG_NAME, x_handle="", phone="", facebook=False)
    person = next(one for one in product.got("/people.json")["people"] if one["key"] == made["key"])
    product.mail(
        EMOJI * (10_000 // len(EMOJI)) + "\n\nThe end of a long mail. " + "x" * 300,
        author=person["mail"],
        subject="A subject that goes on and on, because there is so much to be said about one single parcel " * 2,
    )
    product.mail(RIGHT_TO_LEFT, author="noura.almansoori@barid.example", subject="تغيير عنوان التسليم")
    carla, friend = x.person("carla"), at_facebook.Friend(product, "carla")
    carla.post("@AcmeCare where is the parcel of all channels?")
    carla.message("My postcode is SE15 4QX, for the parcel of all channels")
    friend.message("By Messenger, about the parcel of all channels")
    friend.comment("In public, about the parcel", facebook.post())
    for number in range(3):
        product.mail(f"Thread {number} of the parcel", subject=f"Parcel, letter {number}")
    # A newsletter is filtered; a post without its author cannot be read.
    product.mail("Our offers", author="tom.okafor@post.example", headers={"Auto-Submitted": "auto-generated"})
    product.ticket_with("where is the parcel of all channels?")
    x.misbehave("x_drop_field")
    x.customer().post("@AcmeCare who am I?")
    until(lambda: _settled(product, "quarantined"), what="something that cannot be read", seconds=90)
    x.behave()
    admin = product.signed_in("admin")
    admin.post("/settings/people/new/", name=LONG_NAME, email="wilhelmina@acme.example", is_agent="on")
    newest = int(product.value("SELECT max(id) FROM agents_person"))
    shown = admin.post(f"/settings/people/{newest}/link/new/").text
    link = re.search(r"/password/[^<\"\s]+", shown)
    assert link is not None, shown[-2000:]
    product.signed_in("agent").post("/settings/tokens/", name="The warehouse's script")
    many = product.ticket_with("Thread 2 of the parcel")
    address = _first(product, "customers_identity", "kind = 'email'")
    other = "id <> (SELECT customer_id FROM customers_identity WHERE id = %s)"
    places: dict[str, int | str] = {
        "link": link[0],
        # Tickets: of many channels, of one who writes too much, from right to left.
        "many": many,
        "long": product.ticket_with("The end of a long mail."),
        "arabic": product.ticket_with("AC-20933"),
        "mailbox": _first(product, "channels_channelaccount", "kind = 'email'"),
        "line": _first(product, "channels_channelaccount", "kind = 'phone'"),
        "x": _first(product, "channels_channelaccount", "kind = 'x'"),
        "facebook": facebook.accounts[at_facebook.CARE],
        "address": address,
        "other": _first(product, "customers_customer", other, address),
        "contact": _first(product, "tickets_contact", "ticket_id = %s", many),
        "person": newest,
        "team": _first(product, "agents_team"),
        "queue": _first(product, "tickets_queue", "NOT is_default"),
        "template": _first(product, "tickets_replytemplate"),
    }
    return Furnished(x=x, places=places)


# Every page, as whoever works there sees it.
SIGHTS = (
    Sight("sign-in", "/sign-in/", role=""),
    Sight("choose-password", "{link}", role=""),
    Sight("link-over", "/password/no-such-link/", role="", status=410),
    Sight("inbox", "/"),
    Sight("inbox-empty", "/?view=snoozed"),
    Sight("ticket-many", "/t/{many}/"),
    Sight("ticket-long", "/t/{long}/"),
    Sight("ticket-arabic", "/t/{arabic}/"),
    Sight("search", "/search/?q=parcel"),
    Sight("search-empty", "/search/?q=nobody-ever-said-this"),
    Sight("call", "/calls/new/?number=%2B442079460142"),
    Sight("write", "/write/{address}/"),
    Sight("choose", "/identities/{address}/join/?q=carla"),
    Sight("join", "/identities/{address}/join/{other}/"),
    Sight("move", "/contacts/{contact}/move/?q=tom"),
    Sight("tokens", "/settings/tokens/"),
    Sight("api", "/api/"),
    Sight("not-open", "/board/", status=403),
    Sight("nothing-here", "/nothing/here/", status=404),
    Sight("board", "/board/", role="lead"),
    Sight("accounts", "/settings/accounts/", role="admin"),
    Sight("mailbox", "/settings/accounts/{mailbox}/", role="admin"),
    Sight("line", "/settings/accounts/{line}/", role="admin"),
    Sight("x-account", "/settings/accounts/{x}/", role="admin"),
    Sight("facebook-account", "/settings/accounts/{facebook}/", role="admin"),
    Sight("preview", "/settings/accounts/{mailbox}/preview/", role="admin"),
    Sight("edit-mailbox", "/settings/accounts/{mailbox}/edit/", role="admin"),
    Sight("edit-line", "/settings/accounts/{line}/line/", role="admin"),
    Sight("hook-address", "/settings/accounts/{line}/line/address/", role="admin"),
    Sight("connect-mailbox", "/settings/accounts/connect/email/", role="admin"),
    Sight("connect-line", "/settings/accounts/connect/phone/", role="admin"),
    Sight("x-app", "/settings/accounts/apps/x/", role="admin"),
    Sight("facebook-app", "/settings/accounts/apps/facebook/", role="admin"),
    Sight("pages", "/settings/accounts/connect/facebook/", role="admin", through_consent=True),
    Sight("ledger", "/settings/accounts/ledger/seen/", role="admin"),
    Sight("ledger-quarantined", "/settings/accounts/ledger/quarantined/", role="admin"),
    Sight("ledger-empty", "/settings/accounts/ledger/pending/", role="admin"),
    Sight("account-ledger", "/settings/accounts/{mailbox}/ledger/filtered/", role="admin"),
    Sight("people", "/settings/people/", role="admin"),
    Sight("people-left", "/settings/people/?left=1", role="admin"),
    Sight("person", "/settings/people/{person}/", role="admin"),
    Sight("person-new", "/settings/people/new/", role="admin"),
    Sight("deactivate", "/settings/people/{person}/deactivate/", role="admin"),
    Sight("teams", "/settings/teams/", role="admin"),
    Sight("team", "/settings/teams/{team}/", role="admin"),
    Sight("delete-team", "/settings/teams/{team}/delete/", role="admin"),
    Sight("queues", "/settings/queues/", role="admin"),
    Sight("queue", "/settings/queues/{queue}/", role="admin"),
    Sight("confidential", "/settings/queues/{queue}/confidential/", role="admin"),
    Sight("remove-queue", "/settings/queues/{queue}/remove/", role="admin"),
    Sight("feeds", "/settings/feeds/", role="admin"),
    Sight("targets", "/settings/targets/", role="admin"),
    Sight("templates", "/settings/templates/", role="admin"),
    Sight("template", "/settings/templates/{template}/", role="admin"),
    Sight("books", "/settings/books/", role="admin"),
    Sight("history", "/settings/history/", role="admin"),
)


def _first(product: Running, table: str, where: str = "true", *values: object) -> int:
    """The lowest id of a table; a product without any is not furnished."""
    return int(product.value(f"SELECT min(id) FROM {table} WHERE {where}", *values))


def _settled(product: Running, state: str) -> int:
    return int(product.value("SELECT count(*) FROM channels_ledgeritem WHERE state = %s", state))

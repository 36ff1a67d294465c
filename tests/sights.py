"""Every page of the product that somebody can look at: what must have happened for it to be full, and its address.

The pictures (screenshots.py) and the tests of every page (browser/test_every_page.py) share this list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

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
    """What the addresses of pages need that no page can be opened without."""

    x: AtX
    # Tickets: of many channels, of one who writes too much, from right to left.
    many: int
    long: int
    arabic: int
    x_account: int
    facebook_account: int
    password_link: str


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
    x.misbehave("x_drop_field", times=2)
    x.customer().post("@AcmeCare who am I?")
    until(lambda: _settled(product, "quarantined"), what="something that cannot be read", seconds=90)
    x.behave()
    admin = product.signed_in("admin")
    admin.post("/settings/people/new/", name=LONG_NAME, email="wilhelmina@acme.example", is_agent="on")
    newest = product.value("SELECT max(id) FROM agents_person")
    shown = admin.post(f"/settings/people/{newest}/link/new/").text
    link = re.search(r"/password/[^<\"\s]+", shown)
    assert link is not None, shown[-2000:]
    product.signed_in("agent").post("/settings/tokens/", name="The warehouse's script")
    return Furnished(
        x=x,
        many=product.ticket_with("Thread 2 of the parcel"),
        long=product.ticket_with("The end of a long mail."),
        arabic=product.ticket_with("AC-20933"),
        x_account=int(product.value("SELECT id FROM channels_channelaccount WHERE kind = 'x' LIMIT 1")),
        facebook_account=facebook.accounts[at_facebook.CARE],
        password_link=link[0],
    )


def sights(product: Running, here: Furnished) -> tuple[Sight, ...]:
    """Every page, as whoever works there sees it."""
    first = partial(_first, product)
    mailbox, line = first("channels_channelaccount", "kind = 'email'"), first("channels_channelaccount", "kind='phone'")
    address = first("customers_identity", "kind = 'email'")
    contact = first("tickets_contact", f"ticket_id = {here.many}")
    other = first("customers_customer", "id <> (SELECT customer_id FROM customers_identity WHERE id = %s)", address)
    person = int(product.value("SELECT max(id) FROM agents_person"))
    team, queue = first("agents_team"), first("tickets_queue", "NOT is_default")
    template = first("tickets_replytemplate")
    accounts = "/settings/accounts"
    return (
        Sight("sign-in", "/sign-in/", role=""),
        Sight("choose-password", here.password_link, role=""),
        Sight("link-over", "/password/no-such-link/", role="", status=410),
        Sight("inbox", "/"),
        Sight("inbox-empty", "/?view=snoozed"),
        Sight("ticket-many", f"/t/{here.many}/"),
        Sight("ticket-long", f"/t/{here.long}/"),
        Sight("ticket-arabic", f"/t/{here.arabic}/"),
        Sight("search", "/search/?q=parcel"),
        Sight("search-empty", "/search/?q=nobody-ever-said-this"),
        Sight("call", "/calls/new/?number=%2B442079460142"),
        Sight("write", f"/write/{address}/"),
        Sight("choose", f"/identities/{address}/join/?q=carla"),
        Sight("join", f"/identities/{address}/join/{other}/"),
        Sight("move", f"/contacts/{contact}/move/?q=tom"),
        Sight("tokens", "/settings/tokens/"),
        Sight("api", "/api/"),
        Sight("not-open", "/board/", status=403),
        Sight("nothing-here", "/nothing/here/", status=404),
        Sight("board", "/board/", role="lead"),
        Sight("accounts", f"{accounts}/", role="admin"),
        Sight("mailbox", f"{accounts}/{mailbox}/", role="admin"),
        Sight("line", f"{accounts}/{line}/", role="admin"),
        Sight("x-account", f"{accounts}/{here.x_account}/", role="admin"),
        Sight("facebook-account", f"{accounts}/{here.facebook_account}/", role="admin"),
        Sight("preview", f"{accounts}/{mailbox}/preview/", role="admin"),
        Sight("edit-mailbox", f"{accounts}/{mailbox}/edit/", role="admin"),
        Sight("edit-line", f"{accounts}/{line}/line/", role="admin"),
        Sight("hook-address", f"{accounts}/{line}/line/address/", role="admin"),
        Sight("connect-mailbox", f"{accounts}/connect/email/", role="admin"),
        Sight("connect-line", f"{accounts}/connect/phone/", role="admin"),
        Sight("x-app", f"{accounts}/apps/x/", role="admin"),
        Sight("facebook-app", f"{accounts}/apps/facebook/", role="admin"),
        Sight("pages", f"{accounts}/connect/facebook/", role="admin", through_consent=True),
        Sight("ledger", f"{accounts}/ledger/seen/", role="admin"),
        Sight("ledger-quarantined", f"{accounts}/ledger/quarantined/", role="admin"),
        Sight("ledger-empty", f"{accounts}/ledger/pending/", role="admin"),
        Sight("account-ledger", f"{accounts}/{mailbox}/ledger/filtered/", role="admin"),
        Sight("people", "/settings/people/", role="admin"),
        Sight("people-left", "/settings/people/?left=1", role="admin"),
        Sight("person", f"/settings/people/{person}/", role="admin"),
        Sight("person-new", "/settings/people/new/", role="admin"),
        Sight("deactivate", f"/settings/people/{person}/deactivate/", role="admin"),
        Sight("teams", "/settings/teams/", role="admin"),
        Sight("team", f"/settings/teams/{team}/", role="admin"),
        Sight("delete-team", f"/settings/teams/{team}/delete/", role="admin"),
        Sight("queues", "/settings/queues/", role="admin"),
        Sight("queue", f"/settings/queues/{queue}/", role="admin"),
        Sight("confidential", f"/settings/queues/{queue}/confidential/", role="admin"),
        Sight("remove-queue", f"/settings/queues/{queue}/remove/", role="admin"),
        Sight("feeds", "/settings/feeds/", role="admin"),
        Sight("targets", "/settings/targets/", role="admin"),
        Sight("templates", "/settings/templates/", role="admin"),
        Sight("template", f"/settings/templates/{template}/", role="admin"),
        Sight("books", "/settings/books/", role="admin"),
        Sight("history", "/settings/history/", role="admin"),
    )


def _first(product: Running, table: str, where: str = "true", *values: object) -> int:
    """The lowest id of a table; a product without any is not furnished."""
    return int(product.value(f"SELECT min(id) FROM {table} WHERE {where}", *values))


def _settled(product: Running, state: str) -> int:
    return int(product.value("SELECT count(*) FROM channels_ledgeritem WHERE state = %s", state))

"""Facebook on somebody's phone: our Pages with posts and comments, Messenger, and the form to write on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from practice.facebook.chat import Chat
from practice.facebook.drawing import act, exact, initials, touch
from practice.facebook.feed_store import Comment, Post
from practice.facebook.finding import find
from practice.facebook.message_store import Message
from practice.facebook.pages import APP, PAGES, Page, page_of
from practice.facebook.store import Store
from practice.facebook.webhooks import Webhooks
from practice.html import Html, fill, joined, when
from practice.network import Visit, World
from practice.page import clock
from practice.people import Person

#: How many posts the phone shows, and how many comments of each.
_SHOWN_POSTS = 15
_SHOWN_COMMENTS = 60


@dataclass(frozen=True)
class _Sight:
    """What the phone shows: a Page or a chat with it, and what the form is for (`act` "" for something new)."""

    page: Page
    chat: bool
    act: str = ""
    thing: Post | Comment | Message | None = None

    @property
    def address(self) -> str:
        """Return the same sight with an empty form, as it stands in the page's address."""
        return f"{'chat' if self.chat else 'page'}:{self.page.id}"


class Screen:
    """Draws the phone and the desk. It asks; it changes nothing. `origin` is set once the API listens."""

    def __init__(self, world: World, store: Store, webhooks: Webhooks) -> None:
        self._world = world
        self._store = store
        self._webhooks = webhooks
        self._chat = Chat(store)
        self.origin = ""

    def phone(self, visit: Visit) -> Html:
        """Return the whole phone: a Page, or Messenger, as the address says."""
        person = visit.person
        if not person.facebook_psid:
            return fill("facebook/phone_none", name=person.name)
        sight, live = self._sight(visit), self.live(visit)
        return fill(
            "facebook/phone",
            name=person.name,
            key=person.key,
            page=sight.page.name,
            page_id=sight.page.id,
            page_current=when(not sight.chat, 'aria-current="true"'),
            chat_current=when(sight.chat, 'aria-current="true"'),
            choices=self._choices(person, sight),
            said="A message arrived." if sight.chat else "A comment arrived.",
            screen_class=" phone-frame__screen--chat" if sight.chat else "",
            screen=live["fb-screen"],
            form=self._form(person, sight),
            foot=live["fb-foot"],
        )

    def live(self, visit: Visit) -> Mapping[str, Html]:
        """Return what changes by itself."""
        person = visit.person
        callback = {"fb-callback": self._callback()}
        if not person.facebook_psid:
            return callback
        sight = self._sight(visit)
        screen = self._chat.screen(person, sight.page) if sight.chat else self._feed(person, sight.page)
        return {**callback, "fb-screen": screen, "fb-foot": self._foot(person, sight)}

    def desk(self, visit: Visit) -> Html:
        """Return what an admin types to connect Facebook, the developer console, and Facebook's own app."""
        person = visit.person
        page = self._sight(visit).page
        choices = joined(
            fill("facebook/desk_choice", id=each.id, name=each.name, selected=when(each == page, "selected"))
            for each in PAGES
        )
        own = fill("facebook/desk_own", key=person.key, name=person.short, pages=choices)
        return fill(
            "facebook/desk",
            origin=self.origin,
            app_id=APP.id,
            app_secret=APP.secret,
            pages=" and ".join(each.name for each in PAGES),
            callback=self._callback(),
            own=own if person.facebook_psid else Html(""),
        )

    def _sight(self, visit: Visit) -> _Sight:
        """Return what the address asks for; the first Page when it asks for nothing that is there."""
        showing, _, value = visit.query.get("fb", "").partition(":")
        page = page_of(value) or PAGES[0]
        if showing in ("page", "chat"):
            return _Sight(page, chat=showing == "chat")
        thing = find(self._store, value) if showing in ("reply", "answer", "edit") else None
        if thing is None or thing.deleted:
            return _Sight(page, chat=False)
        if not isinstance(thing, Message):
            mine = thing.person_key == visit.person.key
            page = page_of(thing.page_id) or PAGES[0]
            if showing == "edit" and not mine:
                return _Sight(page, chat=False)
            return _Sight(page, chat=False, act="edit" if showing == "edit" else "comment", thing=thing)
        conversation = self._store.inbox.conversation(f"t_{thing.conversation}")
        if conversation is None or conversation.person_key != visit.person.key:
            return _Sight(page, chat=False)
        act = "edit" if showing == "edit" and not thing.by_page else "message"
        return _Sight(self._store.inbox.page(conversation), chat=True, act=act, thing=thing)

    def _choices(self, person: Person, sight: _Sight) -> Html:
        return joined(
            fill(
                "facebook/page_choice",
                key=person.key,
                sight="chat" if sight.chat else "page",
                page_id=page.id,
                name=page.name,
                current=when(page == sight.page, 'aria-current="true"'),
            )
            for page in PAGES
        )

    def _callback(self) -> Html:
        callback = self._webhooks.subscription()
        return fill("facebook/callback", words=callback.url if callback else "nobody is told yet")

    # The Page

    def _feed(self, person: Person, page: Page) -> Html:
        posts = [
            post
            for post in self._store.feed.posts(page.id, limit=_SHOWN_POSTS)
            if not post.hidden or post.person_key == person.key
        ]
        if not posts:
            return fill("facebook/feed_none")
        return joined(self._thread(person, page, post) for post in posts)

    def _thread(self, person: Person, page: Page, post: Post) -> Html:
        """Return a post with its comments, each followed by the answers to it."""
        newest = self._store.feed.comments(post, newest_first=True, limit=_SHOWN_COMMENTS)[::-1]
        shown = [each for each in newest if not each.hidden or each.person_key == person.key]
        pieces = [self._piece(person, page, post, below="")]
        above = {each.number for each in shown if each.parent is None}
        for comment in shown:
            # An answer whose comment is out of sight, or is hidden, stands by itself rather than not at all.
            if comment.parent is not None and comment.parent in above:
                continue
            pieces.append(self._piece(person, page, comment, below=" post--reply"))
            pieces.extend(
                self._piece(person, page, each, below=" post--reply post--below")
                for each in shown
                if each.parent == comment.number
            )
        return joined(pieces)

    def _piece(self, person: Person, page: Page, thing: Post | Comment, *, below: str) -> Html:
        """Return a post or comment."""
        author = self._world.people.by_key(thing.person_key) if thing.person_key else None
        name = author.name if author else page.name
        acts = [
            act(person, "reply", thing.id, "Comment" if isinstance(thing, Post) else "Reply"),
            touch(person, "react", thing.id, "Like"),
        ]
        if thing.person_key == person.key:
            acts.append(fill("facebook/act_edit", key=person.key, id=thing.id))
            acts.append(touch(person, "delete", thing.id, "Delete"))
        notes = " · edited" if isinstance(thing, Comment) and thing.edits else ""
        notes += f" · hidden by {page.name}" if thing.hidden else ""
        if isinstance(thing, Comment) and not thing.shares_profile:
            notes += " · without a name for apps"
        file = self._store.feed.file(thing)
        picture = fill("facebook/picture", address=f"/practice/facebook/media/{file.id}") if file else Html("")
        return fill(
            "facebook/post",
            below=below,
            acme="" if thing.person_key else " avatar--acme",
            initials=initials(name),
            who=name,
            at=clock(thing.created_at),
            exact=exact(thing.created_at),
            notes=notes,
            text=thing.message,
            picture=picture,
            acts=joined(acts),
        )

    # Writing

    def _form(self, person: Person, sight: _Sight) -> Html:
        thing, page = sight.thing, sight.page
        about, text = Html(""), ""
        if thing is not None:
            text = thing.text if isinstance(thing, Message) else thing.message
            about = fill(
                "facebook/form_about",
                words="Editing" if sight.act == "edit" else "Answering",
                text=text[:60] or "a picture",
                key=person.key,
                back=sight.address,
            )
        placeholder = f"Message {page.name}" if sight.chat else f"Write on {page.name}"
        if sight.act == "comment":
            placeholder = "Write a comment" if isinstance(thing, Post) else "Write a reply"
        editing = sight.act == "edit"
        parcels = "facebook/parcels_files" if sight.chat else ""
        return fill(
            "facebook/form",
            about=about,
            # What answers or changes something is done with once sent; one goes on posting and chatting.
            send="open" if sight.act else "refresh",
            key=person.key,
            do=sight.act or ("message" if sight.chat else "post"),
            page=page.id,
            to=_id(thing) if thing else "",
            placeholder="Other words" if editing else placeholder,
            text=text if editing else "",
            parcels=Html("")
            if editing
            else joined([fill("facebook/parcels_picture"), *([fill(parcels)] if parcels else [])]),
            button="Change" if editing else "Send" if sight.chat else "Post",
        )

    def _foot(self, person: Person, sight: _Sight) -> Html:
        habits = self._store.profiles.habits(person.key)
        if not sight.chat:
            keeps = not habits.shares_profile
            return fill(
                "facebook/foot_share",
                key=person.key,
                pressed="true" if keeps else "false",
                wished="on" if keeps else "",
            )
        pieces = [
            fill(
                "facebook/foot_available",
                key=person.key,
                pressed="false" if habits.available else "true",
                wished="" if habits.available else "on",
            )
        ]
        if self._store.inbox.between(sight.page.id, person.key):
            pieces.append(fill("facebook/foot_pass", key=person.key, page=sight.page.id))
        if self._chat.unread(person, sight.page):
            pieces.insert(0, fill("facebook/foot_read", key=person.key, page=sight.page.id))
        return joined(pieces)


def _id(thing: Post | Comment | Message) -> str:
    return thing.mid if isinstance(thing, Message) else thing.id

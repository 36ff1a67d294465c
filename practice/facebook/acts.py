"""What people do on Facebook, over HTTP: for scripts, and for the buttons of the phone.

People write on Facebook itself and not through an app, so that nothing here meets the Graph API, a limit or mischief.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from practice.facebook.feed_store import Comment, Post
from practice.facebook.finding import find, page_named
from practice.facebook.message_store import Conversation, Message
from practice.facebook.page_acts import PageActs
from practice.facebook.pages import Habits, commenter_id_of, psid_of
from practice.facebook.parcels import files_of
from practice.facebook.store import Store
from practice.facebook.switches import NETWORK
from practice.facebook.telling import told_comment, told_message, told_post
from practice.facebook.webhooks import Webhooks
from practice.given import Given, Refused, done, given
from practice.network import World
from practice.people import Person

#: The longest text of a message or comment, in letters.
LONGEST_MESSAGE = 2000
LONGEST_COMMENT = 8000

#: What one can feel, with Meta's word for it and the letter that is shown.
REACTIONS = {"like": "👍", "love": "❤️", "haha": "😆", "wow": "😮", "sad": "😢", "angry": "😠"}
_MESSENGER_WORDS = {"haha": "smile"}


class Acts:
    """The endpoints of people, and those of a Page's own people (`PageActs`)."""

    def __init__(self, world: World, store: Store, webhooks: Webhooks) -> None:
        self._world = world
        self._store = store
        self._page_acts = PageActs(world, store, webhooks)

    def routes(self) -> list[Route]:
        """Return the addresses; see docs/practice.md."""
        return [
            Route("/practice/facebook/write", self.write, methods=["POST"]),
            Route("/practice/facebook/touch", self.touch, methods=["POST"]),
            Route("/practice/facebook/habits", self.habits, methods=["POST"]),
            Route("/practice/facebook/pass", self.let_pass, methods=["POST"]),
            *self._page_acts.routes(),
        ]

    async def write(self, request: Request) -> Response:
        """Write what was typed: a comment, a post on a Page, a message, or other words for one of them."""
        fields = await given(request)
        fields.only("person", "do", "page", "to", "text", "picture", "files", "attachments")
        person, act, text = self._person(fields), fields.text("do") or "message", fields.text("text").strip()
        match act:
            case "message":
                told = await self._message(fields, person, text)
            case "comment":
                told = await self._comment(fields, person, text)
            case "post":
                told = await self._post(fields, person, text)
            case "edit":
                told = self._edit(fields, person, text)
            case _:
                raise Refused("do must be message, comment, post or edit.")
        back = _back(request, person, told)
        return done(request, fields, {**told, "key": person.key, "open": back}, back=back)

    async def touch(self, request: Request) -> Response:
        """Do what takes one touch: read, delete or unsend, like or react, press a button, send what nobody can show."""
        fields = await given(request)
        fields.only("person", "do", "page", "thing", "reaction", "title", "payload")
        person, act = self._person(fields), fields.text("do")
        match act:
            case "read":
                self._store.inbox.read_by_person(self._conversation(fields, person), now=time.time())
                told: dict[str, Any] = {}
            case "delete":
                told = self._delete(self._own(fields.text("thing"), person))
            case "react":
                told = self._react(fields, person)
            case "postback":
                told = self._postback(fields, person)
            case "unsupported":
                conversation = self._conversation(fields, person)
                message = self._store.inbox.said(conversation, "", now=time.time(), unsupported=True)
                told = told_message(self._store, message)
            case _:
                raise Refused("do must be read, delete, react, postback or unsupported.")
        return done(request, fields, {**told, "key": person.key}, back=_back(request, person, told))

    async def habits(self, request: Request) -> Response:
        """Change what somebody chose: whether apps see their profile, whether messages reach them."""
        fields = await given(request)
        fields.only("person", "shares_profile", "available")
        person = self._person(fields)
        before = self._store.profiles.habits(person.key)
        habits = Habits(
            shares_profile=fields.flag("shares_profile") if fields.has("shares_profile") else before.shares_profile,
            available=fields.flag("available") if fields.has("available") else before.available,
        )
        self._store.profiles.choose(person.key, habits)
        self._world.happenings.note(NETWORK, "habits", f"{person.name} changed what they share on Facebook.")
        told = {"person": person.key, "shares_profile": habits.shares_profile, "available": habits.available}
        return done(request, fields, told)

    async def let_pass(self, request: Request) -> Response:
        """Make a conversation, or a comment or post, so many hours older, for the windows in which one may answer."""
        fields = await given(request)
        fields.only("person", "page", "thing", "hours")
        hours = fields.number("hours")
        if hours is None or not 0 < hours <= 24 * 365:
            raise Refused("hours must be from more than 0 to 8760.")
        if fields.text("thing"):
            thing = self._find(fields.text("thing"))
            if isinstance(thing, Message):
                raise Refused("A message is as old as its conversation: name person and page.")
            self._store.feed.let_pass(thing, hours * 3600)
        else:
            self._store.inbox.let_pass(self._conversation(fields, self._person(fields)), hours * 3600)
        self._world.happenings.note(NETWORK, "passed", f"{hours:g} hours passed, there and only there.")
        return done(request, fields, {"hours": hours})

    # Writing

    async def _message(self, fields: Given, person: Person, text: str) -> dict[str, Any]:
        """Send a text and files: as on Messenger each of the two is a message of its own."""
        page = page_named(fields.text("page"))
        _fitting(text, LONGEST_MESSAGE)
        now = time.time()
        files = await files_of(fields, self._store.media, page.id, now=now)
        if not text and not files:
            raise Refused("There is nothing in it yet.")
        inbox, reply_to = self._store.inbox, fields.text("to")
        if reply_to and inbox.message(reply_to) is None:
            raise Refused("There is no such message to answer.", 404)
        conversation = inbox.begun(page.id, person.key, now=now)
        messages = []
        if text:
            messages.append(inbox.said(conversation, text, now=now, reply_to=reply_to))
        if files:
            media = [file.id for file in files]
            messages.append(inbox.said(conversation, "", now=now, media=media, reply_to="" if text else reply_to))
        self._world.happenings.note(NETWORK, "message", f"{person.name} wrote to {page.name} on Messenger.")
        return {
            "conversation": conversation.id,
            "page": page.id,
            "psid": psid_of(person, page),
            "mid": messages[0].mid,
            "messages": [told_message(self._store, each) for each in messages],
        }

    async def _comment(self, fields: Given, person: Person, text: str) -> dict[str, Any]:
        thing = self._find(fields.text("to"))
        if isinstance(thing, Message):
            raise Refused("Comment on a post, or on a comment: `to` is its id.")
        _fitting(text, LONGEST_COMMENT)
        media = await self._picture(fields, thing.page_id, text)
        post, parent = (thing, None) if isinstance(thing, Post) else (self._post_of(thing), thing)
        comment = self._store.feed.add_comment(
            post, text, now=time.time(), parent=parent, person_key=person.key, media_id=media
        )
        self._world.happenings.note(NETWORK, "comment", f"{person.name} commented on {_page_name(post.page_id)}.")
        return told_comment(self._store, comment)

    async def _post(self, fields: Given, person: Person, text: str) -> dict[str, Any]:
        page = page_named(fields.text("page"))
        _fitting(text, LONGEST_COMMENT)
        media = await self._picture(fields, page.id, text)
        post = self._store.feed.add_post(page.id, text, now=time.time(), person_key=person.key, media_id=media)
        self._world.happenings.note(NETWORK, "post", f"{person.name} wrote on the Page {page.name}.")
        return told_post(self._store, post)

    def _edit(self, fields: Given, person: Person, text: str) -> dict[str, Any]:
        thing, now = self._own(fields.text("to"), person), time.time()
        _fitting(text, LONGEST_MESSAGE if isinstance(thing, Message) else LONGEST_COMMENT)
        if not text:
            raise Refused("There is nothing in it yet.")
        if isinstance(thing, Message):
            page = self._store.inbox.page(self._conversation_of(thing))
            return {**told_message(self._store, self._store.inbox.edit(thing, text, now=now)), "page": page.id}
        if isinstance(thing, Comment):
            return told_comment(self._store, self._store.feed.edit_comment(thing, text, now=now))
        return told_post(self._store, self._store.feed.edit_post(thing, text, now=now))

    async def _picture(self, fields: Given, page_id: str, text: str) -> str:
        """Return the id of a comment's or post's one picture, "" without one."""
        files = await files_of(fields, self._store.media, page_id, now=time.time())
        if len(files) > 1 or any(file.kind != "image" for file in files):
            raise Refused("A comment or post takes one picture.")
        if not text and not files:
            raise Refused("There is nothing in it yet.")
        return files[0].id if files else ""

    # Touching

    def _delete(self, thing: Post | Comment | Message) -> dict[str, Any]:
        if isinstance(thing, Message):
            self._store.inbox.unsend(thing, now=time.time())
            return {"mid": thing.mid, "deleted": True}
        if isinstance(thing, Comment):
            self._store.feed.delete_comment(thing)
        else:
            self._store.feed.delete_post(thing)
        return {"id": thing.id, "deleted": True}

    def _react(self, fields: Given, person: Person) -> dict[str, Any]:
        reaction = fields.text("reaction") or "like"
        if reaction not in REACTIONS:
            raise Refused(f"reaction must be one of {', '.join(REACTIONS)}.")
        thing, now = self._find(fields.text("thing")), time.time()
        if isinstance(thing, Message):
            conversation = self._conversation_of(thing)
            if conversation.person_key != person.key:
                raise Refused("That is somebody else’s message.", 404)
            psid, page = self._store.inbox.sides(conversation)
            word = _MESSENGER_WORDS.get(reaction, reaction)
            felt = {"mid": thing.mid, "action": "react", "emoji": REACTIONS[reaction], "reaction": word}
            value = {
                "sender": {"id": psid}, "recipient": {"id": page}, "timestamp": int(now * 1000), "reaction": felt,
            }  # fmt: skip
            self._store.happened(page, "message_reactions", value)
            return {"mid": thing.mid, "reaction": reaction}
        author = {"id": commenter_id_of(person, page_named(thing.page_id)), "name": person.name}
        shares = self._store.profiles.habits(person.key).shares_profile
        told: dict[str, Any] = {"item": "reaction", "verb": "add", "reaction_type": reaction}
        told |= {"post_id": thing.id, "parent_id": thing.id} if isinstance(thing, Post) else {
            "post_id": thing.post_id, "parent_id": thing.post_id, "comment_id": thing.id,
        }  # fmt: skip
        told |= {"created_time": int(now), **({"from": author} if shares else {})}
        self._store.happened(thing.page_id, "feed", told)
        return {"id": thing.id, "reaction": reaction}

    def _postback(self, fields: Given, person: Person) -> dict[str, Any]:
        """Press a button of a message, such as “Get started”."""
        page, now = page_named(fields.text("page")), time.time()
        pressed = {
            "mid": f"m_{int(now * 1_000_000)}",
            "title": fields.text("title") or "Get started",
            "payload": fields.text("payload") or "GET_STARTED",
        }
        value = {
            "sender": {"id": psid_of(person, page)}, "recipient": {"id": page.id}, "timestamp": int(now * 1000),
            "postback": pressed,
        }  # fmt: skip
        self._store.inbox.begun(page.id, person.key, now=now)
        self._store.happened(page.id, "messaging_postbacks", value)
        return pressed

    # Finding

    def _person(self, fields: Given) -> Person:
        key = fields.text("person")
        person = self._world.people.by_key(key)
        if person is None or not person.facebook_psid:
            raise Refused(f"Nobody on Facebook has the key {key!r}.", 404)
        return person

    def _conversation(self, fields: Given, person: Person) -> Conversation:
        return self._store.inbox.begun(page_named(fields.text("page")).id, person.key, now=time.time())

    def _conversation_of(self, message: Message) -> Conversation:
        conversation = self._store.inbox.conversation(f"t_{message.conversation}")
        assert conversation is not None
        return conversation

    def _post_of(self, comment: Comment) -> Post:
        post = self._store.feed.post(comment.post_id)
        assert post is not None
        return post

    def _find(self, thing_id: str) -> Post | Comment | Message:
        """Return what an id names, if it is still there."""
        thing = find(self._store, thing_id)
        if thing is None or thing.deleted:
            raise Refused(f"There is no post, comment or message {thing_id!r}.", 404)
        return thing

    def _own(self, thing_id: str, person: Person) -> Post | Comment | Message:
        thing = self._find(thing_id)
        if isinstance(thing, Message):
            owner = "" if thing.by_page else self._conversation_of(thing).person_key
        else:
            owner = thing.person_key
        if owner != person.key:
            raise Refused("That was written by somebody else.", 403)
        return thing


def _page_name(page_id: str) -> str:
    return page_named(page_id).name


def _fitting(text: str, most: int) -> None:
    if len(text) > most:
        raise Refused(f"That is longer than {most} letters.")


def _back(request: Request, person: Person, told: Mapping[str, Any]) -> str:
    """Return where one is led after writing: the same Page or chat, without the form for an answer or a change."""
    showing = request.query_params.get("fb", "")
    if showing.partition(":")[0] in ("reply", "edit", "answer"):
        showing = f"page:{told['page']}" if "post" in told or "hidden" in told else f"chat:{told.get('page', '')}"
    return f"/?as={quote(person.key)}" + (f"&fb={quote(showing, safe=':')}" if showing else "")

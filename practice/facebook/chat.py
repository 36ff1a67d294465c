"""Messenger as its owner sees it: bubbles, what was seen, and whether the Page is writing."""

from __future__ import annotations

import time

from practice.facebook.drawing import act, exact, size, touch
from practice.facebook.media import File
from practice.facebook.message_store import Conversation, Message
from practice.facebook.pages import Page
from practice.facebook.store import Store
from practice.html import Html, fill, joined
from practice.page import clock
from practice.people import Person

#: How many messages the phone shows, and for how long "writing" is believed, in seconds (Meta: 20).
_SHOWN = 80
_TYPING = 20.0


class Chat:
    """Draws a conversation. It asks, and changes nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def screen(self, person: Person, page: Page) -> Html:
        """Return the conversation of a person with a Page."""
        conversation = self._store.inbox.between(page.id, person.key)
        messages = self._store.inbox.messages(conversation, limit=_SHOWN)[::-1] if conversation else []
        if conversation is None or not messages:
            return fill("facebook/chat", bubbles=fill("facebook/chat_none", page=page.name), state="")
        bubbles = joined(self._bubble(person, message) for message in messages)
        return fill("facebook/chat", bubbles=bubbles, state=self._state(conversation, messages[-1], page))

    def unread(self, person: Person, page: Page) -> bool:
        """Return whether the Page wrote something that the person has not read."""
        conversation = self._store.inbox.between(page.id, person.key)
        newest = self._store.inbox.messages(conversation, limit=1) if conversation else []
        return bool(
            conversation and newest and newest[0].by_page and newest[0].created_at > conversation.person_read_at
        )

    def _bubble(self, person: Person, message: Message) -> Html:
        about = self._store.inbox.message(message.reply_to) if message.reply_to else None
        quote = fill("facebook/quote", text=_first_words(about)) if about and not about.deleted else Html("")
        text = "Something that cannot be shown here" if message.unsupported else message.text
        acts = [act(person, "answer", message.mid, "Reply")]
        if message.by_page:
            acts.append(touch(person, "react", message.mid, "Like"))
        else:
            if message.text:
                acts.append(fill("facebook/act_edit", key=person.key, id=message.mid))
            acts.append(touch(person, "delete", message.mid, "Unsend"))
        return fill(
            "facebook/bubble",
            mine="" if message.by_page else " chat--me",
            quote=quote,
            text=text,
            files=joined(self._file(file) for file in self._store.inbox.files(message)),
            at=clock(message.created_at),
            exact=exact(message.created_at),
            notes=" · edited" if message.edits else "",
            acts=joined(acts),
        )

    def _file(self, file: File) -> Html:
        address = f"/practice/facebook/media/{file.id}"
        if file.kind == "image":
            return fill("facebook/picture", address=address)
        return fill("facebook/file", address=address, name=file.name, size=size(file.size))

    def _state(self, conversation: Conversation, last: Message, page: Page) -> Html:
        if conversation.typing_at and time.time() - conversation.typing_at < _TYPING:
            return fill("facebook/typing", page=page.name)
        if not last.by_page:
            seen = conversation.page_read_at >= last.created_at
            words = f"Seen {clock(conversation.page_read_at)}" if seen else "Sent"
        else:
            words = "You have read it" if conversation.person_read_at >= last.created_at else "New"
        return fill("facebook/seen", words=words, side="" if last.by_page else " chat__state--me")


def _first_words(message: Message) -> str:
    return message.text[:80] or "A picture or file"

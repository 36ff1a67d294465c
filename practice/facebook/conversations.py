"""Conversations of Messenger: lists, messages, and who somebody is (Messenger Platform, "Conversations API")."""

from __future__ import annotations

from typing import Any

from practice.facebook.calls import Call
from practice.facebook.objects import Objects, Profile
from practice.facebook.pages import page_of
from practice.facebook.problems import Problem, no_object, parameter
from practice.facebook.store import Store


class ConversationEndpoints:
    """What /{page}/conversations, /{conversation}, /{message} and /{person} answer."""

    def __init__(self, store: Store, objects: Objects) -> None:
        self._store = store
        self._objects = objects

    def listed(self, call: Call) -> dict[str, Any]:
        """Answer GET /{page}/conversations. There is no paging by time on this edge."""
        page = call.as_page(call.node)
        call.needs("pages_messaging", code=230)
        field = self._objects.lists.asked(call, "conversations", "UnifiedThread", self._objects)
        platform = call.text("platform") or "messenger"
        if platform not in ("messenger", "instagram"):
            raise parameter("Param platform must be one of {INSTAGRAM, MESSENGER}")
        if call.text("folder") not in ("", "inbox"):
            raise parameter("Param folder: only the inbox is played here")
        person_key: str | None = ""
        if call.text("user_id"):
            person = self._store.profiles.by_psid(page, call.text("user_id"))
            person_key = person.key if person else None
        if platform == "instagram":
            person_key = None
        return self._objects.lists.conversations(page, person_key, field, call, self._objects)

    def read(self, call: Call) -> dict[str, Any]:
        """Answer GET /{conversation}."""
        conversation = self._store.inbox.conversation(call.node)
        if conversation is None:
            raise no_object(call.node)
        call.as_page(conversation.page_id)
        call.needs("pages_messaging", code=230)
        call.only("fields")
        return self._objects.told("UnifiedThread", conversation, self._objects.asked(call, "UnifiedThread"), call)

    def messages(self, call: Call) -> dict[str, Any]:
        """Answer GET /{conversation}/messages."""
        conversation = self._store.inbox.conversation(call.node)
        if conversation is None:
            raise no_object(call.node)
        call.as_page(conversation.page_id)
        call.needs("pages_messaging", code=230)
        field = self._objects.lists.asked(call, "messages", "Message", self._objects)
        return self._objects.lists.messages(conversation, field, call, self._objects)

    def message(self, call: Call) -> dict[str, Any]:
        """Answer GET /{message}. One that is not among the newest answers as if it had been taken back."""
        message = self._store.inbox.message(call.node)
        conversation = self._store.inbox.conversation(f"t_{message.conversation}") if message else None
        if message is None or conversation is None:
            raise no_object(call.node)
        call.as_page(conversation.page_id)
        call.needs("pages_messaging", code=230)
        if not self._objects.readable(message):
            raise Problem("(#100) The message has been deleted.", 100, subcode=2018065)
        call.only("fields")
        return self._objects.told("Message", message, self._objects.asked(call, "Message"), call)

    def profile(self, call: Call) -> dict[str, Any]:
        """Answer GET /{person}, for those who have written to the Page (User Profile API)."""
        page = page_of(call.caller.page_id)
        person = self._store.profiles.by_psid(page, call.node) if page else None
        if page is None or person is None:
            raise no_object(call.node)
        call.needs("pages_messaging", code=230)
        call.only("fields")
        conversation = self._store.inbox.between(page.id, person.key)
        wrote = conversation is not None and conversation.person_wrote_at > 0
        habits = self._store.profiles.habits(person.key)
        fields = self._objects.asked(call, "Profile")
        told = self._objects.told("Profile", Profile(person, call.node), fields, call)
        if not wrote or not habits.available or not habits.shares_profile:
            raise Problem("(#100) No profile available for this user.", 100, subcode=2018218)
        return told

"""What a Page writes in Messenger, and under which rules (Messenger Platform: "Send API", "Message Tags", "Private
Replies", "Attachment Upload API", "Saving Assets", "Error Codes")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from practice.database import transaction
from practice.facebook.calls import Call
from practice.facebook.feed_store import Comment, Post
from practice.facebook.media import KINDS, File
from practice.facebook.message_store import Conversation
from practice.facebook.misbehaviour import Misbehaviour
from practice.facebook.pages import APP, Page, psid_of
from practice.facebook.problems import Problem, no_object, parameter
from practice.facebook.store import Store
from practice.people import Person

#: The longest text and the longest metadata, in letters.
LONGEST, LONGEST_METADATA = 2000, 1000
#: How long after the person's last words the Page may write, in seconds.
WINDOW_SECONDS = 24 * 3600.0
#: How long a comment or post can be answered privately, in seconds.
PRIVATE_REPLY_SECONDS = 7 * 86_400.0

_TYPES = ("RESPONSE", "UPDATE", "MESSAGE_TAG", "UTILITY")
_ACTIONS = ("typing_on", "typing_off", "mark_seen")
_RETIRED = ("CONFIRMED_EVENT_UPDATE", "ACCOUNT_UPDATE", "POST_PURCHASE_UPDATE")
_TAGS = ("HUMAN_AGENT", "CUSTOMER_FEEDBACK")


class SendingEndpoints:
    """What POST /{page}/messages and /{page}/message_attachments answer."""

    def __init__(self, store: Store, misbehaviour: Misbehaviour) -> None:
        self._store = store
        self._misbehaviour = misbehaviour

    def send(self, call: Call) -> dict[str, Any]:
        """Answer POST /{page}/messages."""
        page = call.as_page(call.node)
        call.needs("pages_messaging", code=230)
        call.only(
            *("recipient", "message", "messaging_type", "tag", "sender_action", "reply_to", "notification_type"),
            "filedata",
        )
        recipient = call.mapping("recipient")
        if recipient is None:
            raise parameter("The parameter recipient is required")
        _known(recipient, "recipient", "id", "comment_id", "post_id")
        if len(recipient) != 1 or not all(isinstance(each, str | int) for each in recipient.values()):
            raise parameter("Param recipient must name one person, comment or post")
        message = call.mapping("message")
        if call.text("sender_action"):
            if message is not None:
                raise parameter("You cannot send a message and a sender action at once", subcode=2018053)
            return self._act(call, page, str(recipient.get("id", "")))
        if message is None:
            raise parameter("The parameter message is required")
        self._check_type(call)
        if "id" in recipient:
            person = self._person(page, str(recipient["id"]))
            self._check_window(call, page, person)
            return self._sent(call, page, person, message, thing=None)
        thing = self._thing(page, recipient)
        return self._sent(call, page, self._author(call, thing), message, thing=thing)

    def upload(self, call: Call) -> dict[str, Any]:
        """Answer POST /{page}/message_attachments: a file for later, as a part `filedata` beside the message."""
        page = call.as_page(call.node)
        call.needs("pages_messaging", code=230)
        call.only("message", "filedata", "platform")
        message = call.mapping("message")
        if message is None or not isinstance(message.get("attachment"), dict):
            raise parameter("The parameter message[attachment] is required")
        _known(message, "message", "attachment")
        return {"attachment_id": self._file(call, page, message["attachment"], uploading=True).id}

    def _act(self, call: Call, page: Page, psid: str) -> dict[str, Any]:
        """Show that the Page types, or has read; return whom."""
        action = call.text("sender_action").lower()
        if action not in _ACTIONS:
            raise parameter(f"Param sender_action must be one of {{{', '.join(_ACTIONS).upper()}}}")
        person = self._person(page, psid)
        self._check_window(call, page, person)
        conversation = self._store.inbox.begun(page.id, person.key, now=call.now)
        if action == "mark_seen":
            self._store.inbox.read_by_page(conversation, now=call.now)
        else:
            self._store.inbox.typing(conversation, now=call.now if action == "typing_on" else 0.0)
        return {"recipient_id": psid}

    def _sent(
        self, call: Call, page: Page, person: Person, message: Mapping[str, Any], *, thing: Post | Comment | None
    ) -> dict[str, Any]:
        """Keep the message, bring it to the phone, and return the answer."""
        _known(message, "message", "text", "attachment", "metadata", "quick_replies")
        text, metadata, attachment = message.get("text"), message.get("metadata", ""), message.get("attachment")
        if (text is None) == (attachment is None):
            raise parameter("Param message must have either text or an attachment", subcode=2018063)
        if text is not None and (not isinstance(text, str) or not text.strip()):
            raise parameter("Param message[text] must be a non-empty UTF-8 encoded string")
        if text is not None and len(text) > LONGEST:
            raise parameter(f"Length of param message[text] must be less than or equal to {LONGEST}")
        if not isinstance(metadata, str) or len(metadata) > LONGEST_METADATA:
            raise parameter(f"Length of param message[metadata] must be less than or equal to {LONGEST_METADATA}")
        if not self._store.profiles.habits(person.key).available:
            raise Problem("(#551) This person isn't available right now.", 551, subcode=1545041)
        with transaction(self._store.db):
            conversation = self._store.inbox.begun(page.id, person.key, now=call.now)
            reply_to = self._answered_message(call, conversation)
            file = self._file(call, page, attachment) if attachment is not None else None
            sent = self._store.inbox.answered(
                conversation,
                text or "",
                now=call.now,
                media=[file.id] if file else [],
                reply_to=reply_to,
                metadata=metadata,
                app_id=APP.id,
            )
            if thing is not None:
                self._store.feed.answered_privately(thing, conversation.id)
            # A telephone that is switched on: what is sent is there.
            self._store.inbox.delivered(conversation, now=call.now)
        answer = {"recipient_id": psid_of(person, page), "message_id": sent.mid}
        if file and file.reusable:
            answer["attachment_id"] = file.id
        return answer

    def _file(self, call: Call, page: Page, attachment: Any, *, uploading: bool = False) -> File:
        """Return the file of a message, kept when it came along; raise Problem."""
        if not isinstance(attachment, dict):
            raise parameter("param message[attachment] must be a json object.")
        _known(attachment, "message[attachment]", "type", "payload")
        kind, payload = attachment.get("type"), attachment.get("payload", {})
        if kind not in KINDS:
            raise parameter(f"Param message[attachment][type] must be one of {{{', '.join(KINDS).upper()}}}")
        if not isinstance(payload, dict):
            raise parameter("param message[attachment][payload] must be a json object.")
        _known(payload, "message[attachment][payload]", "url", "is_reusable", "attachment_id")
        if "attachment_id" in payload and not uploading:
            file = self._store.media.get(str(payload["attachment_id"]))
            if file is None or file.page_id != page.id or not file.reusable:
                raise parameter("Invalid attachment id: it is not this Page's, or not reusable", subcode=2018074)
            return file
        upload = call.files.get("filedata")
        if upload is None:
            if "url" in payload:
                raise parameter("Failed to fetch the file from the url.", subcode=2018008)
            raise parameter("No attachment data: give filedata, url or attachment_id", subcode=2018047)
        if kind != "file" and not upload.type.startswith(f"{kind}/"):
            raise parameter(f"Upload attachment failure: {upload.type} is not of type {kind}", subcode=2018047)
        try:
            return self._store.media.add(
                page_id=page.id,
                kind=kind,
                name=upload.name or "file",
                type=upload.type or "application/octet-stream",
                content=upload.content,
                reusable=payload.get("is_reusable") is True,
                now=call.now,
            )
        except ValueError as error:
            raise parameter(f"Upload attachment failure: {error}", subcode=2018047) from error

    def _check_type(self, call: Call) -> None:
        """Refuse what is no type of message, and tags that our app may not use, or nobody may any more."""
        kind, tag = call.text("messaging_type") or "RESPONSE", call.text("tag")
        if kind not in _TYPES:
            raise parameter(f"Param messaging_type must be one of {{{', '.join(_TYPES)}}}")
        if tag and tag in _RETIRED:
            raise parameter("Invalid parameter: this message tag is no longer supported", subcode=1893061)
        if (kind == "MESSAGE_TAG") != bool(tag) or (tag and tag not in _TAGS):
            raise parameter(f"Param tag must be one of {{{', '.join(_TAGS)}}}, with the type MESSAGE_TAG")
        if tag or kind == "UTILITY":
            raise Problem(
                f"(#10) Application does not have the feature that messages of the kind {tag or kind} need",
                10,
                status=403,
            )

    def _check_window(self, call: Call, page: Page, person: Person) -> None:
        """Refuse to write to somebody who has not written for a day; after a private reply, until they answer."""
        conversation = self._store.inbox.between(page.id, person.key)
        wrote_at = conversation.person_wrote_at if conversation else 0.0
        if call.now - wrote_at > WINDOW_SECONDS and not self._misbehaviour.any_time(page.id):
            raise Problem(
                "(#10) This message is sent outside of allowed window. Learn more about the new policy here: "
                "https://developers.facebook.com/docs/messenger-platform/policy-overview",
                10,
                subcode=2018278,
                status=403,
            )

    def _answered_message(self, call: Call, conversation: Conversation) -> str:
        """Return the mid of the message that is answered, "" for none."""
        given = call.mapping("reply_to")
        if given is None:
            return ""
        _known(given, "reply_to", "mid")
        message = self._store.inbox.message(str(given.get("mid", "")))
        if message is None or message.deleted or message.conversation != conversation.number:
            raise parameter("Invalid message id in reply_to")
        return message.mid

    def _person(self, page: Page, psid: str) -> Person:
        """Return whom a Page knows by a number; to a number of another Page, or from under a comment, nobody."""
        person = self._store.profiles.by_psid(page, psid)
        if person is None or self._store.inbox.between(page.id, person.key) is None:
            raise parameter("No matching user found", subcode=2018001)
        return person

    def _thing(self, page: Page, recipient: Mapping[str, Any]) -> Post | Comment:
        """Return the comment or post that is to be answered privately."""
        thing: Post | Comment | None
        if "comment_id" in recipient:
            thing = self._store.feed.comment(str(recipient["comment_id"]))
        else:
            thing = self._store.feed.post(str(recipient["post_id"]))
        if thing is None or thing.deleted or thing.page_id != page.id:
            raise no_object(str(next(iter(recipient.values()))), "post")
        return thing

    def _author(self, call: Call, thing: Post | Comment) -> Person:
        """Return who is to be answered privately: once, within seven days, and nobody's Page."""
        if not thing.person_key:
            raise Problem("(#10903) This user can't reply to this activity", 10903)
        if thing.private_reply:
            raise Problem("(#10) Cannot send a private reply more than once.", 10, status=403)
        if call.now - thing.created_at > PRIVATE_REPLY_SECONDS:
            raise Problem("(#10901) Activity is expired, can't private reply", 10901)
        return self._store.profiles.known(thing.person_key)


def _known(given: Mapping[str, Any], what: str, *known: str) -> None:
    """Refuse a member that an object does not have."""
    for name in given:
        if name not in known:
            raise parameter(f'Unexpected key "{name}" on param "{what}"')

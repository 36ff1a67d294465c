"""How things are told: only the fields that were asked for, and an error for a field that there is not.

The names of all fields are those of Meta's own specifications for its business SDKs (Page, PagePost, Comment,
UnifiedThread). What is a field there and is not played here is left out of answers, as Meta leaves out what is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from practice.facebook.calls import MOST_TOLD, Call, written
from practice.facebook.feed_store import Comment, Post
from practice.facebook.fields import Field, parse
from practice.facebook.lists import Lists
from practice.facebook.media import File
from practice.facebook.message_store import Conversation, Message
from practice.facebook.misbehaviour import Misbehaviour
from practice.facebook.pages import Page, page_of, psid_of
from practice.facebook.problems import Problem, no_field, parameter
from practice.facebook.shapes import NODES, PARTS
from practice.facebook.store import Store
from practice.people import Person

#: Of a conversation only so many messages, the newest, can be read (Messenger Platform, "Conversations API").
READABLE = 20


@dataclass(frozen=True)
class Profile:
    """A person as a Page may see them in Messenger."""

    person: Person
    psid: str


class Objects:
    """Tells things. `kind` is a key of NODES and says what a thing is."""

    def __init__(self, store: Store, misbehaviour: Misbehaviour) -> None:
        self._store = store
        self._misbehaviour = misbehaviour
        self.lists = Lists(store)
        self._parts: Mapping[str, Callable[[Any, Call, Set[str]], dict[str, Any]]] = {
            "Page": self._page,
            "PagePost": self._post,
            "Comment": self._comment,
            "UnifiedThread": self._conversation,
            "Message": self._message,
            "Profile": self._profile,
        }

    def asked(self, call: Call, kind: str) -> tuple[Field, ...]:
        """Return the fields that a call asks for, or those that a node tells unasked."""
        return parse(call.text("fields")) if call.text("fields") else _fields(NODES[kind].default)

    def told(self, kind: str, thing: Any, fields: Sequence[Field], call: Call) -> dict[str, Any]:
        """Return what was asked for; always the id. Raises Problem for a field that the node does not have."""
        call.told.append(kind)
        if len(call.told) > MOST_TOLD:
            raise Problem(
                "Please reduce the amount of data you're asking for, then retry your request", 1, subcode=99, status=500
            )
        node = NODES[kind]
        values = self._parts[kind](thing, call, {field.name for field in fields})
        answer: dict[str, Any] = {}
        for field in fields:
            if field.name in node.edges:
                edge = self.lists.edge(kind, thing, field, call, self)
                # An expanded edge with nothing in it is left out; on its own address it is an empty list.
                if edge["data"]:
                    answer[field.name] = edge
            elif field.name not in node.fields:
                raise no_field(field.name, node.name)
            elif field.arguments and not node.fields[field.name]:
                raise parameter(f"Field {field.name} takes no arguments")
            else:
                self._check(field, node.fields[field.name])
                value = values.get(field.name)
                if value is not None:
                    answer[field.name] = self._narrowed(value, field, call)
        answer["id"] = values["id"]
        return answer

    def author(self, thing: Post | Comment) -> dict[str, str] | None:
        """Return `from`, or None where Facebook does not tell who it was."""
        if thing.person_key and self._misbehaviour.nameless(thing.page_id):
            return None
        return self._store.feed.author(thing)

    def _check(self, field: Field, part: str) -> None:
        """Refuse a field that something inside a node does not have."""
        if field.inner is None:
            return
        known = NODES[part].fields if part in NODES else PARTS.get(part)
        if known is None:
            raise Problem(f"Subfields are not supported by {field.name}", 2500)
        for inner in field.inner:
            if inner.name not in known and not (part in NODES and inner.name in NODES[part].edges):
                raise no_field(inner.name, NODES[part].name if part in NODES else part)

    def _narrowed(self, value: Any, field: Field, call: Call) -> Any:
        """Return a value with only those of its own fields that were asked for."""
        if isinstance(value, Comment):
            return self.told("Comment", value, field.inner or _fields(NODES["Comment"].default), call)
        if field.inner is None:
            return value
        names = [inner.name for inner in field.inner]
        if isinstance(value, dict) and set(value) == {"data"}:
            return {"data": [_kept(each, names) for each in value["data"]]}
        return _kept(value, names) if isinstance(value, dict) else value

    def _page(self, page: Page, call: Call, asked: Set[str]) -> dict[str, Any]:
        told: dict[str, Any] = {
            "id": page.id,
            "name": page.name,
            "category": page.category,
            "category_list": [{"id": str(2200 + page.number), "name": page.category}],
            "link": page.link,
            "username": page.username,
            "verification_status": "not_verified",
            "fan_count": 1204,
            "followers_count": 1288,
            "is_published": True,
            "tasks": ["ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MESSAGING", "MODERATE", "MANAGE"],
        }
        return told

    def _post(self, post: Post, call: Call, asked: Set[str]) -> dict[str, Any]:
        page, file = self._of(post.page_id), self._store.feed.file(post)
        told: dict[str, Any] = {
            "id": post.id,
            "from": self.author(post),
            "message": post.message or None,
            "created_time": written(post.created_at),
            "updated_time": written(post.updated_at),
            "permalink_url": f"{page.link}/posts/{post.number}",
            "is_hidden": post.hidden,
            "is_published": True,
            "is_expired": False,
            "is_popular": False,
            "timeline_visibility": "hidden" if post.hidden else "normal",
            "status_type": "added_photos" if file else "wall_post" if post.person_key else "mobile_status_update",
            "can_reply_privately": bool(post.person_key) and not post.private_reply,
        }
        if post.person_key:
            told["to"] = {"data": [{"name": page.name, "id": page.id}]}
        if file:
            told |= {"full_picture": file.url, "attachments": {"data": [_on_wall(file, told["permalink_url"])]}}
        return told

    def _comment(self, comment: Comment, call: Call, asked: Set[str]) -> dict[str, Any]:
        page, file = self._of(comment.page_id), self._store.feed.file(comment)
        by_person = bool(comment.person_key)
        # What costs a look of its own is looked up only when it is asked for: pages of comments are long.
        parent = comment.parent is not None and "parent" in asked
        link = f"{page.link}/posts/{comment.post}?comment_id={comment.parent or comment.number}"
        if comment.parent is not None:
            link += f"&reply_comment_id={comment.number}"
        told: dict[str, Any] = {
            "id": comment.id,
            "from": self.author(comment),
            "message": comment.message,
            "created_time": written(comment.created_at),
            "permalink_url": link,
            "is_hidden": comment.hidden,
            "is_private": False,
            "can_comment": True,
            "can_hide": by_person,
            "can_like": True,
            "can_remove": True,
            "can_reply_privately": by_person and not comment.private_reply,
            "like_count": 0,
            "user_likes": False,
            # A comment: told with the fields that are asked for, like any other.
            "parent": self._store.feed.comment(comment.parent_id) if parent else None,
        }
        if "comment_count" in asked:
            told["comment_count"] = self._store.feed.answers(comment)
        if comment.private_reply:
            told["private_reply_conversation"] = {"id": comment.private_reply}
        if file:
            told["attachment"] = _on_wall(file, link)
        return told

    def _conversation(self, conversation: Conversation, call: Call, asked: Set[str]) -> dict[str, Any]:
        inbox = self._store.inbox
        page, person = self._of(conversation.page_id), self._store.profiles.known(conversation.person_key)
        newest = inbox.messages(conversation, limit=1)
        who = [_address(person.name, psid_of(person, page)), _address(page.name, page.id)]
        return {
            "id": conversation.id,
            "updated_time": written(conversation.updated_at),
            "link": f"/{page.username}/inbox/{conversation.number}/?section=messages",
            "snippet": newest[0].text if newest else None,
            "message_count": inbox.count(conversation),
            "unread_count": inbox.count(conversation, unread=True),
            "can_reply": call.now - conversation.person_wrote_at <= 86_400,
            "is_subscribed": True,
            "folder": "inbox",
            "scoped_thread_key": conversation.id,
            "participants": {"data": who},
            "senders": {"data": who},
            "former_participants": {"data": []},
        }

    def _message(self, message: Message, call: Call, asked: Set[str]) -> dict[str, Any]:
        conversation = self._store.inbox.conversation(f"t_{message.conversation}")
        assert conversation is not None
        told: dict[str, Any] = {"id": message.mid, "created_time": written(message.created_at)}
        if not self.readable(message):
            return told
        page, person = self._of(conversation.page_id), self._store.profiles.known(conversation.person_key)
        ours, theirs = _address(page.name, page.id), _address(person.name, psid_of(person, page))
        files = self._store.inbox.files(message)
        told |= {
            "from": ours if message.by_page else theirs,
            "to": {"data": [theirs if message.by_page else ours]},
            "message": "" if message.unsupported else message.text,
            "thread_id": conversation.id,
            "is_unsupported": True if message.unsupported else None,
            "tags": {"data": [{"name": name} for name in (_TAGS_OUT if message.by_page else _TAGS_IN)]},
        }
        if files:
            told["attachments"] = {"data": [_sent(file) for file in files]}
        if message.reply_to:
            told["reply_to"] = {"id": message.reply_to}
        return told

    def readable(self, message: Message) -> bool:
        """Return whether a message is one of the newest, and was not taken back."""
        return not message.deleted and self._store.inbox.newer(message) < READABLE

    def _profile(self, profile: Profile, call: Call, asked: Set[str]) -> dict[str, Any]:
        first, _, last = profile.person.name.partition(" ")
        return {
            "id": profile.psid,
            "name": profile.person.name,
            "first_name": first,
            "last_name": last,
            "profile_pic": None,
        }

    def _of(self, page_id: str) -> Page:
        page = page_of(page_id)
        assert page is not None, page_id
        return page


_TAGS_IN = ("inbox", "read", "source:chat")
_TAGS_OUT = ("inbox", "read", "sent", "source:chat")


def _fields(names: Sequence[str]) -> tuple[Field, ...]:
    return tuple(Field(name) for name in names)


def _kept(value: Any, names: Sequence[str]) -> Any:
    """Return an object with some of its members; the id is always told."""
    if not isinstance(value, dict):
        return value
    return {name: each for name, each in value.items() if name in names or name == "id"}


def _address(name: str, number: str) -> dict[str, str]:
    """Return one side of a conversation. The mail address is made up by Facebook, and nothing arrives there."""
    return {"name": name, "email": f"{number}@facebook.com", "id": number}


def _on_wall(file: File, link: str) -> dict[str, Any]:
    """Return a picture below a post or comment."""
    return {
        "media": {"image": {"height": file.height, "src": file.url, "width": file.width}},
        "target": {"id": file.id, "url": link},
        "type": "photo",
        "url": link,
    }


def _sent(file: File) -> dict[str, Any]:
    """Return a picture or file in a message."""
    told: dict[str, Any] = {"id": file.id, "mime_type": file.type, "name": file.name, "size": file.size}
    if file.kind == "image":
        told["image_data"] = {
            "width": file.width,
            "height": file.height,
            "max_width": file.width,
            "max_height": file.height,
            "url": file.url,
            "preview_url": file.url,
            "image_type": 1,
            "render_as_sticker": False,
        }
    elif file.kind == "video":
        told["video_data"] = {"width": 0, "height": 0, "length": 1, "video_type": 0, "url": file.url, "rotation": 0}
    else:
        told["file_url"] = file.url
    return told

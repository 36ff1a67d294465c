"""What nodes of the Graph have: their fields, what those are made of, and their edges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Node:
    """A kind of thing. `fields` say of which part (a key of PARTS or NODES) each is, "" for plain values.

    `name` is what Meta calls the kind in errors; `default` is told when nothing was asked for.
    """

    name: str
    default: tuple[str, ...]
    fields: Mapping[str, str]
    edges: tuple[str, ...] = ()


def _plain(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "")


#: Parts of nodes that are no nodes themselves, with their members.
PARTS: dict[str, tuple[str, ...]] = {
    "Profile": ("id", "name"),
    "Participants": ("id", "name", "email"),
    "Sender": ("id", "name", "email"),
    "StoryAttachment": (
        *("media", "target", "type", "url", "title", "description", "subattachments", "media_type"),
        *("unshimmed_url", "description_tags"),
    ),
    "MessageAttachments": (
        *("id", "mime_type", "name", "size", "image_data", "video_data", "file_url", "generic_template"),
    ),
    "Shares": ("id", "link", "name", "description", "template"),
    "ReplyTo": ("id", "mid", "is_self_reply"),
    "Thread": ("id", "link", "updated_time"),
    "Tags": ("id", "name", "type", "offset", "length"),
    "MessageTags": ("name",),
    "CategoryList": ("id", "name"),
}

NODES: dict[str, Node] = {
    "Page": Node(
        "Page",
        ("name", "id"),
        {
            **_plain("id", "name", "category", "link", "username", "about", "verification_status", "fan_count"),
            **_plain("followers_count", "is_published", "access_token", "tasks", "website", "phone", "emails"),
            "category_list": "CategoryList",
        },
    ),
    "PagePost": Node(
        "PagePost",
        ("created_time", "message", "id"),
        {
            **_plain("id", "message", "created_time", "updated_time", "permalink_url", "is_hidden", "is_published"),
            **_plain("is_expired", "is_popular", "timeline_visibility", "status_type", "can_reply_privately"),
            **_plain("full_picture", "story", "story_tags", "parent_id", "shares", "promotable_id", "subscribed"),
            **_plain("icon", "height", "width", "place", "privacy", "properties", "is_spherical", "is_app_share"),
            **_plain("scheduled_publish_time", "backdated_time", "actions", "coordinates", "event", "call_to_action"),
            "from": "Profile",
            "to": "Profile",
            "via": "Profile",
            "admin_creator": "Profile",
            "application": "Profile",
            "attachments": "StoryAttachment",
            "message_tags": "Tags",
        },
        edges=("comments",),
    ),
    "Comment": Node(
        "Comment",
        ("created_time", "from", "message", "id"),
        {
            **_plain("id", "message", "created_time", "permalink_url", "is_hidden", "is_private", "can_comment"),
            **_plain("can_hide", "can_like", "can_remove", "can_reply_privately", "comment_count", "like_count"),
            **_plain("user_likes", "live_broadcast_timestamp"),
            "from": "Profile",
            "admin_creator": "Profile",
            "application": "Profile",
            "attachment": "StoryAttachment",
            "message_tags": "Tags",
            "parent": "Comment",
            "private_reply_conversation": "Thread",
        },
        edges=("comments",),
    ),
    "UnifiedThread": Node(
        "UnifiedThread",
        ("id", "link", "updated_time"),
        {
            **_plain("id", "updated_time", "link", "snippet", "message_count", "unread_count", "can_reply"),
            **_plain("is_subscribed", "folder", "scoped_thread_key", "name", "subject", "wallpaper", "linked_group"),
            "participants": "Participants",
            "senders": "Participants",
            "former_participants": "Participants",
        },
        edges=("messages",),
    ),
    "Message": Node(
        "Message",
        ("id", "created_time"),
        {
            **_plain("id", "created_time", "message", "sticker", "thread_id", "is_unsupported", "story", "reactions"),
            "from": "Sender",
            "to": "Participants",
            "attachments": "MessageAttachments",
            "shares": "Shares",
            "reply_to": "ReplyTo",
            "tags": "MessageTags",
        },
    ),
    "Profile": Node(
        "User",
        ("first_name", "last_name", "profile_pic", "id"),
        _plain("id", "name", "first_name", "last_name", "profile_pic", "locale", "timezone", "gender"),
    ),
}

"""The X phone: posts and messages as their owner sees them, and the form to write on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from practice.html import Html, fill, joined, when
from practice.network import Visit
from practice.page import clock
from practice.x.grants import APP, Grants
from practice.x.handset import Handset
from practice.x.messages import Event, Messages, between
from practice.x.posts import Post, Posts, Window
from practice.x.profiles import OURS, Profile, Profiles
from practice.x.snowflake import moment_of

#: How many conversations the phone shows, how many posts of each, how many of our own, and how many messages.
_SHOWN_CONVERSATIONS = 15
_SHOWN_POSTS = 40
_SHOWN_OURS = 3
_SHOWN_MESSAGES = 80


class Screen:
    """Draws the phone. It asks; it changes nothing."""

    def __init__(
        self, *, profiles: Profiles, posts: Posts, messages: Messages, grants: Grants, handset: Handset
    ) -> None:
        self._profiles = profiles
        self._posts = posts
        self._messages = messages
        self._grants = grants
        self._handset = handset

    def phone(self, visit: Visit) -> Html:
        """Return the whole phone: posts or messages, as the address says."""
        owner = self._profiles.of(visit.person)
        if owner is None:
            return fill("x/phone_none", name=visit.person.name)
        to = self._chat_with(visit, owner)
        live = self.live(visit)
        return fill(
            "x/phone",
            name=owner.name,
            handle=owner.handle,
            key=visit.person.key,
            posts_current=when(not to, 'aria-current="true"'),
            messages_current=when(to, 'aria-current="true"'),
            said="A message arrived." if to else "A post arrived.",
            screen_class=" phone-frame__screen--chat" if to else "",
            screen=live["x-screen"],
            form=self._message_form(visit, owner, to, live["x-closed"]) if to else self._post_form(visit, owner),
        )

    def live(self, visit: Visit) -> Mapping[str, Html]:
        """Return what changes by itself."""
        owner = self._profiles.of(visit.person)
        if owner is None:
            return {}
        to = self._chat_with(visit, owner)
        closed = self._profiles.habits(owner.id).blocks_messages
        return {
            "x-screen": self._chat(visit, owner, to) if to else self._timeline(visit, owner),
            "x-closed": fill(
                "x/closed",
                handle=owner.handle,
                pressed="true" if closed else "false",
                wished="" if closed else "on",
            ),
        }

    def desk(self) -> Html:
        """Return what an admin types to connect X."""
        inside = ", ".join(f"@{self._profiles.known(user_id).handle}" for user_id in self._grants.users())
        return fill(
            "x/desk",
            origin=self._handset.origin,
            client_id=APP.client_id,
            client_secret=APP.client_secret,
            handles=" and ".join(f"@{each.handle}" for each in OURS),
            inside=inside or "nobody yet",
        )

    # Posts

    def _timeline(self, visit: Visit, owner: Profile) -> Html:
        conversations = set(self._posts.conversations_of(owner.id, _SHOWN_CONVERSATIONS))
        for ours in OURS:
            latest = self._posts.by_author(ours.id, Window(limit=_SHOWN_OURS), viewer=owner.id, without_replies=True)
            conversations |= {post.conversation_id for post in latest}
        threads = [self._posts.of_conversation(conversation, _SHOWN_POSTS) for conversation in conversations]
        threads = sorted((thread for thread in threads if thread), key=lambda thread: thread[-1].id, reverse=True)
        if not threads:
            return fill("x/posts_none", handle=OURS[0].handle)
        return joined(
            self._post(visit, owner, post, below=index > 0)
            for thread in threads[:_SHOWN_CONVERSATIONS]
            for index, post in enumerate(thread)
        )

    def _post(self, visit: Visit, owner: Profile, post: Post, *, below: bool) -> Html:
        author, counts = self._profiles.known(post.author_id), self._posts.counts(post)
        mine = author.id == owner.id
        about = {"key": visit.person.key, "handle": owner.handle, "id": post.id}
        acts = [
            fill("x/post_reply", count=counts["reply_to"] or "", **about),
            fill("x/post_retweet", count=counts["retweeted"] or "", **about),
            fill("x/post_quote", count=counts["quoted"] or "", **about),
        ]
        if mine:
            acts += [fill("x/post_edit", **about), fill("x/post_delete", **about)]
        edited = " · edited" if len(self._posts.versions(post.first_id)) > 1 else ""
        return fill(
            "x/post",
            reply=" post--reply" if below else "",
            acme=" avatar--acme" if author.ours else "",
            initials=_initials(author.name),
            who=author.name,
            handle=author.handle,
            at=clock(moment_of(post.id)),
            exact=_exact(post.id),
            notes=f"{edited}{' · hidden by Acme' if post.hidden else ''}",
            text=_readable(post.text, {link.short: link.full for link in post.links}),
            pictures=joined(fill("x/picture", address=self._address(key)) for key in post.media),
            acts=joined(acts),
        )

    def _post_form(self, visit: Visit, owner: Profile) -> Html:
        act, post = self._showing(visit, owner)
        author = self._profiles.known(post.author_id) if post else None
        head = Html("")
        if post and author:
            words = {"reply": f"Replying to @{author.handle}", "quote": f"Quoting @{author.handle}", "edit": "Editing"}
            head = fill("x/form_about", key=visit.person.key, words=words[act], text=post.said[:60])
        return fill(
            "x/form_post",
            about=head,
            handle=owner.handle,
            act=act,
            # A quote and an edit are done with once sent; one goes on replying, and posting.
            send="open" if act in ("quote", "edit") else "refresh",
            post=post.id if post else "",
            text=post.said if post and act == "edit" else "",
            placeholder={"post": f"Post to @{OURS[0].handle}", "edit": "Your post"}.get(act, "Post your reply"),
            button="Change" if act == "edit" else "Post",
        )

    def _showing(self, visit: Visit, owner: Profile) -> tuple[str, Post | None]:
        """Return what the form is for: an act, and the post it is about."""
        act, _, number = visit.query.get("x", "").partition(":")
        known = act in ("reply", "quote", "edit") and number.isascii() and number.isdigit()
        post = self._posts.get(min(int(number[:20]), 2**63 - 1)) if known else None
        if post is None or post.deleted or (act == "edit" and post.author_id != owner.id):
            return "post", None
        return act, self._posts.newest_version(post)

    # Messages

    def _chat_with(self, visit: Visit, owner: Profile) -> str:
        """Return with whom the phone shows messages: a handle, a conversation's id, or "" for posts."""
        showing, _, to = visit.query.get("x", "").partition(":")
        if showing != "dm":
            return ""
        if self._profiles.by_handle(to) or owner.id in self._messages.participants(to):
            return to
        return OURS[0].handle

    def _chat(self, visit: Visit, owner: Profile, to: str) -> Html:
        profile = self._profiles.by_handle(to)
        conversation = between(owner.id, profile.id) if profile else to
        events = self._messages.on_screen(conversation, _SHOWN_MESSAGES)
        choices = [*(each.handle for each in OURS), *self._groups(owner)]
        nav = joined(
            fill(
                "x/chat_choice",
                key=visit.person.key,
                to=quote(each),
                words=f"@{each}" if self._profiles.by_handle(each) else self._group_name(each, owner),
                current=when(each.lower() == to.lower(), 'aria-current="true"'),
            )
            for each in choices
        )
        bubbles = joined(self._bubble(owner, event) for event in events)
        return fill("x/chat", choices=nav, bubbles=bubbles or fill("x/chat_none"))

    def _bubble(self, owner: Profile, event: Event) -> Html:
        sender = self._profiles.known(event.sender_id)
        return fill(
            "x/bubble",
            mine=" chat--me" if sender.id == owner.id else "",
            who="" if sender.id == owner.id else f"@{sender.handle} · ",
            at=clock(moment_of(event.id)),
            exact=_exact(event.id),
            text=_readable(event.text, {link.short: link.full for link in event.links}),
            pictures=joined(fill("x/picture", address=self._address(key)) for key in event.media),
        )

    def _message_form(self, visit: Visit, owner: Profile, to: str, closed: Html) -> Html:
        name = f"@{to}" if self._profiles.by_handle(to) else self._group_name(to, owner)
        return fill("x/form_message", handle=owner.handle, to=to, name=name, closed=closed)

    def _groups(self, owner: Profile) -> list[str]:
        return [each for each in self._messages.conversations(owner.id, _SHOWN_CONVERSATIONS) if "-" not in each]

    def _group_name(self, conversation: str, owner: Profile) -> str:
        others = [user_id for user_id in self._messages.participants(conversation) if user_id != owner.id]
        return ", ".join(self._profiles.known(user_id).name.split()[0] for user_id in others)

    def _address(self, key: str) -> str:
        return f"/practice/x/media/{key.partition('_')[2]}.png"


def _readable(text: str, links: Mapping[str, str]) -> str:
    """Return a text with the addresses that its author wrote."""
    for short, full in links.items():
        text = text.replace(short, "" if full.endswith("/photo/1") else full)
    return text.strip()


def _initials(name: str) -> str:
    words = name.split()
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def _exact(number: int) -> str:
    return f"{datetime.fromtimestamp(moment_of(number)).astimezone():%Y-%m-%d %H:%M:%S %Z}"

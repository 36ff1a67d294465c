"""Who writes on Facebook during a busy hour, and what."""

from __future__ import annotations

import time
from random import Random

from practice.facebook.feed_store import Comment, Post
from practice.facebook.pages import PAGES, Page
from practice.facebook.store import Store
from practice.network import World
from practice.people import Person

_COMMENTS = (
    "Mine hums like a fridge since Tuesday. Order {order}. Is that normal?",
    "Still waiting for a reply to my message…",
    "Love it! Does it fit under a kitchen cupboard?",
    "3 Wochen Lieferzeit?! Bestellung {order}",
    "لم يصلني الطلب رقم {order} حتى الآن",
    "Do you ship to Ireland?",
    "Same here, and nobody answers the phone either 😤",
)
_VISITS = (
    "Has anybody here ever had an answer from this company? Order {order}, five weeks.",
    "The new grinder is wonderful. Thank you to whoever packed it so well!",
)
_MESSAGES = (
    "Hi, it is about order {order}. It was due on Tuesday.",
    "Can I change the address of {order}?",
    "Hello?",
    "The machine leaks from below. I can send a picture.",
    "Gracias, ya ha llegado 🙏",
)
_ANSWERS = ("Thanks, that helped.", "I did that already. Same thing.", "👍", "The number is {order}.")


class BusyCustomers:
    """Does one thing at a time, straight in the store, as people do on their phones."""

    def __init__(self, world: World, store: Store) -> None:
        self._world = world
        self._store = store

    async def write_one(self, random: Random) -> None:
        """Comment, answer a comment, write on a Page, send a message, or change one's mind about the last comment."""
        people = self._store.profiles.everybody()
        if not people:
            return
        person, page, now = random.choice(people), random.choice(PAGES), time.time()
        words = {"order": f"AC-{random.randrange(40000, 50000)}"}
        chance = random.random()
        if chance < 0.45:
            conversation = self._store.inbox.begun(page.id, person.key, now=now)
            self._store.inbox.read_by_person(conversation, now=now)
            self._store.inbox.said(conversation, random.choice(_MESSAGES).format(**words), now=now)
        elif chance < 0.55:
            text = random.choice(_VISITS).format(**words)
            self._store.feed.add_post(page.id, text, now=now, person_key=person.key)
        else:
            self._comment(random, person, page, words, now)

    def _comment(self, random: Random, person: Person, page: Page, words: dict[str, str], now: float) -> None:
        feed = self._store.feed
        posts = [post for post in feed.posts(page.id, limit=20) if not post.hidden]
        if not posts:
            return
        post = random.choice(posts[:3])
        comments = feed.comments(post, newest_first=True, limit=20)
        own = [each for each in comments if each.person_key == person.key]
        if own and random.random() < 0.25:
            # Whoever commented before sometimes puts it in other words, or thinks better of it.
            if random.random() < 0.7:
                feed.edit_comment(own[0], f"{own[0].message} (edited)"[:500], now=now)
            else:
                feed.delete_comment(own[0])
            return
        answered = self._answered(post, comments, person)
        text = random.choice(_ANSWERS if answered else _COMMENTS).format(**words)
        feed.add_comment(post, text, now=now, parent=answered, person_key=person.key)

    def _answered(self, post: Post, comments: list[Comment], person: Person) -> Comment | None:
        """Return a comment of the person's under which the Page had the last word, if there is one."""
        for comment in comments:
            if comment.person_key == person.key and comment.parent is None:
                below = self._store.feed.comments(post, below_comment=comment.number, newest_first=True, limit=1)
                if below and not below[0].person_key:
                    return comment
        return None

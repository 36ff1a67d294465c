"""Who writes on X during a busy hour, and what."""

from __future__ import annotations

from random import Random

from practice.network import World
from practice.x.handset import Handset
from practice.x.posts import Posts
from practice.x.profiles import OURS, Profile, Profiles

_POSTS = (
    "@{ours} where is my parcel? Order {order}, due on Tuesday.",
    "@{ours} the app logs me out every time. Am I the only one?",
    "Day 9 without my coffee machine. @{ours} anybody home? {order} 😤",
    "@{ours} ¿puedo devolver un pedido sin la caja? {order}",
    "@{ours} die Mühle ist da und läuft. Danke an den Fahrer!",
    "@{ours} هل تصل الطلبات يوم الجمعة؟ رقم الطلب {order}",
    "@{ours} 注文 {order} がまだ届きません",
    "Does @{ours} ever answer? Asking for a friend. https://example.com/review/{order}",
    "@{ours} " + "I was told it would be Wednesday, and I waited from nine until six. " * 6 + "{order}",
)
_ANSWERS = (
    "Thanks, I have sent you the number.",
    "That is what you said last week.",
    "👍",
    "It is {order}. The postcode is in your own records, surely.",
)
_MESSAGES = (
    "Hi, it is about order {order}. I would rather not say the rest in public.",
    "My postcode is AB1 2CD.",
    "Hello? {order}",
)


class BusyCustomers:
    """Writes one post, answer or message at a time, through the API like everybody."""

    def __init__(self, *, world: World, profiles: Profiles, posts: Posts, handset: Handset) -> None:
        self._world = world
        self._profiles = profiles
        self._posts = posts
        self._handset = handset

    async def write_one(self, random: Random) -> None:
        """Do something plausible; raise HandsetError, which is an OSError, when the network refuses."""
        people = [person for person in self._world.people.everybody() if person.x_id]
        author = self._profiles.known(random.choice(people).x_id)
        ours = random.choice(OURS)
        words = {"ours": ours.handle, "order": f"AC-{random.randrange(40000, 50000)}"}
        chance = random.random()
        unanswered = self._unanswered(author)
        if unanswered and chance < 0.5:
            body = {"text": _filled(random, _ANSWERS, words), "reply": {"in_reply_to_tweet_id": unanswered}}
            await self._handset.ask(author, "POST", "/2/tweets", body)
        elif chance < 0.75:
            await self._handset.ask(author, "POST", "/2/tweets", {"text": _filled(random, _POSTS, words)})
        else:
            where = f"/2/dm_conversations/with/{ours.id}/messages"
            await self._handset.ask(author, "POST", where, {"text": _filled(random, _MESSAGES, words)})

    def _unanswered(self, author: Profile) -> str:
        """Return the id of a post in which we had the last word with somebody, or ""."""
        for conversation in self._posts.conversations_of(author.id, 5):
            last = self._posts.of_conversation(conversation, 1)
            if last and self._profiles.known(last[0].author_id).ours and last[0].reply_to:
                return str(last[0].id)
        return ""


def _filled(random: Random, texts: tuple[str, ...], words: dict[str, str]) -> str:
    return random.choice(texts).format(**words)

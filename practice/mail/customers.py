"""Who writes during a busy hour, and what: in several languages, with pictures, at length, or hardly at all."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from practice.mail.accounts import OUR_MAILBOXES, Account, Accounts
from practice.mail.post import Post, Thread
from practice.mail.writing import Draft, as_html, broken, picture, write
from practice.people import People


@dataclass(frozen=True)
class Story:
    """A letter somebody might write. `{order}` and `{name}` are filled in."""

    subject: str
    text: str
    charset: str = "utf-8"
    html: bool = False
    picture: bool = False
    broken: bool = False


STORIES = (
    Story("Where is my parcel?", "Hello,\n\nmy order {order} was due on Tuesday and nobody has rung.\n\n{name}"),
    Story("Order {order}: wrong colour", "I ordered the red one. This is orange. 🍊 Please change it.\n\n{name}"),
    Story("The box had a dent", "The machine works, the box looks like this. Is that normal?\n\n{name}", picture=True),
    Story("Invoice", "Could you send me the invoice for {order} once more, please?\n\nKind regards\n{name}", html=True),
    Story("AW: Ihre Bestellung {order}", "Guten Tag,\n\nder Deckel schließt nicht. Können Sie einen schicken?\n"
          "\nMit freundlichen Grüßen\n{name}", charset="iso-8859-1"),
    Story("Commande {order}", "Bonjour,\n\nle livreur a déposé le colis chez un voisin, mais lequel ?\n\n{name}"),
    Story("تغيير عنوان التسليم", "مرحباً،\n\nهل يمكنني تغيير عنوان التسليم للطلب {order}؟\n\nشكراً\n{name}"),
    Story("注文 {order} について", "商品がまだ届いていません。\n\n{name}", charset="iso-2022-jp"),
    Story("¿Puedo devolverlo?", "Buenas tardes:\n\nno me gusta el sonido de la máquina. ¿Cómo la devuelvo?\n\n{name}"),
    Story("", "hi its me again, still nothing??? {order}"),
    Story("Thank you!", "It came this morning. Thank you, and please thank the driver too 🎉\n\n{name}"),
    Story("Zurück", "Ich möchte die Mühle zurückgeben. Bestellung {order}.", broken=True),
    Story("A long story about {order}", "Dear Acme,\n\n" + 25 * (
        "On Monday I was told it would be Wednesday. On Wednesday I waited from nine until six, and the courier's page "
        "said that nobody had been at home, which is not so, because I was standing at the window.\n\n"
    ) + "I would now like my money back.\n\n{name}"),
    Story("Gift card", "My aunt gave me a gift card, the number begins 4017. How do I use it for {order}?\n\n{name}"),
    Story("URGENT URGENT", "Water everywhere. It leaks from below. What NOW\n\n{name}", html=True, picture=True),
)  # fmt: skip

#: What somebody writes who got an answer.
ANSWERS = (
    "Thank you, that helps. When will it be here?",
    "No, that is not what I asked. It is order {order}.",
    "👍",
    "I have tried that twice already. Is there somebody I can speak to?\n\n{name}",
    "Great, thanks!\n\n{name}",
)


class BusyCustomers:
    """Writes one letter at a time, by whoever comes along."""

    def __init__(self, people: People, accounts: Accounts, post: Post) -> None:
        self._people = people
        self._accounts = accounts
        self._post = post

    async def write_one(self, random: Random) -> None:
        """Write a letter, or an answer where somebody of ours had the last word. Raises what sending raises."""
        writers = [person.mail for person in self._people.everybody() if person.mail]
        author = self._accounts.find(random.choice(writers))
        assert author is not None
        words = {"order": f"AC-{random.randrange(40000, 50000)}", "name": author.name}
        unanswered = [thread for thread in await self._post.threads(author.address) if not thread.last.mine]
        if unanswered and random.random() < 0.6:
            await self._answer(author, unanswered[0], random.choice(ANSWERS).format(**words))
            return
        story = random.choice(STORIES)
        to = random.choice(list(OUR_MAILBOXES))
        subject, text = story.subject.format(**words), story.text.format(**words)
        if story.broken:
            raw = broken(author, [to], subject, text)
        else:
            raw = write(
                author,
                Draft(
                    to=[to],
                    subject=subject,
                    text=text + "\n",
                    html=as_html(text) if story.html else "",
                    charset=_charset(story.charset, text),
                    files=[picture()] if story.picture else [],
                ),
            )
        await self._post.send(author, [to], raw)

    async def _answer(self, author: Account, thread: Thread, text: str) -> None:
        last = thread.last.contents
        draft = Draft(
            to=[thread.answer_to],
            subject=f"Re: {thread.subject}",
            text=text + "\n",
            in_reply_to=last.message_id,
            references=[*last.references, last.message_id],
        )
        await self._post.send(author, [thread.answer_to], write(author, draft))


def _charset(wished: str, text: str) -> str:
    """Return the story's charset if its words fit into it: a name in another script need not."""
    try:
        text.encode(wished)
    except UnicodeEncodeError:
        return "utf-8"
    return wished

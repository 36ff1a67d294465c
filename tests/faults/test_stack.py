"""The whole product under fire, on all four channels: any process may die at any moment, and nothing is lost, doubled
or sent twice.

Each row of CASES is a customer whose words come in, or whose answer leaves, while something is killed. Whatever it was:
all they said is on their ticket exactly once, the books balance, and each answer is with them exactly once and its
bubble says so. One death serves several cases where a process that dies has several things in hand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import requests

from tests.faults.theatre import Theatre, in_the_background, is_waiting_for_a_ticket, stuck_at
from tests.faults.voices import (
    PATIENCE,
    ByComment,
    ByDirectMessage,
    ByMail,
    ByMessenger,
    ByPhone,
    ByPost,
)  # fmt: skip
from tests.flows import at_x
from tests.running import until

pytestmark = pytest.mark.fault

MAILBOX = "care@acme.example"


@dataclass(frozen=True)
class Case:
    """What dies on which channel, and what becomes of the answer that was under way (docs/faults.md)."""

    id: str
    channel: str
    points: tuple[str, ...]
    outcome: str
    deaths: tuple[str, ...]


BEFORE, AFTER = "sender-before-the-write", "sender-after-the-commit"
CASES = (
    Case("mail-fetched", "mail", ("poll.after_fetch",), "read", ("poll",)),
    Case("post-recorded", "X", ("poll.after_commit",), "read", ("poll",)),
    Case("call-claimed", "telephone", ("intake.before_item", "intake.after_commit"), "read", ("intake",)),
    Case("comment-received", "Facebook", ("intake.after_receive",), "read", ("intake",)),
    Case("mail-claimed", "mail", ("delivery.after_claim",), "asked", (BEFORE,)),
    Case("post-claimed", "X", ("delivery.before_write",), "retry", (BEFORE,)),
    Case("direct-claimed", "X", ("delivery.before_write",), "asked", (BEFORE,)),
    Case("call-hooked", "telephone", ("hook.after_commit",), "read", ("web",)),
    Case("messenger-hooked", "Facebook", ("hook.before_commit", "hook.after_commit"), "read", ("web",)),
    Case("reply-pressed", "mail", (), "sent", ("web",)),
    Case("mail-written", "mail", ("delivery.after_write",), "found", ("sender-after-the-write",)),
    Case("post-written", "X", ("delivery.after_write",), "found", ("sender-after-the-write",)),
    Case("messenger-written", "Facebook", ("delivery.after_write",), "found", ("sender-after-the-write",)),
    Case("comment-written", "Facebook", ("delivery.after_write",), "found", ("sender-after-the-write",)),
    Case("messenger-sent", "Facebook", ("delivery.before_claim", "delivery.after_commit"), "sent", (BEFORE, AFTER)),
    Case("post-asleep", "X", ("delivery.before_write",), "retry", ("sleep",)),
    Case("beat", "mail", (), "sent", ("beat",)),
    Case("valkey", "Facebook, telephone", (), "sent", ("valkey",)),
    Case("postgres", "Facebook, telephone", ("delivery.before_claim",), "sent", ("postgres",)),
    Case("everything", "all four", (), "sent", ("everything",)),
)


# ---------------------------------------------------------------- the deaths


def poll_dies(theatre: Theatre) -> None:
    """With mails in hand that are not in the ledger, and posts in the ledger that nobody was asked to read."""
    for case in CASES:
        for kind in WRITES_FIRST.get(case.id, ()):
            theatre.voice(case.id, kind).say()
    for _ in range(2):
        theatre.voice("mail-fetched", ByMail).say()
        theatre.voice("post-recorded", ByPost).say()
    with theatre.held_at("poll.after_fetch"):
        theatre.switch_on(MAILBOX)
    with theatre.held_at("poll.after_commit"):
        theatre.switch_on(at_x.CARE)
    theatre.is_back("worker-poll", theatre.kill("worker-poll"))


def intake_dies(theatre: Theatre) -> None:
    """Having claimed that a telephone rings, again having written that it stopped, and over a comment."""
    call, comment = theatre.voice("call-claimed", ByPhone), theatre.voice("comment-received", ByComment)
    theatre.books_balance()
    theatre.arm("intake.before_item")
    call.ring()
    theatre.died("intake.before_item")
    theatre.arm("intake.after_commit")
    call.hang_up()
    theatre.died("intake.after_commit")
    call.arrives()
    with theatre.held_at("intake.after_receive"):
        comment.say()
    theatre.is_back("worker-intake", theatre.kill("worker-intake"))


def sender_dies_before_the_write(theatre: Theatre) -> None:
    """With four answers in hand, none of which has left."""
    theatre.nothing_leaves()
    friend = theatre.voice("messenger-sent", ByMessenger)
    mail = theatre.voice("mail-claimed", ByMail)
    post, direct = theatre.voice("post-claimed", ByPost), theatre.voice("direct-claimed", ByDirectMessage)
    voices = (friend, mail, post, direct)
    assert len({voice.ticket() for voice in voices}) == len(voices)
    # Handed to a worker and never claimed, it is handed out again after twenty seconds: other things die meanwhile.
    with theatre.held_at("delivery.before_claim"):
        friend.answer()
    with theatre.held_at("delivery.after_claim"):
        mail.answer()
    for voice in (post, direct):
        with theatre.held_at("delivery.before_write"):
            voice.answer()
    theatre.is_back("worker-delivery", theatre.kill("worker-delivery"))
    assert [voice.got(text) for voice in voices for text in voice.answered.values()] == [0, 0, 0, 0]


def web_dies(theatre: Theatre) -> None:
    """With a call, a message and a pressed answer in hand; then again with the message and the answer."""
    call, friend = theatre.voice("call-hooked", ByPhone), theatre.voice("messenger-hooked", ByMessenger)
    mail = theatre.voice("reply-pressed", ByMail)
    ticket = mail.ticket()
    key, text = "pressed-once", f"Answer 1 to {mail.name}."
    contact, seen = theatre.product.rows(
        "SELECT c.id, t.arrivals FROM tickets_contact c JOIN tickets_ticket t ON t.id = c.ticket_id WHERE t.id = %s",
        ticket,
    )[0]

    def press() -> int | None:
        try:
            answer = theatre.lead.post(f"/t/{ticket}/reply/", contact=contact, seen=seen, text=text, key=key)
        except requests.RequestException:
            return None
        assert answer.ok, answer.text
        return int(answer.json()["message"])

    def pressed() -> int:
        return int(theatre.product.value("SELECT count(*) FROM tickets_message WHERE pressed = %s", key))

    theatre.books_balance()
    calls = theatre.ledger("phone")
    with theatre.held_at("hook.after_commit"):
        call.ring()
    with theatre.held_at("hook.before_commit"):
        friend.say()
    with stuck_at(theatre.product, ticket), in_the_background(press):
        until(lambda: is_waiting_for_a_ticket(theatre.product), what="the answer waits for its ticket")
        killed = theatre.kill("web")
        assert (theatre.ledger("phone"), theatre.recorded(friend.said[-1])) == (calls + 1, 0)
        theatre.is_back("web", killed)
    theatre.pages_answer()
    assert pressed() == 0
    call.hang_up()
    friend.arrives()
    with theatre.held_at("hook.after_commit"):
        friend.say()
    with in_the_background(press):
        until(lambda: pressed() == 1, what="the answer is committed")
        killed = theatre.kill("web")
        assert theatre.recorded(friend.said[-1]) == 1
        theatre.is_back("web", killed)
    theatre.pages_answer()
    message = press()
    assert message is not None
    assert pressed() == 1
    mail.answered[message] = text


def sender_dies_after_the_write(theatre: Theatre) -> None:
    """With four answers in hand that have left, and nobody was told."""
    theatre.nothing_leaves()
    found = {
        kind: theatre.voice(case, kind)
        for case, kind in (
            ("mail-written", ByMail), ("post-written", ByPost),
            ("messenger-written", ByMessenger), ("comment-written", ByComment),
        )
    }  # fmt: skip
    for kind, voice in found.items():
        voice.ticket()
        # Of the comment Facebook tells nothing: it has to be found below the post.
        theatre.product.mischief("fb_hook_lost", network="facebook", on=kind is ByComment)
        with theatre.held_at("delivery.after_write"):
            voice.answer()
    killed = theatre.kill("worker-delivery")
    theatre.product.mischief("fb_hook_lost", network="facebook", on=False)
    assert [one.got(text) for one in found.values() for text in one.answered.values()] == [1, 1, 1, 1]
    theatre.is_back("worker-delivery", killed)


def sender_dies_after_the_commit(theatre: Theatre) -> None:
    """With an answer written down as sent."""
    theatre.nothing_leaves()
    friend = theatre.voice("messenger-sent", ByMessenger)
    friend.ticket()
    theatre.arm("delivery.after_commit")
    friend.answer()
    theatre.died("delivery.after_commit")


def sender_sleeps(theatre: Theatre) -> None:
    """Through its lease, just before the write; somebody else sends, and it wakes."""
    theatre.nothing_leaves()
    voice = theatre.voice("post-asleep", ByPost)
    voice.ticket()
    with theatre.held_at("delivery.before_write"):
        message = voice.answer()
    theatre.comes_to(message, "sent", 2)
    theatre.let_go("delivery.before_write")
    log = theatre.product.var / "log.txt"
    until(lambda: "came after the lease was lost" in log.read_text(), what="the sleeper has given up", seconds=PATIENCE)


def beat_dies(theatre: Theatre) -> None:
    """So that nothing is due until it is back."""
    mail = theatre.voice("beat", ByMail)
    mail.ticket()
    killed = theatre.kill("beat")
    mail.say()
    mail.answer()
    theatre.is_back("beat", killed)


def valkey_dies(theatre: Theatre) -> None:
    """Three times, so that hints and ticks are lost, and doors have nobody to tell."""
    friend = theatre.voice("valkey", ByMessenger)
    ticket = friend.ticket()
    # With every death it stays away longer: the third time for two seconds.
    for _ in range(2):
        theatre.is_back("valkey", theatre.kill("valkey"))
    killed = theatre.kill("valkey")
    friend.say()
    theatre.voice("valkey", ByPhone).say()
    friend.answer()
    # What is done is done, and can be taken back, though nobody can be told and no figure forgotten.
    assert theatre.lead.post("/act/tag/", ticket=ticket, add="late").json()["undo"]
    theatre.is_back("valkey", killed)


def postgres_dies(theatre: Theatre) -> None:
    """With a message and a call arriving and an answer under way."""
    friend = theatre.voice("postgres", ByMessenger)
    friend.ticket()
    # With a worker that is about to claim it: claimed, it would be for a person to decide.
    with theatre.held_at("delivery.before_claim"):
        friend.answer()
    killed = theatre.kill("postgres")
    friend.say()
    theatre.voice("postgres", ByPhone).say()
    theatre.is_back("postgres", killed)
    theatre.pages_answer()


def everything_dies(theatre: Theatre) -> None:
    """The supervisor and all it started, with something arriving on every channel; then a new start."""
    mail, post = theatre.voice("everything", ByMail), theatre.voice("everything", ByPost)
    ticket = mail.ticket()
    for voice in (mail, post, theatre.voice("everything", ByMessenger), theatre.voice("everything", ByPhone)):
        voice.say()
    mail.answer()
    theatre.kill_everything()
    theatre.product.start()
    theatre.pages_answer()
    assert mail.said[0] in theatre.lead.get(f"/t/{ticket}/").text


# In the order in which they are played: the polls bring everybody's first words, an intake worker must meet what its
# case speaks of, hooks are stopped while no answer is under way whose delivery a network would tell of, and a worker
# that just died is started again the later the sooner it dies again.
DEATHS: dict[str, Callable[[Theatre], None]] = {
    "poll": poll_dies,
    "intake": intake_dies,
    "web": web_dies,
    BEFORE: sender_dies_before_the_write,
    "beat": beat_dies,
    "sender-after-the-write": sender_dies_after_the_write,
    "sleep": sender_sleeps,
    "valkey": valkey_dies,
    AFTER: sender_dies_after_the_commit,
    "postgres": postgres_dies,
    "everything": everything_dies,
}
# Whose first words the polls bring; and those of Facebook's customers who have a ticket before something dies.
WRITES_FIRST: dict[str, tuple[type[ByMail | ByPost | ByMessenger], ...]] = {
    "mail-claimed": (ByMail,),
    "post-claimed": (ByPost,),
    "direct-claimed": (ByDirectMessage,),
    "reply-pressed": (ByMail,),
    "mail-written": (ByMail,),
    "post-written": (ByPost,),
    "messenger-written": (ByMessenger,),
    "comment-written": (ByComment,),
    "messenger-sent": (ByMessenger,),
    "post-asleep": (ByPost,),
    "beat": (ByMail,),
    "valkey": (ByMessenger,),
    "postgres": (ByMessenger,),
    "everything": (ByMail, ByPost),
}


def play(theatre: Theatre, *deaths: str) -> None:
    """Let them happen, unless they have happened already; and the first one before them."""
    for name in ("poll", *deaths):
        if name not in theatre.played:
            theatre.played.add(name)
            DEATHS[name](theatre)


@pytest.mark.parametrize("death", DEATHS)
def test_it_dies(theatre: Theatre, death: str) -> None:
    play(theatre, death)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_nothing_is_lost_and_nothing_doubled(theatre: Theatre, case: Case) -> None:
    play(theatre, *case.deaths)
    voices = theatre.voices(case.id)
    for voice in voices:
        voice.is_on_one_ticket_once()
        for message, text in voice.answered.items():
            if case.outcome == "asked":
                a_person_decides(theatre, message)
            theatre.comes_to(message, "sent", 2 if case.outcome in ("asked", "retry") else 1)
            assert voice.got(text) == 1
    assert any(voice.said for voice in voices)
    assert any(voice.answered for voice in voices) == (case.outcome != "read")
    theatre.books_balance()


def a_person_decides(theatre: Theatre, message: int) -> None:
    """Say that it is not there, as soon as nobody looks for it any more."""
    until(
        lambda: theatre.lead.post(f"/messages/{message}/settle/", is_there="0").status_code == 200,
        what="the last look is over",
        seconds=PATIENCE,
    )

"""The whole product under fire, by mail: any process may die at any moment, and nothing is lost, doubled or sent twice.

Each row of CASES is one customer whose mails come in, or whose answer leaves, while something is killed. Whatever it
was: every mail is on the customer's ticket exactly once, the books balance, and every answer reached the customer
exactly once and its bubble says so.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import psutil
import psycopg2
import pytest
import requests

from contactcentre.lib import faults
from tests.faults.conftest import CARE
from tests.running import Browser, Running, until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]

# What becomes of the case's mails and of its answer.
READ = "every mail is read once; no answer was under way"
SENT = "sent with the first attempt"
FOUND = "unknown; a look finds it among the sent mail; sent with the first attempt"
ASKED = "unknown; looks find nothing, which proves nothing; a person says it is not there; sent with the second attempt"


@dataclass(frozen=True)
class Case:
    """One death and its outcome."""

    id: str
    dies: str
    outcome: str


# The two that wait longest for their end come first: they are looked for while the others go on.
CASES = (
    Case("delivery-after-claim", "worker-delivery, once it has claimed the answer", ASKED),
    Case("delivery-before-write", "worker-delivery, just before it hands the answer to the mail server", ASKED),
    Case("web-reply", "web, inside the transaction of an answer, and again right after its commit", SENT),
    Case("intake-before-item", "worker-intake, once it has claimed a mail", READ),
    Case("intake-after-receive", "worker-intake, with the ticket written and not committed", READ),
    Case("intake-after-commit", "worker-intake, with the ticket committed and the next mail claimed", READ),
    Case("poll-after-fetch", "worker-poll, with mails in hand that are not in the ledger yet", READ),
    Case("poll-after-commit", "worker-poll, with the mails in the ledger and nobody told", READ),
    Case("delivery-after-write", "worker-delivery, when the mail server has said yes", FOUND),
    Case("delivery-after-commit", "worker-delivery, with the answer written down as sent", SENT),
    Case("beat", "beat, so that nothing is due until it is back", SENT),
    Case("valkey", "Valkey three times, so that hints and ticks are lost", SENT),
    Case("postgres", "PostgreSQL, with mails arriving and an answer under way", SENT),
    Case("everything", "the supervisor and all it started; then a new start", SENT),
)

PATIENCE = 60
MAILS = 3


@dataclass
class Stage:
    """A case's customer and their agent: what was said and answered, and what can be killed meanwhile."""

    case: Case
    product: Running
    agent: Browser
    customer: str
    said: list[str] = field(default_factory=list)
    answered: dict[int, str] = field(default_factory=dict)

    # ------------------------------------------------------------ the customer and the agent

    def mail(self, count: int = MAILS) -> None:
        """The customer writes so many mails, each a thread of its own."""
        for _ in range(count):
            text = f"{self.case.id}, mail {len(self.said) + 1}."
            self.product.mail(text, author=self.customer, subject=text)
            self.said.append(text)

    def ticket(self) -> int:
        """The customer's ticket, once what they said is on it."""
        self.everything_is_there_once()
        return self.product.ticket_with(self.said[0])

    def answer(self, ticket_id: int) -> int:
        """The agent answers; the id of the message, which leaves a second later."""
        text = f"Answer to {self.case.id}."
        message_id = self.agent.reply(ticket_id, text)
        self.answered[message_id] = text
        return message_id

    def letters(self, text: str) -> int:
        """How often the customer got this."""
        return len([one for one in self.product.letters(self.customer) if text in str(one)])

    def outbox(self, message_id: int) -> tuple[str, int, int]:
        """State, attempts and looks of the answer's row."""
        found = self.product.rows(
            "SELECT state, attempts, looks FROM channels_outbound WHERE reference = %s", f"message:{message_id}"
        )
        assert len(found) == 1
        return found[0]

    def pages_answer(self) -> None:
        """Wait until the inbox opens again."""

        def opens() -> bool:
            try:
                return self.agent.get("/").status_code == 200
            except requests.RequestException:
                return False

        until(opens, what="the inbox opens", seconds=PATIENCE)

    # ------------------------------------------------------------ killing

    def arm(self, point: str) -> None:
        """Let the next process that comes to the point be killed."""
        faults.arm(self.product.faults, point, "kill")

    def died(self, point: str) -> None:
        """Wait until somebody was killed there."""
        armed = self.product.faults / point
        taken = faults.reached(self.product.faults, point)
        until(lambda: not armed.exists() and not taken.exists(), what=f"a death at {point}", seconds=PATIENCE)

    def kill(self, name: str) -> int:
        """SIGKILL one process, without waiting for the next; its id."""
        pid = int(self.product.file()["pids"][name])
        os.kill(pid, signal.SIGKILL)
        return pid

    def is_back(self, name: str, killed: int) -> None:
        """Wait until the supervisor has started another."""
        until(
            lambda: self.product.file().get("pids", {}).get(name) not in (None, killed),
            what=f"another {name}",
            seconds=PATIENCE,
        )

    @contextmanager
    def nothing_fetched(self) -> Iterator[None]:
        """The mailbox is paused within, and fetches at once after it. No poll is under way any more."""
        product = self.product
        account_id = product.value("SELECT id FROM channels_channelaccount WHERE address = %s", CARE)
        admin = product.signed_in("admin")
        assert admin.post(f"/settings/accounts/{account_id}/pause/").ok
        until(
            lambda: product.value("SELECT lease_token IS NULL FROM channels_channelaccount WHERE id = %s", account_id),
            what="the last poll of the paused mailbox",
        )
        yield
        assert admin.post(f"/settings/accounts/{account_id}/resume/").ok

    # ------------------------------------------------------------ what must be true in the end

    def everything_is_there_once(self) -> None:
        """Each mail is one message, all on one ticket, and the books balance with nothing left open."""
        for text in self.said:
            until(lambda text=text: self._messages(text), what=f"the mail {text!r}", seconds=PATIENCE)
        until(lambda: self._books().get("pending", 0) == 0, what="nothing pending", seconds=PATIENCE)
        assert {text: self._messages(text) for text in self.said} == dict.fromkeys(self.said, 1)
        whose = self.product.rows(
            "SELECT DISTINCT ticket_id, customer_id FROM tickets_message WHERE trim(text) = ANY(%s)", self.said
        )
        assert len(whose) == min(1, len(self.said))
        books = self._books()
        seen = books.pop("seen")
        assert seen == sum(books.values()) == self.product.value("SELECT count(*) FROM channels_ledgeritem")
        assert books.get("quarantined", 0) == 0

    def every_answer_arrived_once(self) -> None:
        """Each answer is with the customer, once, and its bubble says sent."""
        for message_id, text in self.answered.items():
            until(
                lambda message_id=message_id: self.agent.state(message_id) == "sent",
                what=f"the bubble of {text!r} says sent",
                seconds=PATIENCE,
            )
            assert self.letters(text) == 1
            state, attempts, looks = self.outbox(message_id)
            assert (state, attempts) == ("sent", 2 if self.case.outcome == ASKED else 1)
            assert bool(looks) == (self.case.outcome in (FOUND, ASKED))

    def _messages(self, text: str) -> int:
        return int(self.product.value("SELECT count(*) FROM tickets_message WHERE trim(text) = %s", text))

    def _books(self) -> dict[str, int]:
        return {
            column: int(total)
            for column, total in self.product.rows('SELECT "column", sum(delta) FROM channels_ledgercount GROUP BY 1')
        }


# ---------------------------------------------------------------- the cases


def delivery_dies(stage: Stage, point: str) -> int:
    """The answer's sender is killed at the point; the id of its message."""
    stage.mail(1)
    ticket = stage.ticket()
    stage.arm(point)
    message_id = stage.answer(ticket)
    stage.died(point)
    return message_id


def sender_dies_before_the_write(stage: Stage, point: str) -> None:
    message_id = delivery_dies(stage, point)
    until(lambda: stage.agent.state(message_id) == "unknown", what="the bubble says perhaps", seconds=PATIENCE)
    assert stage.letters(stage.answered[message_id]) == 0
    refused = stage.agent.post(f"/messages/{message_id}/settle/", is_there="0")
    assert refused.status_code == 422, "nobody may send it again while it is looked for"


def web_dies(stage: Stage) -> None:
    stage.mail(1)
    ticket = stage.ticket()
    key, text = "pressed-once", f"Answer to {stage.case.id}."
    contact, seen = stage.product.rows(
        "SELECT c.id, t.arrivals FROM tickets_contact c JOIN tickets_ticket t ON t.id = c.ticket_id WHERE t.id = %s",
        ticket,
    )[0]

    def press() -> int | None:
        try:
            answer = stage.agent.post(f"/t/{ticket}/reply/", contact=contact, seen=seen, text=text, key=key)
        except requests.RequestException:
            return None
        assert answer.ok, answer.text
        return int(answer.json()["message"])

    def pressed() -> int:
        return int(stage.product.value("SELECT count(*) FROM tickets_message WHERE pressed = %s", key))

    with stuck_at(stage.product, ticket), in_the_background(press):
        until(lambda: is_waiting_for_a_ticket(stage.product), what="the answer waits for its ticket")
        stage.is_back("web", stage.kill("web"))
    stage.pages_answer()
    assert pressed() == 0
    with in_the_background(press):
        until(lambda: pressed() == 1, what="the answer is committed")
        stage.is_back("web", stage.kill("web"))
    stage.pages_answer()
    message_id = press()
    assert message_id is not None
    assert pressed() == 1
    stage.answered[message_id] = text


def intake_dies(stage: Stage, point: str) -> None:
    stage.arm(point)
    stage.mail()
    stage.died(point)


def poll_dies(stage: Stage, point: str) -> None:
    # The mails are there before the fault is armed and before anybody looks: the poll that dies is the one with them.
    with stage.nothing_fetched():
        stage.mail()
        stage.arm(point)
    stage.died(point)


def beat_dies(stage: Stage) -> None:
    stage.mail(1)
    ticket = stage.ticket()
    killed = stage.kill("beat")
    stage.mail()
    stage.answer(ticket)
    stage.is_back("beat", killed)


def valkey_dies(stage: Stage) -> None:
    stage.mail(1)
    ticket = stage.ticket()
    # With every death it stays away longer: the third time for two seconds.
    for _ in range(2):
        stage.is_back("valkey", stage.kill("valkey"))
    killed = stage.kill("valkey")
    stage.mail()
    stage.answer(ticket)
    stage.is_back("valkey", killed)


def postgres_dies(stage: Stage) -> None:
    stage.mail(1)
    ticket = stage.ticket()
    # Held back for a second, so it is queued and not yet claimed.
    stage.answer(ticket)
    killed = stage.kill("postgres")
    stage.mail()
    stage.is_back("postgres", killed)
    stage.pages_answer()
    assert stage.said[0] in stage.agent.get(f"/t/{ticket}/").text


def everything_dies(stage: Stage) -> None:
    stage.mail(1)
    ticket = stage.ticket()
    stage.mail()
    stage.answer(ticket)
    assert stage.product.process is not None
    supervisor = psutil.Process(stage.product.process.pid)
    tree = [supervisor, *supervisor.children(recursive=True)]
    for process in tree:
        # It may have ended with one that was killed before it.
        if process.is_running():
            process.kill()
    stage.product.process.wait(30)
    stage.product.start()
    stage.pages_answer()


PLAYS: dict[str, Callable[[Stage], object]] = {
    "delivery-after-claim": lambda stage: sender_dies_before_the_write(stage, "delivery.after_claim"),
    "delivery-before-write": lambda stage: sender_dies_before_the_write(stage, "delivery.before_write"),
    "web-reply": web_dies,
    "intake-before-item": lambda stage: intake_dies(stage, "intake.before_item"),
    "intake-after-receive": lambda stage: intake_dies(stage, "intake.after_receive"),
    "intake-after-commit": lambda stage: intake_dies(stage, "intake.after_commit"),
    "poll-after-fetch": lambda stage: poll_dies(stage, "poll.after_fetch"),
    "poll-after-commit": lambda stage: poll_dies(stage, "poll.after_commit"),
    "delivery-after-write": lambda stage: delivery_dies(stage, "delivery.after_write"),
    "delivery-after-commit": lambda stage: delivery_dies(stage, "delivery.after_commit"),
    "beat": beat_dies,
    "valkey": valkey_dies,
    "postgres": postgres_dies,
    "everything": everything_dies,
}


@pytest.fixture(scope="module")
def stages() -> list[Stage]:
    """Every case that was played, for the look at all of them in the end."""
    return []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_nothing_is_lost_and_nothing_doubled(case: Case, product: Running, agent: Browser, stages: list[Stage]) -> None:
    customer = f"{case.id}@post.example"
    product.act("/practice/people", name="Robin Marlow", mail=customer, x_handle="", facebook=False, phone="")
    stage = Stage(case, product, agent, customer)
    stages.append(stage)
    PLAYS[case.id](stage)
    stage.everything_is_there_once()
    if case.outcome != ASKED:
        stage.every_answer_arrived_once()


def test_in_the_end_a_person_decides_the_undecided_and_everything_is_there_once(stages: list[Stage]) -> None:
    for stage in stages:
        if stage.case.outcome != ASKED:
            continue
        for message_id, text in stage.answered.items():
            until(
                lambda stage=stage, message_id=message_id: (
                    stage.agent.post(f"/messages/{message_id}/settle/", is_there="0").status_code == 200
                ),
                what="the last look is over",
                seconds=120,
            )
            until(lambda stage=stage, text=text: stage.letters(text), what=f"{text!r} arrives", seconds=PATIENCE)
    for stage in stages:
        stage.everything_is_there_once()
        stage.every_answer_arrived_once()


# ---------------------------------------------------------------- at the same time


@contextmanager
def stuck_at(product: Running, ticket_id: int) -> Iterator[None]:
    """Within it whoever acts on the ticket waits."""
    with closing(psycopg2.connect(product.file()["database_url"], connect_timeout=3)) as holder:
        with holder.cursor() as cursor:
            cursor.execute("SELECT 1 FROM tickets_ticket WHERE id = %s FOR UPDATE", [ticket_id])
        yield


def is_waiting_for_a_ticket(product: Running) -> bool:
    # The server shows the first 1024 characters of a statement, so the end of a long one is not asked for.
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%%tickets_ticket%%'"
    return bool(product.rows(waiting))


@contextmanager
def in_the_background(act: Callable[[], object]) -> Iterator[None]:
    thread = threading.Thread(target=act)
    thread.start()
    yield
    thread.join(PATIENCE)
    assert not thread.is_alive()

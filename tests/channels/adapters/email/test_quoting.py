"""Where a reply ends and the mail it quotes begins."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.adapters.email.quoting import split

INTRODUCTIONS = [
    "On Sat, 21 Nov 2026 at 10:02, The Shop <care@shop.example> wrote:",
    "On Sat, 21 Nov 2026 at 10:02, The Shop\n<care@shop.example> wrote:",
    "On Nov 21, 2026, at 10:02, The Shop\n<care@shop.example>\nwrote:",
    "Am 21.11.2026 um 10:02 schrieb The Shop <care@shop.example>:",
    "Am Sa., 21. Nov. 2026 um 10:02 Uhr schrieb The Shop <\ncare@shop.example>:",
    "Le sam. 21 nov. 2026 à 10:02, The Shop <care@shop.example> a écrit :",
    "El sáb, 21 nov 2026 a las 10:02, The Shop (<care@shop.example>) escribió:",
    "Il giorno sab 21 nov 2026 alle ore 10:02 The Shop <care@shop.example> ha scritto:",
    "Em sáb., 21 de nov. de 2026 às 10:02, The Shop <care@shop.example> escreveu:",
    "Op za 21 nov 2026 om 10:02 schreef The Shop <care@shop.example>:",
    "21.11.2026 10:02, The Shop пишет:",
    "2026年11月21日(土) 10:02 The Shop <care@shop.example>:",
    "-----Original Message-----\nFrom: The Shop\nSent: Saturday\nTo: Carla\nSubject: Re: x",
    "________________________________\nFrom: The Shop <care@shop.example>\nSent: Saturday\nTo: C\nSubject: Re: x",
    "Von: The Shop <care@shop.example>\nGesendet: Samstag, 21. November 2026\nAn: Carla\nBetreff: AW: Paket",
]


@pytest.mark.parametrize("introduction", INTRODUCTIONS)
def test_what_is_quoted_below_is_cut(introduction):
    text, quoted = split(
        f"Yes, please.\nCarla\n\n{introduction}\n\n> Shall we send it again?\n> Leo\n", subject="Re: x"
    )
    assert text == "Yes, please.\nCarla"
    assert quoted.split() == f"{introduction}\n\n> Shall we send it again?\n> Leo".split()


@pytest.mark.parametrize(
    ("whole", "subject"),
    [
        ("From: Berlin\nTo: Hamburg\nDate: 3 May\nTwo persons", "Booking"),
        ("Hello,\nFrom: Berlin\nTo: Hamburg\nDate: 3 May\nTwo persons", "Booking"),
        ("Hello,\nOn Monday your colleague wrote:\nhe will come.\nHe did not.", "Repair"),
        ("> Shall we send it?\n\nYes!", "Re: x"),
        ("On 21.11.2026 10:02, Leo wrote:\n> Shall we?\n\nYes, below.", "Re: x"),
        ("See inside:\n\nOn 21.11.2026 10:02, Leo wrote:\n> When?\nMonday.\n> Where?\nHome.", "Re: x"),
        ("Please look.\n\n------ Forwarded message -----\nFrom: Tom\nDate: 3 May\nSubject: Bill\n\nPay!", "Fwd: Bill"),
        ("Please look.\n\nVon: Tom\nGesendet: 3 May\nAn: Carla\nBetreff: Bill\n\nPay!", "WG: Bill"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_the_sender_wants_read_is_not_cut(whole, subject):
    assert split(whole, subject=subject) == (whole, "")


def test_a_signature_below_the_quote_is_no_answer():
    text, quoted = split("Yes.\n\nOn 21.11.2026 10:02, Leo wrote:\n> Shall we?\n\n-- \nCarla\n+44", subject="Re")
    assert text == "Yes."
    assert quoted.endswith("+44")


WORDS = ["> quoted", ">> twice", "", "my words", "-- ", "From: a", "___________"]
LINES = st.lists(st.sampled_from([*INTRODUCTIONS, *WORDS]), max_size=30)


@settings(max_examples=150, deadline=None)
@given(LINES, st.sampled_from(["", "Re: x", "Fwd: x"]))
def test_text_and_quoted_hold_every_word(lines, subject):
    whole = "\n".join(lines)
    text, quoted = split(whole, subject=subject)
    assert f"{text}\n{quoted}".split() == whole.split()
    assert text.strip() or not quoted


@pytest.mark.parametrize(
    "line",
    ["Am " + " schrieb " * 20_000, "On " * 50_000, "From:" * 40_000, "> " * 100_000, "x: \n" * 50_000, "-" * 300_000,
     "On 1 wrote\n" * 20_000, "(" * 100_000, ": " * 100_000, "\n" * 300_000],
)  # fmt: skip
def test_hostile_texts_are_split_in_bounded_time(line):
    # Of this process alone: how busy the machine is says nothing about the text.
    start = time.process_time()
    split(line)
    assert time.process_time() - start < 3

"""What a mail is known by."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from channels.adapters.email import mail_key
from channels.adapters.email.headers import decode_words, message_ids

ONE = (
    b"From: Carla <carla@mail.example>\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n"
    b"Message-ID: <A1@mail.example>\r\n\r\nhi"
)


def test_the_same_mail_in_two_mailboxes_has_one_key():
    there = b"Delivered-To: returns@shop.example\r\nReceived: by other\r\n" + ONE
    assert mail_key(ONE) == mail_key(there)
    assert mail_key(ONE).startswith("<A1@mail.example>#")
    assert len(mail_key(ONE).partition("#")[2]) == 12


def test_relays_that_fold_lines_anew_do_not_change_the_key():
    folded = ONE.replace(b"From: Carla <", b"From: Carla\r\n <").replace(b"Message-ID: <A1@", b"Message-ID:\r\n <A1 @")
    assert mail_key(folded) == mail_key(ONE)
    assert mail_key(ONE.replace(b"\r\n", b"\n")) == mail_key(ONE)


def test_a_used_id_with_another_sender_or_date_is_another_mail():
    assert mail_key(ONE.replace(b"carla@", b"tom@")) != mail_key(ONE)
    assert mail_key(ONE.replace(b"10:00:00", b"10:00:01")) != mail_key(ONE)


def test_a_mail_without_an_id_is_known_by_its_bytes():
    for identifier in (b"", b"Message-ID: \r\n", b"Message-ID: <>\r\n", b"Message-ID: < >\r\n"):
        raw = b"From: a@b.example\r\n" + identifier + b"\r\nbody"
        assert mail_key(raw).startswith("sha256:")
        assert mail_key(raw) != mail_key(raw + b"!")


def test_ids_are_found_glued_folded_and_in_junk_with_their_case_kept():
    assert message_ids("junk <B@x.example><c@X.example> (comment) <d\t@x.example>") == [
        "<B@x.example>",
        "<c@X.example>",
        "<d@x.example>",
    ]
    assert message_ids("bare@x.example") == ["<bare@x.example>"]
    assert message_ids("<> < >") == []


def test_an_absurdly_long_id_is_shortened_the_same_way_everywhere():
    (short,) = message_ids(f"<{'a' * 5000}@x.example>")
    assert len(short) < 500
    assert message_ids(f"<{'a' * 5000}@x.example>") == [short]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_make_the_key_raise(raw: bytes):
    assert mail_key(raw)
    assert mail_key(b"Message-ID: " + raw)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_no_words_make_decoding_raise(words: str):
    assert "\x00" not in decode_words(words)
    decode_words(f"=?utf-8?b?{words}?= =?{words}?q?a?=")


def test_a_character_cut_in_two_encoded_words_is_put_together():
    assert decode_words("=?utf-8?b?R3LDvMOf?= =?utf-8?b?ZSDDpA==?=") == "Grüße ä"
    assert decode_words("=?utf-8?q?a=C3?= =?utf-8?q?=A4?=") == "aä"
    assert decode_words("=?nonsense?q?caf=E9?=") == "café"

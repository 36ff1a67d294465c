"""Mails as people and programs write them."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime

import pytest

from channels.adapters.base import PayloadError

HEAD = (
    "From: Carla Hughes <Carla.H@mail.example>\r\nTo: care@shop.example\r\nDate: Sat, 21 Nov 2026 09:59:00 +0000\r\n"
    "Message-ID: <m1@mail.example>\r\nSubject: My parcel\r\nMIME-Version: 1.0\r\n"
)
PLAIN = "Content-Type: text/plain; charset=utf-8\r\n\r\n"


def multipart(kind: str, *parts: str, more: str = "") -> str:
    body = "".join(f"--b1\r\n{part}\r\n" for part in parts)
    return f"Content-Type: multipart/{kind}; boundary=b1{more}\r\n\r\n{body}--b1--\r\n"


def test_a_plain_mail(read):
    message = read(HEAD + PLAIN + "Where is it?\r\n-- \r\nCarla")
    assert message.text == "Where is it?\n-- \nCarla"
    assert message.subject == "My parcel"
    assert message.author.value == "Carla.H@mail.example"
    assert message.author.name == "Carla Hughes"
    assert message.thread == message.reference == "<m1@mail.example>"
    assert message.said_at == datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
    assert (message.direction, message.automatic, message.token, message.reply_to) == ("in", "", "", None)


def test_the_thread_is_the_oldest_reference_and_the_nearest_come_first(read):
    message = read(
        HEAD + "In-Reply-To: <c@x.example>\r\nReferences: <a@x.example>\r\n <b@x.example><c@x.example>\r\n" + PLAIN
    )
    assert message.thread == "<a@x.example>"
    assert message.references == ("<c@x.example>", "<b@x.example>", "<a@x.example>")


def test_only_so_many_references_are_kept(read):
    chain = " ".join(f"<r{number}@x.example>" for number in range(120))
    message = read(HEAD + f"References: {chain}\r\n" + PLAIN)
    assert len(message.references) == 50
    assert message.references[0] == "<r119@x.example>"
    assert message.thread == "<r0@x.example>"


@pytest.mark.parametrize("field", ["To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To"])
def test_the_plus_part_of_our_address_is_the_token(read, field):
    message = read(f"From: c@mail.example\r\n{field}: Shop <CARE+t42.aB-c@Shop.Example>\r\n" + PLAIN)
    assert message.token == "t42.aB-c"
    assert message.participants == ()


def test_our_own_message_id_is_a_token_where_no_address_holds_one(read):
    assert read(HEAD + "In-Reply-To: <t7.a3.abcd@shop.example>\r\n" + PLAIN).token == "t7.a3.abcd"


def test_participants_are_all_others_and_a_differing_reply_to_is_told(read):
    message = read(
        "From: Carla <c@mail.example>\r\nTo: care@shop.example, Tom <tom@mail.example>, C@mail.example\r\n"
        'Cc: returns+x@shop.example, "Lee, Ann" <ann@mail.example>, tom@mail.example\r\n'
        "Reply-To: other@mail.example\r\n" + PLAIN
    )
    assert [each.value for each in message.participants] == ["tom@mail.example", "ann@mail.example"]
    assert message.participants[1].name == "Lee, Ann"
    assert message.reply_to is not None
    assert message.reply_to.value == "other@mail.example"


def test_our_own_mail_coming_back_is_outgoing(read):
    message = read("From: care@shop.example\r\nTo: Carla <c@mail.example>\r\nMessage-ID: <o@s>\r\n" + PLAIN + "hello")
    assert message.direction == "out"
    assert message.recipient is not None
    assert message.recipient.value == "c@mail.example"


SENT = "From: Ben <sales@shop.example>\r\nMessage-ID: <o@s>\r\n"


def test_what_lies_among_our_sent_mail_is_ours_under_whatever_address(read):
    message = read(f"{SENT}To: returns@shop.example\r\nCc: c@mail.example\r\n{PLAIN}hello", happening="sent")
    assert (message.direction, message.author.value) == ("out", "sales@shop.example")
    assert message.recipient is not None
    assert message.recipient.value == "c@mail.example"
    nobody = read(f"To: c@mail.example\r\n{PLAIN}hello", happening="sent")
    assert (nobody.direction, nobody.author.value) == ("out", "care@shop.example")
    among_us = read(f"{SENT}To: returns@shop.example\r\n{PLAIN}hello", happening="sent")
    assert among_us.recipient is not None
    assert among_us.recipient.value == "returns@shop.example"


def test_a_mail_that_left_from_here_is_marked_by_its_reply_to(read):
    ours = f"{SENT}To: c@mail.example\r\nReply-To: care+t42.0123456789abcdef@shop.example\r\n{PLAIN}hello"
    assert read(ours, happening="sent").marker == "t42.0123456789abcdef"
    assert read(ours.replace("care+t42.0123456789abcdef", "care"), happening="sent").marker == ""
    assert read(ours.replace("sales@shop.example", "c@mail.example")).marker == ""


def test_whom_we_wrote_to_in_bcc_is_told_of_our_own_mail_alone(read):
    copy = f"To: colleague@firm.example\r\nBcc: c@mail.example\r\n{PLAIN}hello"
    message = read(SENT + copy, happening="sent")
    assert [each.value for each in message.blind] == ["c@mail.example"]
    assert [each.value for each in message.participants] == ["colleague@firm.example"]
    assert read(f"From: stranger@mail.example\r\n{copy}").blind == ()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Sat, 21 Nov 2026 11:58:00 +0200", (9, 58)),
        ("Sat, 21 Nov 2026 10:05:00 +0000", (10, 0)),
        ("Thu, 32 Foo 2026 25:61:00 +9999", (10, 0)),
    ],
)
def test_our_own_mail_was_said_when_it_was_written_though_its_copy_was_filed_later(read, written, said):
    """A stranger's Date is believed by nobody; that of our own program where it is the earlier."""
    message = read(f"{SENT}Date: {written}\r\n{PLAIN}hello", happening="sent")
    assert message.said_at == datetime(2026, 11, 21, *said, tzinfo=UTC)
    assert read(f"{HEAD}Date: {written}\r\n{PLAIN}hello").said_at == datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def test_a_machine_s_answer_of_ours_is_told_from_a_person_s_whatever_our_address(read):
    assert read(f"From: noreply@shop.example\r\n{PLAIN}hello", happening="sent").automatic == ""
    machine = read(f"{SENT}Auto-Submitted: auto-replied\r\n{PLAIN}away", happening="sent")
    assert machine.automatic == "out-of-office"


def test_nobody_in_from_means_sender_then_nameless(read):
    assert read("Sender: s@mail.example\r\n" + PLAIN).author.value == "s@mail.example"
    nobody = read("From: undisclosed\r\nMessage-ID: <n@x.example>\r\n" + PLAIN)
    assert nobody.author.kind == "nameless"
    assert nobody.author.value == nobody.external_id


def test_an_address_hidden_in_a_name_is_not_the_author(read):
    message = read('From: "boss@shop.example (Boss)" <mallory@mail.example>\r\n' + PLAIN)
    assert message.author.value == "mallory@mail.example"
    encoded = base64.b64encode(b"boss@shop.example, ").decode()
    assert (
        read(f"From: =?utf-8?b?{encoded}?= <mallory@mail.example>\r\n" + PLAIN).author.value == "mallory@mail.example"
    )


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("carla@home.example <mallory@mail.example>", "carla@home.example"),
        ("care@shop.example <mallory@mail.example>", "care@shop.example"),
        ("Baker, Ana @ Home <mallory@mail.example>", "Ana @ Home"),
        ('"carla@home.example <mallory@mail.example>', "carla@home.example"),
        ("(carla@home.example) c@x.example <mallory@mail.example>", "(carla@home.example) c@x.example"),
        ("carla@home.example <mallory@mail.example", "carla@home.example"),
        ("mallory@mail.example <mallory@mail.example>", ""),
    ],
)
def test_what_stands_in_brackets_is_the_address_and_what_stands_before_them_only_a_name(read, written, name):
    message = read(f"From: {written}\r\n" + PLAIN)
    assert (message.direction, message.author.value, message.author.name) == ("in", "mallory@mail.example", name)


@pytest.mark.parametrize("piece", ['\\"', "\\("])
def test_a_field_full_of_marks_that_open_nothing_is_read_in_a_moment(read, piece):
    start = time.process_time()
    message = read(f"From: Carla <carla@mail.example>\r\nCc: <tom@mail.example>{piece * 16_000}\r\n" + PLAIN)
    # Seven seconds, where each of them is followed to the end of the field.
    assert time.process_time() - start < 2
    assert [one.value for one in message.participants] == ["tom@mail.example"]


def test_a_subject_cannot_smuggle_a_header(read):
    assert (
        read("Subject: =?utf-8?Q?hello=0D=0ABcc:_evil@x.example?=\r\n" + PLAIN).subject == "hello Bcc: evil@x.example"
    )


@pytest.mark.parametrize(
    ("charset", "data", "text"),
    [
        ("gb2312", "镕基 你好".encode("gb18030"), "镕基 你好"),
        ("iso-8859-1", b"price \x80 5 \x96 now", "price € 5 – now"),
        ("us-ascii", "Grüße".encode(), "Grüße"),
        ("x-unknown-charset", "Grüße aus Köln".encode(), "Grüße aus Köln"),
        ("_iso-2022-jp$ESC", "こんにちは".encode("iso2022_jp"), "こんにちは"),
        ("shift_jis", "①こんにちは".encode("cp932"), "①こんにちは"),
        ("utf-8", b"broken \xe4 here", "broken ä here"),
        ("punycode", b"plain", "plain"),
        ("\x00", "Grüße".encode(), "Grüße"),
    ],
)
def test_the_charset_ladder_never_loses_a_letter(read, charset, data, text):
    raw = (HEAD + f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n").encode()
    message = read(raw + data)
    assert message.text == text
    assert "�" not in message.text


@pytest.mark.parametrize(
    "meta",
    ['<meta charset="windows-1251">', '<META http-equiv="Content-Type" content="text/html; charset=windows-1251">'],
)
def test_a_page_that_names_its_charset_is_believed_where_the_mail_names_none(read, meta):
    page = f"<html><head>{meta}</head><body>Привет, заказ не пришёл</body></html>".encode("cp1251")
    assert read(b"From: c@mail.example\r\nContent-Type: text/html\r\n\r\n" + page).text == "Привет, заказ не пришёл"
    told = b"From: c@mail.example\r\nContent-Type: text/html; charset=koi8-r\r\n\r\n"
    assert read(told + page.decode("cp1251").encode("koi8-r")).text == "Привет, заказ не пришёл"


def test_html_alone_makes_text_and_pictures_of_the_mail_are_inline(read):
    html = (
        'Content-Type: text/html\r\n\r\n<p onclick=x>Look <a href="https://shop.example/x">here</a></p><script>1</script>'
        '<img src="cid:pic@1" alt="a scratch"><img src="https://spy.example/1.gif">'
    )
    picture = "Content-Type: image/png\r\nContent-ID: <pic@1>\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8="
    other = "Content-Type: image/png; name=b.png\r\nContent-ID: <pic@2>\r\nContent-Disposition: inline\r\n\r\nx"
    message = read(HEAD + multipart("related", html, picture, other))
    assert message.text == "Look here <https://shop.example/x>\n\n[a scratch]"
    assert 'src="cid:pic@1"' in message.html
    assert "spy.example" not in message.html
    assert "onclick" not in message.html
    assert [(each.content_id, each.is_inline, each.data) for each in message.files] == [
        ("pic@1", True, b"hello"),
        ("pic@2", False, b"x"),
    ]
    assert any("picture" in note for note in message.notes)


def test_words_before_and_after_a_file_are_all_there(read):
    message = read(
        HEAD
        + multipart(
            "mixed",
            "Content-Type: text/plain\r\n\r\nbefore",
            'Content-Type: application/pdf; name="../../etc/passwd"\r\n\r\nx',
            "Content-Type: text/plain\r\n\r\nafter",
        )
    )
    assert message.text == "before\n\nafter"
    assert [each.name for each in message.files] == ["passwd"]


def test_an_attached_mail_a_calendar_and_winmail_are_files(read):
    message = read(
        HEAD
        + multipart(
            "mixed",
            "Content-Type: message/rfc822\r\n\r\nSubject: Inner one\r\nFrom: x@y.example\r\n\r\nFrom here on\r\n",
            "Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR",
            "Content-Type: application/ms-tnef; name=winmail.dat\r\n\r\nx",
        )
    )
    assert [each.name for each in message.files] == ["Inner one.eml", "file-2.ics", "winmail.dat"]
    assert b"\nFrom here on" in (message.files[0].data or b"").replace(b"\r", b"")


@pytest.mark.parametrize(
    "written",
    [
        'filename="=?utf-8?q?R=C3=BCckgabe=2Epdf?="',
        "filename*=utf-8''R%C3%BCckgabe.pdf",
        "filename*0*=utf-8''R%C3%BC; filename*1=ckgabe.pdf",
        'filename="Rückgabe.pdf"',
        "filename*=x-nonsense''R%C3%BCckgabe.pdf",
    ],
)
def test_file_names_in_every_writing(read, written):
    part = f"Content-Type: application/pdf\r\nContent-Disposition: attachment; {written}\r\n\r\nx"
    assert read(HEAD + multipart("mixed", part)).files[0].name == "Rückgabe.pdf"


def test_a_file_beyond_the_limit_is_noted_without_its_bytes(read, settings):
    settings.ATTACHMENT_MAX_BYTES = 10
    (file,) = read(HEAD + multipart("mixed", "Content-Type: image/png; name=p.png\r\n\r\n" + "x" * 50)).files
    assert file.data is None
    assert file.size == 50
    assert file.note


def test_parts_beyond_a_hundred_are_counted_in_a_note(read):
    parts = [f"Content-Type: image/png; name=p{number}.png\r\n\r\nx" for number in range(130)]
    message = read(HEAD + multipart("mixed", *parts))
    assert len(message.files) == 100
    assert any("30" in note for note in message.notes)


def test_a_mail_that_was_too_large_says_so(read):
    message = read(HEAD + "Content-Type: multipart/mixed; boundary=b\r\n\r\n", too_large=52_000_000)
    assert message.subject == "My parcel"
    assert message.text == ""
    assert any("52 MB" in note for note in message.notes)


def test_very_long_words_are_attached_whole(read):
    message = read(HEAD + PLAIN + "word " * 150_000)
    assert len(message.text) == 500_000
    assert message.files[0].name == "message.txt"
    assert message.files[0].size > 700_000
    assert message.notes


def test_a_mail_that_could_not_be_fetched_is_refused_with_the_reason(read):
    with pytest.raises(PayloadError, match="SERVERBUG"):
        read(b"", error="The server said SERVERBUG")
    with pytest.raises(PayloadError):
        read(b"\r\n\r\n")


def test_mail_nested_beyond_reading_is_refused_or_noted(read):
    deep = HEAD
    for number in range(60):
        deep += f"Content-Type: multipart/mixed; boundary=n{number}\r\n\r\n--n{number}\r\n"
    assert any("left out" in note for note in read(deep + "Content-Type: text/plain\r\n\r\nhi").notes)
    for number in range(60, 700):
        deep += f"Content-Type: multipart/mixed; boundary=n{number}\r\n\r\n--n{number}\r\n"
    with pytest.raises(PayloadError):
        read(deep)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ("Auto-Submitted: auto-replied (vacation)\r\n", "out-of-office"),
        ("Auto-Submitted: auto-generated\r\n", "auto-submitted"),
        ("Auto-Submitted: no\r\n", ""),
        ("X-Autoreply: yes\r\n", "out-of-office"),
        ("Precedence: bulk\r\n", "bulk"),
        ("List-Id: <news.shop.example>\r\n", "list"),
        ("X-Loop: care@shop.example\r\n", "loop"),
        ("X-Auto-Response-Suppress: All\r\n", "auto-submitted"),
        ("X-Auto-Response-Suppress: None\r\n", ""),
        ("Return-Path: <>\r\n", "auto-submitted"),
    ],
)
def test_machines_are_recognised(read, fields, word):
    assert read(HEAD + fields + PLAIN + "hello").automatic == word


@pytest.mark.parametrize("author", ["no-reply@x.example", "NoReply+1@x.example", "do_not_reply@x.example"])
def test_addresses_nobody_reads_are_recognised(read, author):
    assert read(f"From: {author}\r\n" + PLAIN).automatic == "no-reply"


def test_a_person_called_noreen_is_a_person(read):
    assert read("From: noreen@mail.example\r\n" + PLAIN).automatic == ""


def test_an_attached_mail_that_came_encoded_is_kept_as_the_mail_it_is(read):
    inner = "Subject: Invoice\r\nFrom: c@mail.example\r\n\r\nten euros"
    encoded = base64.encodebytes(inner.encode()).decode()
    part = f"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n{encoded}"
    (file,) = read("From: c@mail.example\r\n" + multipart("mixed", PLAIN + "see below", part)).files
    assert file.name == "Invoice.eml"
    assert (file.data or b"").split() == inner.encode().split()

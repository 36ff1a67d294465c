"""Delivery reports of several mail systems: which mail of ours did not arrive, and why."""

from __future__ import annotations

import base64

import pytest

from tests.channels.adapters.email.test_parsing import PLAIN, multipart


def test_a_delivery_report_names_our_mail_and_says_why(read):
    status = (
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        "Final-Recipient: rfc822; carla@mail.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 unknown user\r\n"
    )
    ours = "Content-Type: message/rfc822\r\n\r\nMessage-ID: <t42.a7.x@shop.example>\r\nSubject: Re\r\n\r\nhi"
    head = "From: MAILER-DAEMON@mx.example\r\nReturn-Path: <>\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
    report = multipart(
        "report", "Content-Type: text/plain\r\n\r\nsorry", status, ours, more="; report-type=delivery-status"
    )
    message = read(head + report)
    assert (message.report, message.report_on) == ("bounced", "<t42.a7.x@shop.example>")
    assert "no such mailbox" in message.automatic
    assert "carla@mail.example" in message.automatic
    assert message.report_to == ("carla@mail.example",)
    late = read(head + report.replace("failed", "delayed").replace("5.1.1", "4.4.7"))
    assert late.report == "delayed"
    good = read(head + report.replace("failed", "relayed").replace("5.1.1", "2.0.0"))
    assert (good.report, good.automatic) == ("", "bounce")


def test_a_delivery_report_names_everybody_it_speaks_of_as_we_wrote_to_them(read):
    status = (
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        "Original-Recipient: rfc822;Joe@mail.example\r\nFinal-Recipient: rfc822; joe@elsewhere.example\r\n"
        "Action: failed\r\nStatus: 5.1.1\r\n\r\n"
        "Final-Recipient: rfc822; ann@mail.example\r\nAction: delivered\r\nStatus: 2.0.0\r\n\r\n"
        "Final-Recipient: rfc822; Carla@mail.example\r\nAction: failed\r\nStatus: 5.2.2\r\n"
    )
    ours = "Content-Type: message/rfc822\r\n\r\nMessage-ID: <t42.a7.x@shop.example>\r\nSubject: Re\r\n\r\nhi"
    message = read("From: MAILER-DAEMON@mx.example\r\n" + multipart("report", status, ours))
    assert message.report_to == ("joe@mail.example", "carla@mail.example")
    assert "no such mailbox" in message.automatic
    assert "full" in message.automatic


def test_a_report_with_the_head_of_our_mail_only(read):
    status = "Content-Type: message/delivery-status\r\n\r\nA: b\r\n\r\nAction: failed\r\nStatus: 5.2.2\r\n"
    ours = "Content-Type: text/rfc822-headers\r\n\r\nSubject: Re\r\nMessage-ID:\r\n <t1.x@shop.example>\r\n"
    message = read("From: postmaster@mx.example\r\n" + multipart("report", status, ours))
    assert (message.report, message.report_on) == ("bounced", "<t1.x@shop.example>")
    assert "full" in message.automatic


@pytest.mark.parametrize(
    ("returned", "status", "encoded"),
    [
        ("message/rfc822-headers", "message/delivery-status", False),
        ("message/global", "message/global-delivery-status", False),
        ("message/global-headers", "message/global-delivery-status", True),
        ("message/rfc822", "message/delivery-status", True),
    ],
)
def test_a_report_of_any_kind_of_mail_system_names_our_mail(read, returned, status, encoded):
    """RFC 6533 has kinds of its own for addresses that are not ASCII, and lets them be encoded."""

    def part(kind: str, body: str) -> str:
        words = base64.encodebytes(body.encode()).decode() if encoded else body
        return f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {'base64' if encoded else '8bit'}\r\n\r\n{words}"

    told = "A: b\r\n\r\nFinal-Recipient: utf-8; žana@mail.example\r\nAction: failed\r\nStatus: 5.2.2\r\n"
    ours = "Subject: Re\r\nMessage-ID: <t1.x@shop.example>\r\n\r\n"
    message = read("From: postmaster@mx.example\r\n" + multipart("report", part(status, told), part(returned, ours)))
    assert (message.report, message.report_on) == ("bounced", "<t1.x@shop.example>")
    assert message.report_to == ("žana@mail.example",)


def test_older_bounces_are_read_from_their_text(read):
    message = read(
        "From: Mail Delivery System <Mailer-Daemon@mx.example>\r\nX-Failed-Recipients: carla@mail.example\r\n"
        "Subject: Mail delivery failed: returning message to sender\r\n"
        + PLAIN
        + "550 5.1.1 unknown\r\n------ This is a copy ------\r\nMessage-ID: <t9.x@shop.example>\r\n"
    )
    assert (message.report, message.report_on) == ("bounced", "<t9.x@shop.example>")
    assert message.automatic.startswith("carla@mail.example")


def test_a_read_receipt_is_no_bounce(read):
    raw = "From: c@mail.example\r\n" + multipart(
        "report", "Content-Type: text/plain\r\n\r\nread", more="; report-type=disposition-notification"
    )
    message = read(raw)
    assert (message.automatic, message.report) == ("read-receipt", "")

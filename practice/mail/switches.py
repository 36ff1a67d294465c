"""The ways in which the mail network can misbehave. Our own mailboxes meet them, the customers' never do."""

from __future__ import annotations

from practice.mischief import Switch

NETWORK = "mail"

#: How long a silent server stays silent before it hangs up, when the other side does not do so first, in seconds.
SILENCE = 600.0
#: The pause of a dripping server after every byte, in seconds. A day of it would be one small letter.
DRIP = 0.2

_COLLECTING = "Fetching mail (IMAP)"
_SENDING = "Sending mail (SMTP)"
_ARRIVING = "What arrives"
_PROVIDER = "The provider"

SWITCHES = (
    Switch(
        key="imap_refuse_login", group=_COLLECTING, by_address=True,
        title="Password expired", hint="Logging in is answered NO [AUTHENTICATIONFAILED].",
    ),
    Switch(
        key="imap_drop", group=_COLLECTING,
        title="Drop the line mid-fetch", hint="Half a letter, then the connection is gone.",
    ),
    Switch(
        key="imap_drip", group=_COLLECTING,
        title="Drip", hint="Every connection gets five bytes a second.",
    ),
    Switch(
        key="imap_silent", group=_COLLECTING,
        title="Accept and say nothing", hint="No greeting; the other side waits until it gives up.",
    ),
    Switch(
        key="imap_html", group=_COLLECTING,
        title="A web page for a greeting", hint="A gateway in between answers 502 in HTML.",
    ),
    Switch(
        key="imap_no", group=_COLLECTING, by_address=True,
        title="Internal error, NO", hint="Opening, searching and fetching are answered NO [SERVERBUG].",
    ),
    Switch(
        key="imap_bad", group=_COLLECTING, by_address=True,
        title="Internal error, BAD", hint="Opening, searching and fetching are answered BAD.",
    ),
    Switch(
        key="duplicate", group=_ARRIVING, by_address=True,
        title="Everything twice", hint="Each letter is delivered twice with one Message-ID.",
    ),
    Switch(
        key="late", group=_ARRIVING, by_address=True,
        title="Late and out of order", hint="Letters are held; switching it off delivers them, newest first.",
    ),
    Switch(
        key="smtp_refuse_login", group=_SENDING, by_address=True,
        title="Refuse the password", hint="AUTH is answered 535.",
    ),
    Switch(
        key="smtp_451", group=_SENDING, by_address=True,
        title="Not now (451)", hint="Each recipient is refused for the moment.",
    ),
    Switch(
        key="smtp_550", group=_SENDING, by_address=True,
        title="Never (550)", hint="Each recipient is refused for good.",
    ),
    Switch(
        key="smtp_552", group=_SENDING, by_address=True,
        title="Too large (552)", hint="The letter is refused once all of it was sent.",
    ),
    Switch(
        key="smtp_silent_before", group=_SENDING, by_address=True,
        title="Time-out before taking it", hint="All was sent, nothing is delivered, no answer comes.",
    ),
    Switch(
        key="smtp_silent_after", group=_SENDING, by_address=True,
        title="Time-out after taking it", hint="It is delivered and filed, and no answer comes.",
    ),
    Switch(
        key="smtp_drop_after", group=_SENDING, by_address=True,
        title="Hang up after taking it", hint="It is delivered and filed, and the line goes dead.",
    ),
    Switch(
        key="files_sent", group=_PROVIDER, by_address=True, normal=True,
        title="File what we send in Sent", hint="As most providers do for what is sent through them.",
    ),
    Switch(
        key="sent_late", group=_PROVIDER, by_address=True,
        title="File it in Sent later", hint="Copies are held; switching it off files them.",
    ),
    Switch(
        key="bounce", group=_PROVIDER,
        title="Bounce instead of refusing", hint="Unknown people at a known domain: taken, then a report (RFC 3464).",
    ),
)  # fmt: skip

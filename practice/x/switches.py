"""The ways in which the X network can misbehave. What our app asks for meets them; people's own acts never do."""

from __future__ import annotations

from practice.mischief import Switch

NETWORK = "x"

#: How long a silent server stays silent before it hangs up, when the other side does not do so first, in seconds.
SILENCE = 600.0
#: The pause of a dripping server after every byte, in seconds.
DRIP = 0.2
#: How long the text of a huge answer is, in letters.
HUGE = 5 * 1024 * 1024

_REFUSING = "Whatever our app asks X for"
_ANSWERING = "What X answers our app"
_PICTURES = "Pictures our app fetches"
_WRITING = "What our app posts and sends"
_LISTING = "Lists of posts and messages"
_RULES = "X’s rules"

SWITCHES = (
    Switch(
        key="x_429", group=_REFUSING, by_address=True,
        title="Too many requests", hint="429, free again in a minute.",
    ),
    Switch(
        key="x_429_no_reset", group=_REFUSING, by_address=True,
        title="Too many requests, no reset", hint="429 without the headers that say until when.",
    ),
    Switch(
        key="x_usage_cap", group=_REFUSING, by_address=True,
        title="Month used up", hint="429 UsageCapExceeded: waiting for a window does not mend it.",
    ),
    Switch(key="x_402", group=_REFUSING, by_address=True, title="No credits left", hint="402 CreditsDepleted."),
    Switch(key="x_401", group=_REFUSING, by_address=True, title="Token expired", hint="401 for every token."),
    Switch(key="x_403", group=_REFUSING, by_address=True, title="Forbidden", hint="403, as for a scope never granted."),
    Switch(
        key="x_403_suspended", group=_REFUSING, by_address=True,
        title="Account suspended", hint="403 with the words X has for it.",
    ),
    Switch(
        key="x_403_app", group=_REFUSING, by_address=True,
        title="App without a project", hint="403 client-not-enrolled.",
    ),
    Switch(
        key="x_503", group=_REFUSING, by_address=True,
        title="A web page for an answer", hint="503 in HTML; nothing is done.",
    ),
    Switch(
        key="x_silent", group=_REFUSING, by_address=True,
        title="Time-out before posting", hint="Nothing is done, and no answer comes.",
    ),
    Switch(
        key="x_token_silent", group=_REFUSING,
        title="Renewing a token hangs", hint="The new pair is made, and the answer with it never comes.",
    ),
    Switch(
        key="x_drop", group=_ANSWERING, by_address=True,
        title="Drop the line mid-answer", hint="Half an answer, then a reset.",
    ),
    Switch(key="x_drip", group=_ANSWERING, by_address=True, title="Drip the answer", hint="Five bytes a second."),
    Switch(
        key="x_not_json", group=_ANSWERING, by_address=True,
        title="Broken JSON", hint="200, and the JSON ends too early.",
    ),
    Switch(
        key="x_array", group=_ANSWERING, by_address=True,
        title="Another kind of JSON", hint="200, a list where an object belongs.",
    ),
    Switch(
        key="x_huge", group=_ANSWERING, by_address=True,
        title="Five megabytes", hint="The first text of the answer is 5 MB long.",
    ),
    Switch(
        key="x_odd_text", group=_ANSWERING, by_address=True,
        title="Odd letters", hint="The first text ends with NUL and half an emoji.",
    ),
    Switch(
        key="x_unknown_kind", group=_ANSWERING, by_address=True,
        title="Unknown kinds", hint="Events and references are of a kind that nobody knows.",
    ),
    Switch(
        key="x_drop_field", group=_ANSWERING, by_address=True,
        title="A field is missing", hint="The one given as address, or author_id.",
    ),
    Switch(
        key="x_rename_field", group=_ANSWERING, by_address=True,
        title="A field is renamed", hint="The same, with _renamed after its name.",
    ),
    Switch(
        key="x_new_names", group=_ANSWERING,
        title="New field names (2.167)", hint="post.fields and referenced_posts; the old names are refused.",
    ),
    Switch(
        key="x_new_answers", group=_ANSWERING,
        title="New field names, old ones accepted", hint="Answers as in 2.167, parameters as ever.",
    ),
    Switch(
        key="x_picture_404", group=_PICTURES,
        title="The picture is not there", hint="404 for the bytes; the post is there.",
    ),
    Switch(
        key="x_picture_html", group=_PICTURES,
        title="A web page for a picture", hint="200, and a sign-in page where the bytes belong.",
    ),
    Switch(key="x_picture_drip", group=_PICTURES, title="Drip the picture", hint="Five bytes a second."),
    Switch(
        key="x_silent_after", group=_WRITING, by_address=True,
        title="Time-out after posting", hint="It is posted or sent, and no answer comes.",
    ),
    Switch(
        key="x_drop_after", group=_WRITING, by_address=True,
        title="Hang up after posting", hint="It is posted or sent, and the connection is reset.",
    ),
    Switch(
        key="x_503_after", group=_WRITING, by_address=True,
        title="A web page after posting", hint="It is posted or sent, and 503 in HTML comes.",
    ),
    Switch(
        key="x_message_refused", group=_WRITING, by_address=True,
        title="Refuse direct messages", hint="403, as if everybody had closed their messages.",
    ),
    Switch(
        key="x_unasked", group=_WRITING, by_address=True,
        title="Refuse public answers", hint="403, as if they had never spoken to us.",
    ),
    Switch(
        key="x_duplicate", group=_LISTING, by_address=True,
        title="Posts and messages twice", hint="Each item stands twice in a list.",
    ),
    Switch(key="x_again", group=_LISTING, by_address=True, title="Old things again", hint="since_id is not heeded."),
    Switch(
        key="x_shuffled", group=_LISTING, by_address=True,
        title="Posts out of order", hint="Lists come oldest first.",
    ),
    Switch(
        key="x_late", group=_LISTING,
        title="Late posts and messages", hint="What people write is held back from lists; switching it off lists it.",
    ),
    Switch(
        key="x_reply_unasked", group=_RULES, by_address=True,
        title="Reply to anybody", hint="As on enterprise plans; else only to those who spoke to us.",
    ),
    Switch(
        key="x_twice_is_fine", group=_RULES, by_address=True,
        title="Say the same again", hint="No 403 for duplicate content.",
    ),
    Switch(key="x_unlimited", group=_RULES, by_address=True, title="No rate limits", hint="For load tests."),
)  # fmt: skip

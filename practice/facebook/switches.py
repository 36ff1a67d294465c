"""The ways in which Facebook can misbehave. What our app asks for and is told meets them; people's acts never do."""

from __future__ import annotations

from practice.mischief import Switch

NETWORK = "facebook"

#: How long a throttle says it lasts, in minutes, as the usage headers count.
MADE_UP_WAIT = 3
#: How long the text of a huge answer is, in letters.
HUGE = 5 * 1024 * 1024

_REFUSING = "Whatever our app asks Facebook for"
_TOKEN = "Our Page’s token"
_ANSWERING = "What Facebook answers our app"
_WRITING = "What our app sends and comments"
_LISTING = "Lists of comments and messages"
_HOOKS = "What Facebook posts to our app"
_RULES = "Facebook’s rules"

SWITCHES = (
    Switch(
        key="fb_throttle_app", group=_REFUSING, by_address=True,
        title="Too many calls of the app", hint="Code 4.",
    ),
    Switch(
        key="fb_throttle_user", group=_REFUSING, by_address=True,
        title="Too many calls of the user", hint="Code 17.",
    ),
    Switch(
        key="fb_throttle_page", group=_REFUSING, by_address=True,
        title="Too many calls of the Page", hint="Code 32.",
    ),
    Switch(
        key="fb_throttle_613", group=_REFUSING, by_address=True,
        title="Too many messages", hint="Code 613.",
    ),
    Switch(
        key="fb_throttle_no_time", group=_REFUSING, by_address=True,
        title="… without saying for how long", hint="The four above tell no time and no usage.",
    ),
    Switch(
        key="fb_permission", group=_REFUSING, by_address=True,
        title="Permission missing", hint="Code 200, as if a permission had been taken away.",
    ),
    Switch(
        key="fb_blocked", group=_REFUSING, by_address=True,
        title="Blocked for policy", hint="Code 368, for the time being.",
    ),
    Switch(key="fb_code_1", group=_REFUSING, by_address=True, title="Unknown error", hint="Code 1; nothing is done."),
    Switch(
        key="fb_code_2", group=_REFUSING, by_address=True,
        title="Service unavailable", hint="Code 2; nothing is done.",
    ),
    Switch(
        key="fb_503", group=_REFUSING, by_address=True,
        title="A web page for an answer", hint="503 in HTML; nothing is done.",
    ),
    Switch(
        key="fb_silent", group=_REFUSING, by_address=True,
        title="Time-out before sending", hint="Nothing is done, and no answer comes.",
    ),
    Switch(key="fb_190_expired", group=_TOKEN, by_address=True, title="Token expired", hint="190, subcode 463."),
    Switch(key="fb_190_password", group=_TOKEN, by_address=True, title="Password changed", hint="190, subcode 460."),
    Switch(key="fb_190_removed", group=_TOKEN, by_address=True, title="App thrown out", hint="190, subcode 458."),
    Switch(key="fb_190_checkpoint", group=_TOKEN, by_address=True, title="Must log in anew", hint="190, subcode 459."),
    Switch(key="fb_190_unconfirmed", group=_TOKEN, by_address=True, title="Not confirmed", hint="190, subcode 464."),
    Switch(key="fb_190_invalid", group=_TOKEN, by_address=True, title="Token invalid", hint="190, subcode 467."),
    Switch(
        key="fb_190_bare", group=_TOKEN, by_address=True,
        title="No longer of this Page", hint="190 without a subcode, about impersonating a user’s Page.",
    ),
    Switch(
        key="fb_drop", group=_ANSWERING, by_address=True,
        title="Drop the line mid-answer", hint="Half an answer, then the line is gone.",
    ),
    Switch(key="fb_drip", group=_ANSWERING, by_address=True, title="Drip the answer", hint="Five bytes a second."),
    Switch(
        key="fb_not_json", group=_ANSWERING, by_address=True,
        title="Broken JSON", hint="200, and the JSON ends too early.",
    ),
    Switch(
        key="fb_array", group=_ANSWERING, by_address=True,
        title="Another kind of JSON", hint="200, a list where an object belongs.",
    ),
    Switch(
        key="fb_no_type", group=_ANSWERING, by_address=True,
        title="No content type", hint="The right answer, without the header that says what it is.",
    ),
    Switch(
        key="fb_huge", group=_ANSWERING, by_address=True,
        title="Five megabytes", hint="The first text of the answer is 5 MB long.",
    ),
    Switch(
        key="fb_odd_text", group=_ANSWERING, by_address=True,
        title="Odd letters", hint="The first text ends with NUL and half an emoji.",
    ),
    Switch(
        key="fb_drop_field", group=_ANSWERING, by_address=True,
        title="A field is missing", hint="The one given as address, or created_time.",
    ),
    Switch(
        key="fb_rename_field", group=_ANSWERING, by_address=True,
        title="A field is renamed", hint="The same, with _renamed after its name.",
    ),
    Switch(
        key="fb_silent_after", group=_WRITING, by_address=True,
        title="Time-out after sending", hint="It is sent, and no answer comes.",
    ),
    Switch(
        key="fb_drop_after", group=_WRITING, by_address=True,
        title="Hang up after sending", hint="It is sent, and the connection is reset.",
    ),
    Switch(
        key="fb_503_after", group=_WRITING, by_address=True,
        title="A web page after sending", hint="It is sent, and 503 in HTML comes.",
    ),
    Switch(
        key="fb_code_1_after", group=_WRITING, by_address=True,
        title="Unknown error after sending", hint="It is sent, and code 1 comes.",
    ),
    Switch(
        key="fb_code_2_after", group=_WRITING, by_address=True,
        title="Service unavailable after sending", hint="It is sent, and code 2 comes.",
    ),
    Switch(
        key="fb_unavailable", group=_WRITING, by_address=True,
        title="Person not available", hint="Messages are refused with code 551.",
    ),
    Switch(
        key="fb_outside_window", group=_WRITING, by_address=True,
        title="Outside the window", hint="Messages are refused with code 10, as after 24 hours.",
    ),
    Switch(key="fb_twice", group=_LISTING, by_address=True, title="Everything twice", hint="Each item stands twice."),
    Switch(key="fb_shuffled", group=_LISTING, by_address=True, title="Out of order", hint="Lists come the wrong way."),
    Switch(
        key="fb_stuck", group=_LISTING, by_address=True,
        title="Paging stands still", hint="The next page is the first one again, for ever.",
    ),
    Switch(
        key="fb_hook_twice", group=_HOOKS, by_address=True,
        title="Every event twice", hint="The same post again at once.",
    ),
    Switch(
        key="fb_hook_late", group=_HOOKS, by_address=True,
        title="Hold events", hint="Switching it off posts them, newest first.",
    ),
    Switch(
        key="fb_hook_disorder", group=_HOOKS, by_address=True,
        title="Events out of order", hint="Each waits until a later one was posted.",
    ),
    Switch(
        key="fb_hook_lost", group=_HOOKS, by_address=True,
        title="Lose events", hint="Nothing is posted, and nothing is tried again.",
    ),
    Switch(
        key="fb_echo_lost", group=_HOOKS, by_address=True,
        title="Lose only echoes", hint="Of what the Page itself wrote nothing is told.",
    ),
    Switch(
        key="fb_hook_timeout", group=_HOOKS, by_address=True,
        title="Do not wait for the answer", hint="Posted, taken for a time-out, and posted again.",
    ),
    Switch(
        key="fb_hook_forged", group=_HOOKS, by_address=True,
        title="Wrong signature", hint="Signed with another secret, as somebody else’s would be.",
    ),
    Switch(
        key="fb_hook_odd_text", group=_HOOKS, by_address=True,
        title="Odd letters in events", hint="Texts end with NUL and half an emoji.",
    ),
    Switch(
        key="fb_hook_unknown", group=_HOOKS, by_address=True,
        title="Unknown events", hint="Of a kind that came with some later version.",
    ),
    Switch(
        key="fb_hook_old_shape", group=_HOOKS, by_address=True,
        title="Events in their old shape", hint="sender_id for from, ids as numbers, edit for edited.",
    ),
    Switch(
        key="fb_hook_drop_field", group=_HOOKS, by_address=True,
        title="A field of events is missing", hint="The one given as address, or mid and comment_id.",
    ),
    Switch(
        key="fb_hook_rename_field", group=_HOOKS, by_address=True,
        title="A field of events is renamed", hint="The same, with _renamed after its name.",
    ),
    Switch(
        key="fb_nameless", group=_RULES, by_address=True,
        title="No profile is shared", hint="Comments and posts of people come without from.",
    ),
    Switch(
        key="fb_any_time", group=_RULES, by_address=True,
        title="No reply window", hint="Messages are taken at any time.",
    ),
    Switch(key="fb_unlimited", group=_RULES, by_address=True, title="No rate limits", hint="For load tests."),
)  # fmt: skip

"""How the Graph misbehaves on request, seen with facebook-sdk: refusals, time-outs, spoilt answers, lists."""

from __future__ import annotations

from collections.abc import Iterator

import facebook as sdk
import pytest
import requests

from tests.practice.facebook_client import CARE, CARLA_PSID, Facebook, Graph, error
from tests.practice.running import Practice
from tests.practice.test_facebook_webhooks import carla, first_post, misbehave


@pytest.fixture(scope="module")
def token(running: Practice) -> str:
    """Our Page's token, which lives as long as the consent does."""
    return str(Facebook(running).page().access_token)


@pytest.fixture
def care(practice: Practice, token: str) -> Iterator[Graph]:
    """Acme Care's client, with some patience less than usual and answers as they come."""
    network = Facebook(practice)
    network.act("limits")
    carla(practice, text="Hello")
    yield network.client(token, timeout=0.4, checked=False)
    practice.ask("/practice/mischief", {"network": "facebook", "behave": True})


def sent(practice: Practice) -> list[str]:
    """What Carla was sent, newest first."""
    told = practice.ask(f"/practice/facebook/conversation?person=carla&page={CARE}").body["messages"]
    return [each["text"] for each in told if each["by_page"]]


@pytest.mark.parametrize(
    ("switch", "status", "code", "subcode"),
    [
        ("fb_throttle_app", 403, 4, None),
        ("fb_throttle_user", 400, 17, None),
        ("fb_throttle_page", 403, 32, None),
        ("fb_throttle_613", 400, 613, 1996),
        ("fb_190_expired", 400, 190, 463),
        ("fb_190_password", 400, 190, 460),
        ("fb_190_removed", 400, 190, 458),
        ("fb_190_checkpoint", 400, 190, 459),
        ("fb_190_unconfirmed", 400, 190, 464),
        ("fb_190_invalid", 400, 190, 467),
        ("fb_190_bare", 400, 190, None),
        ("fb_permission", 403, 200, None),
        ("fb_blocked", 400, 368, 1390008),
        ("fb_code_1", 500, 1, None),
        ("fb_code_2", 500, 2, None),
    ],
)
def test_a_refusal_has_its_numbers_and_does_nothing(
    practice: Practice, care: Graph, switch: str, status: int, code: int, subcode: int | None
) -> None:
    misbehave(practice, switch, times=1, address="acme care")
    with pytest.raises(sdk.GraphAPIError) as caught:
        care.send(CARE, {"id": CARLA_PSID}, {"text": f"Never sent: {switch}"}, messaging_type="RESPONSE")
    told = error(caught)
    assert (care.last.status_code, told["code"], told.get("error_subcode")) == (status, code, subcode)
    assert told["fbtrace_id"].startswith("A")
    assert care.last.headers["www-authenticate"].startswith('OAuth "Facebook Platform" "invalid_request"')
    assert f"Never sent: {switch}" not in sent(practice)
    assert care.get_object(CARE, fields="id") == {"id": CARE}


@pytest.mark.parametrize(("switch", "code", "subcode"), [
    ("fb_unavailable", 551, 1545041), ("fb_outside_window", 10, 2018278),
])  # fmt: skip
def test_only_messages_are_refused(practice: Practice, care: Graph, switch: str, code: int, subcode: int) -> None:
    misbehave(practice, switch)
    assert care.get_object(CARE, fields="id") == {"id": CARE}
    with pytest.raises(sdk.GraphAPIError) as caught:
        care.send(CARE, {"id": CARLA_PSID}, {"text": "No"}, messaging_type="RESPONSE")
    assert (error(caught)["code"], error(caught)["error_subcode"]) == (code, subcode)


def test_a_throttle_tells_for_how_long_or_does_not(practice: Practice, care: Graph) -> None:
    misbehave(practice, "fb_throttle_page")
    with pytest.raises(sdk.GraphAPIError):
        care.get_object(CARE, fields="id")
    assert '"estimated_time_to_regain_access": 3' in care.last.headers["x-business-use-case-usage"]
    misbehave(practice, "fb_throttle_no_time")
    with pytest.raises(sdk.GraphAPIError):
        care.get_object(CARE, fields="id")
    assert "x-business-use-case-usage" not in care.last.headers
    assert "x-app-usage" not in care.last.headers


@pytest.mark.parametrize("switch", ["fb_silent_after", "fb_drop_after", "fb_503_after", "fb_code_1_after",
                                    "fb_code_2_after"])  # fmt: skip
def test_what_was_sent_is_there_whatever_is_answered(practice: Practice, care: Graph, switch: str) -> None:
    misbehave(practice, switch, times=1)
    assert care.get_object(CARE, fields="id") == {"id": CARE}, "reading is spared"
    with pytest.raises((sdk.GraphAPIError, requests.RequestException)):
        care.send(CARE, {"id": CARLA_PSID}, {"text": f"Sent all the same: {switch}"}, messaging_type="RESPONSE")
    assert sent(practice)[0] == f"Sent all the same: {switch}"


@pytest.mark.parametrize("switch", ["fb_silent", "fb_503", "fb_drop", "fb_not_json", "fb_array", "fb_no_type"])
def test_no_answer_that_anybody_could_read(practice: Practice, care: Graph, switch: str) -> None:
    misbehave(practice, switch, times=1)
    with pytest.raises((sdk.GraphAPIError, requests.RequestException, KeyError, TypeError, ValueError)):
        # A list where an object belongs is read without complaint: only who looks for a field in it notices.
        care.get_object(CARE, fields="id,name")["id"].lower()
    assert care.get_object(CARE, fields="id") == {"id": CARE}


def test_a_dripping_answer_takes_longer_than_any_read(practice: Practice, care: Graph) -> None:
    misbehave(practice, "fb_drip", times=1)
    answer = requests.get(
        f"{Facebook(practice).origin}/{CARE}", params={"access_token": care.access_token}, timeout=2, stream=True
    )
    assert next(answer.iter_content(1)) == b"{"
    answer.close()


def test_lists_can_stand_twice_the_wrong_way_round_or_still(practice: Practice, care: Graph) -> None:
    post = first_post(practice)
    for text in ("One", "Two"):
        carla(practice, do="comment", to=post, text=text)
    asked = {"fields": "id,message", "filter": "stream", "order": "reverse_chronological", "limit": 2}

    def messages() -> list[str]:
        return [each["message"] for each in care.get_connections(post, "comments", **asked)["data"]]

    assert messages() == ["Two", "One"]
    misbehave(practice, "fb_twice", times=1)
    assert messages() == ["Two", "Two", "One", "One"]
    misbehave(practice, "fb_shuffled", times=1)
    assert messages() == ["One", "Two"]
    misbehave(practice, "fb_stuck", times=2)
    first = care.get_connections(post, "comments", **asked)
    again = care.get_connections(post, "comments", **asked, after=first["paging"]["cursors"]["after"])
    assert again["paging"]["cursors"]["after"] == again["paging"]["cursors"]["before"]
    assert "next" in again["paging"]


def test_fields_can_be_missing_renamed_odd_or_huge(practice: Practice, care: Graph) -> None:
    comment = carla(practice, do="comment", to=first_post(practice), text="Look")["id"]
    fields = "id,message,created_time,from"
    misbehave(practice, "fb_drop_field", times=1)
    assert "created_time" not in care.get_object(comment, fields=fields)
    misbehave(practice, "fb_rename_field", times=1, address="from.id")
    assert set(care.get_object(comment, fields=fields)["from"]) == {"id_renamed", "name"}
    misbehave(practice, "fb_odd_text", times=1)
    assert care.get_object(comment, fields=fields)["message"] == "a\0b\ud83e"
    misbehave(practice, "fb_huge", times=1)
    assert len(care.get_object(comment, fields=fields)["message"]) == 5 * 1024 * 1024
    misbehave(practice, "fb_nameless")
    assert "from" not in care.get_object(comment, fields=fields)


def test_the_window_and_the_limits_can_be_lifted(practice: Practice, care: Graph) -> None:
    practice.ask("/practice/facebook/pass", {"person": "carla", "page": CARE, "hours": 25})
    with pytest.raises(sdk.GraphAPIError) as caught:
        care.send(CARE, {"id": CARLA_PSID}, {"text": "Too late"}, messaging_type="RESPONSE")
    assert error(caught)["error_subcode"] == 2018278
    misbehave(practice, "fb_any_time")
    care.send(CARE, {"id": CARLA_PSID}, {"text": "In time"}, messaging_type="RESPONSE")
    assert sent(practice)[0] == "In time"


def test_a_switch_is_limited_to_one_page(practice: Practice, care: Graph) -> None:
    misbehave(practice, "fb_503", address="Acme Outlet")
    assert care.get_object(CARE, fields="id") == {"id": CARE}
    misbehave(practice, "fb_503", address=CARE)
    with pytest.raises(sdk.GraphAPIError):
        care.get_object(CARE, fields="id")

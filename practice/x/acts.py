"""What one does on the X phone, and the knobs for scripts that X itself has no address for."""

from __future__ import annotations

import time
from dataclasses import replace
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from practice.given import Given, Refused, done, given
from practice.mail.writing import picture
from practice.network import World
from practice.x.grants import Grants
from practice.x.handset import Handset, HandsetError
from practice.x.limits import Limits
from practice.x.profiles import Profile, Profiles
from practice.x.switches import NETWORK
from practice.x.tuning import TIMES, Tuning


class Acts:
    """The endpoints on the page's own origin."""

    def __init__(
        self, *, world: World, profiles: Profiles, handset: Handset, grants: Grants, limits: Limits, tuning: Tuning
    ) -> None:
        self._world = world
        self._profiles = profiles
        self._handset = handset
        self._grants = grants
        self._limits = limits
        self._tuning = tuning

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route("/practice/x/write", self.write, methods=["POST"]),
            Route("/practice/x/touch", self.touch, methods=["POST"]),
            Route("/practice/x/habits", self.habits, methods=["POST"]),
            Route("/practice/x/times", self.times, methods=["POST"]),
            Route("/practice/x/revoke", self.revoke, methods=["POST"]),
            Route("/practice/x/limits", self.forget_limits, methods=["POST"]),
        ]

    async def write(self, request: Request) -> Response:
        """Send what was typed on the phone: a post, an answer, a quote, an edit, or a message."""
        fields = await given(request)
        fields.only("as", "do", "post", "to", "text", "picture")
        owner, act, text = self._person(fields), fields.text("do") or "post", fields.text("text").strip()
        if not text and not fields.flag("picture"):
            raise Refused("There is nothing in it yet.")
        try:
            media = [await self._handset.upload(owner, picture().content)] if fields.flag("picture") else []
            if act == "message":
                told = await self._message(owner, fields.text("to"), text, media)
            else:
                told = await self._handset.ask(owner, "POST", "/2/tweets", _post(act, _id(fields), text, media))
        except HandsetError as error:
            raise _refused(error) from error
        key = request.query_params.get("as", "")
        back = f"/?as={quote(key)}"
        if act == "message":
            back += f"&x=dm:{quote(fields.text('to'))}"
        return done(request, fields, {**told, "key": key}, back=back)

    async def touch(self, request: Request) -> Response:
        """Do what takes one touch: delete one's post, or retweet somebody's."""
        fields = await given(request)
        fields.only("as", "do", "post")
        owner, number = self._person(fields), _id(fields)
        try:
            if fields.text("do") == "delete":
                told = await self._handset.ask(owner, "DELETE", f"/2/tweets/{number}")
            elif fields.text("do") == "retweet":
                told = await self._handset.ask(owner, "POST", f"/2/users/{owner.id}/retweets", {"tweet_id": number})
            else:
                raise Refused("do must be delete or retweet.")
        except HandsetError as error:
            raise _refused(error) from error
        return done(request, fields, told)

    async def habits(self, request: Request) -> Response:
        """Change what an account chose: protected posts, closed messages, Premium."""
        fields = await given(request)
        fields.only("handle", "protected", "blocks_messages", "premium")
        profile = self._anybody(fields.text("handle"))
        habits = self._profiles.habits(profile.id)
        for name in ("protected", "blocks_messages", "premium"):
            if fields.has(name):
                habits = replace(habits, **{name: fields.flag(name)})
        self._profiles.choose(profile.id, habits)
        self._world.happenings.note(NETWORK, "habits", f"@{profile.handle} changed what they allow.")
        told = {"protected": habits.protected, "blocks_messages": habits.blocks_messages, "premium": habits.premium}
        return done(request, fields, {"handle": profile.handle, **told})

    async def times(self, request: Request) -> Response:
        """Change how long things last; null puts a time back."""
        fields = await given(request)
        fields.only(*TIMES)
        try:
            for name in TIMES:
                if fields.has(name):
                    self._tuning.tune(name, fields.number(name))
        except ValueError as error:
            raise Refused(str(error)) from error
        return JSONResponse(self._tuning.all())

    async def revoke(self, request: Request) -> Response:
        """Take back what one of our handles allowed, as its owner would in X's settings."""
        fields = await given(request)
        fields.only("handle")
        profile = self._anybody(fields.text("handle"))
        count = self._grants.revoke_user(profile.id)
        self._world.happenings.note(NETWORK, "revoked", f"@{profile.handle} threw the app out.")
        return done(request, fields, {"handle": profile.handle, "revoked": count})

    async def forget_limits(self, request: Request) -> Response:
        """Begin all rate-limit windows anew."""
        fields = await given(request)
        fields.only()
        self._limits.forget()
        return JSONResponse({"forgotten": True, "at": time.time()})

    async def _message(self, owner: Profile, to: str, text: str, media: list[str]) -> dict[str, object]:
        """Write to a handle, or into a conversation that is named by its id."""
        profile = self._profiles.by_handle(to)
        where = f"/2/dm_conversations/with/{profile.id}" if profile else f"/2/dm_conversations/{quote(to, safe='')}"
        body: dict[str, object] = {"text": text} if text else {}
        if media:
            body["attachments"] = [{"media_id": number} for number in media]
        return await self._handset.ask(owner, "POST", f"{where}/messages", body)

    def _person(self, fields: Given) -> Profile:
        profile = self._profiles.by_handle(fields.text("as"))
        if profile is None or profile.ours:
            raise Refused(f"Nobody here has the handle {fields.text('as')!r}.", 404)
        return profile

    def _anybody(self, handle: str) -> Profile:
        profile = self._profiles.by_handle(handle.lstrip("@"))
        if profile is None:
            raise Refused(f"There is no handle {handle!r}.", 404)
        return profile


def _post(act: str, number: str, text: str, media: list[str]) -> dict[str, object]:
    """Return the body of POST /2/tweets."""
    body: dict[str, object] = {"text": text}
    if media:
        body["media"] = {"media_ids": media}
    if act == "reply":
        body["reply"] = {"in_reply_to_tweet_id": number}
    elif act == "quote":
        body["quote_tweet_id"] = number
    elif act == "edit":
        body["edit_options"] = {"previous_post_id": number}
    elif act != "post":
        raise Refused("do must be post, reply, quote, edit or message.")
    return body


def _id(fields: Given) -> str:
    """Return the id of the post a form is about."""
    number = fields.text("post")
    if number and (not number.isascii() or not number.isdigit()):
        raise Refused("post must be the id of a post.")
    return number


def _refused(error: HandsetError) -> Refused:
    return Refused(str(error), 502 if error.status == 502 else 422)

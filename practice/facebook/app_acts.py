"""What Ada and Facebook do to our app without being asked: for scripts, and for trying how the inbox takes it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from practice.facebook.grants import DEAD, Grants
from practice.facebook.limits import Limits
from practice.facebook.pages import ADA
from practice.facebook.switches import NETWORK
from practice.given import Refused, done, given
from practice.network import World


class AppActs:
    """The endpoints."""

    def __init__(self, world: World, grants: Grants, limits: Limits) -> None:
        self._world = world
        self._grants = grants
        self._limits = limits

    def routes(self) -> list[Route]:
        """Return the addresses; see docs/practice.md."""
        return [
            Route("/practice/facebook/revoke", self.revoke, methods=["POST"]),
            Route("/practice/facebook/proof", self.proof, methods=["POST"]),
            Route("/practice/facebook/limits", self.forget_limits, methods=["POST"]),
        ]

    async def revoke(self, request: Request) -> Response:
        """End the consent, for one of the reasons that Facebook has: every token is dead from now on."""
        fields = await given(request)
        fields.only("subcode")
        subcode = fields.count("subcode") or 458
        if subcode not in DEAD:
            raise Refused(f"subcode must be one of {', '.join(map(str, DEAD))}.")
        ended = self._grants.kill(subcode)
        if ended:
            self._world.happenings.note(NETWORK, "revoked", f"{ADA.name}’s consent is over (190, subcode {subcode}).")
        return done(request, fields, {"ended": ended})

    async def proof(self, request: Request) -> Response:
        """Have the app demand appsecret_proof with every call, or no longer."""
        fields = await given(request)
        fields.only("required")
        self._grants.require_proof(fields.flag("required"))
        return done(request, fields, {"proof_required": self._grants.proof_required})

    async def forget_limits(self, request: Request) -> Response:
        """Begin the hours of all rate limits anew."""
        fields = await given(request)
        fields.only()
        self._limits.forget()
        return done(request, fields, {})

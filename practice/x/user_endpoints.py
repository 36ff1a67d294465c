"""What can be asked for about accounts."""

from __future__ import annotations

from practice.x.door import Answer, Call, Handler
from practice.x.objects import Objects
from practice.x.problems import missing
from practice.x.profiles import Profile, Profiles


class UserEndpoints:
    """Handlers of the door."""

    def __init__(self, *, profiles: Profiles, objects: Objects) -> None:
        self._profiles = profiles
        self._objects = objects

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by operation."""
        return {
            "me": lambda call: self._one(call, call.user, "id", call.caller.id),
            "user": lambda call: self._one(call, self._profiles.by_id(call.path["id"]), "id", call.path["id"]),
            "user_by_handle": self._by_handle,
            "users": self._some,
        }

    def _by_handle(self, call: Call) -> Answer:
        handle = call.path["username"]
        return self._one(call, self._profiles.by_handle(handle), "username", handle)

    def _one(self, call: Call, profile: Profile | None, parameter: str, value: str) -> Answer:
        if profile is None:
            return Answer({"errors": [missing("user", parameter, value)]})
        return Answer({"data": self._objects.users([profile], call.asked())[0]})

    def _some(self, call: Call) -> Answer:
        found = {user_id: self._profiles.by_id(user_id) for user_id in call.query["ids"].split(",")}
        data = self._objects.users([profile for profile in found.values() if profile], call.asked())
        errors = [missing("user", "ids", user_id) for user_id, profile in found.items() if profile is None]
        answer: dict[str, object] = {"data": data} if data else {}
        return Answer({**answer, "errors": errors} if errors else answer)

"""Who somebody is, which Pages they run, and what of those Pages our app is told (User, Page, Subscribed Apps)."""

from __future__ import annotations

from typing import Any

from practice.facebook.callbacks import FIELDS
from practice.facebook.calls import Call
from practice.facebook.fields import Field, parse
from practice.facebook.grants import PERMISSIONS, Grants
from practice.facebook.objects import Objects
from practice.facebook.pages import ADA, APP, Page, page_of
from practice.facebook.paging import page as page_of_list
from practice.facebook.paging import told, turned
from practice.facebook.problems import Problem, no_field, no_object, no_permission, parameter
from practice.facebook.store import Store
from practice.facebook.webhooks import Webhooks

_USER_FIELDS = ("id", "name", "first_name", "last_name", "email", "accounts")
#: Fields of a subscription that need a permission of their own.
_OF_MESSENGER = "messag"


class AccountEndpoints:
    """What /me, /me/accounts, /{page}, /{page}/subscribed_apps and /{app}/subscriptions answer."""

    def __init__(self, store: Store, objects: Objects, grants: Grants, webhooks: Webhooks) -> None:
        self._store = store
        self._objects = objects
        self._grants = grants
        self._webhooks = webhooks

    def user(self, call: Call) -> dict[str, Any]:
        """Answer GET /me with a person's token."""
        self._as_user(call)
        call.only("fields")
        fields = parse(call.text("fields") or "name,id")
        known = {
            "id": ADA.id,
            "name": ADA.name,
            "first_name": ADA.name.partition(" ")[0],
            "last_name": ADA.name.partition(" ")[2],
        }
        answer: dict[str, Any] = {}
        for field in fields:
            if field.name not in _USER_FIELDS:
                raise no_field(field.name, "User")
            if field.name == "accounts":
                answer["accounts"] = self._accounts(call, field)
            elif field.name in known:
                answer[field.name] = known[field.name]
        return {**answer, "id": ADA.id}

    def accounts(self, call: Call) -> dict[str, Any]:
        """Answer GET /me/accounts: the Pages that the person chose in the dialog, with their tokens."""
        self._as_user(call)
        call.only("fields", "limit", "after", "before")
        arguments = {name: value for name, value in call.parameters.items() if name in ("limit", "after", "before")}
        inner = parse(call.text("fields") or "access_token,category,category_list,name,id,tasks")
        return self._accounts(call, Field("accounts", arguments, inner))

    def permissions(self, call: Call) -> dict[str, Any]:
        """Answer GET /me/permissions: what was allowed, and what was asked for and not."""
        self._as_user(call)
        call.only()
        return {
            "data": [
                {"permission": name, "status": "granted" if name in call.caller.scopes else "declined"}
                for name in PERMISSIONS
                if name in call.caller.scopes or name.startswith("pages_")
            ]
        }

    def leave(self, call: Call) -> dict[str, Any]:
        """Answer DELETE /me/permissions: the consent is over, and every token with it."""
        self._as_user(call)
        call.only()
        self._grants.kill(458)
        return {"success": True}

    def page(self, call: Call) -> dict[str, Any]:
        """Answer GET /{page}; its token only to the person who runs it."""
        page = page_of(call.node)
        if page is None:
            raise no_object(call.node)
        self._may_see(call, page)
        call.only("fields")
        fields = self._objects.asked(call, "Page")
        return self._with_token(call, page, fields)

    def subscribed(self, call: Call) -> dict[str, Any]:
        """Answer GET /{page}/subscribed_apps."""
        page = call.as_page(call.node)
        call.needs("pages_manage_metadata")
        call.only("fields", "limit")
        fields = self._store.subscribed_fields(page.id)
        if not fields:
            return {"data": []}
        link = "https://www.facebook.com/games/?app_id=" + APP.id
        data = [{"category": "Business", "link": link, "name": APP.name, "id": APP.id, "subscribed_fields": fields}]
        return {"data": data}

    def subscribe(self, call: Call) -> dict[str, Any]:
        """Answer POST /{page}/subscribed_apps."""
        page = call.as_page(call.node)
        call.needs("pages_manage_metadata")
        call.only("subscribed_fields")
        fields = _names(call.text("subscribed_fields"))
        if not fields:
            raise parameter("The parameter subscribed_fields is required")
        for name in fields:
            if name not in FIELDS:
                raise parameter(f'Param subscribed_fields[0] must be one of {{{", ".join(FIELDS)}}} - got "{name}"')
        if any(name.startswith(_OF_MESSENGER) for name in fields) and "pages_messaging" not in call.caller.scopes:
            raise Problem(
                "(#200) To subscribe to the messages field, one of these permissions is needed: pages_messaging",
                200,
                status=403,
            )
        if "feed" in fields and "pages_read_engagement" not in call.caller.scopes:
            raise no_permission("pages_read_engagement")
        self._store.subscribe(page.id, fields)
        return {"success": True}

    def unsubscribe(self, call: Call) -> dict[str, Any]:
        """Answer DELETE /{page}/subscribed_apps."""
        page = call.as_page(call.node)
        call.needs("pages_manage_metadata")
        call.only()
        self._store.unsubscribe(page.id)
        return {"success": True}

    def callbacks(self, call: Call) -> dict[str, Any]:
        """Answer GET /{app}/subscriptions."""
        self._as_app(call)
        call.only("fields")
        return {"data": self._webhooks.subscriptions()}

    async def call_back(self, call: Call) -> dict[str, Any]:
        """Answer POST /{app}/subscriptions, once the callback answered the challenge."""
        self._as_app(call)
        call.only("object", "callback_url", "verify_token", "fields", "include_values")
        words = await self._webhooks.subscribe(
            object=call.text("object"),
            callback_url=call.text("callback_url"),
            verify_token=call.text("verify_token"),
            fields=_names(call.text("fields")),
        )
        if words:
            raise Problem(words, 2200 if words.startswith("(#2200)") else 100)
        return {"success": True}

    def call_no_more(self, call: Call) -> dict[str, Any]:
        """Answer DELETE /{app}/subscriptions."""
        self._as_app(call)
        call.only("object", "fields")
        self._webhooks.unsubscribe()
        return {"success": True}

    def _accounts(self, call: Call, field: Field) -> dict[str, Any]:
        if "pages_show_list" not in call.caller.scopes:
            # Meta does not complain: without the permission there are no Pages.
            return {"data": []}
        pages = [page for each in call.caller.pages if (page := page_of(each))]

        def fetch(after: str, limit: int) -> list[Page]:
            begin = next((n + 1 for n, each in enumerate(pages) if each.id == after), 0)
            return pages[begin : begin + limit]

        items, more = page_of_list(fetch, lambda each: each.id, turned(field.arguments))
        inner = field.inner or parse("access_token,category,name,id,tasks")
        return told(
            [self._with_token(call, each, inner) for each in items],
            [each.id for each in items],
            more=more,
            path=f"/{call.version}/{ADA.id}/accounts",
            parameters={"limit": "25", **field.arguments},
            token=call.caller.token,
        )

    def _with_token(self, call: Call, page: Page, fields: tuple[Field, ...]) -> dict[str, Any]:
        answer = self._objects.told("Page", page, fields, call)
        if any(field.name == "access_token" for field in fields):
            if call.caller.kind == "USER":
                answer["access_token"] = self._grants.page_token(call.caller, page.id, now=call.now)
            elif call.caller.kind == "PAGE":
                answer["access_token"] = call.caller.token
        return answer

    def _may_see(self, call: Call, page: Page) -> None:
        if call.caller.kind == "APP":
            raise no_permission("pages_read_engagement", 10)
        if page.id not in ((call.caller.page_id,) if call.caller.kind == "PAGE" else call.caller.pages):
            raise no_permission("pages_read_engagement", 10)

    def _as_user(self, call: Call) -> None:
        if call.caller.kind != "USER":
            raise Problem("An active access token must be used to query information about the current user.", 2500)

    def _as_app(self, call: Call) -> None:
        if call.caller.kind != "APP":
            raise Problem("(#15) This method must be called with an app access_token.", 15)
        if call.node != APP.id:
            raise no_object(call.node, call.method)


def _names(text: str) -> list[str]:
    """Return names from a list with commas, or one in JSON."""
    given = text.strip().removeprefix("[").removesuffix("]").replace('"', "")
    return list(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))

"""The API's description: the OpenAPI document, and the same as a page for people."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from agents.access import signed_in
from tickets.api.authentication import SignedIn
from tickets.api.view import AnyForm, Endpoint


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter or a member of a body."""

    name: str
    type: str
    words: str
    is_required: bool
    where: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What can come back."""

    status: str
    shape: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of the API."""

    id: str
    method: str
    path: str
    summary: str
    words: str
    parameters: tuple[Field, ...]
    body: str
    fields: tuple[Field, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of object that the API takes or answers."""

    name: str
    words: str
    fields: tuple[Field, ...]


@extend_schema(exclude=True)
class Document(Endpoint):
    """The OpenAPI document, as JSON, for everybody with a role and their programs."""

    permission_classes = [SignedIn]
    content_negotiation_class = AnyForm

    def get(self, request: Request) -> HttpResponse:
        """The whole of it."""
        body = OpenApiJsonRenderer().render(_schema(), renderer_context={})
        return HttpResponse(body, content_type="application/vnd.oai.openapi+json")


@never_cache
@require_GET
@signed_in
def page(request: HttpRequest) -> HttpResponse:
    """Every call and every shape, readable, without a script."""
    schema = _schema()
    context = {"operations": _operations(schema), "shapes": _shapes(schema), "section": "api"}
    return render(request, "api/page.html", context)


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:
    # The addresses and shapes do not change while a process lives.
    schema: dict[str, Any] = SchemaGenerator(patterns=None).get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema


def _operations(schema: dict[str, Any]) -> list[Operation]:
    found, components = [], schema["components"]["schemas"]
    for path, methods in schema["paths"].items():
        for method, told in methods.items():
            body = _named(told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {}))
            found.append(
                Operation(
                    id=told["operationId"],
                    method=method.upper(),
                    path=path,
                    summary=told.get("summary", ""),
                    words=_words(told),
                    parameters=tuple(
                        Field(
                            one["name"],
                            _type(one["schema"], components),
                            _words(one),
                            one.get("required", False),
                            one["in"],
                        )
                        for one in told.get("parameters", ())
                    ),
                    body=body,
                    fields=_fields(components.get(body, {}), components),
                    answers=tuple(Answer(status, _answer(one)) for status, one in told["responses"].items()),
                )
            )
    return found


def _shapes(schema: dict[str, Any]) -> list[Shape]:
    asked, components = {one.body for one in _operations(schema)}, schema["components"]["schemas"]
    return [
        Shape(name, _words(one), _fields(one, components))
        for name, one in components.items()
        if one.get("type") == "object" and name not in asked
    ]


def _fields(shape: dict[str, Any], components: dict[str, Any]) -> tuple[Field, ...]:
    required = set(shape.get("required", ()))
    return tuple(
        Field(name, _type(one, components), _words(one), name in required)
        for name, one in shape.get("properties", {}).items()
    )


def _words(told: dict[str, Any]) -> str:
    """Its description as people read it: the document's is Markdown, in which `this` is code."""
    return re.sub(r"`([^`]+)`", r"“\1”", told.get("description", ""))


def _answer(told: dict[str, Any]) -> str:
    for content in told.get("content", {}).values():
        return _named(content.get("schema", {}))
    return ""


def _named(shape: dict[str, Any]) -> str:
    return str(shape.get("$ref", "")).rpartition("/")[2]


def _type(shape: dict[str, Any], components: dict[str, Any]) -> str:
    """A field's type in a word or two."""
    for one in (shape, *shape.get("allOf", ()), *shape.get("oneOf", ())):
        if name := _named(one):
            named = components.get(name, {})
            return name if named.get("type") == "object" else _type(named, components)
    if shape.get("type") == "array":
        return f"{_type(shape.get('items', {}), components)} …"
    if "enum" in shape:
        return " | ".join(str(one) or '""' for one in shape["enum"])
    return str(shape.get("format") or shape.get("type") or "")

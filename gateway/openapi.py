"""The API's documentation, an OpenAPI 3.1 document: what FastAPI can't tell by itself is put in here.

The schema of the result document is every process's, as `interview/v1/result.schema.json`. It is served
as it is and stands in here as a component.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from gateway.audit_schemas import AuditRecord
from gateway.auth import COOKIE_SCOPE, HEADER
from gateway.dependencies import SCOPES
from gateway.people.persons import COOKIE as PERSON_COOKIE
from gateway.reader_cookie import COOKIE
from gateway.schemas import STATUS_EXAMPLE

SESSION_ID_SCHEMA: dict[str, Any] = {
    "type": "string",
    "pattern": "^([0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$",
    "title": "Session Id",
}
"""Not at the parameter itself: an identifier of another form gets our words, not a list of wrong fields."""
RESULT_COMPONENT = "ResultDocument"
RESULT_REF = f"#/components/schemas/{RESULT_COMPONENT}"
SCHEMA_PATH = "/schemas/result.json"

SECURITY_SCHEMES: dict[str, Any] = {
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": HEADER,
        "description": "Needed where the gateway has keys. Roles are its scopes, one of which is needed:"
        " `submit`, `read`, `review`, `manage`. `admin` has all of them.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "For a browser's player and event stream, which can't send the key. `POST /login`"
        " with the key sets it, over https as `__Host-interview_reader`. It reads only, ends soon, and"
        " ends with its key.",
    },
    "person": {
        "type": "apiKey",
        "in": "cookie",
        "name": PERSON_COOKIE,
        "description": "For people, where a sign-in provider is set up. `GET /signin` leads to it. Over https"
        " it is `__Host-interview_person`. Changes need an `Origin` of ours.",
    },
}
"""Where no keys are set up, nobody needs one: `{}` beside them."""


def result_schema() -> bytes:
    """Return the JSON Schema of the result document (draft 2020-12)."""
    return files("interview").joinpath("v1", "result.schema.json").read_bytes()


def install_openapi(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Make an application describe itself in full at `/openapi.json`.

    Args:
        app: The application.
        routers: What it includes.
    """
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, routes)
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]  # FastAPI's documented way


def _document(app: FastAPI, routes: Iterable[APIRoute]) -> dict[str, Any]:
    document: dict[str, Any] = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    components = document["components"]
    components["securitySchemes"] = SECURITY_SCHEMES
    components["schemas"] |= _result_components()
    components["schemas"]["AuditRecord"] = AuditRecord.model_json_schema()
    # Here and not at its model: FastAPI leaves every null out of an example.
    components["schemas"]["StatusAnswer"]["examples"] = [STATUS_EXAMPLE]
    for route in routes:
        for method in (route.methods or ()) if route.include_in_schema else ():
            operation = document["paths"][route.path_format][method.lower()]
            operation["security"] = _security(route, method)
            for parameter in operation.get("parameters", ()):
                if (parameter["in"], parameter["name"]) == ("path", "session_id"):
                    parameter["schema"] = SESSION_ID_SCHEMA
    return document


def _security(route: APIRoute, method: str) -> list[dict[str, list[str]]]:
    scopes = next((SCOPES[part.call] for part in route.dependant.dependencies if part.call in SCOPES), ())
    if not scopes:
        return []
    with_cookie = method == "GET" and COOKIE_SCOPE in scopes
    cookie: list[dict[str, list[str]]] = [{"cookie": [COOKIE_SCOPE]}] if with_cookie else []
    keys: list[dict[str, list[str]]] = [{"key": [scope]} for scope in scopes]
    people: list[dict[str, list[str]]] = [{"person": [scope]} for scope in scopes]
    return [*keys, *cookie, *people, {}]


def _result_components() -> dict[str, Any]:
    """Return the result's schema as components: many readers of OpenAPI look up no reference outside them."""
    schema = json.loads(result_schema())
    parts = {f"{RESULT_COMPONENT}.{name}": part for name, part in schema.pop("$defs", {}).items()}
    for key in ("$schema", "$id"):
        schema.pop(key, None)
    found: dict[str, Any] = _with_refs_to_components({RESULT_COMPONENT: schema, **parts})
    return found


def _with_refs_to_components(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_refs_to_components(item) for item in value]
    if not isinstance(value, dict):
        return value
    changed = {key: _with_refs_to_components(item) for key, item in value.items()}
    if isinstance(ref := value.get("$ref"), str):
        changed["$ref"] = ref.replace("#/$defs/", f"{RESULT_REF}.")
    return changed

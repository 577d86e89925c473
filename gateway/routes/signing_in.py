"""People sign in at the provider and out again, and learn who they are here."""

from __future__ import annotations

import html
from pathlib import Path
from string import Template
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import HTMLResponse, RedirectResponse

from chassis.api_keys import Scope
from chassis.errors import InterviewError, NotFoundError
from gateway import reader_cookie
from gateway.browsers import Browsers
from gateway.cookies import take_cookie
from gateway.dependencies import GatewayDep, let_in
from gateway.errors import http_status, to_response
from gateway.own_page import check_own_page
from gateway.people.sign_in import SignIn
from gateway.reasons import OF_A_SIGN_IN, error_answers
from gateway.schemas import WhoAmI

router = APIRouter(tags=["Signing in"])

PROBLEM_PAGE = Template((Path(__file__).parents[1] / "static" / "problem.html").read_text(encoding="utf-8"))
ANY_SCOPE: tuple[Scope, ...] = ("read", "submit", "review", "manage")
SEE_OTHER: dict[int | str, dict[str, Any]] = {303: {"description": "Go on at the address in `Location`."}}


@router.get(
    "/signin",
    status_code=303,
    response_class=Response,
    responses=SEE_OTHER
    | error_answers("SIGN_IN_NEXT_INVALID", "SIGN_IN_OFF", "SIGN_IN_PROVIDER_UNAVAILABLE", "REQUEST_INVALID"),
)
async def signin(
    request: Request,
    gateway: GatewayDep,
    next_path: Annotated[str, Query(alias="next", description="A path of this site to go to then.")] = "/",
) -> Response:
    """Send a browser to the sign-in provider. A browser follows it; programs use keys."""
    try:
        address, attempt = await _sign_in_of(gateway.browsers).begin(next_path)
    except InterviewError as error:
        return _problem(request, error)
    response = RedirectResponse(address, 303)
    gateway.browsers.keep_attempt(response, attempt)
    return response


@router.get(
    "/signin/callback",
    status_code=303,
    response_class=Response,
    responses=SEE_OTHER | error_answers(*OF_A_SIGN_IN),
)
async def signin_callback(request: Request, gateway: GatewayDep) -> Response:
    """Take a browser that comes back from the sign-in provider."""
    browsers, address = gateway.browsers, request.client.host if request.client else "unknown"
    response: Response
    try:
        given = dict(request.query_params)
        person, next_path = await _sign_in_of(browsers).finish(given, browsers.attempt(request), address)
    except InterviewError as error:
        response = _problem(request, error)
    else:
        response = RedirectResponse(next_path, 303)
        browsers.keep_person(response, person)
    browsers.forget_attempt(response)
    return response


@router.post("/signout", status_code=204, response_class=Response, responses=error_answers())
async def signout(request: Request, gateway: GatewayDep) -> Response:
    """Sign a browser out: take its cookies, and what it kept of recordings. The provider is not told."""
    if gateway.browsers.person(request) is not None:
        check_own_page(request, gateway.browsers.public_url)
    response = Response(status_code=204, headers={"Clear-Site-Data": '"cache"'})
    gateway.browsers.forget_person(response)
    secure = request.url.scheme == "https"
    take_cookie(response, reader_cookie.COOKIE, secure=secure, samesite="strict")
    return response


@router.get("/whoami", responses=error_answers())
async def whoami(request: Request, gateway: GatewayDep) -> WhoAmI:
    """Tell who is calling, as we know it."""
    client = await let_in(request, *ANY_SCOPE)
    person = gateway.browsers.person(request) if client.end is not None else None
    if person is not None:
        return WhoAmI(kind="person", caller=client.name, name=person.name, end_time_s=person.end.timestamp())
    if client.known:
        return WhoAmI(kind="key", caller=client.name, name=client.name.removeprefix("key:"))
    return WhoAmI(kind="anybody", caller="", name="")


def _sign_in_of(browsers: Browsers) -> SignIn:
    if browsers.sign_in is None:
        raise NotFoundError(
            "Nobody signs in here: no provider is set up. Use an API key.", reason="SIGN_IN_OFF"
        )
    return browsers.sign_in


def _problem(request: Request, error: InterviewError) -> Response:
    """Return an error as a page to who reads pages."""
    answer = to_response(error)
    if "text/html" not in request.headers.get("accept", ""):
        return answer
    page = PROBLEM_PAGE.substitute(message=html.escape(error.message), code=html.escape(error.reason))
    headers = {name: value for name, value in answer.headers.items() if name == "retry-after"}
    return HTMLResponse(page, http_status(error), headers)

"""`GET /original/…`: the original's web client, where the operator serves it."""

from __future__ import annotations

import anyio
from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from gateway.dependencies import GatewayDep
from gateway.original_page import PREFIX, policy_of

router = APIRouter(include_in_schema=False)

FIRST_PAGE = "Upload.html"
REVALIDATE = {"Cache-Control": "no-cache"}
NO_STORE = {"Cache-Control": "no-store"}


@router.get(f"{PREFIX}/{{path:path}}", response_model=None)
async def original_page(request: Request, path: str, gateway: GatewayDep) -> Response:
    """Return a file of the page. With a page comes the cookie that lets its visitor submit."""
    browsers, path = gateway.browsers, path or FIRST_PAGE
    if browsers.page.folder is None or any(part.startswith(".") for part in path.split("/")):
        raise HTTPException(404)
    files = StaticFiles(directory=browsers.page.folder, check_dir=False)
    response = await files.get_response(path, request.scope)
    if not path.endswith(".html"):
        response.headers.update(REVALIDATE)
        return response
    # Whole each time, and never "not modified": with it goes a new cookie.
    page = await anyio.Path(files.lookup_path(path)[0]).read_text(encoding="utf-8", errors="replace")
    response = HTMLResponse(page, headers=NO_STORE | {"Content-Security-Policy": policy_of(page)})
    browsers.keep_visit(request, response)
    return response

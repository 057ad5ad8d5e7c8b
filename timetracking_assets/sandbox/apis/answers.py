"""JSON answers, and errors as JSON.

Every answer of the sandbox goes through here, control included.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_ENCODER = msgspec.json.Encoder()


def json_answer(
    content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """`content` as JSON, with a Content-Length."""
    return Response(
        _ENCODER.encode(content), status, headers=headers, media_type="application/json"
    )


def json_error(status: int, message: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """`{"error": {"status": ..., "message": ...}}`, the one shape of all errors."""
    content = {"error": {"status": status, "message": message}}
    return json_answer(content, status=status, headers=headers)


def bad_request(message: str) -> HTTPException:
    """To raise where a request cannot be understood: answered with 400."""
    return HTTPException(400, message)


def not_found(message: str) -> HTTPException:
    """To raise where a path names something that does not exist: answered with 404."""
    return HTTPException(404, message)


async def http_error(request: Request, error: Exception) -> Response:
    """Starlette's handler for raised HTTP errors."""
    if not isinstance(error, HTTPException):
        raise error
    message = error.detail
    if error.status_code == 404 and message == "Not Found":
        message = f"there is nothing at {request.url.path}"
    return json_error(error.status_code, message, headers=error.headers)

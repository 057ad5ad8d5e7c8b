"""The four ways in which the APIs check a credential."""

import binascii
from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


class Credential(Protocol):
    """What a request must carry."""

    @property
    def challenge(self) -> str | None:
        """The `WWW-Authenticate` header of a refusal, where the scheme has one."""
        ...

    def accepts(self, request: Request) -> bool:
        """Whether the request carries the right value."""
        ...


@dataclass(frozen=True, slots=True)
class QueryKey:
    """A key in a query parameter."""

    name: str
    value: str
    challenge: str | None = None

    def accepts(self, request: Request) -> bool:
        """Whether the parameter occurs once, with the right value."""
        return request.query_params.getlist(self.name) == [self.value]


@dataclass(frozen=True, slots=True)
class HeaderKey:
    """A key in a header."""

    name: str
    value: str
    challenge: str | None = None

    def accepts(self, request: Request) -> bool:
        """Whether the header has the right value."""
        return request.headers.get(self.name) == self.value


@dataclass(frozen=True, slots=True)
class Bearer:
    """A bearer token."""

    token: str
    challenge: str | None = "Bearer"

    def accepts(self, request: Request) -> bool:
        """Whether the token is the right one."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and token == self.token


@dataclass(frozen=True, slots=True)
class Basic:
    """HTTP basic authentication."""

    username: str
    password: str
    challenge: str | None = 'Basic realm="sandbox"'

    def accepts(self, request: Request) -> bool:
        """Whether both user name and password are right."""
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            given = b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        return given == f"{self.username}:{self.password}"


Handler = Callable[[Request], Response]


def protected(path: str, handler: Handler, credential: Credential) -> Route:
    """A GET route that answers 401 unless the request carries the credential."""
    return Route(path, _guard(handler, credential), methods=["GET"])


def _guard(handler: Handler, credential: Credential) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if not credential.accepts(request):
            challenge = credential.challenge
            headers = {"WWW-Authenticate": challenge} if challenge else None
            raise HTTPException(401, "the credential is missing or wrong", headers=headers)
        return handler(request)

    return endpoint

"""Keys of `client` and `endpoint` that are not in dlt's grammar: a message for each, at its path.

dlt judges the whole (see `rest_api.py`) but says neither where a mistake is nor what was meant. Its
own types are read here, so that what they gain is known without being written again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import NoneType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from dlt.sources.rest_api.typing import (
    ApiKeyAuthConfig,
    AuthType,
    BearerTokenAuthConfig,
    ClientConfig,
    Endpoint,
    HeaderCursorPaginatorConfig,
    HeaderLinkPaginatorConfig,
    HttpBasicAuthConfig,
    JSONLinkPaginatorConfig,
    JSONResponseCursorPaginatorConfig,
    OAuth2ClientCredentialsConfig,
    OffsetPaginatorConfig,
    PageNumberPaginatorConfig,
    PaginatorType,
    PaginatorTypeConfig,
)

from timetracking_assets.errors import SpecError, SpecPath
from timetracking_assets.spec.defaults import resources_with_defaults
from timetracking_assets.spec.mistakes import Mistakes, instead_of, unknown_key
from timetracking_assets.spec.variables import variable_names

_PAGINATORS: Mapping[str, Any] = {
    "page_number": PageNumberPaginatorConfig,
    "offset": OffsetPaginatorConfig,
    "cursor": JSONResponseCursorPaginatorConfig,
    "header_cursor": HeaderCursorPaginatorConfig,
    "json_link": JSONLinkPaginatorConfig,
    "json_response": JSONLinkPaginatorConfig,  # dlt's older name of it
    "header_link": HeaderLinkPaginatorConfig,
}
_AUTHS: Mapping[str, Any] = {
    "bearer": BearerTokenAuthConfig,
    "api_key": ApiKeyAuthConfig,
    "http_basic": HttpBasicAuthConfig,
    "oauth2_client_credentials": OAuth2ClientCredentialsConfig,
}
_KINDS = {
    str: "a text",
    int: "a whole number",
    bool: "true or false",
    dict: "a map",
    list: "a list",
}
_JSON = {str: "string", int: "integer", bool: "boolean", dict: "object", list: "array"}


def grammar_mistakes(attributes: Mapping[str, Any]) -> Mistakes:
    """The mistakes in the client and in all endpoints of an API's attributes.

    What is no map at all is left to others to refuse.
    """
    mistakes = Mistakes()
    client = attributes.get("client")
    if isinstance(client, Mapping):
        mistakes.extend(_mistakes(client, ClientConfig, ("client",), required=False))
    for index, resource in enumerate(resources_with_defaults(attributes)):
        whole = resource.attributes if resource else {}
        for name, place in (("endpoint", whole), ("deleted_ids", whole.get("deleted_ids"))):
            endpoint = place.get("endpoint") if isinstance(place, Mapping) else None
            below = (name,) if name == "endpoint" else (name, "endpoint")
            if isinstance(endpoint, Mapping):
                mistakes.extend(_mistakes(endpoint, Endpoint, ("resources", index, *below)))
    return mistakes


def grammar_schemas() -> dict[str, dict[str, Any]]:
    """JSON schemas of `client` and of any `endpoint`, by these keys, for editors.

    They refuse unknown keys and types; a text in the place of another value may be a template.
    """
    return {"client": _schema(ClientConfig), "endpoint": _schema(Endpoint)}


def _schema(*configs: Any) -> dict[str, Any]:
    """Of a map with the keys of all `configs`."""
    properties: dict[str, Any] = {}
    for config in configs:
        for key, hint in get_type_hints(config).items():
            if key == "paginator":
                properties[key] = _typed_schema(_PAGINATORS, PaginatorType)
            elif key == "auth":
                properties[key] = _typed_schema(_AUTHS, AuthType)
            else:
                properties.setdefault(key, _value_schema(hint))
    return {"type": ["object", "null"], "properties": properties, "additionalProperties": False}


def _typed_schema(configs: Mapping[str, Any], names: Any) -> dict[str, Any]:
    """Of a map whose keys depend on its `type`; what is extended may have the type."""
    schema = _schema(*configs.values())
    schema["properties"]["type"] = {"enum": list(get_args(names))}
    # the name of a type may stand alone
    schema["type"] = ["object", "string", "null"]
    schema |= {"if": {"type": "string"}, "then": {"enum": list(get_args(names))}}
    schema["allOf"] = [
        {
            "if": {"properties": {"type": {"const": kind}}, "required": ["type"], "type": "object"},
            "then": {"propertyNames": {"enum": list(get_type_hints(config))}},
        }
        for kind, config in configs.items()
    ]
    return schema


def _value_schema(hint: Any) -> dict[str, Any]:
    alternatives = [kind for kind in _alternatives(hint) if kind is not NoneType]
    if all(get_origin(kind) is Literal for kind in alternatives):
        return {"enum": [*(choice for kind in alternatives for choice in get_args(kind)), None]}
    kinds = _plain_kinds(hint)
    if kinds is None:
        return {}
    return {"type": list(dict.fromkeys([*(_JSON[kind] for kind in kinds), "string", "null"]))}


def _mistakes(
    value: Mapping[str, Any], config: Any, path: SpecPath, *, required: bool = True
) -> Iterator[SpecError]:
    hints = get_type_hints(config)
    for key, item in value.items():
        if key not in hints:
            yield SpecError((*path, key), unknown_key(str(key), hints))
        elif key == "paginator":
            yield from _typed(item, _PAGINATORS, PaginatorType, (*path, key))
        elif key == "auth":
            yield from _typed(item, _AUTHS, AuthType, (*path, key))
        elif expected := _expected(item, hints[key]):
            yield SpecError((*path, key), f"must be {expected}")
    for key, hint in hints.items():
        if required and key not in value and key != "type" and NoneType not in get_args(hint):
            yield SpecError((*path, key), "is missing")


def _typed(
    value: Any, configs: Mapping[str, Any], names: Any, path: SpecPath
) -> Iterator[SpecError]:
    """The mistakes of a map whose keys depend on its `type`, which may be written alone."""
    if value is None:
        return
    if not isinstance(value, str | Mapping):
        yield SpecError(path, "must be a map, or the name of a type alone")
        return
    kind = value.get("type") if isinstance(value, Mapping) else value
    if kind is None and configs is _AUTHS:
        kind = "bearer"
    if kind is None:
        return  # refused with the endpoint: a paginator says its type
    if kind not in get_args(names):
        place = (*path, "type") if isinstance(value, Mapping) else path
        yield SpecError(place, f"unknown type '{kind}'; {instead_of(str(kind), get_args(names))}")
    elif isinstance(value, Mapping) and (kind in configs or kind in ("auto", "single_page")):
        yield from _mistakes(value, configs.get(kind, PaginatorTypeConfig), path)


def _expected(value: Any, hint: Any) -> str | None:
    """What a value must be instead; None if it fits the hint, or may do so."""
    if value is None:
        return None
    alternatives = [kind for kind in _alternatives(hint) if kind is not NoneType]
    if all(get_origin(kind) is Literal for kind in alternatives):
        choices = [choice for kind in alternatives for choice in get_args(kind)]
        known = value in choices or variable_names(value)
        return None if known else f"one of {', '.join(f'`{choice}`' for choice in choices)}"
    kinds = _plain_kinds(hint)
    if kinds is None or isinstance(value, tuple(kinds)):
        return None
    return " or ".join(dict.fromkeys(_KINDS[kind] for kind in kinds))


def _alternatives(hint: Any) -> list[Any]:
    return list(get_args(hint)) if get_origin(hint) is Union else [hint]


def _plain_kinds(hint: Any) -> list[type] | None:
    """The types that YAML has among those of a hint; None where any value may be right."""
    kinds: list[type] = []
    for kind in _alternatives(hint):
        plain = str if get_origin(kind) is Literal else get_origin(kind) or kind
        if plain is Any:
            return None
        if plain in _KINDS:
            kinds.append(plain)
    return kinds or None

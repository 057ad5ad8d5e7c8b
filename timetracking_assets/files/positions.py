"""Where a key stands in a YAML file: `file:line`.

PyYAML's node graph has the positions; a file is composed again only when there is something to say
of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml


def documents(path: Path) -> list[yaml.Node]:
    """The documents of a file as nodes with positions; none if it can't be read."""
    try:
        return list(yaml.compose_all(path.read_text(encoding="utf-8"), yaml.SafeLoader))
    except (OSError, yaml.YAMLError):
        return []


def child(node: yaml.Node | None, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """The node of a key (of an item, itself) and the node of its value."""
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == str(part)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None


def nearest(node: yaml.Node, path: Sequence[str | int]) -> tuple[int, int]:
    """How many parts of `path` there are below `node`, and the line of the last of them."""
    line = node.start_mark.line + 1
    for depth, part in enumerate(path):
        found = child(node, part)
        if found is None:
            return depth, line
        key, node = found
        line = key.start_mark.line + 1
    return len(path), line

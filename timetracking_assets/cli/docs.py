"""`timetracking docs` and `timetracking schema`: what may be written in a file, for people and for
editors.

The pages are those of `docs/`, which the installed package holds, too; they are only printed here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Annotated, NoReturn

import typer

from timetracking_assets.cli.workspace import shipped, stop


def docs(
    page: Annotated[str | None, typer.Argument(help="Name of the page; without it a list.")] = None,
    section: Annotated[
        str | None, typer.Argument(help="Heading of the section; without it the whole page.")
    ] = None,
) -> None:
    """Print a page of the documentation, or one section of it."""
    pages = {path.stem: path for path in sorted(shipped("docs").glob("*.md"))}
    if page is None:
        for name, path in pages.items():
            title = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
            typer.echo(f"timetracking docs {name:<14} {title}")
        return
    if page not in pages:
        _stop_at_unknown(f"There is no page '{page}'", page, pages)
    text = pages[page].read_text(encoding="utf-8")
    typer.echo(text if section is None else _section(text, section))


def _section(text: str, heading: str) -> str:
    """The sections of a page under `heading`: several maps of the grammar share a name."""
    parts = re.split(r"^(?=#+ )", text, flags=re.MULTILINE)
    headings = [part.partition("\n")[0].lstrip("# ").strip("`") for part in parts]
    chosen = [part.rstrip() for part, name in zip(parts, headings, strict=True) if name == heading]
    if not chosen:
        _stop_at_unknown(f"The page has no section '{heading}'", heading, filter(None, headings))
    return "\n\n".join(chosen)


def _stop_at_unknown(message: str, word: str, known: Iterable[str]) -> NoReturn:
    # only a wrong word waits for this import
    from timetracking_assets.spec.mistakes import instead_of

    stop(f"{message}; {instead_of(word, known)}")


def schema() -> None:
    """Print the JSON schema of a `defs.yaml`, by which editors complete and check it."""
    from timetracking_assets.files.schema import file_schema
    from timetracking_assets.ingest.pages.grammar import grammar_schemas

    typer.echo(json.dumps(file_schema(grammar_schemas()), indent=2))

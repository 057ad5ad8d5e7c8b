"""`timetracking doctor --fix`: the doctor's suggestions, written into the files of the APIs."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import unified_diff
from pathlib import Path
from shutil import copymode

import dagster as dg
import yaml
from rich.console import Console

from timetracking_assets.component import load_api
from timetracking_assets.doctor.findings import Examination
from timetracking_assets.files.api_file import ApiFile, find_api
from timetracking_assets.files.edit import Change, changed_text
from timetracking_assets.files.locations import COMPONENT


def write_suggestions(
    console: Console, examinations: Sequence[Examination], directory: Path
) -> None:
    """Write what the errors of `examinations` suggest, and show the difference.

    A suggestion after which the file would not load is left out, and one that a person has to
    complete; advice is left to the person, too. Raises SpecError for a file that can't be read.
    """
    for examination in examinations:
        file = find_api(examination.api, directory)
        changes = [
            Change(resource, finding.yaml)
            for resource, findings in examination.findings.items()
            for finding in findings
            if finding.level == "error" and finding.yaml
        ]
        chosen: list[Change] = []
        for change in changes:
            if change.complete and _loads(file, [*chosen, change]):
                chosen.append(change)
        _write(console, file, chosen)
        for change in changes:
            if change not in chosen:
                where = f"{examination.api}/{change.resource}".rstrip("/")
                console.print(f"{where}: to be completed by hand:", highlight=False)
                console.print(change.yaml, highlight=False, markup=False)


def _write(console: Console, file: ApiFile, changes: Sequence[Change]) -> None:
    if not changes or file.path is None:
        return
    before, after = file.path.read_text(encoding="utf-8"), changed_text(file, changes)
    name = str(file.path)
    lines = unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), name, name
    )
    console.print("".join(lines), highlight=False, markup=False, soft_wrap=True)
    # whole or not at all
    written = file.path.with_name(f".{file.path.name}.new")
    written.write_text(after, encoding="utf-8")
    copymode(file.path, written)
    written.replace(file.path)


def _loads(file: ApiFile, changes: Sequence[Change]) -> bool:
    text = changed_text(file, changes)
    for document in yaml.safe_load_all(text):
        if document.get("type") != COMPONENT:
            continue
        if document["attributes"].get("name") != file.attributes.get("name"):
            continue
        try:
            load_api(document["attributes"], file.path, dg.ResolutionContext.default())
        except dg.DagsterInvalidDefinitionError:
            return False
    return True

"""The files that `dg scaffold defs timetracking_assets.RestApi <name>` writes: YAML and `.env`.

Only text that a person is to edit is made here; what its keys mean is in `spec/model.py`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from timetracking_assets.files.api_file import ApiFile
from timetracking_assets.spec.variables import variable_names

_HEAD = """\
type: timetracking_assets.RestApi

# `timetracking show {name}` prints what this comes to, `timetracking doctor {name}` requests
# small pages of the API and suggests changes.
attributes:
  name: {name}
"""

_EXTENDED = """\
  extends: {base}
  # Only differences are written below: maps merge, resources merge by name, null takes a key out.
  # client:
  #   auth: {{type: api_key, name: X-Api-Key, api_key: "${{{prefix}_API_KEY}}", location: header}}
  #   headers: {{X-Account: "${{{prefix}_ACCOUNT}}"}}
  # resource_defaults:
  #   page_size: 100
  #   endpoint: {{data_selector: items, params: {{per-page: 100}}}}
  # rename: {{{first}: my_{first}}}
  # resources:
  #   - name: {first}
  #     primary_key: {first}_id
  #     endpoint: {{path: v2/{first}}}
  # These are loaded; take out what the account has not.
  select:
{selected}
"""

_WHOLE = """\
  client:
    # `${{NAME}}` is an environment variable: secrets are in .env, never here
    base_url: ${{{prefix}_BASE_URL}}
    # or http_basic, api_key, oauth2_client_credentials
    auth: {{type: bearer, token: "${{{prefix}_API_TOKEN}}"}}
  resource_defaults:
    # the column or columns that identify a row; [] if none do
    primary_key: id
    # rows of a full page: a shorter one is the last
    page_size: 100
    endpoint:
      # where the rows are in an answer; $ is the whole answer
      data_selector: data
      params: {{per_page: 100}}
      paginator: {{type: page_number, base_page: 1, total_path: null}}
  resources:
    - name: people
      description: People of the account.
      endpoint: {{path: people}}
      columns:
        id: {{data_type: bigint, nullable: false, description: Id of the person}}
    # - name: time_entries
    #   description: Time entries, by the day on which they start.
    #   sync_mode: window
    #   partitions: {{type: daily, start: "2026-01-01", timezone: UTC}}
    #   window: {{field: started_at, start_param: from, end_param: to, format: iso}}
    #   endpoint: {{path: time-entries}}
    #   columns:
    #     id: {{data_type: bigint, nullable: false}}
    #     started_at: {{data_type: timestamp, nullable: false}}
"""


def file_text(name: str, extends: str | None, path: Path) -> tuple[str, list[str]]:
    """The text of an API's file, and the variables that it needs. Raises SpecError."""
    words: dict[str, Any] = {"name": name, "prefix": name.upper()}
    if extends is None:
        text = (_HEAD + _WHOLE).format(**words)
        return text, [f"{name.upper()}_BASE_URL", f"{name.upper()}_API_TOKEN"]
    file = ApiFile.of({"name": name, "extends": extends}, path)
    names = [resource["name"] for resource in file.attributes["resources"]]
    selected = "\n".join(f"    - {resource}" for resource in names)
    text = (_HEAD + _EXTENDED).format(**words, base=extends, first=names[0], selected=selected)
    return text, variable_names(file.attributes)


def add_variables(path: Path, name: str, variables: list[str]) -> None:
    """Add the variables that `.env` doesn't have yet, without values."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    new = [v for v in variables if not re.search(rf"^(# *)?{v}=", text, re.MULTILINE)]
    if new:
        gap = "\n" if text and not text.endswith("\n\n") else ""
        lines = "".join(f"{variable}=\n" for variable in new)
        path.write_text(f"{text}{gap}# {name}\n{lines}", encoding="utf-8")
        path.chmod(0o600)

"""The base of every model of a specification; the models are in `spec.py` and
`automation_spec.py`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class SpecModel(BaseModel):
    """Refuses unknown keys, so that a misspelt one can't pass for a default."""

    # built when first asked to judge: most models are only parts of another
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

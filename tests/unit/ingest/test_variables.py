"""Variables: found, put in, and asked for all at once."""

import pytest

from timetracking_assets.errors import SettingsError
from timetracking_assets.spec.variables import require, substitute, variable_names

NESTED = {"a": "${B}/${A}", "c": [{"d": "${B}"}, 5, None], "e": ("${_C1}", "$D", "${e-f}", "{G}")}


def test_names_are_found_once_each_in_order() -> None:
    assert variable_names(NESTED) == ["B", "A", "_C1"]
    assert variable_names(None) == []


def test_values_are_put_in_everywhere_and_taken_literally() -> None:
    values = {"A": r"\1${B}", "B": "b", "_C1": ""}
    assert substitute(NESTED, values) == {
        "a": r"b/\1${B}",
        "c": [{"d": "b"}, 5, None],
        "e": ["", "$D", "${e-f}", "{G}"],
    }
    with pytest.raises(KeyError):
        substitute("${A}", {})


def test_all_missing_variables_are_named_and_no_value_is() -> None:
    values = {"A": "secret", "B": " ", "C": ""}
    require(["A"], values, "hours")
    with pytest.raises(
        SettingsError, match=r"hours: environment variables B, C, D not set. Set th"
    ):
        require(["A", "B", "C", "D"], values, "hours")
    with pytest.raises(SettingsError, match=r"environment variable B not set. Set it") as refused:
        require(["A", "B"], values, "hours")
    assert "secret" not in str(refused.value)

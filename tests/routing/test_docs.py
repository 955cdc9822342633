"""What docs/routing.md shows is run as it stands."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs" / "routing.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_example_runs(example: str) -> None:
    exec(compile(example, str(DOCS), "exec"), {})  # our own text


def test_there_is_one_and_every_module_is_described() -> None:
    assert EXAMPLES
    modules = {path.stem for path in (DOCS.parents[1] / "routing").glob("*.py")} - {"__init__"}
    assert modules <= set(re.findall(r"`(\w+)", DOCS.read_text().partition("## A day")[0]))

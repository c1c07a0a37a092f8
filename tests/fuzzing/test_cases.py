"""What fuzzing has found, each input in a file of its own: `<target>-<what it is>`."""

from pathlib import Path

import pytest

from tests.fuzzing.targets import TARGETS

CASES = sorted((Path(__file__).parent / "cases").iterdir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_was_found_once_is_a_result_or_one_of_our_errors(tmp_path: Path, case: Path) -> None:
    TARGETS[case.name.partition("-")[0]].run(case.read_bytes(), tmp_path)

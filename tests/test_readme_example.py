"""README shows the example that the tests run, to the letter."""

from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_readme_shows_the_example_that_is_run() -> None:
    example = (ROOT / "tests" / "page_example.py").read_text().rstrip()

    assert f"```python\n{example}\n```" in (ROOT / "README.md").read_text()

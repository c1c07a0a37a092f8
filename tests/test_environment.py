"""Values from the environment: put in when they are used, and never shown."""

import base64
from urllib.parse import quote

import pytest

from orderbook_tui import environment
from orderbook_tui.environment import conceal, expand, hide
from orderbook_tui.errors import ConfigError

SECRET = "s3cret/with+signs & spaces"


@pytest.fixture(autouse=True)
def _nothing_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_hidden", {})
    monkeypatch.setenv("EXCHANGE_KEY", SECRET)


def test_a_placeholder_stands_for_its_variable() -> None:
    assert expand("Bearer ${env:EXCHANGE_KEY}!", "venue.headers") == f"Bearer {SECRET}!"


def test_text_without_placeholders_stays_as_it_is() -> None:
    assert expand("$HOME ${HOME} ${env:} {env:X}", "venue") == "$HOME ${HOME} ${env:} {env:X}"


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_not_set_is_named_with_its_place(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("NO_SUCH_KEY", value)

    with pytest.raises(ConfigError, match=r"venue\.headers: the environment has no NO_SUCH_KEY"):
        expand("${env:NO_SUCH_KEY}", "venue.headers")


@pytest.mark.parametrize(
    "form", [SECRET, quote(SECRET, safe=""), base64.b64encode(SECRET.encode()).decode()], ids=["plain", "in a URL", "base64"]
)
def test_what_others_say_shows_the_placeholder_in_its_place(form: str) -> None:
    expand("${env:EXCHANGE_KEY}", "venue")

    assert hide(f"no such key: {form}.") == "no such key: ${env:EXCHANGE_KEY}."


def test_a_secret_that_is_part_of_another_leaves_nothing_of_it_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGER", SECRET + "-and-more")
    expand("${env:EXCHANGE_KEY}${env:LONGER}", "venue")

    assert hide(SECRET + "-and-more") == "${env:LONGER}"


def test_what_was_made_of_a_secret_can_be_concealed_too() -> None:
    conceal("deadbeefdeadbeef", "<signature>")

    assert hide("bad signature deadbeefdeadbeef") == "bad signature <signature>"


def test_nothing_is_hidden_that_was_not_expanded() -> None:
    assert hide(SECRET) == SECRET

import os
import stat
from decimal import Decimal
from pathlib import Path

import pytest

from orderbook_tui.config import load_config, parse_config
from orderbook_tui.config.reading import MAX_BYTES, MAX_VALUES, read_json
from orderbook_tui.errors import ConfigError
from tests.config.wrong import problems


def refusal_of(path: Path) -> str:
    with pytest.raises(ConfigError) as refused:
        load_config(path)
    return str(refused.value)


def test_a_number_keeps_every_digit() -> None:
    assert read_json('{"a": 0.1000000000000000055}').tree == {"a": Decimal("0.1000000000000000055")}


def test_every_duplicate_key_is_found_where_it_stands() -> None:
    assert problems('{"seed": 1, "seed": 2, "scheduler": {"rounds": 1, "rounds": 1, "rounds": 2}}') == [
        "seed: duplicate key, given twice",
        "scheduler.rounds: duplicate key, given 3 times",
    ]


def test_a_duplicate_key_hidden_by_another_is_found_too() -> None:
    assert problems('{"scheduler": {"rounds": 1, "rounds": 2}, "scheduler": {}}') == [
        "scheduler: duplicate key, given twice",
        "scheduler.rounds: duplicate key, given twice",
    ]


def test_a_duplicate_key_hides_no_other_problem_of_its_value() -> None:
    assert problems('{"seed": 1, "seed": "x"}') == [
        "seed: duplicate key, given twice",
        'seed: expected a whole number, got "x"',
    ]


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_what_is_not_a_number_is_refused_where_it_stands(constant: str) -> None:
    assert problems(f'{{"budget": {{"budgets": [{{"amount": {constant}}}]}}}}') == [
        f"budget.budgets[0].amount: {constant} is not a number"
    ]


@pytest.mark.parametrize("number", ["1e999999999", "1e-999999999", "1e99999999999999999999", "9" * 5000, "0." + "1" * 5000])
def test_a_number_out_of_all_proportion_is_refused_at_once(number: str) -> None:
    [problem] = problems(f'{{"scheduler": {{"max_amount": {number}}}}}')
    assert problem.startswith("scheduler.max_amount: ")
    assert "is out of range" in problem
    assert len(problem) < 200


def test_a_byte_order_mark_is_no_mistake() -> None:
    assert parse_config(b'\xef\xbb\xbf{"seed": 5}').seed == 5


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "the file is empty, a JSON object is wanted: {} is one"),
        (b" \n", "the file is empty, a JSON object is wanted: {} is one"),
        (b"[]", "expected an object, got a list"),
        (b"null", "expected an object, got null"),
        (b"\xff\xfe{\0}\0", "this is UTF-16, the file must be UTF-8"),
        (b'{\n"name": "caf\xe9"}', "line 2: byte 0xe9 is not UTF-8, the file must be"),
        (b'{"a": 1 "b": 2}', "line 1, column 9: expected a comma or a closing bracket"),
        (b'{"a": 1\n', "line 2, column 1: the file ends too early"),
        (b"{'a': 1}", "line 1, column 2: JSON text stands in double quotes"),
        (b"{ // seed\n}", "line 1, column 3: JSON has no comments"),
        (b"{} {}", "line 1, column 4: expected nothing more after the end of the JSON value"),
        (b'{"a": "\x01"}', "line 1, column 8: a control character or line break inside text; write it as an escape"),
        (b"[" * 100_000, "nested too deeply: at most 64 levels"),
    ],
)
def test_what_is_no_json_object_is_refused_in_words(content: bytes, problem: str) -> None:
    assert problems(content) == [problem]


def test_deep_nesting_is_refused_without_a_path_as_long() -> None:
    [first, *_] = problems('{"a":' * 300 + "1" + "}" * 300)
    assert first == "a.a.a.a.a.a.a.a.a.a... (64 levels): nested too deeply: at most 64 levels"


def test_half_a_surrogate_pair_is_refused_where_it_stands() -> None:
    assert problems(r'{"name": "\ud800"}') == [r'name: "\ud800" holds half of a surrogate pair, which is no text']


def test_a_broken_key_does_not_hide_what_else_is_wrong() -> None:
    assert problems(r'{"\udfff": 1, "seed": -1}') == [
        r'["\udfff"]: in this key, "\udfff" holds half of a surrogate pair, which is no text',
        "seed: -1 is below the least, 0",
    ]


def test_nul_is_refused_where_it_stands() -> None:
    assert problems(r'{"state_dir": "a\u0000b"}') == [r'state_dir: "a\u0000b" holds a NUL character, which is no text']


def test_a_whole_surrogate_pair_is_a_letter() -> None:
    assert parse_config(r'{"name": "\ud83d\ude00"}').name == "\U0001f600"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert refusal_of(tmp_path / "x.json").endswith("x.json: there is no such file")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert refusal_of(tmp_path).endswith(": this is a folder, a JSON file is wanted")


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "x.json").touch(mode=stat.S_IWUSR)
    monkeypatch.setattr(os, "open", forbid)  # a superuser may read everything
    assert refusal_of(tmp_path / "x.json").endswith("x.json: no permission to read this file")


def test_a_path_that_no_system_takes_is_refused_in_words() -> None:
    assert refusal_of(Path("a\0b")) == r"a\u0000b: cannot be read: embedded null byte"


def test_a_file_over_64_mib_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "x.json").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert refusal_of(tmp_path / "x.json").endswith("x.json: the file is larger than 64 MiB")


def test_a_problem_of_the_whole_file_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    assert refusal_of(tmp_path / "x.json").endswith("x.json: line 1, column 2: the file ends too early")


def test_a_run_without_a_name_is_called_like_its_file(tmp_path: Path) -> None:
    (tmp_path / "two-venues.json").write_text("{}")
    assert load_config(tmp_path / "two-venues.json").name == "two-venues"


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_not_read(device: str) -> None:
    assert refusal_of(Path(device)) == f"{device}: cannot be read: this is a device, a JSON file is wanted"


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orderbook_tui.config.reading._PATIENCE_MS", 50)
    os.mkfifo(tmp_path / "pipe")
    assert refusal_of(tmp_path / "pipe").endswith("pipe: cannot be read: nothing comes out of this pipe")


def test_a_configuration_may_come_out_of_a_pipe() -> None:
    out, into = os.pipe()
    try:
        os.write(into, b'{"seed": 7}')
        os.close(into)
        assert load_config(f"/dev/fd/{out}").seed == 7
    finally:
        os.close(out)


def test_a_file_without_an_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "sparse.json").open("wb") as file:
        file.truncate(1 << 40)
    assert refusal_of(tmp_path / "sparse.json").endswith("sparse.json: the file is larger than 64 MiB")


def test_a_loop_of_links_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert refusal_of(tmp_path / "loop").endswith("loop: cannot be read: Too many levels of symbolic links")


def test_more_values_than_memory_is_for_are_refused_before_they_are_read() -> None:
    refusal = "this holds more than 200,000 values: a long list of accounts goes into a file of its own"
    assert problems("[" + "{}," * MAX_VALUES + "{}]") == [refusal]


def test_a_key_that_is_called_as_pydantic_calls_keys_is_unknown() -> None:
    assert problems('{"[key]": 1}') == ['["[key]"]: unknown key']

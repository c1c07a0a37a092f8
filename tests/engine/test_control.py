"""Pause, step, stop and pace."""

import itertools
import math
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace

import anyio
import pytest

from orderbook_tui.engine import control as control_module
from orderbook_tui.engine.control import RunControl, unwrapped
from tests.engine.runs import a_simulation


async def admitted(control: RunControl, times: list[float], count: int = 1_000_000) -> None:
    """Take leave for one slot after another, noting when."""
    for _ in range(count):
        if not await control.admit():
            return
        times.append(time.monotonic())
        control.step_taken()


def watched(control: RunControl, script: Callable[[], Awaitable[None]], count: int = 1_000_000) -> list[float]:
    """The times at which slots were admitted while `script` was at the controls; it is stopped after it."""
    times: list[float] = []

    async def both() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(admitted, control, times, count)
            await script()
            control.stop()

    anyio.run(both)
    return times


def test_a_run_at_full_speed_is_not_held() -> None:
    assert not RunControl().held


@pytest.mark.parametrize("hold", [RunControl.pause, RunControl.stop, RunControl.step])
def test_whoever_is_at_the_controls_holds_the_run(hold: Callable[[RunControl], None]) -> None:
    control = RunControl()
    hold(control)

    assert control.held


def test_a_paced_run_is_held() -> None:
    assert RunControl(5).held


def test_a_paused_run_admits_nothing() -> None:
    control = RunControl()
    control.pause()

    assert watched(control, lambda: anyio.sleep(0.03)) == []


def test_go_lets_a_paused_run_go_on() -> None:
    control = RunControl()
    control.pause()

    async def script() -> None:
        await anyio.sleep(0.01)
        control.go()
        await anyio.sleep(0.01)

    assert len(watched(control, script, 3)) == 3


def test_a_step_admits_one_slot() -> None:
    control = RunControl()
    control.pause()

    async def script() -> None:
        control.step()
        await anyio.sleep(0.03)

    assert len(watched(control, script)) == 1


def test_a_pause_takes_a_step_back_that_was_not_begun() -> None:
    control = RunControl()
    control.step()
    control.pause()

    assert watched(control, lambda: anyio.sleep(0.03)) == []


def test_a_second_step_admits_another_slot() -> None:
    control = RunControl()

    async def script() -> None:
        for _ in range(2):
            control.step()
            await anyio.sleep(0.02)

    assert len(watched(control, script)) == 2


def test_a_step_does_not_wait_for_the_pace() -> None:
    control = RunControl(0.1)
    control.pause()

    async def script() -> None:
        for _ in range(3):
            control.step()
            await anyio.sleep(0.02)

    assert len(watched(control, script)) == 3


def test_stop_ends_a_paused_run() -> None:
    control = RunControl()
    control.pause()
    control.stop()

    assert anyio.run(control.admit) is False


def test_stop_ends_the_wait_for_the_pace() -> None:
    control = RunControl(0.01)
    began = time.monotonic()

    watched(control, lambda: anyio.sleep(0.05))

    assert time.monotonic() - began < 2


def test_stop_ends_a_wait() -> None:
    control = RunControl()

    async def stopped_soon() -> bool:
        async with anyio.create_task_group() as group:
            group.start_soon(_later, control.stop)
            return await control.wait(60)
        raise AssertionError

    assert anyio.run(stopped_soon) is False


def test_a_wait_lasts_as_long_as_it_should() -> None:
    began = time.monotonic()

    assert anyio.run(RunControl().wait, 0.05) is True
    assert time.monotonic() - began >= 0.05


def test_another_pace_does_not_cut_a_wait_short() -> None:
    control = RunControl(5)
    began = time.monotonic()

    async def changed_meanwhile() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(_later, lambda: setattr(control, "slots_per_second", 500))
            await control.wait(0.1)

    anyio.run(changed_meanwhile)
    assert time.monotonic() - began >= 0.1


def test_a_wait_of_nothing_lets_others_have_their_turn() -> None:
    turns: list[int] = []

    async def waits() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(_note, turns)
            await RunControl().wait(0)
            await RunControl().wait(0)
            assert turns

    anyio.run(waits)


def test_a_pace_set_at_full_speed_takes_effect_at_once() -> None:
    simulation = a_simulation(scheduler={"trades_per_account": 100_000})
    ended: list[int] = []

    async def script() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(simulation.run)
            await anyio.sleep(0.02)
            for rate in (20, None):
                simulation.control.slots_per_second = rate
                ended.append(simulation.stats.ended_slots)
                await anyio.sleep(0.2)
            ended.append(simulation.stats.ended_slots)
            simulation.stop()

    anyio.run(script)
    at_full_speed, paced, again = ended[0], ended[1] - ended[0], ended[2] - ended[1]
    assert at_full_speed > 40
    assert 1 <= paced <= 8
    assert again > 40


def test_slots_keep_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = itertools.count(1_000_000)
    monkeypatch.setattr(control_module, "time", SimpleNamespace(monotonic=lambda: next(readings) / 10_000))
    control = RunControl(1000)

    async def admits_twenty_one() -> None:
        for _ in range(21):
            await control.admit()

    anyio.run(admits_twenty_one)
    assert 0.020 <= next(readings) / 10_000 - 100 <= 0.025


def test_a_changed_pace_takes_effect_while_waiting_for_the_old() -> None:
    control = RunControl(0.1)

    async def script() -> None:
        await anyio.sleep(0.02)
        control.slots_per_second = None
        await anyio.sleep(0.02)

    assert len(watched(control, script, 50)) == 50


@pytest.mark.parametrize("pause_s", [0.3, 1.3])
def test_nothing_is_caught_up_with_in_a_burst_after_a_pause(pause_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, control, count = [100.0], RunControl(20), 0
    monkeypatch.setattr(control_module, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    async def script() -> None:
        nonlocal count
        await control.admit()
        control.pause()
        clock[0] += pause_s
        control.go()
        with anyio.move_on_after(0.2):
            while await control.admit():
                count += 1

    anyio.run(script)
    assert count == 1


@pytest.mark.parametrize("pace", [0, -1, math.nan])
def test_a_pace_that_is_not_positive_is_refused(pace: float) -> None:
    with pytest.raises(ValueError, match="not positive"):
        RunControl().slots_per_second = pace


def test_a_run_that_has_ended_takes_its_stop_back() -> None:
    control = RunControl()
    control.stop()
    control.end()

    assert not control.stopping
    assert not control.held


def test_a_stop_before_the_run_begins_is_not_forgotten() -> None:
    control = RunControl()
    control.stop()
    control.begin()

    assert control.stopping


def test_the_controls_may_be_used_in_one_event_loop_after_another() -> None:
    control = RunControl()
    for _ in range(2):
        control.begin()
        control.pause()
        watched(control, lambda: anyio.sleep(0.01))


def test_one_error_of_a_group_comes_out_as_itself() -> None:
    async def fails() -> None:
        with unwrapped():
            async with anyio.create_task_group():
                raise LookupError("as itself")

    with pytest.raises(LookupError, match="as itself"):
        anyio.run(fails)


async def _later(act: Callable[[], None]) -> None:
    await anyio.sleep(0.02)
    act()


async def _note(turns: list[int]) -> None:
    turns.append(1)

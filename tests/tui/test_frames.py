"""When a frame is due: often, but never at the run's expense."""

from orderbook_tui.tui.frames import FRAMES, LONGEST_REST_S, Frames

PAGE = 36


class Clock:
    """A clock that stands until it is moved."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def drawn(clock: Clock, cost: float) -> Frames:
    """Frames of which one was just drawn, and took so long."""
    frames = Frames(clock)
    frames.begin(0)
    clock.now += cost
    frames.end()
    return frames


def test_the_first_frame_is_due() -> None:
    assert Frames(Clock()).is_due(1_000_000, PAGE)


def test_at_full_speed_the_screen_rests_three_times_what_a_frame_took() -> None:
    clock = Clock()
    frames = drawn(clock, 0.1)
    clock.now += 0.29
    assert not frames.is_due(100_000, PAGE)
    clock.now += 0.02
    assert frames.is_due(100_000, PAGE)


def test_a_run_that_can_be_read_along_is_drawn_without_a_rest() -> None:
    clock = Clock()
    frames = drawn(clock, 0.1)
    clock.now += 1 / FRAMES
    assert frames.is_due(PAGE, PAGE)


def test_a_run_does_not_seem_slow_because_its_last_frame_was_long_ago() -> None:
    clock = Clock()
    frames = drawn(clock, 0.2)
    clock.now += 0.3
    assert frames.is_due(PAGE * 6, PAGE)


def test_the_rest_has_an_end() -> None:
    clock = Clock()
    frames = drawn(clock, 60)
    clock.now += LONGEST_REST_S
    assert frames.is_due(1_000_000_000, PAGE)

"""Long work in slices: all of it is done, and others have their turn in between."""

import asyncio

from orderbook_tui.tui.slices import in_slices


class Counting:
    """Work of so many steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def advance(self, seconds: float) -> bool:
        self.left -= 1
        return self.left == 0


def test_all_is_done_and_looked_at_once_more() -> None:
    work, looked = Counting(5), []
    asyncio.run(in_slices(work, lambda: looked.append(work.left)))
    assert looked[-1] == 0


def test_others_have_their_turn() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def play() -> None:
        task = asyncio.create_task(other())
        await in_slices(Counting(10), lambda: None)
        task.cancel()

    asyncio.run(play())
    assert turns >= 9

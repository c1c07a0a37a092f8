"""The pictures of the README, made from the real app in the middle of real, seeded runs.

    python screenshots/make.py                  writes every picture, each as .svg and .png
    python screenshots/make.py book dialog      writes these

The app runs without a terminal and is stepped, so that it stops where it should; waits take no time, and the clock is a
made one, which they move (see tests/tui/made_world.py; the scenes are those of tests/tui/scenes.py). So two runs of this
script give the same pictures. A PNG is drawn from the SVG, with the DejaVu fonts (Debian and Ubuntu: fonts-dejavu-core).
"""

import asyncio
import re
import sys
from pathlib import Path
from typing import Final

import resvg_py

HERE: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from tests.tui.scenes import the_scene  # noqa: E402 - found only now

FONT: Final = "DejaVu Sans Mono"
FONTS: Final = ("DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf", "DejaVuSansMono-Oblique.ttf", "DejaVuSans.ttf")
"""The last one has the braille that the plots are drawn with."""
FONT_FOLDERS: Final = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts", "/Library/Fonts")
WIDE, SMALL = (120, 36), (80, 24)
PICTURES: Final = {
    "schedule": ("schedule", WIDE, "orderbook-dark"),
    "slots": ("slots", WIDE, "orderbook-dark"),
    "slots-80x24": ("slots", SMALL, "orderbook-dark"),
    "slots-light": ("slots", WIDE, "orderbook-light"),
    "budgets": ("budgets", WIDE, "orderbook-dark"),
    "book": ("book", WIDE, "orderbook-dark"),
    "checkpoints": ("checkpoints", WIDE, "orderbook-dark"),
    "dialog": ("dialog", WIDE, "orderbook-dark"),
    "run-options": ("run-options", SMALL, "orderbook-dark"),
    "help": ("help", SMALL, "orderbook-dark"),
}
"""By name: the scene, how large, in which theme."""


def take(picture: str) -> None:
    """Play a scene in the app, and write what the screen then shows."""
    called, size, theme = PICTURES[picture]
    with the_scene(called, theme) as (app, script):

        async def play() -> str:
            async with app.run_test(size=size) as pilot:
                await script(app, pilot)
                drawn = app.export_screenshot(title=f"orderbook-tui: {called}")
                await app.end_run()
                app.exit()
            return drawn

        svg = plain(asyncio.run(play()), picture)
    (HERE / f"{picture}.svg").write_text(svg, encoding="utf-8")
    (HERE / f"{picture}.png").write_bytes(as_png(svg))
    print(f"screenshots/{picture}.svg, screenshots/{picture}.png")


def plain(svg: str, name: str) -> str:
    """Return the drawing without fonts from the network, under ids of our own."""
    svg = re.sub(r"@font-face\s*\{[^}]*\}\s*", "", svg)
    svg = re.sub(r"font-family:[^;}]*", f"font-family: '{FONT}', 'DejaVu Sans', Menlo, Consolas, monospace", svg)
    return re.sub(r"terminal-\d+", name, svg)


def as_png(svg: str) -> bytes:
    """Return the drawing as PNG."""
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=1.25, skip_system_fonts=True, font_files=font_files()))


def font_files() -> list[str]:
    """Return the files of the fonts.

    Raises:
        FileNotFoundError: they are not installed.
    """
    found = [path for folder in FONT_FOLDERS for name in FONTS for path in Path(folder).expanduser().rglob(name)]
    if not found:
        raise FileNotFoundError(f"{FONT} is not installed: apt-get install fonts-dejavu-core")
    return [str(path) for path in sorted(found)]


if __name__ == "__main__":
    try:
        font_files()
    except FileNotFoundError as error:
        sys.exit(str(error))
    unknown = set(sys.argv[1:]) - set(PICTURES)
    if unknown:
        sys.exit(f"there is no picture {', '.join(sorted(unknown))}: {', '.join(PICTURES)}")
    for picture in sys.argv[1:] or PICTURES:
        take(picture)

"""Every target, by name."""

from typing import Final

from tests.fuzzing.targets.accounts import ACCOUNTS
from tests.fuzzing.targets.base import Target
from tests.fuzzing.targets.checkpoint import CHECKPOINT
from tests.fuzzing.targets.command import COMMAND
from tests.fuzzing.targets.config import CONFIG, SCHEDULE, SETTINGS
from tests.fuzzing.targets.showing import EXPORT, FILTER, TEXT
from tests.fuzzing.targets.venue import VENUE

TARGETS: Final[dict[str, Target]] = {
    target.name: target for target in (CONFIG, ACCOUNTS, SCHEDULE, CHECKPOINT, VENUE, SETTINGS, FILTER, COMMAND, TEXT, EXPORT)
}

"""How long the state machines of the tests go on: a second or two each, and as many times that as MACHINE_EFFORT says."""

import os

from hypothesis import HealthCheck, settings


def effort(examples: int, steps: int) -> settings:
    """Return settings for so many runs of so many steps."""
    times = int(os.environ.get("MACHINE_EFFORT", "1"))
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    return settings(max_examples=examples * times, stateful_step_count=steps, deadline=None, suppress_health_check=slow)

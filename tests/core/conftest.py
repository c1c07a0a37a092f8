"""Hypothesis for the core: everything here is pure and quick, so no example is worth a deadline."""

from hypothesis import HealthCheck, settings

settings.register_profile("core", deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("core")

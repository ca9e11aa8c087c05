"""How many examples a property test generates.

`make test` runs the profile `steady`: few examples, the same ones in each run. `make
soak` runs `exploring`: ten times as many, others in each run.
"""

from typing import Any

from hypothesis import HealthCheck, settings

STEADY, EXPLORING = "steady", "exploring"
USUAL = 30
"""Examples of a test that states no number."""
FACTOR = 10
"""An exploring run generates this many times the examples of a steady one."""

_PATIENT: dict[str, Any] = {
    "deadline": None,  # How long an example takes depends on the machine.
    "suppress_health_check": [HealthCheck.too_slow],
}


def register_profiles() -> None:
    """Register both profiles; load `steady`, unless an option names another."""
    settings.register_profile(STEADY, derandomize=True, max_examples=USUAL, **_PATIENT)
    settings.register_profile(
        EXPLORING, print_blob=True, max_examples=USUAL * FACTOR, **_PATIENT
    )
    settings.load_profile(STEADY)


def examples(count: int, **options: Any) -> settings:
    """Return settings for `count` examples, and more of them in an exploring run."""
    exploring = settings.get_current_profile_name() == EXPLORING
    return settings(max_examples=count * (FACTOR if exploring else 1), **options)

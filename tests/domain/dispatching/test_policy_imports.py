"""The policy is pure: importing it loads the domain and no driver."""

import subprocess
import sys

import pytest

LIST_LOADED_MODULES = """
import importlib, sys
importlib.import_module(sys.argv[1])
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""

OUTER_PACKAGES = {"application", "interfaces", "projections", "provider", "storage"}
DRIVERS = {"asyncio", "httpx2", "psycopg", "psycopg_pool", "sqlite3", "vapi"}


@pytest.mark.parametrize("module", ["domain.dispatching.policy", "domain.dial_view"])
def test_importing_the_policy_loads_only_the_domain_and_no_driver(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIST_LOADED_MODULES, module],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert "domain" in loaded
    assert loaded & (OUTER_PACKAGES | DRIVERS) == set()

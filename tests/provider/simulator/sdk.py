"""The provider's own SDK, whose models are built when something is read with them.

Building its hundreds of models on import takes a quarter of a minute.
"""

from functools import cache, partial
from importlib import import_module
from inspect import isclass
from typing import Any

import httpx
from pydantic import BaseModel

from tests.simulator import Simulator

ONCE: Any = {"max_retries": 0}
SECOND_LINE = "11111111-1a3b-4c5d-8e7f-901a2b3c4d5e"


@cache
def vapi() -> Any:
    """Load the SDK at its first use: every worker imports all test files."""
    core: Any = import_module("vapi.core.pydantic_utilities")
    core.UniversalBaseModel.model_config["defer_build"] = True
    core.update_forward_refs = lambda _model, **_names: None
    core.parse_obj_as = partial(_build_and_parse, core.parse_obj_as)
    return import_module("vapi")


def _build_and_parse(parse: Any, kind: Any, value: Any) -> Any:
    if isclass(kind) and issubclass(kind, BaseModel):
        kind.model_rebuild()  # Once: what the parser would build, it throws away.
    return parse(kind, value)


def api_error() -> Any:
    return import_module("vapi.core.api_error").ApiError


def sdk(simulator: Simulator, token: str | None = None) -> Any:
    # The SDK cannot be closed, so no connection may outlive its answer.
    client = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0))
    return vapi().Vapi(
        base_url=simulator.url,
        token=token or simulator.api_key,
        httpx_client=client,
    )

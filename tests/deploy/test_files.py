"""The deployment files use metrics, commands and variables that exist."""

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml  # type: ignore[import-untyped] # it has no types; a test reads with it
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

from application.configuration import Configuration
from application.ports import Accepted
from domain.values import CampaignState
from interfaces.monitoring import metrics as api
from projections.deliveries.delivery_gauges import STATES, EndpointGauges
from projections.monitoring.gauges import Gauges
from scheduler.metrics import OUTCOMES, SchedulerMetrics, _name

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "docs/operations"
NAME = re.compile(r"\bautolynx_[a-z_]+")
SECRETS = {"autolynx_database_url", "autolynx_vapi_api_key", "autolynx_webhook_secret"}

CODE = re.compile(r'\bRefused\(\d+, "([A-Z_]+)"')
REFUSALS = {
    code.lower()
    for module in (ROOT / "interfaces/webhooks").glob("*.py")
    for code in CODE.findall(module.read_text())
}

GAUGES = Gauges(
    position=1,
    lag=0.0,
    tick_age=1.0,
    campaigns={"running": 1},
    contacts=dict.fromkeys(("pending", "queued", "ringing", "in_progress"), 1),
    open_calls={},
    waiting={"cap": 1},
    alerts_waiting=0,
    global_cap=10,
    spent_today=Decimal(1),
    daily_budget=Decimal(5),
    endpoints=[EndpointGauges("e-1", True, False, 1, 1.0, None)],
)


class Everything(Collector):
    def collect(self) -> Iterator[Any]:
        yield api._gauge("autolynx_database_up", "", 1)
        yield from api._of_work(GAUGES)
        yield from api._of_health(GAUGES)
        yield from api._of_deliveries(GAUGES)


def exposed_series() -> set[str]:
    """Return the names of all series that the processes expose."""
    own, leader, shared = api.ApiMetrics(), SchedulerMetrics(), CollectorRegistry()
    own.webhook("hang", "stored", 0.1)
    own.request("GET", "/healthz", 200, 0.1)
    leader.delivered(uuid4(), is_delivered=True)
    leader.dialled(Accepted("p", datetime.now(UTC)))
    shared.register(Everything())
    texts = (generate_latest(one) for one in (own.registry, leader.registry, shared))
    return set(NAME.findall(b"".join(texts).decode()))


def expressions() -> Iterator[str]:
    for group in read("deploy/prometheus-alerts.yml")["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    board = json.loads((ROOT / "deploy/grafana-dashboard.json").read_text())
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text())


def services() -> dict[str, Any]:
    found: dict[str, Any] = read("docker-compose.yml")["services"]
    return found


@pytest.mark.parametrize("expression", list(expressions()))
def test_rules_and_dashboard_query_metrics_that_exist(expression: str) -> None:
    wanted = set(NAME.findall(expression))
    assert wanted
    assert wanted <= exposed_series()
    assert expression.count("(") == expression.count(")")


LABEL = re.compile(r'(\w+)=~?"([^"]+)"')
SERIES = re.compile(r"(autolynx_[a-z_]+)\{([^}]*)\}")


def labelled() -> Iterator[tuple[str, str, str]]:
    """Yield each label value that the rules and the dashboard query."""
    for expression in expressions():
        for name, matchers in SERIES.findall(expression):
            for label, values in LABEL.findall(matchers):
                yield from ((name, label, value) for value in values.split("|"))


@pytest.mark.parametrize(("name", "label", "value"), sorted(set(labelled())))
def test_rules_and_dashboard_query_label_values_that_exist(
    name: str, label: str, value: str
) -> None:
    known = {
        ("autolynx_campaigns", "state"): {state.lower() for state in CampaignState},
        ("autolynx_dial_outcomes_total", "outcome"): {
            _name(outcome) for outcome in OUTCOMES
        },
        ("autolynx_endpoints", "state"): set(STATES),
        ("autolynx_delivery_attempts_total", "result"): {"delivered", "failed"},
        ("autolynx_webhooks_total", "result"): {"stored", "repeated", *REFUSALS},
    }
    assert value in known[name, label]


def test_the_monitoring_page_lists_exactly_the_existing_metrics() -> None:
    page = (OPERATIONS / "monitor.md").read_text()
    written = set(re.findall(r"`(autolynx_[a-z_]+)`", page)) - SECRETS
    suffix = re.compile(r"_(bucket|count|sum|created)$")
    named = {name for name in exposed_series() if not suffix.search(name)}
    histograms = {
        suffix.sub("", name) for name in exposed_series() if "_bucket" in name
    }
    assert written == named | histograms


def test_the_monitoring_page_explains_every_alert() -> None:
    page = (OPERATIONS / "monitor.md").read_text()
    (group,) = read("deploy/prometheus-alerts.yml")["groups"]
    alerts = [rule["alert"] for rule in group["rules"]]
    assert len(alerts) == len(set(alerts))
    assert [alert for alert in alerts if f"`{alert}`" not in page] == []


def test_the_configuration_page_explains_every_variable() -> None:
    page = (OPERATIONS / "configuration.md").read_text()
    fields = [f"AUTOLYNX_{name.upper()}" for name in Configuration.model_fields]
    assert [name for name in fields if name not in page] == []


def test_compose_runs_two_processes_of_each_role_behind_one_proxy() -> None:
    found = services()
    for role in ("api", "projector", "scheduler"):
        assert found[role]["command"] == [role]
        assert found[role]["deploy"]["replicas"] == 2
        assert "ports" not in found[role]
    assert set(found["proxy"]["ports"]) == {"80:80", "443:443"}


def test_containers_can_write_nothing_and_gain_nothing() -> None:
    for service in services().values():
        assert service["read_only"] is True
        assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.search(r"^USER 10001", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


def test_compose_sets_only_variables_and_secrets_that_the_program_reads() -> None:
    api_service = services()["api"]
    known = {f"AUTOLYNX_{name.upper()}" for name in Configuration.model_fields}
    others = {"AUTOLYNX_SECRETS_DIR", "FORWARDED_ALLOW_IPS"}
    assert set(api_service["environment"]) - known == others
    assert set(api_service["secrets"]) == SECRETS
    assert {name.upper() for name in SECRETS} <= known


def test_secrets_are_read_from_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "autolynx_webhook_secret").write_text("from a file")
    monkeypatch.setenv("AUTOLYNX_SECRETS_DIR", str(tmp_path))
    secret = Configuration().webhook_secret
    assert secret is not None
    assert secret.get_secret_value() == "from a file"


def test_a_missing_folder_of_secrets_raises_an_error_that_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOLYNX_SECRETS_DIR", str(tmp_path / "secret"))
    with pytest.raises(NotADirectoryError, match="AUTOLYNX_SECRETS_DIR"):
        Configuration()


def test_blanks_around_a_key_are_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AUTOLYNX_VAPI_API_KEY", " key\n")
    found = Configuration().vapi_api_key
    assert found is not None
    assert found.get_secret_value() == "key"


def test_empty_variables_and_files_count_as_not_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "autolynx_vapi_api_key").touch()
    monkeypatch.setenv("AUTOLYNX_SECRETS_DIR", str(tmp_path))
    for name in ("ADMIN_EMAIL", "METRICS_PORT", "DATABASE_URL", "LOG_FORMAT"):
        monkeypatch.setenv(f"AUTOLYNX_{name}", "")
    found = Configuration()
    assert found.vapi_api_key is None
    assert (found.admin_email, found.metrics_port) == (None, None)
    assert (found.database_url, found.log_format) == (None, None)


def test_secrets_sh_does_not_change_existing_secrets(tmp_path: Path) -> None:
    script = tmp_path / "secrets.sh"
    script.write_text((ROOT / "deploy/secrets.sh").read_text())
    made = []
    for _ in range(2):
        subprocess.run(["sh", str(script)], check=True, capture_output=True)
        files = sorted((tmp_path / "secrets").iterdir())
        made.append({file.name: file.read_text() for file in files})
    assert made[0] == made[1]
    assert set(made[0]) == {*SECRETS, "postgres_password"}
    assert len(made[0]["autolynx_webhook_secret"]) == 64
    assert made[0]["postgres_password"] in made[0]["autolynx_database_url"]


def test_the_image_installs_locked_versions_and_copies_every_package() -> None:
    image = (ROOT / "Dockerfile").read_text()
    locked = (ROOT / "requirements.lock").read_text()
    runtime = (ROOT / "requirements.runtime.lock").read_text()
    pins = [line for line in runtime.splitlines() if "==" in line]
    assert pins
    assert [pin for pin in pins if pin.split(" ;")[0].rstrip(" \\") not in locked] == []
    packages = re.search(
        r"^packages = (\[.*\])$", (ROOT / "pyproject.toml").read_text(), re.MULTILINE
    )
    assert packages
    for package in json.loads(packages[1]):
        assert f"COPY {package} {package}\n" in image
        assert f"!{package}\n" in (ROOT / ".dockerignore").read_text()


def test_every_base_image_is_pinned_by_digest() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    images = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    images += [one["image"] for one in services.values() if "build" not in one]
    assert images
    pinned = re.compile(r"[^@]+:[^@]+@sha256:[0-9a-f]{64}")
    assert [one for one in images if not pinned.fullmatch(one)] == []


def test_every_container_has_a_memory_limit() -> None:
    units = {"m": 1, "g": 1024}
    for name, service in services().items():
        limit = str(service.get("mem_limit"))
        assert re.fullmatch(r"[1-9][0-9]*[mg]", limit), name
        assert 128 <= int(limit[:-1]) * units[limit[-1]] <= 4096, name

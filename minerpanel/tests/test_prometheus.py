"""Prometheus and Grafana: metrics named by the conventions, alert rules that fire, a dashboard without empty panels."""

import importlib
import re
import sys
from pathlib import Path

import pytest
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from agents.configuration import default_account
from agents.models import Heartbeat, QuotaReading
from minerpanel.tests.prometheus import RULES, board, promtool, queries, scraping, values
from minerpanel.tests.test_make_run import PATIENCE, clone, free_ports, running, wait_for
from monitoring.health import metrics
from monitoring.tests.records import make_attempt, make_event, make_llm_step, make_step
from monitoring.tests.status_records import make_component

__all__ = ["clone"]
REFUSED_AFTER = 300.0  # seconds: the demo's limit is hit after a minute, and what it brings is scraped soon after
METRIC = re.compile(r"\b(?:miner|gen_ai)_[a-z_]+\b")
LABELS = re.compile(r"(?:by|without|on) \([^)]*\)")


@pytest.fixture
def exposed(db: None) -> bytes:
    """A scrape of a miner with records of all kinds."""
    importlib.reload(metrics)
    now = timezone.now()
    step = make_llm_step(at=now)
    make_attempt(step, prompt_tokens=900, completion_tokens=40, cost="0.0012")
    make_attempt(step, number=2, verdict="refused", refusal="edge")
    make_step(at=now)
    make_event(at=now)
    make_component("web")
    Heartbeat.objects.create(name="worker here/1", beaten_at=now)
    QuotaReading.objects.create(account=default_account(), read_at=now, balance=7.25)
    return metrics.exposition(timezone.now())


@pytest.mark.usefixtures("prometheus")
def test_metrics_follow_prometheus_naming(exposed: bytes) -> None:
    assert promtool("check", "metrics", given=exposed) == ""


@pytest.mark.usefixtures("prometheus")
def test_alerts_fire_when_they_should_and_not_before() -> None:
    promtool("check", "config", "--syntax-only", "prometheus.yml")
    assert "SUCCESS" in promtool("check", "rules", "--lint=all", "--lint-fatal", "alerts.yml")
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml")
    tests = (RULES / "alerts_test.yml").read_text()
    for name in re.findall(r"alert: (\w+)", (RULES / "alerts.yml").read_text()):
        assert f"- alertname: {name}\n" in tests, f"{name} has no test in which it fires"


def test_every_panel_and_every_alert_reads_a_metric_that_there_is(exposed: bytes) -> None:
    there = {sample.name for family in text_string_to_metric_families(exposed.decode()) for sample in family.samples}
    for expression in (
        *queries().values(),
        *re.findall(r"expr: (?:>-\n)?(.*?)\n +(?:for|labels):", (RULES / "alerts.yml").read_text(), re.DOTALL),
    ):
        assert set(METRIC.findall(LABELS.sub("", expression))) <= there, expression


def test_the_dashboard_has_its_rows_and_overlaps_nowhere() -> None:
    panels = board()["panels"]
    assert [panel["title"] for panel in panels if panel["type"] == "row"] == ["Answers", "LLM", "Limits", "Cost", "Health"]
    taken = [
        (x, y)
        for panel in panels
        for at in [panel["gridPos"]]
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(taken) == len(set(taken))
    assert len({panel["id"] for panel in panels}) == len(panels)


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.usefixtures("prometheus")
def test_in_the_demo_every_panel_has_data(clone: Path, tmp_path: Path) -> None:
    (clone / ".venv").symlink_to(sys.prefix)
    port, left = free_ports(1), queries()
    with running(clone, port, "demo", FAKE_CHUTES_PORT=str(free_ports(1)), METRICS_TOKEN="only-for-programs") as demo:
        wait_for(demo.announced, PATIENCE)
        with scraping(demo.address, "only-for-programs", tmp_path) as prometheus:

            def all_had_data() -> bool:
                for title in [title for title, query in left.items() if values(prometheus, query)]:
                    del left[title]
                return not left

            try:
                wait_for(all_had_data, REFUSED_AFTER)
            finally:
                assert not left, left

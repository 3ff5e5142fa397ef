"""The bench of the gate: what the learned pace promises against hidden accounts holds in the repository itself."""

import json
from dataclasses import replace

import pytest

from agents.simulation.scenario import load_file
from bench.gate import HERE, Row, missed, missed_in_all, played

pytestmark = pytest.mark.long

SCENARIOS = {path.stem: load_file(path) for path in sorted((HERE / "scenarios").glob("*.json"))}
PEERS = json.loads((HERE / "peers.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return [row for row in played(SCENARIOS, range(3)) if row.pacing == "learned"]


@pytest.mark.long
def test_the_learned_pace_keeps_what_it_promises(rows: list[Row]) -> None:
    assert len(rows) == 10
    assert [fault for row in rows for fault in missed(row, SCENARIOS[row.name], PEERS)] == []
    assert list(missed_in_all([row.measures for row in rows])) == []
    assert sum(row.measures.edge_429 for row in rows) <= 30


def test_a_promise_that_is_not_kept_is_told(rows: list[Row]) -> None:
    worse = [replace(row, measures=replace(row.measures, llm=0.0, in_time=0.0, in_ban=99.0, p95=60.0)) for row in rows]
    told = [fault for row in worse for fault in missed(row, SCENARIOS[row.name], PEERS)]
    assert len(told) == 21
    assert list(missed_in_all([row.measures for row in worse])) == ["mean p95 60.0 s"]

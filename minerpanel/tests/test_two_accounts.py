"""Two accounts of two fake Chutes, set up by command: when the first is banned, the second serves the same step in time."""

import json
from collections.abc import Iterator

import pytest

from agents.devtools.fake_chutes.process import FakeChutes
from minerpanel.tests.processes import Miner, answered, post_at_once, step_body

MODEL = "Qwen/Qwen3-32B-TEE"
ATTEMPTS = "SELECT name, verdict, refusal FROM agents_llmattempt JOIN agents_account ON agents_account.id = account_id ORDER BY agents_llmattempt.id"
GATES = "SELECT name, strikes, cause FROM agents_gate JOIN agents_account ON agents_account.id = account_id ORDER BY position"


@pytest.fixture(scope="module")
def fakes() -> Iterator[tuple[FakeChutes, FakeChutes]]:
    with FakeChutes.started() as first, FakeChutes.started() as second:
        yield first, second


def calls(fake_chutes: FakeChutes) -> int:
    return sum(arrival["path"].endswith("/chat/completions") for arrival in fake_chutes.state()["arrivals"])


def test_when_the_first_account_is_banned_the_second_serves_the_same_step(
    process_environment: dict[str, str], fakes: tuple[FakeChutes, FakeChutes]
) -> None:
    first, second = fakes
    environment = {"CHUTES_API_KEY": first.key, "CHUTES_BASE_URL": first.base_url, "CHUTES_MODELS": MODEL}
    with Miner.running({**process_environment, **environment}) as miner:
        miner.manage("miner_settings", "spacing_seconds=0")
        spare = [f"base_url={second.base_url}", f"model_names={MODEL}"]
        miner.manage("miner_settings", "--add-account", "spare", *spare, "--key-from-stdin", typed=second.key)
        printed = miner.manage("miner_settings", "--add-account", "keyless", *spare, "position=1")
        assert [account["name"] for account in json.loads(printed)["accounts"]] == ["keyless", "default", "spare"]
        first.ban(3600)
        url = miner.web()
        for number in range(2):
            ((_, answer),) = post_at_once([url], [step_body(number)])
            assert answered(answer)
        steps = "SELECT route, reason, answered_at <= deadline_at FROM agents_step ORDER BY id"
        assert miner.rows(steps) == [("llm", "answered", True)] * 2
        assert miner.rows(ATTEMPTS) == [("default", "refused", "edge"), ("spare", "ok", ""), ("spare", "ok", "")]
        assert miner.rows(GATES) == [("default", 1, "edge"), ("spare", 0, "")]
        declined = [json.loads(row[0]) for row in miner.rows("SELECT declined FROM agents_step ORDER BY id")]
        assert [[(refusal["account"], refusal["reason"]) for refusal in step] for step in declined] == [[], [("default", "paused")]]
        assert (calls(first), calls(second)) == (1, 2)
        miner.manage("miner_settings", "--account", "spare", "enabled=false")
        post_at_once([url], [step_body(2)])
        assert miner.rows(f"{steps} LIMIT 1 OFFSET 2") == [("template", "paused", True)]
        assert (calls(first), calls(second)) == (1, 2)
        assert not [file for file in miner.database_file.parent.glob("*.sqlite3*") if second.key.encode() in file.read_bytes()]

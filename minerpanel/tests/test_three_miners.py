"""Three miners with a name each on one Postgres database: their steps are apart, the account's gate is one."""

import httpx
import pytest

from agents.devtools.fake_chutes.process import FakeChutes
from minerpanel.tests.processes import PATIENCE, Miner, answered, completions, environment, step_body

pytestmark = [pytest.mark.postgres]

MINERS = "SELECT miner, COUNT(*), COUNT(DISTINCT endpoint) FROM agents_step GROUP BY miner ORDER BY miner"


def test_three_miners_share_the_account_of_one_panel_and_are_distinguished(
    process_environment: dict[str, str], fake_chutes: FakeChutes, postgres_url: str
) -> None:
    with Miner.running(environment(process_environment, fake_chutes, DATABASE_URL=postgres_url)) as miner:
        miner.manage("miner_settings", "spacing_seconds=60")
        webs = miner.webs([{"MINER_NAME": name} for name in ("north", "south", "west")])
        for number in range(2):
            for web in webs:
                answered(httpx.post(f"{web.url}/step", json=step_body(number), timeout=PATIENCE))
        assert miner.rows(MINERS) == [("north", 2, 1), ("south", 2, 1), ("west", 2, 1)]
        assert len(completions(fake_chutes)) == 1, "one slot a minute for all three"
        assert miner.rows("SELECT miner FROM agents_step WHERE route = 'llm'") == [("north",)]

"""The demo's stream of tasks."""

from itertools import islice

from agents.contract.protocol import PATHS
from agents.devtools.demo_traffic.sites import PROMPTS
from agents.devtools.demo_traffic.traffic import Visit, visits


def first(count: int, seed: int = 1, per_minute: float = 6.0) -> list[Visit]:
    return list(islice(visits(seed, per_minute), count))


def test_the_same_seed_gives_the_same_visits_and_another_seed_others() -> None:
    assert first(40) == first(40)
    assert first(40) != first(40, seed=2)


def test_each_five_visits_use_all_five_endpoints() -> None:
    paths = [visit.caller.path for visit in first(40)]
    assert all(set(paths[i : i + 5]) == set(PATHS) for i in range(0, 40, 5))


def test_the_rate_is_kept_and_no_visit_comes_before_the_one_before_it() -> None:
    times = [visit.at for visit in first(601)]
    assert times == sorted(times)
    assert 85 * 60 < times[-1] - times[0] < 115 * 60


def test_all_kinds_of_tasks_on_several_sites_come_soon_and_keep_the_seed_in_their_url() -> None:
    tasks = [visit.task for visit in first(120)]
    assert {task.kind for task in tasks} == set(PROMPTS)
    assert len({task.site.project for task in tasks}) >= 6
    assert len({task.id for task in tasks}) == len(tasks)
    assert all(task.url.endswith(f"/?seed={task.seed}") for task in tasks)


def test_accounts_are_placeholders_and_no_other_brace_is_left_in_a_prompt() -> None:
    for task in (visit.task for visit in first(120)):
        assert "{" not in task.prompt
        if task.kind in {"log in", "log out"}:
            assert "<username>" in task.prompt
            assert "<password>" in task.prompt

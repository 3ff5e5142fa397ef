"""Key figures, charts and the comparison: the same from roll-ups as from raw rows."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agents.configuration import default_account
from agents.configuration.account_changes import change_account
from agents.devtools.demo_traffic.records import Past
from agents.models import Settings, Source, Step
from monitoring.overview.compare import compared
from monitoring.overview.figures import Figure, Tally, charts, figures, series
from monitoring.reporting.ranges import RANGES, Range, RangeForm
from monitoring.reporting.rollups import DAY, FIVE, HOUR, floor, state_at, sum_finished
from monitoring.tests.reading import rows_of, text_of, tree_of
from monitoring.tests.records import NOW, make_attempt, make_event, make_llm_step, make_open_step, make_step, make_task

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def days() -> datetime:
    """Some days of records up to NOW."""
    Past(default_account(), seed=3).write(250, NOW - timedelta(days=5), NOW, lambda _: None)
    return NOW


def sum_all(now: datetime) -> None:
    sum_finished(state_at(now), now, until=math.inf)


def figures_by_name(name: str = "1h") -> dict[str, Figure]:
    """The figures of a range by name."""
    result = series(Range.named(name, NOW), NOW)
    return {figure.name: figure for figure in figures(result.total, result.before)}


def same(one: Tally, other: Tally) -> bool:
    names = ("llm", "template", "unanswered", "in_time", "durations", "refusals", "attempts", "too_many", "tokens", "cost")
    return all(getattr(one, name) == getattr(other, name) for name in names) and one.paused_seconds == pytest.approx(other.paused_seconds)


def test_without_steps_figures_are_empty() -> None:
    values = {name: figure.value for name, figure in figures_by_name().items()}
    assert values["Steps answered"] == "0"
    assert values["In time"] == values["LLM share"] == values["Median answer"] == values["95th percentile"] == "–"
    assert all(figure.tone == "" for figure in figures_by_name().values())


def test_steps_are_counted_by_route() -> None:
    make_llm_step(at=NOW - MINUTE)
    make_step(at=NOW - MINUTE)
    make_open_step(at=NOW - MINUTE)
    assert (figures_by_name()["Steps answered"].value, figures_by_name()["Steps answered"].note, figures_by_name()["LLM share"].value) == (
        "2",
        "1 without an answer",
        "50 %",
    )


def test_a_step_whose_deadline_is_to_come_is_under_way() -> None:
    make_open_step(at=NOW - timedelta(seconds=10))
    make_open_step(at=NOW - MINUTE)
    result = series(Range.named("1h", NOW), NOW)
    assert (result.total.under_way, result.total.unanswered) == (1, 1)
    routes = {line["name"]: (sum(line["values"]), line["steps"]) for line in charts(result, NOW)["data"]["charts"]["routes"]}
    assert (routes["Under way"], routes["No answer"]) == ((1, "state:running"), (1, "state:unanswered"))
    assert figures_by_name()["Steps answered"].note == "1 without an answer"


def test_a_cost_that_grew_from_0_is_no_alarm_but_refusals_are() -> None:
    by_name = {figure.name: figure for figure in figures(Tally(cost=Decimal(1), too_many=1), Tally())}
    assert (by_name["Cost"].change, by_name["Cost"].tone) == ("new", "")
    assert (by_name["Rate limits (429)"].change, by_name["Rate limits (429)"].tone) == ("new", "bad")
    assert {figure.name: figure.tone for figure in figures(Tally(cost=Decimal(2)), Tally(cost=Decimal(1)))}["Cost"] == "bad"


def test_a_step_is_in_time_until_its_deadline() -> None:
    make_step(at=NOW - MINUTE, duration_ms=23_500)
    make_step(at=NOW - MINUTE, duration_ms=23_501)
    assert (figures_by_name()["In time"].value, figures_by_name()["In time"].note) == ("50 %", "1 late")


def test_operators_and_tests_steps_are_left_out() -> None:
    make_step(make_task(source=Source.OPERATOR), at=NOW - MINUTE, duration_ms=9_000)
    make_step(make_task(source=Source.TEST), at=NOW - MINUTE)
    make_step(at=NOW - MINUTE)
    assert figures_by_name()["Steps answered"].value == "1"


def test_429s_tokens_and_cost_are_of_all_attempts_of_the_accounts() -> None:
    make_attempt(make_step(at=NOW - MINUTE), status=429, verdict="refused", refusal="edge")
    make_attempt(make_step(make_task(source=Source.TEST), at=NOW - MINUTE), prompt_tokens=900, completion_tokens=100, cost="0.5")
    result = figures_by_name()
    assert (result["Rate limits (429)"].value, result["Tokens"].value, result["Cost"].value) == ("1", "1,000", "0.5000 USD")


def test_each_figure_is_compared_with_the_range_before() -> None:
    for ago in (10, 20, 30, 70):
        make_llm_step(at=NOW - ago * MINUTE, duration_ms=1_000)
    make_step(at=NOW - 80 * MINUTE, duration_ms=40_000)
    result = figures_by_name()
    assert (result["Steps answered"].before, result["Steps answered"].change, result["Steps answered"].tone) == ("2", "+50 %", "")
    assert (result["In time"].change, result["In time"].tone) == ("+50.0 points", "good")
    assert (result["95th percentile"].tone, result["95th percentile"].change[0]) == ("good", "−")


def test_a_change_that_is_not_seen_in_the_figure_is_none() -> None:
    before, now = Tally(cost=Decimal("100.0")), Tally(cost=Decimal("100.4"))
    assert [(figure.change, figure.tone) for figure in figures(now, before) if figure.name == "Cost"] == [("±0", "")]


def test_a_step_belongs_to_one_range_only() -> None:
    for seconds in (0, 3_600, 3_601, 7_200, 7_201):
        make_step(at=NOW - timedelta(seconds=seconds))
    result = series(Range.named("1h", NOW), NOW)
    assert (result.total.answered, result.before.answered) == (1, 2)


def test_roll_ups_have_the_figures_of_raw_rows(days: datetime) -> None:
    state_at(days)
    before = {name: series(Range.named(name, days), days) for name in RANGES}
    sum_all(days)
    for name, raw in before.items():
        rolled = series(Range.named(name, days), days)
        assert same(raw.total, rolled.total), name
        assert same(raw.before, rolled.before), name
        assert all(same(one, other) for (_, one), (_, other) in zip(raw.bins, rolled.bins, strict=True)), name


def test_the_last_hour_is_never_stale(days: datetime) -> None:
    sum_all(days)
    before = {name: series(Range.named(name, days), days).total.answered for name in ("24h", "7d", "30d")}
    make_step(at=days - timedelta(seconds=1))
    assert {name: series(Range.named(name, days), days).total.answered - answered for name, answered in before.items()} == dict.fromkeys(
        before, 1
    )


def test_the_bars_make_up_the_range(days: datetime) -> None:
    sum_all(days)
    result = series(Range.named("7d", days), days)
    assert sum(tally.answered for _, tally in result.bins) == result.total.answered == Step.objects.filter(source=Source.VALIDATOR).count()
    assert sum(tally.paused_seconds for _, tally in result.bins) == pytest.approx(result.total.paused_seconds)


def test_a_range_starts_when_the_records_do() -> None:
    make_step(at=NOW - 11 * MINUTE)
    sum_all(NOW - 10 * MINUTE)
    make_step(at=NOW - MINUTE)
    result = series(Range.named("24h", NOW), NOW)
    assert (result.range.start, result.range.bin) == (floor(NOW - 11 * MINUTE, FIVE), FIVE)
    assert [tally.answered for _, tally in result.bins] == [1, 0, 1]


@pytest.mark.parametrize(("length", "bars"), [(HOUR, 13), (6 * HOUR, 73), (DAY, 25), (7 * DAY, 29), (30 * DAY, 31), (365 * DAY, 54)])
def test_a_range_has_a_handful_of_bars(length: timedelta, bars: int) -> None:
    at = NOW + timedelta(minutes=7)
    assert abs(len(Range.between(at - length, at, at).bins()) - bars) <= 1


def test_the_charts_and_the_table_have_the_same_numbers(days: datetime) -> None:
    result = series(Range.named("24h", days), days)
    drawn = charts(result, days)
    routes = {line["name"]: line["values"] for line in drawn["data"]["charts"]["routes"]}
    assert routes["LLM"] == [row.tally.llm for row in reversed(drawn["rows"])]
    assert sum(routes["LLM"]) == result.total.llm > 0
    assert len(drawn["data"]["starts"]) == len(drawn["rows"]) == len(drawn["data"]["steps"])


def test_a_settings_change_is_a_mark() -> None:
    settings = Settings.current()
    settings.spacing_seconds = 2
    settings.save()
    record = Settings.history.get()
    record.history_date = NOW - MINUTE
    record.save()
    change_account(default_account(), {"enabled": False}, key=None, by=None, reason="")
    marks = charts(series(Range.named("1h", NOW), NOW), NOW)["marks"]
    assert [text for _, text in marks] == ["Spacing 5 s → 2 s"]


def test_the_comparison_is_the_same_from_roll_ups_and_raw_rows(days: datetime) -> None:
    raw = {name: compared(Range.named(name, days), days) for name in ("1h", "24h", "30d")}
    sum_all(days)
    assert {name: compared(Range.named(name, days), days) for name in raw} == raw
    assert raw["24h"].total.llm.steps > 0 and raw["30d"].total.llm.steps > 0


def test_pauses_less_than_a_pixel_apart_are_drawn_as_one() -> None:
    for ago, took in ((60, 600), (49.8, 48), (49, 60), (20, 60)):
        make_event(at=NOW - timedelta(minutes=ago), took=took, pause_seconds=took)
    assert series(Range.named("6h", NOW), NOW).pauses == [
        (NOW - timedelta(minutes=60), NOW - timedelta(minutes=48)),
        (NOW - timedelta(minutes=20), NOW - timedelta(minutes=19)),
    ]


def test_llm_and_template_stand_side_by_side(days: datetime) -> None:
    chosen = Range.named("7d", days)
    raw = compared(chosen, days)
    sum_all(days)
    rolled = compared(chosen, days)
    assert rolled == raw
    assert rolled.total.llm.steps == Step.objects.filter(source=Source.VALIDATOR, route="llm").count()
    for groups in (rolled.projects, rolled.kinds, rolled.uses):
        assert rolled.total.llm.steps == sum(pair.llm.steps for pair in groups)
        assert rolled.total.template.reported == sum(pair.template.reported for pair in groups)
    assert {pair.name for pair in rolled.uses} == {"For every step", "Where the template is unsure"}
    assert (rolled.total.llm.share or 0) + (rolled.total.template.share or 0) == pytest.approx(100)


def test_the_comparison_has_the_shares_of_executed_and_unreported_actions(viewer: Client) -> None:
    assert "Choose a longer range" in text_of(viewer.get("/compare/"), "//*[@id='compare']")
    task = make_task(project="autobooks", kind="search")
    for outcome in ("worked", "worked", "partly", "failed", "unknown", ""):
        make_llm_step(task, at=NOW, outcome=outcome)
    make_step(task, at=NOW)
    page = viewer.get("/compare/?since=2026-05-04T11:00&until=2026-05-04T13:00")
    assert [row for row in rows_of(page) if row.startswith(("autobooks LLM 6", "Search LLM 6")) and row.endswith("50 % of 4 2")]
    assert len([row for row in rows_of(page) if row.startswith("Template 1") and row.endswith("– 1")]) == 3, "in all, by project, by kind"
    assert tree_of(page).xpath("//a[text()='Search']/@href") == ["/tasks/?q=kind%3Asearch"]
    assert "By use of the LLM" not in text_of(page), "no record has it"


def test_uses_of_the_llm_are_compared_if_they_are_on_record(viewer: Client) -> None:
    for use in ("always", "when_unsure"):
        make_llm_step(at=NOW, limits={"llm_use": use}, outcome="worked")
    page = viewer.get("/compare/?since=2026-05-04T11:00&until=2026-05-04T13:00")
    assert len([row for row in rows_of(page) if row.startswith(("For every step LLM 1", "Where the template is unsure LLM 1"))]) == 2


def test_kinds_of_task_have_labels_and_link_to_their_tasks(viewer: Client) -> None:
    make_step(make_task(kind="open an item"), at=NOW)
    make_step(make_task(kind="of an older version"), at=NOW)
    page = viewer.get("/compare/?since=2026-05-04T11:00&until=2026-05-04T13:00")
    links = tree_of(page).xpath("//th[@scope='rowgroup']/a")
    assert [(link.text, link.get("href")) for link in links if "kind" in link.get("href")] == [
        ("of an older version", "/tasks/?q=kind%3A%22of%20an%20older%20version%22"),
        ("Open an item", "/tasks/?q=kind%3A%22open%20an%20item%22"),
    ]


def test_a_range_takes_a_fixed_number_of_queries(days: datetime) -> None:
    def counts() -> dict[str, tuple[int, int]]:
        return {name: (queries(compared, name), queries(series, name)) for name in RANGES}

    def queries(read: Callable[[Range, datetime], object], name: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            read(Range.named(name, days), days)
        return len(captured)

    raw = counts()
    sum_all(days)
    assert raw == {name: (3, 9 if name in ("1h", "6h") else 7) for name in RANGES}
    assert counts() == {name: (3 if name == "1h" else 4, 10 if name in ("1h", "6h") else 8) for name in RANGES}


def form(**data: Any) -> RangeForm:
    query = QueryDict(mutable=True)
    query.update(data)
    return RangeForm(query, NOW)


def test_own_times_are_taken_in_the_readers_zone(viewer: Client) -> None:
    make_step(make_task(project="autobooks"), at=NOW)
    address = "/compare/?since=2026-05-04T13:30&until=2026-05-04T14:30"
    assert "autobooks" not in text_of(viewer.get(address))
    viewer.cookies["zone"] = "Europe/Berlin"
    page = viewer.get(address)
    assert "autobooks" in text_of(page), "12:00 UTC is 14:00 there"
    assert "From (Europe/Berlin)" in text_of(page)


def test_own_times_are_taken_in_utc_and_kept_in_the_url() -> None:
    filled = form(since="2026-05-01T00:00", until="2026-05-02T12:00")
    assert (filled.chosen().start, filled.chosen().end) == (NOW.replace(day=1, hour=0), NOW.replace(day=2))
    assert filled.query == "since=2026-05-01T00%3A00&until=2026-05-02T12%3A00"


@pytest.mark.parametrize(
    ("data", "field", "remedy"),
    [
        ({"range": "2h"}, "range", "not one of the available choices"),
        ({"since": "soon"}, "since", "Enter a valid date/time"),
        ({"until": "2026-05-02T12:00"}, "since", "Give the start too"),
        ({"since": "2026-05-02T12:00", "until": "2026-05-01T12:00"}, "until", "at least 5 minutes after"),
        ({"since": "2030-05-02T12:00"}, "until", "at least 5 minutes after"),
        ({"since": "2020-05-02T12:00"}, "since", "at most 730 days"),
    ],
)
def test_times_that_cannot_be_shown_are_named_with_the_remedy(data: dict[str, str], field: str, remedy: str) -> None:
    filled = form(**data)
    assert filled.chosen() == Range.named("24h", NOW)
    assert remedy in filled.errors[field][0]


def test_beyond_the_kept_hours_a_range_begins_with_a_day() -> None:
    chosen = Range.between(NOW - 200 * DAY, NOW - 199 * DAY, NOW)
    assert (chosen.start.hour, chosen.bin) == (0, DAY)

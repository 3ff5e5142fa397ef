"""Health: the status and history of each component, and whether checks run."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import Heartbeat
from monitoring.health.components import DAY, day, health, segments
from monitoring.models import Component, HealthCheck, HealthState
from monitoring.tests.reading import HTMX, element_text, rows_of, text_of, tree_of
from monitoring.tests.records import NOW
from monitoring.tests.status_records import make_component, make_run, make_schedule

pytestmark = pytest.mark.django_db

PATIENCE = timedelta(minutes=3)


def make_worker_alive(at: Any = None) -> None:
    Heartbeat.objects.create(name="worker here/1", beaten_at=at or timezone.now())


def row(client: Client, component: Component) -> str:
    return text_of(client.get("/components/"), f"//*[@id='component-{component.pk}']")


def test_a_component_shows_its_status_since_when_and_its_latency(viewer: Client) -> None:
    make_worker_alive()
    now = timezone.now()
    web = make_component("web", at=now, message="Answers in 12 ms.")
    text = row(viewer, web)
    assert text.startswith("web Up Answers in 12 ms. Up since")
    assert "Latency 12 ms" in text
    assert "No component is down or degraded" in text_of(viewer.get("/components/"), "//*[@id='components']")


def test_components_that_are_down_are_first_and_named(viewer: Client) -> None:
    make_worker_alive()
    for name, beats in (("web", "u"), ("queue", "g"), ("database", "d")):
        make_component(name, at=timezone.now(), beats=beats)
    page = viewer.get("/components/")
    assert "2 of 3 are not up: database, queue." in text_of(page, "//*[@id='components']")
    assert tree_of(page).xpath("//article/@aria-label") == ["database", "queue", "web"]


def test_flapping_is_shown(viewer: Client) -> None:
    make_worker_alive()
    web = make_component("web", at=timezone.now(), is_flapping=True)
    assert "Flapping" in row(viewer, web)
    assert "alternates between up and down" in row(viewer, web)


def test_a_strip_is_one_tab_stop_with_a_label_and_has_sixty_checks_at_most(viewer: Client) -> None:
    make_worker_alive()
    web = make_component("web", at=timezone.now(), beats="u" * 70 + "d" * 2 + "u")
    (strip,) = tree_of(viewer.get("/components/")).xpath(f"//*[@id='component-{web.pk}']//*[@tabindex='0']")
    assert strip.get("aria-label") == "The last 60 checks: 58 up, 2 down. Newest: Up."
    beats = strip.xpath("./span")
    assert len(beats) == 60
    assert beats[-2].get("title").startswith("Down · ")
    assert beats[-2].get("title").endswith("check 1")


def test_a_component_not_checked_for_some_rounds_is_unknown(viewer: Client) -> None:
    make_worker_alive()
    web = make_component("web", at=timezone.now() - timedelta(minutes=4), is_flapping=True)
    text = row(viewer, web)
    assert text.startswith("web Unknown Not checked since")
    assert "Up since" not in text
    assert "Flapping" not in text


def test_the_clock_is_checked_once_an_hour_and_keeps_its_strip(viewer: Client) -> None:
    make_worker_alive()
    now = timezone.now()
    make_component("web", at=now)
    clock = make_component("clock", at=now - timedelta(minutes=170), beats="uuuu")
    by_name = {row.component.name: row for row in health(now).rows}
    assert (by_name["clock"].status, len(by_name["clock"].beats)) == (HealthState.UP, 4)
    assert row(viewer, clock).startswith("clock Up")


def test_a_silent_worker_is_shown_on_top_and_counts_as_down(viewer: Client) -> None:
    beaten = timezone.now() - timedelta(minutes=2)
    make_worker_alive(beaten)
    worker = make_component("worker", at=beaten)
    page = viewer.get("/components/")
    assert "The worker has not responded since" in text_of(page, "//*[@id='components']//*[@role='alert']")
    assert row(viewer, worker).startswith("worker Down No heartbeat for a minute or more.")


def test_before_the_first_round_the_page_explains_itself(viewer: Client) -> None:
    page = text_of(viewer.get("/components/"), "//*[@id='components']")
    assert "No health check yet." in page
    assert "No worker has started yet" in page


def test_the_page_runs_as_many_queries_for_twenty_components_as_for_one(
    viewer: Client, django_assert_num_queries: Callable[..., Any], django_assert_max_num_queries: Callable[..., Any]
) -> None:
    make_component("web", at=timezone.now(), beats="u" * 60)
    viewer.get("/components/")
    with django_assert_max_num_queries(20) as few:
        viewer.get("/components/")
    for number in range(19):
        make_component(f"account {number}", at=timezone.now(), beats="u" * 60)
    with django_assert_num_queries(len(few)):
        viewer.get("/components/")


def test_one_components_day_shows_when_it_changed(viewer: Client) -> None:
    make_worker_alive()
    web = make_component("web", at=timezone.now(), beats="uuuddduu")
    page = viewer.get(f"/components/{web.pk}/")
    changes = [line.split(" ", 3)[-1] for line in rows_of(page)]
    assert changes[0].endswith("Up check 1 until now")
    assert changes[1].endswith("Down check 4 3 min")
    assert changes[2].endswith("Up check 7 3 min")
    assert "Not checked" in changes[3]
    assert "Checks 8" in text_of(page)
    assert len(tree_of(page).xpath("//svg/rect | //*[local-name()='rect']")) == 4


def test_a_component_shows_how_much_of_the_time_it_was_up(viewer: Client) -> None:
    make_worker_alive()
    web = make_component("web", at=timezone.now(), beats="uuuuuudduu")
    assert row(viewer, web).endswith("80 % up")
    assert re.search(r"Up, of the time checked 7\d %", text_of(viewer.get(f"/components/{web.pk}/")))


def test_a_day_measures_its_latencies() -> None:
    web = make_component("web", beats="uuu")
    result = day(web, NOW)
    assert (result["checks"], result["median_ms"], result["longest_ms"]) == (3, 11.0, 12.0)
    assert day(make_component("queue", beats="u"), NOW + timedelta(days=2))["median_ms"] is None


def beats(*checks: tuple[float, HealthState]) -> list[HealthCheck]:
    return [HealthCheck(at=NOW - timedelta(minutes=ago), state=state) for ago, state in checks]


def test_checks_are_joined_while_their_status_is_the_same() -> None:
    parts = segments(beats((4, HealthState.UP), (3, HealthState.UP), (2, HealthState.DOWN), (1, HealthState.DOWN)), NOW, PATIENCE)
    assert [(part.status, (NOW - part.start) // timedelta(minutes=1)) for part in parts] == [("", 24 * 60), ("up", 4), ("down", 2)]
    assert sum(part.width for part in parts) == pytest.approx(100)
    assert parts[-1].end == NOW


def test_a_gap_between_checks_is_shown_as_not_checked() -> None:
    parts = segments(beats((30, HealthState.UP), (10, HealthState.UP)), NOW, PATIENCE)
    assert [(part.status, (NOW - part.start) // timedelta(minutes=1)) for part in parts] == [
        ("", 24 * 60),
        ("up", 30),
        ("", 27),
        ("up", 10),
        ("", 7),
    ]


def test_a_day_that_begins_between_two_checks_begins_with_the_next_one() -> None:
    first = NOW - DAY + timedelta(minutes=1)
    (part, *_) = segments([HealthCheck(at=first, state=HealthState.UP)], NOW, PATIENCE)
    assert (part.start, part.status) == (NOW - DAY, "up")


def test_without_a_check_the_whole_day_is_not_checked() -> None:
    assert [(part.status, part.width) for part in segments([], NOW, PATIENCE)] == [("", 100.0)]


def test_the_pages_are_live(viewer: Client) -> None:
    make_worker_alive()
    web = make_component("web", at=timezone.now())
    for address in ("/components/", f"/components/{web.pk}/"):
        first = viewer.get(address, headers=HTMX)
        Component.objects.update(message="Answers in 13 ms.")
        assert viewer.get(address, headers={**HTMX, "If-None-Match": first["ETag"]}).status_code == 200
        Component.objects.update(message="web checked.")


def test_an_unknown_component_is_not_found(viewer: Client) -> None:
    assert viewer.get("/components/7/").status_code == 404


SIDE = "//section[@aria-label='Health and tests']"


def test_the_overview_shows_down_components_beside_the_status(viewer: Client) -> None:
    make_worker_alive()
    assert "No health check yet" in text_of(viewer.get("/"), "//section[@aria-label='Status']")
    web = make_component("web", at=timezone.now())
    assert "Nothing is down" in text_of(viewer.get("/"), "//section[@aria-label='Status']")
    Component.objects.update(state=HealthState.DOWN)
    page = viewer.get("/", headers=HTMX)
    assert "web Down" in text_of(page, "//section[@aria-label='Status']")
    assert f"/components/{web.pk}/" in tree_of(page).xpath("//section[@aria-label='Status']//a/@href")


def test_the_overview_shows_heartbeats_verdicts_and_the_next_run(viewer: Client) -> None:
    make_worker_alive()
    make_component("database", at=timezone.now(), beats="u" * 40)
    web = make_component("web", at=timezone.now(), beats="ugd")
    runs = [make_run(verdict, at=timezone.now() - timedelta(hours=age)) for verdict, age in (("ok", 3), ("fail", 2), ("ok", 1))]
    make_schedule()
    page = viewer.get("/")
    rows = [element_text(row) for row in tree_of(page).xpath(f"{SIDE}//*[@class='watched']")]
    assert rows == ["web Down", "database Up"], "those that need attention are first"
    beats = [strip.xpath("count(span)") for strip in tree_of(page).xpath(f"{SIDE}//*[@class='watched']/*[@role='img']")]
    assert beats == [3, 30]
    assert tree_of(page).xpath(f"{SIDE}//*[@class='watched'][1]//span[contains(@class, 'beat-')]/@class")[-1] == "beat tone-red beat-down"
    assert tree_of(page).xpath(f"{SIDE}//nav/a/@href") == [f"/tests/{run.pk}/" for run in runs]
    text = text_of(page, SIDE)
    assert f"Last: Run {runs[2].pk} OK Last failed: Run {runs[1].pk} Failed Next 4 May 12:07:00 UTC Each hour" in text
    assert f"/components/{web.pk}/" in tree_of(page).xpath(f"{SIDE}//a/@href")


def test_the_overview_shows_what_is_still_unknown(viewer: Client) -> None:
    text = text_of(viewer.get("/"), SIDE)
    assert "No health check yet." in text
    assert "No test has run yet. Run them" in text
    assert "No test is scheduled" in text

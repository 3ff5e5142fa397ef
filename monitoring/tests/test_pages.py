"""Rules for every page: one context for page and fragment, no body if unchanged, a fixed number of queries, strict CSP."""

import re
from datetime import timedelta
from math import inf

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path
from lxml import html

from agents.configuration import default_account
from agents.models import Account, AuditEntry, Caller, Learned, Replay, Step
from monitoring.models import JournalImport, LogEntry, MaintenanceWindow, TestRun
from monitoring.sign_in import sessions
from monitoring.tests.reading import HTMX, tree_of
from monitoring.tests.records import (
    NOW,
    make_attempt,
    make_channel,
    make_delivery,
    make_event,
    make_export,
    make_llm_step,
    make_notice,
    make_step,
    make_task,
)
from monitoring.tests.status_records import make_component, make_result, make_run
from monitoring.urls import urlpatterns as panel_urls
from monitoring.web.navigation import GROUPS

pytestmark = [pytest.mark.django_db, pytest.mark.long]

SPARE = 1_000
PAGES = (
    "/",
    "/first-steps/",
    "/figures/",
    "/compare/",
    "/tasks/",
    "/tasks/new/",
    "/steps/",
    "/attempts/",
    "/tests/",
    "/tests/schedules/new/",
    "/components/",
    "/callers/",
    "/palette/",
    "/palette/?go=s",
    "/logs/",
    "/logs/?text=a",
    "/logs/imports/",
    "/rate-limit/",
    "/rate-limit/events/",
    "/rate-limit/what-if/",
    "/audit/",
    "/sites/",
    "/sites/?site=localhost:8000",
    "/deployment/",
    "/account/password/",
    "/account/second-factor/",
    "/account/second-factor/app/",
    "/account/sessions/",
    "/account/tokens/",
    "/account/tokens/api/",
    "/notifications/",
    "/notifications/deliveries/",
    "/notifications/notices/",
    "/notifications/channels/new/",
    "/notifications/maintenance/new/",
    "/components/watcher/",
    "/settings/",
    "/settings/import/",
    "/settings/retention/",
    "/settings/users/",
    "/settings/accounts/new/",
    f"/settings/accounts/{SPARE}/",
)
TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))


@pytest.fixture(autouse=True)
def spare(db: None) -> Account:
    """An account with a page of its own."""
    default_account()
    return Account.objects.create(pk=SPARE, name="spare", position=2)


def fill(rows: int) -> str:
    """Tasks with steps and attempts, events, audit entries, callers, accounts, logs, test runs, components. Returns a task's address."""
    task, first = make_task(), Account.objects.count()
    for number in range(rows):
        make_attempt(make_llm_step(task, index=number))
        make_attempt(make_llm_step(at=NOW - timedelta(seconds=number)), status=429)
        Account.objects.create(name=f"account-{first + number}", position=first + number + 1)
        make_event(at=NOW - timedelta(seconds=number), took=60.0, attempt=make_attempt(make_step(), status=429))
        make_export(replica=[{"check": "Memory", "found": "60 MB", "expected": "at most 300 MB", "passed": True}], replica_at=NOW)
        learned = {"key": f"/{first + number}", "size": 200, "seen_at": NOW}
        Learned.objects.create(site="localhost:8000", kind="route", facts={"html": "<p>"}, **learned)
        Learned.objects.create(site=f"localhost:{first + number}", kind="route", **learned)
        AuditEntry.objects.create(at=NOW, by="ada", action="pause", account=default_account(), detail="For 60 s.")
        Replay.objects.create(
            step=Step.objects.filter(task=task).earliest("pk"),
            requested_at=NOW,
            lease_until=NOW,
            state="succeeded",
            route="template",
            reason="mode",
        )
        make_delivery(make_notice(subject=f"{first + number}"), make_channel(f"channel-{first + number}"))
        MaintenanceWindow.objects.create(starts_at=NOW, ends_at=NOW + timedelta(minutes=number + 1), reason=f"Reason {number}")
        Caller.objects.create(address=f"203.0.113.{number}", first_seen_at=NOW, last_seen_at=NOW)
        make_result(make_run())
        make_component(f"account {TestRun.objects.count()}")
        journal = JournalImport.objects.create(name="a.log", started_at=NOW)
        LogEntry.objects.create(at=NOW, level=30, logger="a", message="a\nb", journal=journal, step_uid=Step.objects.latest("id").uid)
    return f"/tasks/{task.pk}/"


def crash(_: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError


urlpatterns = [path("crash/", crash)]


@pytest.mark.parametrize("address", PAGES)
def test_a_page_with_live_parts_offers_a_refresh_interval(address: str, admin: Client) -> None:
    tree = tree_of(admin.get(address))
    assert bool(tree.xpath("//select[@data-refresh]")) is bool(tree.xpath("//*[starts-with(@hx-trigger, 'tick')]"))


@pytest.mark.parametrize("address", PAGES)
def test_htmx_gets_the_fragment_of_the_page(address: str, admin: Client) -> None:
    whole, part = admin.get(address), admin.get(address, headers=HTMX)
    assert b"<html" in whole.content
    assert b"<html" not in part.content
    root = html.fragment_fromstring(part.content.decode())
    assert tree_of(whole).get_element_by_id(root.attrib["id"]) is not None
    assert "HX-Request" in part["Vary"]


def test_going_back_in_the_browser_gets_the_whole_page(viewer: Client) -> None:
    assert b"<html" in viewer.get("/tasks/", headers={**HTMX, "HX-History-Restore-Request": "true"}).content


def test_a_live_part_that_has_not_changed_is_not_sent_again(viewer: Client) -> None:
    address = fill(1)
    first = viewer.get(address, headers=HTMX)
    again = viewer.get(address, headers={**HTMX, "If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    make_llm_step(make_task(key="another"))
    assert viewer.get("/", headers={**HTMX, "If-None-Match": first["ETag"]}).status_code == 200


def test_each_page_runs_as_many_queries_for_fifty_rows_as_for_one(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "NOTED_EVERY", inf)  # on a slow machine a visit would be noted in between
    task = fill(1)
    step = Step.objects.filter(task=int(task.strip("/").split("/")[-1])).earliest("pk")
    addresses = (*PAGES, task, f"/steps/{step.pk}/replay/")
    few = {address: query_count(admin, address) for address in addresses}
    assert max(few.values()) <= 38
    Caller.objects.all().delete()
    fill(50)
    assert {address: query_count(admin, address) for address in addresses} == few


def query_count(client: Client, address: str) -> int:
    """Database queries of a page with nothing cached."""
    client.get(address)  # warms what a process caches
    cache.clear()
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    return len(queries)


@pytest.mark.parametrize("address", PAGES)
def test_a_page_keeps_to_the_content_security_policy(address: str, admin: Client) -> None:
    response = admin.get(address)
    assert "default-src 'self'" in response["Content-Security-Policy"]
    tree = tree_of(response)
    assert not tree.xpath("//style | //script[not(@src)] | //*[@style]")
    assert not [name for node in tree.iter() for name in node.keys() if name.startswith(("on", "hx-on"))]  # noqa: SIM118


@pytest.mark.parametrize(
    ("address", "entry"),
    [
        ("/", ("Overview", "page")),
        ("/compare/", ("Overview", "true")),
        ("/steps/", ("Tasks", "true")),
        ("/rate-limit/what-if/", ("Rate limit", "true")),
        ("/tasks/new/", ("Tasks", "true")),
        ("/tests/schedules/new/", ("Tests", "true")),
        ("/logs/imports/", ("Logs", "true")),
    ],
)
def test_the_navigation_marks_the_current_page_also_on_subpages(address: str, entry: tuple[str, str], admin: Client) -> None:
    current = tree_of(admin.get(address)).xpath("//nav[@aria-label='Pages']//a[@aria-current]")
    assert [(link.text_content(), link.get("aria-current")) for link in current] == [entry]


def test_the_navigation_names_pages_of_the_url_table_and_each_once() -> None:
    entries = [entry for group in GROUPS.values() for entry in group]
    named = [name for entry in entries for name in (entry.route, *entry.below.split())]
    assert len(entries) == 14
    assert len(named) == len(set(named))
    assert set(named) <= {getattr(pattern, "name", None) for pattern in panel_urls}


def test_the_users_page_is_in_the_navigation_of_permitted_users_only(admin: Client, viewer: Client) -> None:
    seen = [[link.text_content() for link in tree_of(client.get("/")).xpath("//nav[@aria-label='Pages']//a")] for client in (admin, viewer)]
    assert [name for name in seen[0] if name not in seen[1]] == ["Learned sites", "Deployment", "Users"]


def test_names_in_templates_exist() -> None:
    for template in TEMPLATES:
        for name in re.findall(r"{% static '([^']+)'", template.read_text()):
            assert finders.find(name), f"{template}: {name}"


def test_every_icon_is_in_the_sprite() -> None:
    sprite = html.fromstring((settings.BASE_DIR / "monitoring/static/monitoring/vendor/tabler-icons-3.52.0/icons.svg").read_bytes())
    there = set(sprite.xpath("//symbol/@id"))
    for template in TEMPLATES:
        assert set(re.findall(r'{% icon "([^"]+)" %}', template.read_text())) <= there, template
    assert {entry.icon for group in GROUPS.values() for entry in group} <= there


def test_templates_stay_small() -> None:
    assert [template.name for template in TEMPLATES if len(template.read_text().splitlines()) > 100] == []


def test_an_unknown_page_gets_the_panels_404(viewer: Client) -> None:
    response = viewer.get("/nothing-here/")
    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()
    assert "panel.css" in response.content.decode()


def test_a_refusal_names_the_admin_as_contact(viewer: Client) -> None:
    response = viewer.get("/tasks/new/")
    assert response.status_code == 403
    assert "Ask an admin" in response.content.decode()


def test_a_form_without_its_token_is_refused_with_the_remedy(admin: Client) -> None:
    admin.handler.enforce_csrf_checks = True
    response = admin.post("/settings/", {"spacing_seconds": "1"})
    assert response.status_code == 403
    assert "Reload the page" in response.content.decode()


@pytest.mark.urls("monitoring.tests.test_pages")
def test_a_fault_in_the_panel_gets_its_error_page(client: Client) -> None:
    client.raise_request_exception = False
    response = client.get("/crash/")
    assert response.status_code == 500
    assert "Something went wrong in the panel" in response.content.decode()


def test_pages_are_compressed_and_an_unchanged_part_has_no_body(viewer: Client) -> None:
    packed = {"accept-encoding": "gzip"}
    page = viewer.get("/tasks/", headers=packed)
    assert page["Content-Encoding"] == "gzip"
    assert len(page.content) < len(viewer.get("/tasks/").content) / 2
    part = viewer.get("/tasks/", headers={**packed, **HTMX})
    again = viewer.get("/tasks/", headers={**packed, **HTMX, "if-none-match": part["ETag"]})
    assert (again.status_code, again.content) == (304, b"")

"""Admins see, change, delete and export the facts learned about sites."""

import tomllib
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from agents.configuration.known_sites import load
from agents.learning import store
from agents.learning.store import KNOWN_CALLERS, Place
from agents.learning.toml import toml
from agents.models import AuditEntry, Learned

pytestmark = pytest.mark.django_db

EVIL = "<script>alert(1)</script>"
FILMS = Place("localhost:8000", "autocinema", KNOWN_CALLERS)
STRANGER = Place("evil.example:80", "", "6.6.6.6")


@pytest.fixture(autouse=True)
def learned() -> None:
    films = {"list": "/search", "card": "//article", "link": "//a", "numbers": {"year": "(.//b)[1]"}}
    pages = {("route", "/contact"): {"html": "<form>\n'''\"é\x7f</form>"}, ("effect", "/contact > //button"): {"to": "/thanks"}}
    store.save(FILMS, {**pages, ("list", "/films/*"): films}, None, timezone.now())
    store.save(STRANGER, {("route", f"/{EVIL}"): {"html": EVIL}}, None, timezone.now())


def test_sites_are_listed_with_their_facts(admin: Client) -> None:
    text = admin.get("/sites/").content.decode()
    assert "localhost:8000" in text and "autocinema" in text and "1 route, 1 list, 1 effect" in text and "All known callers" in text
    text = admin.get("/sites/?site=localhost:8000").content.decode()
    assert "/contact" in text and "/films/*" in text


def test_untrusted_texts_are_escaped(admin: Client) -> None:
    row = Learned.objects.get(site=STRANGER.site)
    for address in ("/sites/", "/sites/?site=evil.example:80&callers=6.6.6.6", f"/sites/{row.pk}/"):
        text = admin.get(address).content.decode()
        assert EVIL not in text and "evil.example" in text
    assert "&lt;script&gt;" in text


def test_the_export_is_a_file_of_site_facts(admin: Client, tmp_path: Path) -> None:
    text = admin.get("/sites/site.toml?site=localhost:8000").content.decode()
    out = StringIO()
    call_command("site_map", "autocinema", stdout=out)
    assert tomllib.loads(text) == tomllib.loads(out.getvalue())
    (tmp_path / "autocinema.toml").write_text(text, "utf-8")
    sites, faults = load(tmp_path)
    assert faults == ()
    assert sites["autocinema"].items["/films/*"].numbers == {"year": "(.//b)[1]"}
    assert sites["autocinema"].pages["/contact"] == {"html": "<form>\n'''\"é\x7f</form>"}


def test_a_site_without_facts() -> None:
    with pytest.raises(CommandError, match=r"Nothing was learned of nowhere\. Known: localhost:8000"):
        call_command("site_map", "nowhere")


def test_a_fact_is_changed_and_steps_leave_it(admin: Client) -> None:
    row = Learned.objects.get(kind="list")
    changed = {**row.facts, "list": "/browse"}
    answer = admin.post(f"/sites/{row.pk}/", {"facts": toml(changed)}, follow=True)
    assert "Takes effect within 10 seconds" in answer.content.decode()
    store.save(FILMS, {("list", "/films/*"): {"list": "/evil"}}, None, timezone.now())
    row.refresh_from_db()
    assert row.facts == changed and row.by_hand
    assert AuditEntry.objects.get(action="learned").detail == "List /films/* of localhost:8000 was changed"


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("list = ", "This is not TOML"),
        ('list = "browse"\ncard = "//a"', "begins with /"),
        ('colour = "red"', "Field required"),
        ("", "required"),
    ],
)
def test_a_fact_that_cannot_be_used_is_refused(admin: Client, text: str, remedy: str) -> None:
    row = Learned.objects.get(kind="list")
    assert remedy in admin.post(f"/sites/{row.pk}/", {"facts": text}).content.decode()
    assert Learned.objects.get(pk=row.pk).facts == row.facts and not AuditEntry.objects.exists()


def test_a_fact_and_a_site_are_deleted(admin: Client) -> None:
    row = Learned.objects.get(kind="effect")
    admin.post(f"/sites/{row.pk}/", {"delete": "1"})
    assert not Learned.objects.filter(pk=row.pk).exists()
    answer = admin.post("/sites/?site=localhost:8000&callers=", follow=True)
    assert "Deleted: 2 facts" in answer.content.decode()
    assert list(Learned.objects.values_list("site", flat=True)) == [STRANGER.site]
    assert [entry.detail for entry in AuditEntry.objects.order_by("pk")] == [
        "Effect /contact > //button of localhost:8000 was deleted",
        "2 facts of localhost:8000 were deleted",
    ]
    assert "Learned facts changed" in admin.get("/audit/").content.decode()


def test_only_admins_see_them(viewer: Client) -> None:
    assert viewer.get("/sites/").status_code == 403
    assert "Learned sites" not in viewer.get("/").content.decode()


def test_a_solution_shows_its_record_and_its_runs_and_is_deleted(admin: Client) -> None:
    sign = {"kinds": "other", "verb": "oil", "about": ["oil", "tool"]}
    facts = {"sign": sign, "actions": [], "by": [], "steps": [41, 57]}
    row = Learned.objects.create(
        site="shed:80", kind="solution", key="other, oil", facts=facts, won=3, lost=2, size=1, seen_at=timezone.now()
    )
    text = admin.get(f"/sites/{row.pk}/").content.decode()
    assert "3 and 2: dropped, no task is done by it" in text
    assert "/steps/41/page/" in text and "/steps/57/page/" in text
    admin.post(f"/sites/{row.pk}/", {"delete": "1"})
    assert not Learned.objects.filter(pk=row.pk).exists()

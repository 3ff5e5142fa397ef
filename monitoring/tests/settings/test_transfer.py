"""Settings as a file, reverted changes, the retention page, and the effects of values."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from agents.configuration import change, default_account
from agents.configuration.account_changes import add_account, change_account
from agents.models import Account, AuditEntry, Settings
from monitoring.models import Retention
from monitoring.retention.pruning import change_retention
from monitoring.settings import transfer
from monitoring.settings.forms import previews
from monitoring.tests.reading import HTMX, rows_of, text_of, tree_of
from monitoring.tests.settings.test_settings import GOOD

pytestmark = pytest.mark.django_db


def document(**parts: Any) -> str:
    return json.dumps({"version": 1, **parts})


def test_an_export_brings_back_everything_and_holds_no_key(admin: Client) -> None:
    add_account("spare", {"base_url": "http://127.0.0.1:9/v1"}, key="cpk_nobody.may.see.this", by=None, reason="")
    change({"spacing_seconds": 7}, by=None, reason="")
    change_retention({"logs": {"days": 5}}, by=None, reason="")
    exported = admin.get("/settings/export/").content.decode()
    assert "nobody" not in exported and "sealed" not in exported
    change({"spacing_seconds": 3}, by=None, reason="")
    change_retention({"logs": {"days": 6}}, by=None, reason="")
    Account.objects.filter(name="spare").delete()
    page = admin.post("/settings/import/", {"file": SimpleUploadedFile("a.json", exported.encode())})
    rows = " | ".join(rows_of(page))
    for part in (
        "Settings Spacing 3 s → 7 s",
        "Retention Log records kept, days 6 → 5",
        "Account spare Added Base URL http://127.0.0.1:9/v1",
    ):
        assert part in rows
    assert Settings.current().spacing_seconds == 3 and not Account.objects.filter(name="spare").exists()
    (text,) = tree_of(page).xpath("//input[@name='text']/@value")
    admin.post("/settings/import/", {"text": text, "confirmed": "1"})
    assert json.loads(admin.get("/settings/export/").content) == json.loads(exported)
    assert Settings.history.latest().history_user.username == "one-of-admins"
    assert AuditEntry.objects.get().action == "import"


def test_an_import_of_the_current_settings_changes_nothing(admin: Client) -> None:
    text = json.dumps(transfer.exported())
    assert "Nothing: all values are in force" in text_of(admin.post("/settings/import/", {"text": text}))


@pytest.mark.long
def test_an_invalid_import_is_reported_and_changes_nothing(admin: Client) -> None:
    default_account()
    rows = [
        ("", "Choose a file"),
        ("{", "Invalid JSON"),
        ("[1]", "Input should be an object"),
        ('{"version": 2}', "version: Input should be 1"),
        (document(keys={}), "keys: Extra inputs are not permitted"),
        (document(settings=[]), "settings: Input should be an object"),
        (document(settings={"spacing_seconds": -1}), "settings, spacing_seconds: Ensure this value is greater"),
        (document(settings={"speed": 1}), "settings: There is no setting “speed”"),
        (document(settings={"pacing": "learned"}), "settings, pacing: “learned” is no pacing. Choose fixed or auto"),
        (document(settings={"risk": "high"}), "settings, risk: Value 'high' is not a valid choice."),
        (document(settings={"spacing_seconds": "fast"}), "settings, spacing_seconds:"),
        (document(settings={"spacing_seconds": "NaN"}), "settings, spacing_seconds: Give a finite number."),
        (document(settings={"backoff_seconds": [{}]}), "settings, backoff_seconds: Each pause is a number"),
        (document(settings={"miner_api_url": None}), "settings, miner_api_url: Give a text."),
        ('{"version": 1, "settings": {"\\ud800": 1}}', "Invalid JSON"),
        (document(settings={"fetch_hosts": ["a\0"]}), "settings, fetch_hosts: Take out what a database can't hold"),
        (document(accounts=[{"position": 1}]), "accounts, entry 1, name: Field required"),
        (document(accounts=[{"name": "default", "enabled": "yes"}]), "accounts, default, enabled: Give true or false."),
        (document(accounts=[{"name": "default", "key": "x"}]), "accounts, default: There is no setting “key”"),
        (document(accounts=[{"name": "a b"}]), "accounts, a b, name:"),
        (document(retention={"logs": {"days": 0}}), "retention, logs, days: Ensure this value is greater"),
        (document(retention={"loggs": {"days": 1}}), "There is no rule “loggs”"),
    ]
    failures = []
    for text, remedy in rows:
        for confirmed in ({}, {"confirmed": "1"}):
            response = admin.post("/settings/import/", {"text": text, **confirmed})
            if response.status_code != 200 or remedy not in text_of(response):
                failures.append((text, remedy, confirmed))
    assert failures == []
    assert not Settings.objects.exists() and not Retention.objects.exists()


def test_half_of_an_import_is_never_kept(admin: Client) -> None:
    text = document(settings={"spacing_seconds": 9}, retention={"logs": {"days": -1}})
    admin.post("/settings/import/", {"text": text, "confirmed": "1"})
    assert not Settings.objects.exists()


def take_back(admin: Client, kind: str, record: Any) -> str:
    return text_of(admin.post(f"/settings/changes/{kind}/{record.history_id}/revert/", follow=True))


def test_a_change_is_taken_back_as_a_new_one_and_later_ones_stay(admin: Client) -> None:
    change({"spacing_seconds": 7}, by=None, reason="")
    change({"spacing_seconds": 8, "deadline_seconds": 30}, by=None, reason="")
    middle = Settings.history.latest()
    change({"agent_mode": "llm"}, by=None, reason="")
    assert "The change is reverted" in take_back(admin, "settings", middle)
    row = Settings.current()
    assert (row.spacing_seconds, row.deadline_seconds, row.agent_mode) == (7, 25, "llm")
    assert Settings.history.latest().history_change_reason.startswith("Reverts the change of")


def test_the_first_change_goes_back_to_the_defaults(admin: Client) -> None:
    change({"spacing_seconds": 7}, by=None, reason="")
    take_back(admin, "settings", Settings.history.get())
    assert Settings.current().spacing_seconds == 5


def test_changes_of_accounts_and_retention_are_taken_back_too(admin: Client) -> None:
    change_account(default_account(), {"model_names": ["a/model"]}, by=None, reason="")
    change_retention({"logs": {"days": 5}}, by=None, reason="")
    take_back(admin, "account", Account.history.latest())
    take_back(admin, "retention", Retention.history.latest())
    assert default_account().model_names == []
    assert Retention.objects.get().days == 30


def test_a_change_that_cannot_be_reverted_shows_the_reason(admin: Client) -> None:
    add_account("spare", {}, key="cpk_some.key", by=None, reason="")
    added = Account.history.filter(name="spare").earliest("history_id")
    assert "Only changed values can be reverted" in take_back(admin, "account", added)
    Account.objects.filter(name="spare").delete()
    assert "not on record" in text_of(admin.post("/settings/changes/settings/999/revert/", follow=True))
    assert admin.post("/settings/changes/nonsense/1/revert/").status_code == 404


def test_a_change_that_would_break_a_rule_is_not_taken_back(admin: Client) -> None:
    change({"backoff_seconds": [60, 90]}, by=None, reason="")
    record = Settings.history.latest()
    change({"backoff_max_seconds": 100}, by=None, reason="")
    assert "can't be shorter than the last pause" in take_back(admin, "settings", record)
    assert Settings.current().backoff_seconds == [60, 90]


def test_raising_the_longest_backoff_to_the_last_pause_is_shown_before_and_after(admin: Client) -> None:
    entered = {**GOOD, "backoff_seconds": "60, 900", "backoff_max_seconds": "600"}
    assert "Longest backoff Is raised to 15 min: it can't be shorter" in text_of(admin.get("/settings/preview/", entered))
    assert "The longest backoff was raised to the last pause of the list" in text_of(admin.post("/settings/", entered, follow=True))
    assert Settings.current().backoff_max_seconds == 900
    assert "was raised" not in text_of(admin.post("/settings/", {**entered, "backoff_max_seconds": "1200"}, follow=True))


def test_retention_is_changed_with_a_history(admin: Client) -> None:
    page = admin.get("/settings/retention/")
    values = {
        name: value for node in tree_of(page).xpath("//main//input[@name]") for name, value in [(node.get("name"), node.get("value", ""))]
    }
    admin.post("/settings/retention/", {**values, "logs.days": "12"})
    assert list(Retention.objects.values_list("name", "days", "most_rows")) == [("logs", 12, 1_000_000)]
    assert "Log records kept, days 30 → 12" in text_of(admin.get("/settings/"))
    response = admin.post("/settings/retention/", {**values, "logs.days": "0"})
    assert "greater than or equal to 1" in text_of(response, "//*[@id='id_logs.days_error']")


def test_the_results_of_values() -> None:
    values = {"spacing_seconds": 5.0, "backoff_seconds": [60, 120, 240, 480], "backoff_max_seconds": 600.0, "deadline_seconds": 25.0}
    lines = previews({**values, "pacing": "fixed"})
    assert lines["spacing_seconds"] == "12 requests a minute at most"
    assert lines["backoff_seconds"] == "Pauses: 1 min, 2 min, 4 min, 8 min, then doubling up to 10 min"
    assert lines["deadline_seconds"] == "The agent has 23.5 s; 1.5 s are kept for sending the answer"
    assert previews({"spacing_seconds": 0.0})["spacing_seconds"] == "no spacing: requests go as fast as steps come"
    assert (
        previews({"spacing_seconds": 120.0, "pacing": "auto"})["spacing_seconds"] == "Until the first answer: 30 requests an hour at most"
    )
    automatic = previews({**values, "pacing": "auto"})
    assert automatic["backoff_seconds"].startswith("First pause: at least 1 min, until it is known how long the account's blocks last")
    assert "only the first" not in previews({"deadline_seconds": 25.0, "spacing_seconds": 60.0, "pacing": "auto"})["deadline_seconds"]
    assert previews({"backoff_seconds": [60], "backoff_max_seconds": 60.0})["backoff_seconds"] == "Pauses: 1 min, then 1 min each time"
    assert "only the first can wait" in previews({"deadline_seconds": 25.0, "spacing_seconds": 60.0})["deadline_seconds"]
    assert previews({"sure_from": 0.8, "llm_use": "always"}) == {}
    assert (
        previews({"sure_from": 0.8, "llm_use": "when_unsure"})["sure_from"]
        == "Steps of which the template agent is at least 80 % sure take no slot"
    )
    assert "take no slot" in previews({"sure_from": 0.8, "llm_use": "after_template"})["sure_from"]
    assert "every step" in previews({"sure_from": 0.0, "llm_use": "when_unsure"})["sure_from"]
    assert previews({"max_task_usd": 0.05}) == {"max_task_usd": "1,000 tasks cost at most 50.00 USD"}
    assert previews({"max_task_usd": 0.0}) == {"max_task_usd": "No cap: a task may cost anything"}
    listed = ["a.example", "b.example", "c.example", "d.example"]
    result = previews({"fetch_pages": True, "fetch_hosts": listed})
    assert result == {"fetch_pages": "Pages on a.example, b.example, c.example … are read first"}
    assert "nothing is fetched" in previews({"fetch_pages": True, "fetch_hosts": []})["fetch_pages"]
    assert previews({"fetch_pages": False, "fetch_hosts": listed}) == {}
    assert previews({}) == {}


def test_the_preview_follows_the_input(viewer: Client) -> None:
    response = viewer.get("/settings/preview/", {**GOOD, "spacing_seconds": "2", "backoff_seconds": "soon"}, headers=HTMX)
    text = response.content.decode()
    assert "30 requests a minute at most" in text and "Ladder" not in text


def test_what_if_opens_with_the_values_of_the_form(admin: Client) -> None:
    response = admin.post("/settings/", {**GOOD, "spacing_seconds": "2.5", "what_if": "1"}, follow=True)
    (spacing,) = tree_of(response).xpath("//input[@name='spacing_seconds']/@value")
    assert spacing == "2.5"
    assert tree_of(response).xpath("//select[@name='probe_after_pause']/option[@selected]/@value") == ["false"]
    assert not Settings.objects.exists()


def test_the_sections_can_be_jumped_to(admin: Client) -> None:
    tree = tree_of(admin.get("/settings/"))
    jumps = [href for href in tree.xpath("//nav[@aria-label='Sections']/a/@href") if href.startswith("#")]
    assert jumps == [
        "#accounts",
        "#pacing",
        "#deadline_seconds",
        "#daily_attempts",
        "#fetch_pages",
        "#miner_api_url",
        "#require_second_factor",
        "#history",
    ]
    assert all(tree.xpath(f"//*[@id='{jump[1:]}']") for jump in jumps)

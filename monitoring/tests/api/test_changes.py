"""A program's changes have the same effect as its user's in the panel, and Audit shows the token's name."""

import pytest

from agents.models import AuditEntry, Settings
from monitoring.tests.api.calling import Program
from monitoring.tests.records import make_llm_step, make_step, make_task

pytestmark = pytest.mark.django_db


def test_settings_are_previewed_changed_with_a_reason_and_reverted(admin_program: Program) -> None:
    change = {"settings": {"spacing_seconds": 12.5}, "reason": "Fewer refusals"}
    preview = admin_program.call("POST", "/settings/preview", change).json()
    assert preview["changes"] == ["Spacing 5 s → 12.5 s"]
    assert {"setting": "spacing_seconds", "words": "4.8 requests a minute at most"} in preview["lines"]
    assert Settings.current().spacing_seconds == 5
    assert admin_program.call("PATCH", "/settings", change).json()["values"]["spacing_seconds"] == 12.5
    made = admin_program.get("/settings/history")["items"][0]
    assert (made["by"], made["reason"], made["facts"]) == ("user-of-admins", "Fewer refusals", ["Spacing 5 s → 12.5 s"])
    assert admin_program.call("POST", f"/settings/history/{made['revert']}/revert").status_code == 200
    assert Settings.current().spacing_seconds == 5
    uses = AuditEntry.objects.filter(action="token_use").order_by("pk").values_list("detail", flat=True)
    name = f"ci (…{admin_program.token.last_four})"
    assert list(uses) == [
        f"{name}: Change settings (PATCH /api/v1/settings)",
        f"{name}: Revert a change (POST /api/v1/settings/history/{made['revert']}/revert)",
    ]


def test_without_a_reason_the_history_names_the_token(admin_program: Program) -> None:
    admin_program.call("PATCH", "/settings", {"settings": {"spacing_seconds": 8}})
    assert admin_program.get("/settings/history")["items"][0]["reason"] == "By the token ci"


def test_a_rejected_change_has_no_effect(admin_program: Program) -> None:
    assert admin_program.call("PATCH", "/settings", {"settings": {"spacing_seconds": 8, "agent_id": "x"}}).status_code == 422
    assert Settings.current().spacing_seconds == 5
    assert not AuditEntry.objects.filter(action="token_use").exists()


def test_an_account_is_paused_and_resumed(admin_program: Program) -> None:
    account = admin_program.get("/accounts")[0]["id"]
    answer = admin_program.call("POST", f"/accounts/{account}/pause", {"minutes": 15}).json()["message"]
    assert answer.startswith("default is paused for 15 min")
    paused = admin_program.get(f"/accounts/{account}")
    assert paused["paused_until"] and [action["obstacle"] for action in paused["actions"]][2] == ""
    assert admin_program.call("POST", f"/accounts/{account}/resume").status_code == 200
    again = admin_program.call("POST", f"/accounts/{account}/resume")
    assert (again.status_code, again.json()["detail"]) == (409, "No pause is running, so there is nothing to resume.")


def test_a_task_is_submitted_and_cancelled(admin_program: Program) -> None:
    answer = admin_program.call("POST", "/tasks", {"prompt": "Log in", "url": "http://localhost:8000/"})
    assert answer.status_code == 202
    made = answer.json()
    assert made["state"] == "queued"
    assert admin_program.get(f"/tasks/{made['task']}")["submission"] == "queued"
    assert admin_program.call("POST", f"/tasks/{made['task']}/cancel").json()["state"] == "cancelled"
    assert admin_program.call("POST", f"/tasks/{made['task']}/cancel").status_code == 409


def test_a_what_if_and_a_test_run_are_jobs_that_can_be_followed(admin_program: Program) -> None:
    for path, body in (("/what-if", {"settings": {"spacing_seconds": 9}, "hours": 6}), ("/test-runs", {"suites": ["key", "logs"]})):
        started = admin_program.call("POST", path, body)
        assert started.status_code == 202
        run = admin_program.get(f"{path}/{started.json()['id']}")
        assert (run["state"], run["requested_by"]) == ("queued", "user-of-admins")
        assert admin_program.call("POST", path, {"suites": ["key"]} if path == "/test-runs" else {"hours": 1}).status_code == 409
        assert admin_program.call("POST", f"{path}/{run['id']}/cancel").json()["state"] == "cancelled"


def test_pages_of_a_list_follow_each_other_by_their_links(admin_program: Program) -> None:
    task = make_task()
    for number in range(120):
        make_step(task, index=number)
    seen, address, pages = list[int](), "/api/v1/steps?q=route%3Atemplate&sort=longest", 0
    while address:
        page = admin_program.get(address.removeprefix("/api/v1"))
        seen += [row["id"] for row in page["items"]]
        last, address, pages = page, page["next"], pages + 1
    assert (len(seen), len(set(seen)), pages, last["count"]) == (120, 120, 3, 120)
    before = admin_program.get(last["previous"].removeprefix("/api/v1"))
    assert [row["id"] for row in before["items"]] == seen[50:100]


def test_secrets_in_untrusted_texts_are_masked(admin_program: Program) -> None:
    key = "sk-" + "a1" * 20
    step = make_llm_step(make_task(prompt=f"Use {key}", url=f"http://x/?token={key}"), answer=key, caller_error=key)
    for path in ("/tasks", f"/tasks/{step.task_id}", "/steps", f"/steps/{step.pk}"):
        assert key not in admin_program.call("GET", path).content.decode(), path

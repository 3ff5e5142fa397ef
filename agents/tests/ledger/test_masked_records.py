"""No key that a caller sends is in any row or file afterwards, while the answer to the caller still has it."""

import gzip
import json
import time
import timeit
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from agents import ledger
from agents.common.redaction import MASK, mask_keys, remember
from agents.contract import step_facts
from agents.contract.protocol import Form
from agents.contract.protocol import Step as ProtocolStep
from agents.hybrid import page_archive, spool
from agents.models import Step, StepPage, Task
from agents.operator_jobs import submissions

pytestmark = pytest.mark.django_db(transaction=True)

# Made up, in the form in which they are issued; written in parts, so that secret scanners do not report them.
KEYS = {
    "chutes": "cpk_" + "a1" * 16 + "." + "b2" * 16 + "." + "C3" * 16,
    "openai": "sk-" + "proj-A1b2C3d4E5f6G7h8J9k0",
    "anthropic": "sk-" + "ant-api03-A1b2C3d4E5f6G7h8",
    "hugging face": "hf_" + "A1b2C3d4E5f6G7h8J9k0",
    "github": "ghp_" + "A1b2C3d4E5f6G7h8J9k0A1b2C3d4E5f6G7h8",
    "aws": "AKIA" + "IOSFODNN7EXAMPLE",
    "google": "AIza" + "A1b2C3d4E5f6G7h8J9k0A1b2C3d4E5f6G7h",
    "slack": "xoxb-" + "123456789012-abcdefghij",
    "stripe": "sk_live_" + "A1b2C3d4E5f6G7h8J9k0",
    "token": "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxMjM0In0" + ".c2lnbmF0dXJl" + "QUJD",
    "bearer": "A1b2C3d4.E5f6G7h8-J9k0",
    "ours": "our own metrics-token",
}
SENT = {**KEYS, "bearer": f"Bearer {KEYS['bearer']}"}
ALL = " ".join(SENT.values())


@pytest.fixture(autouse=True)
def our_own_secret() -> None:
    remember(KEYS["ours"])


def stored() -> Iterator[tuple[str, str]]:
    """Every text of every table, with the table's name."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                yield from ((table, _text(value)) for value in row)


def _text(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        raw = bytes(value)
        return (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8", "replace")
    return str(value)


def stored_keys() -> list[tuple[str, str]]:
    return [(where, name) for where, text in stored() for name, key in KEYS.items() if key in text]


def body(path: str) -> dict[str, Any]:
    page = f"<html><body><p>{ALL}</p><form><input name='q' value='{KEYS['chutes']}'><button>Go</button></form></body></html>"
    past = {
        "index": 0,
        "action": {"type": "TypeAction", "text": ALL},
        "success": False,
        "error": f"refused {ALL}",
        "url": f"http://x/?k={ALL}",
    }
    common = {"prompt": f"Search for '{KEYS['openai']}' with {ALL}", "url": f"http://localhost:8000/?seed=1&k={KEYS['github']}"}
    named = {"web_project_id": KEYS["chutes"], "task_id": KEYS["chutes"], "id": KEYS["hugging face"]}
    return {**common, **named, "step_index": 1, "html": page, "snapshot_html": page, "history": [past], "path": path}


@pytest.mark.parametrize("path", ["/step", "/act", "/solve_task", "/solve_task_at_once"])
def test_no_table_holds_a_key_that_a_caller_sends(path: str, client: Client) -> None:
    for index in (1, 2):
        answer = client.post(path, {**body(path), "step_index": index}, "application/json")
        assert answer.status_code == 200
    page_archive.waiting.join()
    assert Step.objects.count() == 2 and StepPage.objects.exists()
    assert stored_keys() == []
    assert MASK in Task.objects.first().prompt  # type: ignore[union-attr]


def test_the_answer_has_the_callers_unmasked_text(client: Client) -> None:
    prompt = f"Search for '{KEYS['openai']}'"
    page = "<html><body><form><input type='search' name='q'><button>Search</button></form></body></html>"
    answer = client.post(
        "/solve_task", {"id": "t", "prompt": prompt, "url": "http://localhost:8000/?seed=1", "html": page}, "application/json"
    )
    assert KEYS["openai"] in answer.content.decode()
    assert stored_keys() == []


def test_two_tasks_that_differ_only_in_their_keys_are_two(client: Client) -> None:
    for key in (KEYS["openai"], KEYS["anthropic"]):
        client.post("/solve_task", {"id": "t", "prompt": f"Search for '{key}'", "url": "http://localhost:8000/?seed=1"}, "application/json")
    assert Task.objects.count() == 2


def test_the_spool_holds_no_key(client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(spool, "drain_soon", lambda: None)

    def refuse(*args: object) -> None:
        raise OperationalError("locked")

    with monkeypatch.context() as patched:
        patched.setattr(ledger, "close_step", refuse)
        client.post("/step", body("/step"), "application/json")
    (file,) = (tmp_path / "spool").glob("*.json")
    text = file.read_text()
    assert not [name for name, key in KEYS.items() if key in text]
    spool.drain()
    assert stored_keys() == []


def test_an_operators_task_is_stored_without_its_keys(client: Client) -> None:
    submissions.submit(prompt=f"Say {ALL}", url=f"http://localhost:8000/?k={KEYS['aws']}", page=f"<p>{ALL}</p>", by="ann")
    assert stored_keys() == []


def test_a_kept_page_can_be_answered_again_with_the_masks_in_it(client: Client) -> None:
    step = ProtocolStep(
        endpoint="/step", form=Form.STEP, task_id="t", prompt=f"Say {KEYS['chutes']}", url="http://x/", page=f"<p>{ALL}</p>"
    )
    kept = page_archive.unpacked(page_archive.packed(step))
    assert (kept.prompt, kept.url, kept.form) == (f"Say {MASK}", "http://x/", Form.STEP)


def test_the_facts_of_an_attempt_are_masked_when_they_are_made() -> None:
    end = step_facts.AttemptEnd(uid="u", verdict="ok", ended_at=0, detail=ALL, reply=json.dumps({"text": ALL}))
    closing = step_facts.Closing(
        "llm", "answered", 0, 0, actions=[{"type": "TypeAction", "text": ALL, "more": [ALL]}], fault=ALL, attempt=end
    )
    text = repr(closing)
    assert not [name for name, key in KEYS.items() if key in text]
    assert closing.actions[0]["type"] == "TypeAction"


def test_a_mask_that_is_longer_than_its_key_still_fits_the_column(client: Client) -> None:
    client.post("/solve_task", {"id": "cpk_1 " * 33, "prompt": "Go", "url": "http://localhost:8000/?seed=1"}, "application/json")
    assert len(Task.objects.get().key) <= 200


@pytest.mark.parametrize(
    "text",
    [
        "log in with username:ann and password:hunter2-A1b2C3d4E5f6",
        '<div class="sk-circle-fade-dot sk-folding-cube-container task-list-item-checkbox"></div>',
        "risk-management-2024-report-final desk-A1b2C3d4E5f6G7h8J9k0",
        "password:<password>, a bearer of good news, the api key: none",
        "https://example.com/a/b?c=d#hf_model",
    ],
)
def test_a_page_without_keys_is_stored_unchanged(text: str) -> None:
    assert mask_keys(text) == text


def test_a_key_is_masked_anywhere_in_a_long_page() -> None:
    filler = "<p>nothing of interest</p>" * 3_000
    for start in range(65_500, 65_600, 7):
        text = filler[:start] + " " + KEYS["chutes"] + filler
        assert KEYS["chutes"] not in mask_keys(text)
        assert mask_keys(filler) == filler


@pytest.mark.parametrize(
    "odd", ["sk-", "-sk-", "eyJ", "eyJaaaaaaaaaa.", "cpk%", "Bearer ", "api_key   ", "-----BEGIN A ", "ghp_", "a", "xai-a"]
)
@pytest.mark.long
def test_masking_takes_linear_time(odd: str) -> None:
    def seconds(length: int) -> float:
        text = odd * (length // len(odd))
        return min(timeit.repeat(lambda: mask_keys(text), timer=time.thread_time, number=1, repeat=5))

    assert seconds(800_000) < 50 * max(seconds(50_000), 1e-3), "16 times as long; its square would be 256 times"

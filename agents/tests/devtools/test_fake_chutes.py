"""Fake Chutes as a process, over real HTTP."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from pathlib import Path
from typing import Any

import httpx
import pytest

from agents.devtools.fake_chutes.behaviour import Behaviour, Course, merged
from agents.devtools.fake_chutes.chutes import Chutes
from agents.devtools.fake_chutes.process import FakeChutes
from agents.devtools.fake_chutes.server import Request

CHAT = "/chat/completions"
GEMMA, QWEN, DEEPSEEK = "google/gemma-4-31B-turbo-TEE", "Qwen/Qwen3-32B-TEE", "deepseek-ai/DeepSeek-V4-Flash-0731-TEE"
PATIENCE = 60.0
PROMPT = "Task: Search for the film 'Arrival'\nURL: http://localhost:8000/?seed=58"
PUBLISHED = ("x-chutes-quota-total", "x-chutes-quota-used", "x-chutes-quota-remaining", "x-chutes-rl-user", "x-chutes-invocationid")


@pytest.fixture
def client(fake_chutes: FakeChutes) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {fake_chutes.key}", "IWA-Task-ID": "task-7"}
    with httpx.Client(base_url=fake_chutes.base_url, headers=headers, timeout=PATIENCE, trust_env=False) as client:
        yield client


def complete(client: httpx.Client, model: str = GEMMA, **more: Any) -> httpx.Response:
    return client.post(CHAT, json={"model": model, "messages": [{"role": "user", "content": PROMPT}], **more})


def content(answer: httpx.Response) -> str:
    text: str = answer.json()["choices"][0]["message"]["content"]
    return text


def assert_edge_page(answer: httpx.Response) -> None:
    assert answer.status_code == 429
    assert answer.headers["content-type"] == "text/html"
    assert answer.text.replace("\r\n", "\n") == (
        "<html>\n<head><title>429 Too Many Requests</title></head>\n<body>\n<center><h1>429 Too Many Requests</h1></center>\n"
        "<hr><center>nginx</center>\n</body>\n</html>\n"
    )
    assert not [name for name in answer.headers if name == "retry-after" or name.startswith(("x-ratelimit", "x-chutes"))]


def test_a_completion_is_a_plan_for_the_prompt_with_tokens_and_published_limits(client: httpx.Client) -> None:
    answer = complete(client)
    assert answer.status_code == 200
    assert answer.http_version == "HTTP/1.1"
    assert json.loads(content(answer))["actions"][0] == {"type": "NavigateAction", "url": "http://localhost:8000/?seed=58"}
    usage = answer.json()["usage"]
    assert usage["prompt_tokens"] > 0
    assert usage["completion_tokens"] > 0
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert all(name in answer.headers for name in PUBLISHED)
    assert answer.headers["x-chutes-rl-user"] == "60"


def test_an_x_api_key_is_anonymous_and_gets_the_edges_page(fake_chutes: FakeChutes) -> None:
    body = {"model": GEMMA, "messages": [{"role": "user", "content": PROMPT}]}
    assert_edge_page(
        httpx.post(fake_chutes.base_url + CHAT, json=body, headers={"X-API-Key": fake_chutes.key}, timeout=PATIENCE, trust_env=False)
    )
    assert_edge_page(httpx.post(fake_chutes.base_url + CHAT, json=body, timeout=PATIENCE, trust_env=False))


def test_a_wrong_bearer_key_is_401_in_json(client: httpx.Client) -> None:
    client.headers["Authorization"] = "Bearer cpk_wrong"
    answer = complete(client)
    assert answer.status_code == 401
    assert isinstance(answer.json()["detail"], str)
    assert not [name for name in answer.headers if name.startswith("x-chutes")]


def test_a_key_can_be_made_invalid_at_runtime(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    fake_chutes.set(valid=False)
    assert complete(client).status_code == 401
    fake_chutes.set(valid=True)
    assert complete(client).status_code == 200


def test_the_models_are_public_and_priced_per_million_tokens(fake_chutes: FakeChutes) -> None:
    entries = {
        entry["id"]: entry for entry in httpx.get(fake_chutes.base_url + "/models", timeout=PATIENCE, trust_env=False).json()["data"]
    }
    assert len(entries) >= 5
    assert all(0 < entry["pricing"]["prompt"] < 10 and entry["max_model_len"] > 8000 for entry in entries.values())
    able = [id_ for id_, entry in entries.items() if "json_mode" in entry["supported_features"]]
    cheapest = sorted(able, key=lambda id_: entries[id_]["pricing"]["prompt"] + entries[id_]["pricing"]["completion"])[:3]
    assert set(cheapest) == {GEMMA, QWEN, DEEPSEEK}
    assert min(entries, key=lambda id_: entries[id_]["pricing"]["prompt"]) not in able


def test_an_unknown_model_and_an_unknown_path_are_404_with_chutes_texts(client: httpx.Client) -> None:
    unknown = complete(client, "acme/none")
    assert (unknown.status_code, unknown.json()) == (404, {"detail": "model not found: acme/none"})
    lost = client.post("/completions", json={})
    assert (lost.status_code, lost.json()) == (404, {"detail": "No matching chute found!"})


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"{}", b'{"model": "m"}', b'{"model": "m", "messages": []}', b'{"model": "m", "messages": [{"role": "user"}]}']
)
def test_a_body_that_cannot_be_read_is_400(client: httpx.Client, body: bytes) -> None:
    answer = client.post(CHAT, content=body)
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_beyond_the_limit_the_answer_is_the_edges_page_and_a_refusal_does_not_count(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    fake_chutes.set(limit=2)
    assert [complete(client).status_code for _ in range(2)] == [200, 200]
    for _ in range(3):
        assert_edge_page(complete(client))
    fake_chutes.set(limit=3)
    assert [complete(client).status_code for _ in range(2)] == [200, 429]


def test_requests_are_accepted_again_when_the_window_has_passed(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    fake_chutes.set(limit=1, window=0.5)
    assert complete(client).status_code == 200
    patience = time.monotonic() + PATIENCE
    while complete(client).status_code == 429 and time.monotonic() < patience:
        time.sleep(0.05)
    accepted = [arrival["at"] for arrival in fake_chutes.state()["arrivals"] if arrival["status"] == 200]
    assert len(accepted) == 2
    assert accepted[1] - accepted[0] >= 0.49


def test_a_limit_of_zero_refuses_completions_and_the_model_list_stays_public(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    fake_chutes.set(limit=0)
    assert_edge_page(complete(client))
    assert client.get("/models").status_code == 200


@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_upstream_fault_is_a_json_refusal(fake_chutes: FakeChutes, client: httpx.Client, status: int) -> None:
    fake_chutes.set(faults={f"http{status}": 1})
    answer = complete(client)
    assert answer.status_code == status
    assert list(answer.json()) == ["detail"]
    assert not [name for name in answer.headers if name.startswith("x-chutes")]


def test_a_hanging_answer_is_never_sent(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    fake_chutes.set(faults={"hang": 1})
    with pytest.raises(httpx.ReadTimeout):
        client.post(
            CHAT, json={"model": GEMMA, "messages": [{"role": "user", "content": PROMPT}]}, timeout=httpx.Timeout(PATIENCE, read=1.0)
        )
    assert fake_chutes.state()["arrivals"][-1]["fault"] == "hang"


def test_faults_end_at_runtime(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    fake_chutes.set(faults={"http500": 1})
    assert complete(client).status_code == 500
    fake_chutes.set(faults={})
    assert complete(client).status_code == 200


def test_a_slow_answer_is_sent_after_its_delay() -> None:
    chutes = Chutes("key", "admin key", Course(merged(Behaviour(), {"faults": {"slow": 1}})), 0)
    headers, body = Message(), json.dumps({"model": GEMMA, "messages": [{"role": "user", "content": PROMPT}]})
    headers["Authorization"] = "Bearer key"
    answer = chutes.answer(Request("POST", f"/v1{CHAT}", headers, body.encode(), time.time(), time.monotonic()))
    assert answer.status == 200
    assert 30 <= answer.wait <= 90


def test_latency_is_waited_out(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    fake_chutes.set(latency=0.3)
    started = time.monotonic()
    complete(client)
    assert time.monotonic() - started >= 0.3 * 2 / 3.5


def test_a_reset_breaks_the_connection(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    fake_chutes.set(faults={"reset": 1})
    with pytest.raises(httpx.ReadError):
        complete(client)


def test_a_broken_answer_ends_in_the_middle_of_its_body(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    fake_chutes.set(faults={"broken": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        complete(client)


def test_content_can_be_empty_not_json_cut_off_or_an_invalid_plan(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    fake_chutes.set(faults={"empty": 1})
    assert content(complete(client)) == ""
    for fault in ("badjson", "truncated"):
        fake_chutes.set(faults={fault: 1})
        with pytest.raises(json.JSONDecodeError):
            json.loads(content(complete(client)))
    assert complete(client).json()["choices"][0]["finish_reason"] == "length"
    fake_chutes.set(faults={"invalid": 1})
    assert json.loads(content(complete(client)))["actions"][0]["selector"]["type"] == "cssSelector"


def test_one_token_is_one_token(client: httpx.Client) -> None:
    answer = complete(client, max_tokens=1).json()
    assert answer["usage"]["completion_tokens"] == 1
    assert answer["choices"][0]["finish_reason"] == "length"


def test_arrivals_are_on_record_with_time_status_model_and_task(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    before = time.time()
    complete(client)
    fake_chutes.set(limit=0)
    complete(client, QWEN)
    state = fake_chutes.state()
    first, second = state["arrivals"]
    assert before <= first["at"] <= second["at"] <= time.time()
    assert (first["status"], first["model"], first["task_id"], first["path"]) == (200, GEMMA, "task-7", "/v1/chat/completions")
    assert (second["status"], second["model"]) == (429, QWEN)
    assert state["counts"] == {"200": 1, "429": 1}
    assert state["settings"]["limit"] == 0


def test_an_arrival_is_timed_before_its_answer_waits(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    fake_chutes.set(latency=1.0)
    complete(client)
    assert time.time() - fake_chutes.state()["arrivals"][0]["at"] >= 2 / 3.5


def test_a_bad_setting_at_the_control_port_names_its_field_and_changes_nothing(fake_chutes: FakeChutes) -> None:
    answer = httpx.post(fake_chutes.control_url + "/set", json={"limit": 3, "latncy": 1}, timeout=PATIENCE, trust_env=False)
    assert answer.status_code == 400
    assert answer.json()["field"] == "latncy"
    assert fake_chutes.state()["settings"]["limit"] == 60
    assert httpx.post(fake_chutes.control_url + "/set", content=b"{", timeout=PATIENCE, trust_env=False).json()["field"] == "body"


def test_a_hundred_callers_at_once_are_all_answered_and_the_limit_holds_exactly(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    client.close()
    fake_chutes.set(window=3_600)

    def post_one(_: int) -> int:
        headers = {"Authorization": f"Bearer {fake_chutes.key}", "Connection": "close"}
        body = {"model": GEMMA, "messages": [{"role": "user", "content": PROMPT}]}
        return plain.post(CHAT, json=body, headers=headers).status_code

    limits = httpx.Limits(max_connections=120, max_keepalive_connections=0)
    with (
        httpx.Client(base_url=fake_chutes.base_url, limits=limits, timeout=PATIENCE, trust_env=False) as plain,
        ThreadPoolExecutor(120) as pool,
    ):
        statuses = list(pool.map(post_one, range(120)))
    assert (statuses.count(200), statuses.count(429)) == (60, 60)


@pytest.mark.process
def test_a_timeline_changes_the_account_by_itself() -> None:
    with FakeChutes.started("--timeline", '[{"at": 0, "set": {"limit": 0}}, {"at": 0.2, "set": {"limit": 9}}]') as fake_chutes:
        deadline = time.monotonic() + PATIENCE
        while fake_chutes.state()["settings"]["limit"] != 9 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert fake_chutes.state()["settings"]["limit"] == 9


@pytest.mark.process
def test_flags_set_the_start_and_the_key() -> None:
    with FakeChutes.started("--key", "cpk_mine", "--limit", "7", "--fault", "http500=0.5", "--invalid-key") as fake_chutes:
        settings = fake_chutes.state()["settings"]
    assert fake_chutes.key == "cpk_mine"
    assert (settings["limit"], settings["valid"], settings["faults"]) == (7, False, {"http500": 0.5})


@pytest.mark.process
def test_it_ends_cleanly_on_sigterm_while_an_answer_hangs() -> None:
    with FakeChutes.started("--fault", "hang") as fake_chutes:
        headers = {"Authorization": f"Bearer {fake_chutes.key}"}
        body = {"model": GEMMA, "messages": [{"role": "user", "content": PROMPT}]}
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(fake_chutes.base_url + CHAT, json=body, headers=headers, timeout=httpx.Timeout(PATIENCE, read=0.2), trust_env=False)
        fake_chutes.process.send_signal(signal.SIGTERM)
        assert fake_chutes.process.wait(PATIENCE) == 0


@pytest.mark.process
@pytest.mark.parametrize(
    ("flags", "word"),
    [(["--fault", "fly"], "faults.fly"), (["--timeline", "{"], "timeline"), (["--limit", "-1"], "limit"), (["--port", "70000"], "port")],
)
def test_a_bad_flag_is_named_before_anything_starts(flags: list[str], word: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "agents.devtools.fake_chutes.cli", "--port", "0", *flags],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert run.returncode == 2
    assert f"error: {word}: " in run.stderr
    assert run.stdout == ""


@pytest.mark.process
def test_the_package_needs_the_standard_library_alone() -> None:
    code = "import sys; import agents.devtools.fake_chutes.cli, agents.devtools.fake_chutes.process; print(*{n.partition('.')[0] for n in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3]
    ).stdout.split()
    assert {"agents"} == {name for name in loaded if name not in sys.stdlib_module_names and name != "__main__"} & {
        "agents",
        "django",
        "httpx",
        "lxml",
    }

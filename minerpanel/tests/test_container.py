"""The Dockerfile and compose.yaml, for real: built from nothing, run with a read-only root, killed, upgraded with its volume."""

import json
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest

from minerpanel.tests.containers import ROOT, Container, build, build_next, call, composed, postgres, started, volume, wait_healthy
from minerpanel.tests.test_api_client import MAKE_TOKEN
from minerpanel.tests.test_make_run import ASSISTANTS, FIRST_START, PATIENCE, WEB, WORKER, free_ports, refuses_without_a_token, wait_for

pytestmark = [pytest.mark.process, pytest.mark.slow]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    return build(tmp_path_factory.mktemp("image"))


def test_a_container_answers_survives_kills_and_keeps_its_records_in_its_volume(image: str, tmp_path: Path) -> None:
    port = free_ports(2)
    with volume("minerpanel-tested-data") as data:
        with started(image, "minerpanel-tested", port, data, MCP_PORT=str(port + 1)) as container:
            wait_healthy(container, FIRST_START)
            programs = (WEB, "run_cluster", WORKER, ASSISTANTS)
            wait_for(lambda: all(pids(container, part) for part in programs), PATIENCE)
            wait_for(lambda: refuses_without_a_token(port + 1), PATIENCE)
            solve(port)
            token = container.run("python", "manage.py", "shell", "--command", MAKE_TOKEN).split()[-1]
            assert "headline" in state_and_why(port + 1, token)
            for part in programs:
                killed = container.kill(part)
                wait_for(lambda part=part, killed=killed: killed not in pids(container, part) != [], PATIENCE)  # type: ignore[misc]
            wait_healthy(container, PATIENCE)
            wait_for(lambda: refuses_without_a_token(port + 1), PATIENCE)
            assert "headline" in state_and_why(port + 1, token)
            solve(port)
            key = container.run("cat", "/data/secret_key")
        # The same volume with the next release's image, as an upgrade has it
        with started(build_next(tmp_path, "0.2.1"), "minerpanel-tested", port, data) as container:
            wait_healthy(container, FIRST_START)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=PATIENCE) as answer:
                assert json.load(answer)["version"] == "0.2.1"
            assert "0998_next" in container.run("python", "manage.py", "showmigrations", "--plan", "agents").splitlines()[-1]
            assert container.run("cat", "/data/secret_key") == key
            assert container.run("python", "manage.py", "shell", "--command", "print(Step.objects.count())").split()[-1] == "2"
            assert "First admin" not in container.log()


def test_the_image_has_no_compiler_tests_or_secrets_and_runs_without_privileges(image: str) -> None:
    def inside(*command: str) -> str:
        return call("podman", "--runtime=runc", "run", "--rm", "--network=none", "--cgroups=enabled", image, *command, check=False)

    assert inside("id", "-un") == "minerpanel"
    listed = inside("sh", "-c", "ls -a; which gcc cc make git; find . -name tests -path './agents/*'")
    assert "manage.py" in listed.split()
    assert not {".env", ".git", "data", "conftest.py", "bench"} & set(listed.split())
    assert not [line for line in listed.splitlines() if line.startswith("/") or "tests" in line]


def test_the_profile_with_postgres_answers_and_each_part_is_restarted_after_a_kill(image: str, tmp_path: Path) -> None:
    call("buildah", "tag", image, "localhost/minerpanel")
    (tmp_path / "image").mkdir()
    postgres(tmp_path / "image")
    shutil.copy(ROOT / "compose.yaml", tmp_path)
    commands = (ROOT / "docs/operations.md").read_text().split("profile `postgres`")[1].split("```sh")[1].split("```")[0]
    make_secrets = "\n".join(line for line in commands.splitlines() if not line.startswith("docker"))
    subprocess.run(["bash", "-euc", make_secrets], cwd=tmp_path, check=True)
    port = free_ports(1)
    with composed(tmp_path, "--profile=postgres", PUBLISHED_PORT=str(port)) as project:
        web, worker, database = (Container(f"{project}_{name}_1") for name in ("web", "worker", "database"))
        solve(port)
        count = ("python", "manage.py", "shell", "--command", "print(Step.objects.count())")
        wait_for(lambda: web.run(*count).split()[-1] == "1", PATIENCE)
        assert worker.run("printenv", "DATABASE_URL_FILE") == "/run/secrets/database_url"
        assert web.run("printenv", "DATABASE_URL", check=False) == ""
        for container, part in ((database, "postgres -D"), (worker, WORKER), (web, "minerpanel.serve")):
            container.kill(part)
            wait_for(lambda container=container, part=part: pids(container, part) != [], PATIENCE)  # type: ignore[misc]
        wait_for(lambda: is_healthy(port), PATIENCE)
        solve(port)
        wait_for(lambda: web.run(*count, check=False).split()[-1:] == ["2"], PATIENCE)


def is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(json.load(answer)["status"] == "healthy")
    except (OSError, ValueError):
        return False


def pids(container: Container, part: str) -> list[int]:
    lines = call("podman", "top", container.name, "pid", "args", check=False).splitlines()
    return [int(line.split()[0]) for line in lines if part in line]


def state_and_why(port: int, token: str) -> str:
    """What an assistant is answered, over HTTP."""
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "state_and_why", "arguments": {}}}
    accepted = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    headers = {**accepted, "Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/mcp", json.dumps(call).encode(), headers)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.dumps(json.load(answer)["result"]["content"])


def solve(port: int) -> None:
    body = json.dumps({"id": "a-task", "prompt": "Log in", "url": "http://localhost:8000/?seed=1"}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/solve_task", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert json.load(answer)["actions"]

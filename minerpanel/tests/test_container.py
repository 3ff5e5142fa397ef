"""The Dockerfile and compose.yaml, for real: built from nothing, run with a read-only root, killed, upgraded with its volume."""

import json
import urllib.request

import pytest

from minerpanel.tests.containers import Container, build, call, started, volume, wait_healthy
from minerpanel.tests.test_make_run import FIRST_START, PATIENCE, WEB, WORKER, free_ports, wait_for

pytestmark = [pytest.mark.process, pytest.mark.slow]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    return build(tmp_path_factory.mktemp("image"))


def test_a_container_answers_survives_kills_and_keeps_its_records_in_its_volume(image: str) -> None:
    port = free_ports(1)
    with volume("minerpanel-tested-data") as data:
        with started(image, "minerpanel-tested", port, data) as container:
            wait_healthy(container, FIRST_START)
            wait_for(lambda: "The panel is at" in container.log(), PATIENCE)
            solve(port)
            for words in (WEB, "run_cluster", WORKER):
                killed = container.kill(words)
                wait_for(lambda words=words, killed=killed: killed not in pids(container, words) != [], PATIENCE)  # type: ignore[misc]
            wait_healthy(container, PATIENCE)
            solve(port)
            key = container.run("cat", "/data/secret_key")
        # The same volume with an image built anew, as an upgrade has it
        with started(image, "minerpanel-tested", port, data) as container:
            wait_healthy(container, FIRST_START)
            assert container.run("cat", "/data/secret_key") == key
            assert container.run("python", "manage.py", "shell", "--command", "print(Step.objects.count())").split()[-1] == "2"
            assert "First admin" not in container.log()


def test_the_image_holds_no_compiler_no_tests_and_no_secret_and_runs_as_nobody_special(image: str) -> None:
    def inside(*command: str) -> str:
        return call("podman", "--runtime=runc", "run", "--rm", "--network=none", "--cgroups=enabled", image, *command, check=False)

    assert inside("id", "-un") == "minerpanel"
    listed = inside("sh", "-c", "ls -a; which gcc cc make git; find . -name tests -path './agents/*'")
    assert "manage.py" in listed.split()
    assert not {".env", ".git", "data", "conftest.py", "bench"} & set(listed.split())
    assert not [line for line in listed.splitlines() if line.startswith("/") or "tests" in line]


def pids(container: Container, words: str) -> list[int]:
    lines = call("podman", "top", container.name, "pid", "args").splitlines()
    return [int(line.split()[0]) for line in lines if words in line]


def solve(port: int) -> None:
    body = json.dumps({"id": "a-task", "prompt": "Log in", "url": "http://localhost:8000/?seed=1"}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/solve_task", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert json.load(answer)["actions"]

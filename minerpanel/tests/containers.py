"""Images and containers for tests, by Debian's buildah and podman. The base image is made by debootstrap, so no registry is needed."""

import os
import resource
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agents import VERSION

ROOT = Path(__file__).resolve().parents[2]
BASE, TESTED, MIRROR = "debian:trixie-slim", "minerpanel-tested", "http://deb.debian.org/debian"
PACKAGES = {name: name for name in ("buildah", "podman", "podman-compose", "runc", "debootstrap")}
BUILD_SECONDS = 1_500
CALL_SECONDS = 180
# As this process has them: without the usual rights they can't be raised.
LIMITS = [
    f"--ulimit={name}={soft}:{hard}"
    for name, (soft, hard) in {
        "nofile": resource.getrlimit(resource.RLIMIT_NOFILE),
        "nproc": resource.getrlimit(resource.RLIMIT_NPROC),
    }.items()
]


NEXT_MIGRATION = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("agents", "{newest}")]
    operations = [migrations.RunSQL("CREATE TABLE of_the_next_release (id integer)")]
"""
POSTGRES = f"""
FROM {BASE}
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql && mkdir -p /var/lib/postgresql/data
COPY start /start
ENV PATH=/usr/lib/postgresql/17/bin:/usr/sbin:/usr/bin:/sbin:/bin
ENTRYPOINT ["/start"]
"""
# As the official image starts: the database is made at the first start, with the password of the file.
START_POSTGRES = """#!/bin/sh
set -e
data=/var/lib/postgresql/data
install -m 600 -o postgres "$POSTGRES_PASSWORD_FILE" /run/password
chown postgres "$data"
as_owner() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
if [ ! -e "$data/PG_VERSION" ]; then
    as_owner initdb -D "$data" -U "$POSTGRES_USER" --pwfile=/run/password --auth-local=trust --auth-host=scram-sha-256
    echo "host all all all scram-sha-256" >> "$data/pg_hba.conf"
    as_owner pg_ctl -D "$data" -w -o "-c listen_addresses=''" start
    as_owner createdb -U "$POSTGRES_USER" "$POSTGRES_DB"
    as_owner pg_ctl -D "$data" -w stop
fi
exec setpriv --reuid=postgres --regid=postgres --clear-groups postgres -D "$data" -c "listen_addresses=*"
"""


def call(*command: str, timeout: float = CALL_SECONDS, check: bool = True) -> str:
    quiet = {**os.environ, "PODMAN_IGNORE_CGROUPSV1_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0 or not check, f"{' '.join(command)}:\n{done.stdout[-2_000:]}\n{done.stderr[-4_000:]}"
    return done.stdout.strip()


def ensure_tools() -> None:
    """Install missing programs; the test fails if they are not available."""
    missing = [package for program, package in PACKAGES.items() if not shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")]
    if missing:
        as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        call(*as_root, "apt-get", "update", "-q", timeout=BUILD_SECONDS)
        call(*as_root, "apt-get", "install", "-yq", *missing, timeout=BUILD_SECONDS)
    if os.geteuid() != 0:
        pytest.fail("Containers are tested as root: sudo make test-slow.")


def ensure_base(folder: Path) -> None:
    if call("buildah", "images", "--quiet", BASE, check=False):
        return
    call("debootstrap", "--variant=minbase", "trixie", str(folder / "base"), MIRROR, timeout=BUILD_SECONDS)
    container = call("buildah", "from", "scratch")
    call("buildah", "add", "--quiet", container, str(folder / "base"), "/", timeout=BUILD_SECONDS)
    call("buildah", "commit", "--quiet", container, BASE, timeout=BUILD_SECONDS)
    call("buildah", "rm", container)
    shutil.rmtree(folder / "base")


def build(folder: Path) -> str:
    """The image of this tree, with what assistants need; its name. Where pip reaches its index by a certificate of the machine's own, the build has it too."""
    ensure_tools()
    ensure_base(folder)
    mounts = []
    if certificate := os.environ.get("PIP_CERT"):
        (folder / "pip.conf").write_text("[global]\ncert = /build-ca.crt\n")
        mounts = [f"--volume={certificate}:/build-ca.crt:ro", f"--volume={folder / 'pip.conf'}:/etc/pip.conf:ro"]
    options = ["--isolation=chroot", "--format=docker", "--build-arg=MCP_PORT=8001", *LIMITS, *mounts]
    call("buildah", "build", *options, "--tag", TESTED, ".", timeout=BUILD_SECONDS)
    return TESTED


def build_next(folder: Path, version: str) -> str:
    """The image of the next release: this one with another version and one migration more."""
    newest = max(path.stem for path in (ROOT / "agents/migrations").glob("0*.py"))
    (folder / "next.py").write_text(NEXT_MIGRATION.format(newest=newest))
    (folder / "__init__.py").write_text((ROOT / "agents/__init__.py").read_text().replace(VERSION, version))
    (folder / "Containerfile").write_text(
        f"FROM {TESTED}\nCOPY --chmod=644 next.py agents/migrations/0998_next.py\nCOPY --chmod=644 __init__.py agents/__init__.py\n"
    )
    return _small(folder, f"{TESTED}-next")


def postgres(folder: Path) -> None:
    """An image under the name that compose.yaml uses, of Debian's Postgres: no registry is needed."""
    (folder / "start").write_text(START_POSTGRES)
    (folder / "start").chmod(0o755)
    (folder / "Containerfile").write_text(POSTGRES)
    _small(folder, "docker.io/library/postgres:17")


def _small(folder: Path, name: str) -> str:
    call("buildah", "build", "--isolation=chroot", "--format=docker", *LIMITS, "--tag", name, str(folder), timeout=BUILD_SECONDS)
    return name


class Container:
    def __init__(self, name: str) -> None:
        self.name = name

    def run(self, *command: str, check: bool = True) -> str:
        return call("podman", "exec", self.name, *command, check=check)

    def kill(self, part: str) -> int:
        """SIGKILL the oldest process whose command line contains `part`; its id within the container."""
        lines = call("podman", "top", self.name, "pid", "hpid", "args").splitlines()
        listed = [line.split(maxsplit=2) for line in lines if part in line]
        assert listed, f"no process {part!r}: {lines}"
        os.kill(int(listed[0][1]), 9)
        return int(listed[0][0])

    def log(self) -> str:
        return call("podman", "logs", self.name)


@contextmanager
def started(image: str, name: str, port: int, volume: str, *command: str, **environment: str) -> Iterator[Container]:
    """As compose.yaml starts it: a read-only root, no rights, data in a volume, /tmp in memory."""
    given = [f"--env={key}={value}" for key, value in {"PORT": str(port), "BIND": "127.0.0.1", **environment}.items()]
    confined = ["--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges", *LIMITS]
    call("podman", "rm", "--force", "--ignore", name)
    options = ["--detach", f"--name={name}", "--network=host", f"--volume={volume}:/data", *confined, *given]
    call("podman", "--runtime=runc", "run", *options, image, *command)
    try:
        yield Container(name)
    finally:
        call("podman", "stop", "--time=60", name, check=False)
        call("podman", "rm", "--force", "--ignore", name, check=False)


@contextmanager
def volume(name: str) -> Iterator[str]:
    call("podman", "volume", "rm", "--force", name, check=False)
    call("podman", "volume", "create", name)
    try:
        yield name
    finally:
        call("podman", "volume", "rm", "--force", name, check=False)


def wait_healthy(container: Container, seconds: float) -> None:
    """By the image's own health check."""
    end = time.monotonic() + seconds
    while subprocess.run(["podman", "healthcheck", "run", container.name], capture_output=True, check=False).returncode:
        assert time.monotonic() < end, container.log()[-4_000:]
        time.sleep(1)


@contextmanager
def composed(folder: Path, *arguments: str, **environment: str) -> Iterator[str]:
    """What `compose up` starts in a folder with compose.yaml; yields the prefix of the containers' names. All is removed at the end.

    The health checks are run from here: podman leaves that to systemd, which a test's machine may lack.
    """
    compose = ("podman-compose", "--podman-args=--runtime=runc", "--in-pod=0", "--project-name=minerpanel-composed", *arguments)
    own = {**os.environ, "PODMAN_IGNORE_CGROUPSV1_WARNING": "1", **environment}
    over = threading.Event()

    def check() -> None:
        while not over.wait(2):
            for name in call("podman", "ps", "--format={{.Names}}", "--filter=name=minerpanel-composed", check=False).split():
                call("podman", "healthcheck", "run", name, check=False)

    checks = threading.Thread(target=check)
    checks.start()
    try:
        done = subprocess.run(
            [*compose, "up", "--detach", "--no-build", "web", "worker"],
            cwd=folder,
            env=own,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout[-4_000:]}\n{done.stderr[-4_000:]}"
        yield "minerpanel-composed"
    finally:
        over.set()
        checks.join()
        subprocess.run([*compose, "down", "--volumes"], cwd=folder, env=own, capture_output=True, timeout=CALL_SECONDS, check=False)

"""The real nginx with deploy/nginx.conf in front of a real web process, on free ports of loopback."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from minerpanel.tests.processes import PATIENCE, ROOT, NotInstalled, free_port, wait_until

CONFIGURATION = (ROOT / "deploy" / "nginx.conf").read_text()
PANEL, ASSISTANTS = "# The panel by https", "http://127.0.0.1:8001"
# Where Debian puts it, besides what PATH names.
FOLDERS = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running nginx: the callers' address, the panel's by https, and the certificate to verify it by."""

    url: str
    panel: str
    certificate: Path

    @classmethod
    @contextmanager
    def started(cls, miner: str, assistants: str = ASSISTANTS) -> "Iterator[Nginx]":
        """In front of the web process at the address `miner`, and of the server for assistants; stopped at the end. Raises NotInstalled."""
        nginx, port, tls_port = program(), free_port(), free_port()
        with tempfile.TemporaryDirectory(prefix="minerpanel-nginx-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            certificate = _self_signed(folder)
            (folder / "nginx.conf").write_text(_whole(folder, miner, port, tls_port).replace(ASSISTANTS, assistants))
            process = subprocess.Popen([nginx, "-c", str(folder / "nginx.conf"), "-p", name])
            try:
                wait_until(lambda: _answers(port) and _answers(tls_port), "nginx does not listen")
                yield cls(f"http://127.0.0.1:{port}", f"https://panel.example.com:{tls_port}", certificate)
            finally:
                process.terminate()
                process.wait(PATIENCE)


def program() -> str:
    """Its path. Raises NotInstalled."""
    nginx = shutil.which("nginx", path=FOLDERS)
    if nginx is None:
        raise NotInstalled("nginx is not installed. Run: sudo apt-get install nginx-light")
    return nginx


def _whole(folder: Path, miner: str, port: int, tls_port: int) -> str:
    """A configuration around ours, with the panel's block in force, as an unprivileged user can run it."""
    before, _, panel = CONFIGURATION.partition(PANEL)
    panel = "\n".join(line.removeprefix("#") for line in panel.splitlines()[2:])
    for name in ("fullchain.pem", "privkey.pem"):
        panel = panel.replace(f"/etc/letsencrypt/live/panel.example.com/{name}", str(folder / name))
    ours = (
        (before + panel).replace("listen 80;", f"listen 127.0.0.1:{port};").replace("listen 443 ssl;", f"listen 127.0.0.1:{tls_port} ssl;")
    )
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    ours = ours.replace("server 127.0.0.1:8000;", f"server {miner.removeprefix('http://')};")
    user = "user root;" if os.geteuid() == 0 else ""
    return f"{user} daemon off; pid {folder}/pid; error_log stderr crit; events {{}} http {{ access_log off; {temporary} {ours} }}"


def _self_signed(folder: Path) -> Path:
    certificate = folder / "fullchain.pem"
    names = ["-subj", "/CN=panel.example.com", "-addext", "subjectAltName=DNS:panel.example.com"]
    made = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", str(folder / "privkey.pem"), "-out", str(certificate)]
    subprocess.run(["openssl", "req", "-x509", *made, *names], check=True, capture_output=True, timeout=PATIENCE)
    return certificate


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    except OSError:
        return False
    return True

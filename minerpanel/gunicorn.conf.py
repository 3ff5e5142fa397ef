"""How gunicorn serves the miner and the panel: one process, many threads."""

import os
from io import StringIO
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "minerpanel.settings")

import django
from django.conf import settings
from django.core.management import call_command

wsgi_app = "minerpanel.wsgi:application"
worker_class = "gthread"
workers = 1
threads = settings.WEB_THREADS
bind = f"[{settings.BIND}]:{settings.PORT}" if ":" in settings.BIND else f"{settings.BIND}:{settings.PORT}"
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 -- a heartbeat file that must not wait for a disk

keepalive = 75  # seconds; longer than nginx keeps an idle connection to us
timeout = 240  # seconds; beyond the longest deadline that the settings allow for a step
graceful_timeout = 30  # seconds; beyond the usual deadline of a step
limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 8190

forwarded_allow_ips = ",".join(str(network) for network in settings.TRUSTED_PROXIES)
control_socket_disable = True  # nobody steers the process but its supervisor
accesslog = None  # steps are on record in the database
errorlog = "-"
loglevel = settings.LOG_LEVEL.lower()


def on_starting(server: Any) -> None:
    """A bad setting stops the start here, with its id and hint."""
    django.setup()
    call_command("check", stderr=StringIO())  # setup has shown the warnings


def post_worker_init(worker: Any) -> None:
    """The process that answers is loaded."""
    from minerpanel.garbage import leave_what_is_loaded  # noqa: PLC0415 -- the setup comes first

    leave_what_is_loaded()

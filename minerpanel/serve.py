"""`python -m minerpanel.serve`: miner and panel, in one process, until SIGTERM."""

import argparse
import gc
import logging
import os
import sys
from io import StringIO

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "minerpanel.settings")

import django
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import DEFAULT_DB_ALIAS
from django.urls import get_resolver
from django.utils.module_loading import import_string

from minerpanel.server.limits import BACKLOG
from minerpanel.server.ports import PortInUse, listen

logger = logging.getLogger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve miner and panel until stopped.")
    parser.add_argument("--application", default=settings.WSGI_APPLICATION, help="another WSGI application, by its dotted path")
    parser.add_argument("--check-port", action="store_true", help="only report whether the port is free")
    parser.add_argument("--end-with-parent", action="store_true", help="stop when the process that started this one ends")
    options = parser.parse_args()
    try:
        if options.check_port:
            listen(settings.BIND, settings.PORT, BACKLOG).close()
        else:
            serve(options.application, end_with_parent=options.end_with_parent)
    except (PortInUse, SystemCheckError) as error:
        sys.exit(str(error))


def serve(application: str, *, end_with_parent: bool) -> None:
    """Answer until stopped. Raises SystemCheckError for a bad setting, with its id and hint, and PortInUse."""
    django.setup()
    # They need the setup.
    from agents.worker.cluster import end_with  # noqa: PLC0415
    from minerpanel.server.listening import Server, allow_open_files  # noqa: PLC0415

    if end_with_parent:
        end_with(os.getppid())
    call_command("check", stderr=StringIO())  # setup has shown the warnings
    call_command("check", "--tag=database", f"--database={DEFAULT_DB_ALIAS}", stderr=StringIO())
    allow_open_files()
    server = Server(import_string(application), listen(settings.BIND, settings.PORT, BACKLOG))
    freeze_loaded_modules()
    if not server.run():
        logger.warning("Some requests were still being answered at the stop, and were dropped.")
        logging.shutdown()
        os._exit(1)  # an ordinary end would wait for their threads


def freeze_loaded_modules() -> None:
    """Load what answers need, and exclude it from garbage collection, which stopped all threads for 45 ms in one request of a hundred."""
    get_resolver().url_patterns  # noqa: B018 -- reading it imports all views
    collect_rarely()


def collect_rarely() -> None:
    """Parsing a page makes some 20,000 objects without cycles: a collection after each 2,000 takes a sixth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


if __name__ == "__main__":
    main()

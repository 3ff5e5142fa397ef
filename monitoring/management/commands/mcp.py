"""`manage.py mcp`: the MCP server for assistants."""

import logging
import os
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from agents.worker.cluster import end_with

NOT_CONFIGURED = os.EX_CONFIG
PAUSE = 5.0  # seconds
PACKAGES = Path(sys.prefix) / "mcp"  # where bin/install puts them
MISSING = "Assistants are not answered: {}. Run: bin/install requirements-mcp.txt"


class Command(BaseCommand):
    requires_system_checks = ()  # web and worker run them
    help = "Answer an assistant by the Model Context Protocol, over standard input and output, or with --http at /mcp of MCP_PORT."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--http", action="store_true", help="serve over HTTP; ends at once where MCP_PORT is not set")

        parser.add_argument("--end-with-parent", action="store_true", help="stop when the process that started this one ends")

    def handle(self, *args: Any, **options: Any) -> None:
        port = settings.MCP_PORT
        if options["http"] and port is None:
            return
        if options["http"] and port == settings.PORT:
            raise CommandError("MCP_PORT is the panel's PORT. Give assistants another one.", returncode=NOT_CONFIGURED)
        sys.path.insert(0, str(PACKAGES))
        try:
            from monitoring.assistants import server  # noqa: PLC0415 -- its packages are installed for this command only
        except ImportError as error:
            raise CommandError(MISSING.format(error), returncode=NOT_CONFIGURED) from error
        if options["http"] and port is not None:
            if options["end_with_parent"]:
                end_with(os.getppid())
            serve_http(server, port)
            return
        if not settings.MCP_TOKEN:
            raise CommandError("Set MCP_TOKEN to an API token of the panel (Account → API tokens).")
        log_to_stderr()  # standard output is the protocol's
        server.serve_stdio()


def serve_http(server: Any, port: int) -> None:
    try:
        server.serve_http(port)
    except (Exception, SystemExit):  # such as a port in use; the supervisor starts it again at once
        time.sleep(PAUSE)
        raise


def log_to_stderr() -> None:
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stdout:
            handler.setStream(sys.stderr)

#!/usr/bin/env python
"""Django's command line for the miner panel."""

import os
import sys

from django.core.management import execute_from_command_line


def arguments(argv: list[str]) -> list[str]:
    """The command line as Django may read it: `simulate --settings` means the miner's settings, not a module of Django's."""
    if argv[1:2] != ["simulate"]:
        return argv
    return ["--miner-settings" + part.removeprefix("--settings") if part.partition("=")[0] == "--settings" else part for part in argv]


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "minerpanel.settings")
    execute_from_command_line(arguments(sys.argv))

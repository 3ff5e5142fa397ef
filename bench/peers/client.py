"""One peer as a process of its own: `python -m bench.peers.client MODULE [OPTION]`.

Reads load and target as a line of JSON, writes its version when it is ready, starts at the next line, writes what each step took.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from typing import IO

from bench.peers.load import Ask, Load, Target, play


def main() -> None:
    """Never returns: what a library still does when all steps are over is of no interest."""
    module, *options = sys.argv[1:]
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # libraries print, too
    told = json.loads(sys.stdin.readline())
    load, target = Load(**told["load"]), Target(**told["target"])
    asking = import_module(f"bench.peers.{module}").asking
    ready = version(told["distribution"]) if told["distribution"] else ""
    asyncio.run(_played(out, lambda: asking(target, *options), load, ready))


async def _played(out: IO[str], asking: Callable[[], Ask], load: Load, ready: str) -> None:
    ask = asking()
    print(ready, file=out)
    sys.stdin.readline()
    print(json.dumps(await play(load, ask)), file=out)
    os._exit(0)


if __name__ == "__main__":
    main()

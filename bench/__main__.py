"""Benchmarks by name: `make bench ARGS="step reading gate pages attack real peers"`.

    step     how long a step takes beside a bare "hello", and a decision beside a bare update of a row
    reading  how long reading a page takes beside a bare parse of it
    gate     how the gate does with hidden accounts on a virtual clock, beside what others reach
    pages    how long pages take at a million steps; a quarter of an hour and 4 GB the first time
    attack   attacks on a clean miner with honest callers beside them, on either database, also behind nginx; forty minutes
    real     whether the simulation agrees with real processes at real speed; twenty minutes
    peers    the miner beside the libraries that people use, for real; six minutes

Exit status 1 where a promise is not kept.
"""

import argparse
import importlib
from pathlib import Path

NAMES = {
    **{name: f"bench.{name}" for name in ("step", "reading", "gate", "pages")},
    "attack": "bench.attack.rows",
    "real": "bench.real",
    "peers": "bench.peers.run",
}
DEFAULT = ("step", "reading", "gate")


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)}; {', '.join(DEFAULT)} unless some are named")
    parser.add_argument("--steps", type=int, default=1_000_000, help="pages: the size of the database (%(default)s)")
    parser.add_argument("--scenarios", type=Path, help="gate: a folder of scenarios instead of bench/scenarios")
    parser.add_argument("--seconds", type=float, default=600.0, help="real: how much of the scenario is played (%(default)s)")
    parser.add_argument("--minutes", type=float, default=4.0, help="peers: for how long (%(default)s)")
    parser.add_argument("--rows", nargs="*", metavar="ROW", help="attack: only these rows; gate: show each scenario")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite", help="step, attack")
    parser.add_argument("--nginx", action="store_true", help="attack: behind the real nginx with deploy/nginx.conf")
    parser.add_argument("--small", action="store_true", help="attack: the short version of each row")
    options = parser.parse_args()
    unknown = set(options.names) - set(NAMES)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    return max(int(importlib.import_module(NAMES[name]).main(options)) for name in options.names or DEFAULT)


if __name__ == "__main__":
    raise SystemExit(main())

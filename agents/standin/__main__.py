"""`python -m agents.standin`: the stand-in without Django."""

from agents.standin.cli import main

if __name__ == "__main__":
    raise SystemExit(main())

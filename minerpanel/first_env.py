"""Write `.env` on the first start: `.env.example` with a random SECRET_KEY, which Django needs, readable by its owner only."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values


def ensure_env(folder: Path, environ: Mapping[str, str]) -> bool:
    """Make sure that a SECRET_KEY is set, in `environ` or in `folder`/.env. Returns whether the file was written."""
    path, new = folder / ".env", folder / ".env.new"
    given = {**dotenv_values(path, interpolate=False), **environ}
    if given.get("SECRET_KEY") or given.get("SECRET_KEY_FILE"):
        return False
    old = (path if path.exists() else folder / ".env.example").read_text(encoding="utf-8").splitlines()
    lines = [line for line in old if not line.replace(" ", "").startswith("SECRET_KEY=")]
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text("\n".join([*lines, f"SECRET_KEY={secrets.token_urlsafe(50)}"]) + "\n", encoding="utf-8")
    new.replace(path)
    return True


if __name__ == "__main__" and ensure_env(Path(__file__).resolve().parent.parent, os.environ):
    print("Wrote .env with a random SECRET_KEY.")  # noqa: T201 -- a command's output

"""Write `.env` on the first start: `.env.example` with a random SECRET_KEY, readable by its owner only.

Runs before Django, which needs the key: `python -m minerpanel.first_env`.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

FOLDER = Path(__file__).resolve().parent.parent


def ensure_env(folder: Path, environ: Mapping[str, str]) -> bool:
    """Make sure that a SECRET_KEY is set, in `environ` or in `folder`/.env. Returns whether the file was written."""
    path = folder / ".env"
    given = {**(dotenv_values(path, interpolate=False) if path.exists() else {}), **environ}
    if given.get("SECRET_KEY") or given.get("SECRET_KEY_FILE"):
        return False
    text = (path if path.exists() else folder / ".env.example").read_text(encoding="utf-8")
    _write_private(path, with_secret_key(text, secrets.token_urlsafe(50)))
    return True


def with_secret_key(text: str, key: str) -> str:
    """`text` of a .env file with its SECRET_KEY line filled, or with one more line where there is none."""
    lines = text.splitlines()
    line = f"SECRET_KEY={key}"
    empty = [number for number, old in enumerate(lines) if old.replace(" ", "").startswith("SECRET_KEY=")]
    if empty:
        lines[empty[-1]] = line
    else:
        lines.append(line)
    return "\n".join(lines) + "\n"


def _write_private(path: Path, text: str) -> None:
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text(text, encoding="utf-8")
    new.replace(path)


if __name__ == "__main__" and ensure_env(FOLDER, os.environ):
    print("Wrote .env with a random SECRET_KEY.")  # noqa: T201 -- a command's output

"""Write a random SECRET_KEY, which Django needs, on the first start: into the file that SECRET_KEY_FILE names, else into `.env`."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values


def ensure_secret_key(folder: Path, environ: Mapping[str, str]) -> Path | None:
    """Make sure that there is a SECRET_KEY, in `environ` or in `folder`/.env. Returns the file that was written."""
    dotenv = folder / ".env"
    given = {**dotenv_values(dotenv, interpolate=False), **environ}
    named, key = given.get("SECRET_KEY_FILE"), secrets.token_urlsafe(50)
    if given.get("SECRET_KEY") or (named and Path(named).exists()):
        return None
    if named:
        return _write(Path(named), [key])
    old = (dotenv if dotenv.exists() else folder / ".env.example").read_text(encoding="utf-8").splitlines()
    return _write(dotenv, [*(line for line in old if not line.replace(" ", "").startswith("SECRET_KEY=")), f"SECRET_KEY={key}"])


def _write(path: Path, lines: list[str]) -> Path:
    """Atomically, readable by its owner only."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return new.replace(path)


if __name__ == "__main__" and (written := ensure_secret_key(Path(__file__).resolve().parent.parent, os.environ)):
    print(f"Wrote {written} with a random SECRET_KEY.")  # noqa: T201 -- a command's output

"""File permissions, so that only their owner may read the database, the spool, uploads, backups and `.env`."""

import os
import stat
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

# Set by the settings module, which every entry point imports first: new files are 600 and folders 700.
UMASK = 0o077
# A data folder may hold other programs' files too; ours are far fewer than this.
MOST_FILES = 20_000


def looser(folder: Path) -> Iterator[Path]:
    """The folder and its contents, as far as other users may read or write them. Links are not followed."""
    paths = (Path(place) / name for place, names, files in os.walk(folder) for name in (*names, *files))
    return filter(is_loose, chain([folder], islice(paths, MOST_FILES)) if folder.is_dir() else ())


def tighten(folder: Path) -> None:
    """Remove other users' rights to this user's files. The system check reports files of other users."""
    for path in list(looser(folder)):
        try:
            was = path.lstat()
            if was.st_uid == os.geteuid() and not was.st_mode & stat.S_ISVTX:  # /tmp and the like are used by others too
                path.chmod(stat.S_IMODE(was.st_mode) & ~UMASK)
        except FileNotFoundError:
            continue  # a temporary file of a running process


def is_loose(path: Path) -> bool:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISLNK(mode) and bool(mode & UMASK)

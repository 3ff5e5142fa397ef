"""Free disk space: with little left, only facts are recorded, no details."""

import shutil
from typing import NamedTuple

from django.conf import settings

from agents.models import Settings

MEGABYTE = 1_000_000
# Of the disk: file systems slow down and reserve blocks when nearly full. The second bound is for large disks.
LEAST_SHARE, LARGEST_SHARE = 0.02, 5_000 * MEGABYTE


class Space(NamedTuple):
    """Bytes of the disk that holds DATA_DIR. `least`: with less than this free, no details are recorded."""

    free: int
    total: int
    least: int

    @property
    def in_mb(self) -> "Space":
        return Space(*(round(each / MEGABYTE) for each in self))

    @property
    def is_low(self) -> bool:
        return self.free < self.least


def space(free_disk_mb: int | None = None) -> Space:
    """The disk now. `free_disk_mb`: the setting; None, while the database can't be read, for its default. Takes microseconds."""
    usage = shutil.disk_usage(settings.DATA_DIR)
    mb = Settings().free_disk_mb if free_disk_mb is None else free_disk_mb
    return Space(usage.free, usage.total, max(mb * MEGABYTE, round(min(usage.total * LEAST_SHARE, LARGEST_SHARE))))

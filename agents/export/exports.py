"""The records of exports, for the panel's page and for `manage.py export_agent`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.utils import timezone

from agents import VERSION
from agents.export import review
from agents.export.repository import Files, commit, digest, exported, packed
from agents.models import AuditEntry, Export
from agents.standalone.options import Options

# Older exports are deleted, each with its archive of some 200 kB.
MOST_KEPT = 20
Fact = tuple[str, str]


class Refused(ValueError):
    """A reviewer would object. `findings`: each with file and line."""

    def __init__(self, findings: Sequence[review.Finding]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings


def export(options: Options, by: str) -> tuple[Export, Files]:
    """The files and their record; the same files have one record. Raises Refused."""
    files = exported(options)
    if findings := review.findings(files):
        raise Refused(findings)
    made = digest(files)
    columns: Mapping[str, Any] = {
        "exported_at": timezone.now(),
        "exported_by": by,
        "version": VERSION,
        "commit": commit(),
        "options": asdict(options),
        "files": len(files),
        "size": sum(map(len, files.values())),
        "archive": packed(files, f"agent-{VERSION}-{made[:12]}"),
    }
    row, _ = Export.objects.update_or_create(digest=made, defaults=columns)
    AuditEntry.record(AuditEntry.Action.EXPORT, f"{row.name}: {', '.join(options.models) or 'no models'}.", by=by, now=row.exported_at)
    Export.objects.exclude(pk__in=list(Export.objects.values_list("pk", flat=True)[:MOST_KEPT])).delete()
    return row, files


def facts(row: Export) -> Iterator[Fact]:
    """Without times, which the page shows in its reader's zone."""
    yield "Version", f"{row.version}{f', commit {row.commit}' if row.commit else ''}"
    yield "Exported by", row.exported_by or "the command line"
    options = row.options
    yield "Options", f"{options['mode']}, LLM {options['llm_use']}, {options['seconds']:g} s a step"
    yield "Models", ", ".join(options["models"]) or "none: the rules answer alone"
    yield "Size", f"{row.files} files, {row.size:,} bytes (at most {review.MOST_FILES} and {review.MOST_BYTES:,})"
    yield "Digest", row.digest


def steps(row: Export) -> list[str]:
    """The manual steps to submit it."""
    return [
        f"Download {row.name}.tar.gz and unpack it, or take the folder that export_agent wrote.",
        "Run as root: manage.py export_agent FOLDER --check --replica. It must pass.",
        "Put the files into a public Git repository of your own: git init, git add, git commit, git push.",
        "Announce the repository's address and the commit's full hash with your miner: validators clone exactly that commit.",
    ]

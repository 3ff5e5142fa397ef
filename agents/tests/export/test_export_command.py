"""`manage.py export_agent`."""

import tarfile
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from agents import VERSION
from agents.export import exports, replica
from agents.export.repository import digest, read
from agents.models import Export
from agents.standalone.options import Options

pytestmark = [pytest.mark.django_db, pytest.mark.long]


def output(*arguments: str) -> str:
    out = StringIO()
    call_command("export_agent", *arguments, stdout=out)
    return out.getvalue()


def test_it_writes_the_repository_and_shows_what_it_wrote(tmp_path: Path) -> None:
    folder = tmp_path / "agent"
    text = output(str(folder), "--model", "a/model", "--seconds", "20")
    assert f"Version: {VERSION}" in text
    assert "Models: a/model" in text
    assert "Replica: Not run for this export" in text
    assert "A reviewer would object to nothing." in text
    assert output(str(folder), "--check") == text
    row = Export.objects.get()
    assert (row.digest, row.options["seconds"]) == (digest(read(folder)), 20)
    with tarfile.open(fileobj=BytesIO(bytes(row.archive))) as tar:
        assert {name.partition("/")[2] for name in tar.getnames()} == set(read(folder))
    assert (folder / "main.py").stat().st_mode & 0o777 == 0o644


def test_changed_files_are_not_on_record_and_a_finding_fails_the_check(tmp_path: Path) -> None:
    folder = tmp_path / "agent"
    output(str(folder))
    (folder / "main.py").write_text("SITE = 'autocinema'\n")
    with pytest.raises(CommandError, match="1 finding"):
        output(str(folder), "--check")
    assert "main.py:1: autocinema" in _shown(folder)


def _shown(folder: Path) -> str:
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("export_agent", str(folder), "--check", stdout=out)
    return out.getvalue()


def test_mistakes_are_answered_with_their_remedy(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="3 to 180"):
        output(str(tmp_path / "agent"), "--seconds", "1")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CommandError, match="Name an empty folder"):
        output(str(tmp_path))
    with pytest.raises(CommandError, match="is not a folder"):
        output(str(tmp_path / "nowhere"), "--check")


def test_the_same_files_have_one_record_with_its_replica_and_the_oldest_are_deleted() -> None:
    row, _ = exports.export(Options(), "ann")
    replica.record(row, [replica.Line("Memory", "400 MB", "at most 300 MB", passed=False)])
    again, _ = exports.export(Options(), "bob")
    assert (again.pk, again.exported_by, replica.in_words(again)) == (row.pk, "bob", "Failed: 1 of 1 checks")
    Export.objects.bulk_create(Export(digest=str(number), files=1, size=1, archive=b"") for number in range(exports.MOST_KEPT))
    exports.export(Options(seconds=4.0), "ann")
    assert Export.objects.count() == exports.MOST_KEPT
    assert not Export.objects.filter(pk=row.pk).exists()

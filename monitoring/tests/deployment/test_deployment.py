"""The page on which admins export the agent."""

import tarfile
from io import BytesIO

import pytest
from django.test import Client

from agents import VERSION
from agents.export import replica
from agents.models import AuditEntry, Export
from monitoring.tests.reading import text_of, tree_of
from monitoring.tests.records import make_export

pytestmark = pytest.mark.django_db

GOOD = {"mode": "hybrid", "llm_use": "always", "models": "a/model\nb/model", "seconds": "20"}


def test_without_an_export_the_page_shows_how_to_make_one(admin: Client) -> None:
    text = text_of(admin.get("/deployment/"))
    assert "Nothing is exported yet." in text
    assert "Earlier exports" not in text


@pytest.mark.long
def test_this_version_is_exported_shown_audited_and_downloaded(admin: Client) -> None:
    text = text_of(admin.post("/deployment/", GOOD, follow=True))
    assert f"Version {VERSION}" in text
    assert "Models a/model, b/model" in text
    assert "It has not run for this export." in text
    row = Export.objects.get()
    assert (row.exported_by, row.options["seconds"]) == ("one-of-admins", 20.0)
    assert AuditEntry.objects.get(action="export").by == "one-of-admins"
    answer = admin.get(f"/deployment/{row.pk}/agent.tar.gz")
    assert answer["Content-Disposition"] == f'attachment; filename="{row.name}.tar.gz"'
    with tarfile.open(fileobj=BytesIO(answer.content)) as tar:
        assert f"{row.name}/main.py" in tar.getnames()
        assert len(tar.getnames()) == row.files


@pytest.mark.long
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"seconds": "1"}, "greater than or equal to 3"),
        ({"mode": "magic"}, "Select a valid choice"),
        ({"models": "m " * 3 + " ".join(map(str, range(20)))}, "Name at most 10 models"),
        ({"models": "as/on-autocinema"}, "A reviewer would reject this: README.md:"),
    ],
)
def test_invalid_input_is_reported_and_not_exported(wrong: dict[str, str], message: str, admin: Client) -> None:
    assert message in text_of(admin.post("/deployment/", {**GOOD, **wrong}))
    assert not Export.objects.exists()


def test_the_replicas_last_result_is_shown_line_by_line(admin: Client) -> None:
    make_export(version="0.1.9")
    row = make_export(digest="f" * 64)
    replica.record(
        row, [replica.Line("Memory", "400 MB", "at most 300 MB", passed=False), replica.Line("Callers", "10 of 10", "all", passed=True)]
    )
    Export.objects.filter(pk=row.pk).update(exported_at="2026-06-01T00:00:00Z")
    tree = tree_of(admin.get("/deployment/"))
    lines = [text_of_row(row) for row in tree.xpath("//section[@aria-labelledby='replica']//tbody/tr")]
    assert lines == ["Memory 400 MB at most 300 MB Failed", "Callers 10 of 10 all Passed"]
    assert "0.1.9" in text_of(admin.get("/deployment/"))


def text_of_row(row: object) -> str:
    return " ".join(row.text_content().split())  # type: ignore[attr-defined]

"""Logs: entries filtered, paged, searched within bounds, downloaded; imports and their upload."""

import json
import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponseBase
from django.test import Client
from django.utils import timezone

from monitoring.logs import imports
from monitoring.logs import log_list as stats
from monitoring.logs.journal import Line, read
from monitoring.models import JournalImport, LogEntry
from monitoring.reporting import search
from monitoring.tests.reading import HTMX, rows_of, text_of, tree_of
from monitoring.tests.records import make_step

pytestmark = pytest.mark.django_db

NOW = timezone.now()
LIMITED = "Chutes API rate limited (429). Exponential backoff: Waiting 60s before retry (attempt 1)..."
BAD = (
    {"level": "loud"},
    {"kind": "x"},
    {"source": "x"},
    {"step": "x"},
    {"journal": "x"},
    {"journal": "9" * 40},
    {"since": "yesterday"},
    {"text": "\0"},
    {"text": "%_\\"},
    {"logger": "x" * 999},
    {"older": "9" * 17 + "-" + "9" * 18},
    {"range": "1y"},
)


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Any) -> None:
    settings.DATA_DIR = settings.FILE_UPLOAD_TEMP_DIR = tmp_path


def make_entry(message: str = "it happened", **fields: Any) -> LogEntry:
    return LogEntry.objects.create(**{"at": NOW, "level": 30, "logger": "agents.hybrid.spool", "message": message, **fields})


def listed(client: Client, **conditions: str) -> list[str]:
    """The messages that match a filter, in order."""
    return tree_of(client.get("/logs/", conditions)).xpath("//span[@class='log-message']/text()")  # type: ignore[no-any-return]


def test_an_entry_shows_time_level_message_and_source(viewer: Client) -> None:
    make_entry(f"{LIMITED}\nmore of it", kind="rate_limited", host="miner-1", process="gunicorn[7]", logger="agents.ledger.events")
    make_entry("older", at=NOW - timedelta(hours=1), level=40, source="imported")
    first, second = rows_of(viewer.get("/logs/"))
    assert f"WARNING {LIMITED} More lines more of it Rate limit, with a wait agents.ledger.events This miner miner-1 gunicorn[7]" in first
    assert "ERROR older agents.hybrid.spool Imported" in second


def test_an_entry_links_to_its_step(viewer: Client) -> None:
    step = make_step()
    make_entry("of a step", step_uid=step.uid)
    make_entry("of a step that is not on record", step_uid=uuid.uuid4())
    assert tree_of(viewer.get("/logs/")).xpath("//tbody//a/@href") == [f"/tasks/{step.task_id}/#step-{step.pk}"]


@pytest.mark.parametrize(
    "conditions",
    [
        {"text": "WANTED"},
        {"level": "40"},
        {"logger": "agents.ledger"},
        {"kind": "timeout"},
        {"source": "imported"},
        {"range": "24h"},
        {"since": (NOW - timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M")},
        {"step": "00000000-0000-0000-0000-000000000001"},
        {"level": "40", "kind": "timeout", "range": "24h", "text": "wanted"},
    ],
)
def test_a_filter_shows_matching_rows(conditions: dict[str, str], viewer: Client) -> None:
    make_entry("the wanted one", level=50, logger="agents.ledger.events", kind="timeout", source="imported", step_uid=uuid.UUID(int=1))
    make_entry("another", at=NOW - timedelta(days=3))
    assert listed(viewer, **conditions) == ["the wanted one"]
    assert len(listed(viewer)) == 2


def test_an_imports_entries_are_found_by_its_number(viewer: Client) -> None:
    journal = JournalImport.objects.create(name="a.log", requested_at=NOW)
    make_entry("of the journal", journal=journal)
    make_entry("our own")
    (address,) = tree_of(viewer.get("/logs/imports/")).xpath("//tbody//a/@href")
    assert tree_of(viewer.get(address)).xpath("//span[@class='log-message']/text()") == ["of the journal"]
    assert listed(viewer, until=(NOW - timedelta(days=1)).strftime("%Y-%m-%d %H:%M")) == []


@pytest.mark.parametrize("conditions", BAD, ids=lambda conditions: urlencode(conditions)[:30])
def test_a_filter_that_cannot_be_read_is_never_a_fault(conditions: dict[str, str], viewer: Client) -> None:
    make_entry()
    for address in ("/logs/", "/logs/download.log", "/logs/download.jsonl"):
        response: HttpResponseBase = viewer.get(address, conditions, headers=HTMX)
        assert response.status_code == 200
        if response.streaming:
            b"".join(response.streaming_content)  # type: ignore[attr-defined]


def test_a_filter_that_cannot_be_read_is_named_and_not_applied(viewer: Client) -> None:
    make_entry()
    response = viewer.get("/logs/", {"step": "abc"})
    assert "Step id is not applied: Enter a valid UUID." in text_of(response)
    assert len(rows_of(response)) == 1


def test_pages_follow_each_other_without_gap_or_repetition(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "PAGE_SIZE", 3)
    for number in range(8):
        make_entry(str(number), at=NOW + timedelta(seconds=number // 2))
    address, seen = "/logs/?level=30", list[str]()
    while address:
        tree = tree_of(viewer.get(address))
        seen += tree.xpath("//span[@class='log-message']/text()")
        address = next(iter(tree.xpath("//a[@rel='next']/@href")), "")
        assert not address or "level=30" in address
    assert seen == list("76543210")


def test_a_text_is_searched_in_a_bounded_part_and_further_on_demand(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "SEARCHED", 4)
    monkeypatch.setattr(search, "BEHIND", 0)  # the index is not usable yet
    make_entry("the needle", at=NOW - timedelta(hours=20))
    for number in range(9):
        make_entry("hay", at=NOW - timedelta(hours=number))
    address, result = "/logs/?text=needle", 0
    while not tree_of(viewer.get(address)).xpath("//span[@class='log-message']"):
        (address,) = tree_of(viewer.get(address)).xpath("//a[text()='Search further back']/@href")
        result += 1
    assert result == 2


@pytest.mark.parametrize("conditions", [{"logger": "a.needle"}, {"source": "imported"}, {"level": "40", "text": "needle"}])
def test_without_an_index_a_bounded_part_is_searched(conditions: dict[str, str], viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "SEARCHED", 4)
    monkeypatch.setattr(search, "BEHIND", 0)  # the index is not usable yet
    make_entry("the needle", at=NOW - timedelta(hours=20), logger="a.needle", source="imported", level=40)
    for number in range(5):
        make_entry("hay", at=NOW - timedelta(hours=number))
    first = viewer.get("/logs/", conditions)
    assert "Searched 4 entries, back to" in text_of(first)
    (address,) = tree_of(first).xpath("//a[text()='Search further back']/@href")
    assert tree_of(viewer.get(address)).xpath("//span[@class='log-message']/text()") == ["the needle"]


def test_a_live_list_refreshes_itself_and_an_older_page_does_not(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "PAGE_SIZE", 1)
    make_entry("one")
    make_entry("two")
    page = tree_of(viewer.get("/logs/?level=30"))
    assert page.get_element_by_id("logs").attrib["hx-get"] == "/logs/?level=30"
    assert page.xpath("//button[@data-tail-toggle]")
    older = tree_of(viewer.get(page.xpath("//a[@rel='next']/@href")[0]))
    assert "hx-get" not in older.get_element_by_id("logs").attrib
    first = viewer.get("/logs/", headers=HTMX)
    assert viewer.get("/logs/", headers={**HTMX, "If-None-Match": first["ETag"]}).status_code == 304


def test_without_entries_the_page_explains_itself_or_how_to_widen_the_filter(viewer: Client) -> None:
    assert "Warnings and errors of the miner and its panel appear here" in text_of(viewer.get("/logs/"))
    assert "No entry matches." in text_of(viewer.get("/logs/", {"logger": "nobody"}))


def test_the_filtered_entries_are_downloaded_as_a_log_that_the_import_reads(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "DOWNLOAD_BATCH", 2)
    for number in range(5):
        make_entry(f"{number} {LIMITED}", at=NOW + timedelta(seconds=number // 2), step_uid=uuid.UUID(int=number + 1))
    make_entry("with a key cpk_abcdefgh.ijk\nand more", at=NOW + timedelta(seconds=9), level=45)
    make_entry("not wanted", level=20)
    response = viewer.get("/logs/download.log", {"level": "30"})
    assert response["Content-Disposition"].startswith('attachment; filename="miner-')
    lines = b"".join(response.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    read_again = [read(line) for line in lines[:-1]]
    assert lines[-1] == "and more"
    assert all(isinstance(line, Line) for line in read_again)
    assert [line.message[:1] for line in read_again if isinstance(line, Line)] == list("01234w")
    assert f"step={uuid.UUID(int=1)}" in lines[0]
    assert "with a key [secret]" in lines[-2]
    wanted = viewer.get("/logs/download.log", {"text": "ATTEMPT 1"})
    assert len(b"".join(wanted.streaming_content).splitlines()) == 5  # type: ignore[attr-defined]


def test_the_filtered_entries_are_downloaded_as_json_lines(viewer: Client) -> None:
    make_entry("first\nsecond", kind="rate_limited", facts={"wait_seconds": 60.0})
    (line,) = b"".join(viewer.get("/logs/download.jsonl").streaming_content).splitlines()  # type: ignore[attr-defined]
    answer = json.loads(line)
    assert answer | {"at": NOW.isoformat(), "level": "WARNING", "message": "first\nsecond", "facts": {"wait_seconds": 60.0}} == answer


# Imports


def post(client: Client, content: bytes = b"WARNING:root:x\n", **fields: str) -> HttpResponseBase:
    file = SimpleUploadedFile("miner.log", content)
    return client.post("/logs/imports/", {"file": file, "zone": "UTC", **fields})


def test_an_operator_uploads_a_journal_and_sees_it_queued(operator: Client) -> None:
    response = post(operator, year="2025", zone="Europe/Berlin")
    assert response.status_code == 302
    row = JournalImport.objects.get()
    assert (row.name, row.state, row.requested_by) == ("miner.log", "queued", "one-of-operators")
    assert (row.year, row.zone) == (2025, "Europe/Berlin")
    assert imports._file(row.pk).read_bytes() == b"WARNING:root:x\n"
    assert "miner.log one-of-operators Waiting" in rows_of(operator.get("/logs/imports/"))[0]


@pytest.mark.parametrize(
    ("content", "fields", "message"),
    [
        (b"", {}, "The file is empty."),
        (b"x", {"year": "1"}, "Ensure this value is greater than or equal to 2."),
        (b"x", {"zone": "Mars/Olympus"}, "There is no time zone “Mars/Olympus”. Write it as Europe/Berlin or UTC."),
        (b"x", {"zone": "../etc/passwd"}, "There is no time zone “../etc/passwd”."),
    ],
)
def test_a_bad_upload_is_named_with_the_remedy(content: bytes, fields: dict[str, str], message: str, operator: Client) -> None:
    response = post(operator, content, **fields)
    assert response.status_code == 200
    assert message in text_of(response)
    assert not JournalImport.objects.exists()


def test_a_file_that_is_too_large_is_discarded_with_the_remedy(operator: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(imports, "LARGEST", 1_000)
    assert "larger than 512 MB. Compress it with gzip" in text_of(post(operator, b"x" * 20_000))
    assert not JournalImport.objects.exists()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert "Choose a file." in text_of(operator.post("/logs/imports/", {"zone": "UTC"}))


def test_a_viewer_is_offered_no_upload(viewer: Client, operator: Client) -> None:
    assert not tree_of(viewer.get("/logs/imports/")).xpath("//input[@type='file']")
    assert tree_of(operator.get("/logs/imports/")).xpath("//input[@type='file']")
    assert "Nothing is imported yet." in text_of(viewer.get("/logs/imports/"))


def test_an_import_shows_its_state_and_the_lines_not_parsed(viewer: Client) -> None:
    values = {"requested_at": NOW, "lines": 12_345, "unread": 1, "samples": ["<odd> line"]}
    JournalImport.objects.create(name="a.log", state="running", **values)
    JournalImport.objects.create(name="b.log", state="failed", fault="It is cut off.", requested_at=NOW)
    page = viewer.get("/logs/imports/")
    assert tree_of(page).xpath("//details/pre/text()")[0].strip() == "<odd> line"
    assert any("Running" in row and "12,345" in row for row in rows_of(page))
    assert any("Failed" in row and "It is cut off." in row for row in rows_of(page))


def test_rare_conditions_are_folded_until_one_of_them_is_set(viewer: Client) -> None:
    fold = "//details[@id='more-conditions']"
    assert not tree_of(viewer.get("/logs/?text=a&level=30")).xpath(f"{fold}/@open")
    assert tree_of(viewer.get("/logs/?logger=agents")).xpath(f"{fold}[@open]//input[@name='logger']")

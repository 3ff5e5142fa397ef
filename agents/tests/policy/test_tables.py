"""One fact stands in one table: adding one is one edit."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.db import models

from agents.configuration import SETTINGS
from agents.models import Settings
from agents.models.settings import about
from agents.policy.reasons import PauseSource, Reason
from agents.policy.refusals import Reaction, RefusalClass

ROOT = Path(__file__).resolve().parents[3]
# They play the provider: each class is what they are told to answer with.
PLAYED = {"fake_chutes", "demo", "devtools", "simulation"}
MOST_FILES = 3
MOST_FILES_OF_A_SETTING = 2
# Steps are recorded with these, and pages, previews and the journal name them there.
RECORDED = {
    "pacing",
    "spacing_seconds",
    "backoff_seconds",
    "backoff_max_seconds",
    "deadline_seconds",
    "probe_after_pause",
    "llm_use",
    "sure_from",
    "max_task_usd",
}
PREVIEWS = "previews.py"
GUIDE = "first_steps"  # it leads a new admin through a few of them


def sources() -> dict[Path, str]:
    """The miner's and the panel's own code."""
    found = [path for package in ("agents", "monitoring", "minerpanel") for path in (ROOT / package).rglob("*.py")]
    kept = [path for path in found if not {"tests", "migrations", *PLAYED} & set(path.relative_to(ROOT).parts)]
    assert len(kept) > 100
    return {path: path.read_text(encoding="utf-8") for path in kept}


def test_adding_a_refusal_class_touches_at_most_three_files() -> None:
    texts = sources().values()
    named = {kind: sum(f"RefusalClass.{kind.name}" in text for text in texts) for kind in RefusalClass}
    # The edge is the rate limit itself: gate, pace and tests of it are about no other class.
    del named[RefusalClass.EDGE]
    # Its row, and what reads the provider's answer, are in the same file.
    assert {kind: files for kind, files in named.items() if files > MOST_FILES} == {}


def test_every_class_has_its_whole_row() -> None:
    rows = [kind.about for kind in RefusalClass]
    assert all(row.label and row.colour and row.sentence.endswith(".") for row in rows)
    assert len({row.label for row in rows}) == len({row.colour for row in rows}) == len(rows)
    assert all(kind.about.remedy for kind in RefusalClass if kind.reaction is Reaction.CHECK)


def test_every_reason_and_source_has_its_sentence() -> None:
    assert all(reason.meaning.endswith(".") for reason in Reason)
    assert all(source.sentence and 0 <= source.confidence <= 1 for source in PauseSource)


@pytest.mark.long
def test_adding_a_setting_touches_at_most_two_files() -> None:
    """Its field, and where it is used: form, command and pages are made from the field."""
    texts = {path: text for path, text in sources().items() if path.name != PREVIEWS and path.parent.name != GUIDE}
    named = {
        name: [path.name for path, text in texts.items() if re.search(rf'"{name}"|\b{name} = setting\(', text)]
        for name in SETTINGS
        if name not in RECORDED
    }
    assert all("settings.py" in files for files in named.values())
    assert {name: files for name, files in named.items() if len(files) > MOST_FILES_OF_A_SETTING} == {}


def test_every_setting_has_its_whole_field() -> None:
    fields: list[Any] = [Settings._meta.get_field(name) for name in SETTINGS]
    assert len(fields) > 20
    assert all(field.help_text and field.verbose_name != field.name.replace("_", " ") for field in fields)
    assert all(about(field).section and about(field).takes_effect.startswith("takes effect") for field in fields)
    assert all(about(field).accepts for field in fields if isinstance(field, models.JSONField))

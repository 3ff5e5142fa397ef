"""System checks report faults in the settings, with a remedy."""

import os
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage
from pytest_django.fixtures import Settings

from agents import checks

KEY = "cpk_" + "a" * 32 + "." + "0" * 32 + "." + "Z" * 32
GOOD: dict[str, Any] = {
    "DEBUG": False,
    "BIND": "127.0.0.1",
    "SECRET_KEY": "0123456789abcdef" * 4,
    "HTTPS": False,
    "TRUSTED_PROXIES": (),
    "ALLOWED_HOSTS": ["panel.example.com"],
    "CHUTES_API_KEY": KEY,
    "CHUTES_BASE_URL": "https://llm.chutes.ai/v1",
    "CHUTES_MANAGEMENT_URL": "https://api.chutes.ai",
    "SITE_FACTS_DIR": None,
    "PANEL_ADMIN_PASSWORD": "",
}


def findings(settings: Settings, folder: Path, **changes: Any) -> list[CheckMessage]:
    for name, value in {**GOOD, "DATA_DIR": folder, **changes}.items():
        setattr(settings, name, value)
    return checks.check_settings(None)


def test_good_settings_pass(settings: Settings, tmp_path: Path) -> None:
    assert findings(settings, tmp_path) == []


@pytest.mark.parametrize(
    ("changes", "id_"),
    [
        ({"SECRET_KEY": "short"}, "agents.E002"),
        ({"SECRET_KEY": "a" * 60}, "agents.E002"),
        ({"DEBUG": True, "BIND": "0.0.0.0"}, "agents.E003"),
        ({"HTTPS": True}, "agents.E004"),
        ({"PANEL_ADMIN_PASSWORD": "aaaaaaaaaaaa"}, "agents.W006"),
        ({"ALLOWED_HOSTS": ["*"]}, "agents.W004"),
        ({"CHUTES_API_KEY": ""}, "agents.W001"),
        ({"CHUTES_API_KEY": "sk-something"}, "agents.W002"),
        ({"CHUTES_BASE_URL": "https://api.chutes.ai/v1"}, "agents.E005"),
        ({"CHUTES_BASE_URL": "http://169.254.169.254/v1"}, "agents.E007"),
        ({"CHUTES_MANAGEMENT_URL": "http://[fe80::1]"}, "agents.E007"),
        ({"CHUTES_BASE_URL": "https://llm.chutes.ai"}, "agents.W003"),
    ],
)
def test_each_fault_has_its_id_and_a_hint(settings: Settings, tmp_path: Path, changes: dict[str, Any], id_: str) -> None:
    messages = findings(settings, tmp_path, **changes)
    assert [message.id for message in messages] == [id_]
    assert messages[0].hint


def test_a_fault_in_the_facts_on_sites_is_reported_with_its_file_entry_and_remedy(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "lamps.toml").write_text('[items.lamp]\nlist = "/lamps"\ncard = "article"\n')
    message = findings(settings, tmp_path, SITE_FACTS_DIR=tmp_path)[0]
    assert message.id == "agents.E006"
    assert "lamps.toml, items.lamp" in message.msg
    assert "XPath" in str(message.hint)


@pytest.mark.parametrize(
    "changes",
    [
        {"DEBUG": True, "BIND": "::1"},
        {"DEBUG": True, "SECRET_KEY": "short"},
        {"HTTPS": True, "TRUSTED_PROXIES": (ip_network("127.0.0.1"),)},
        {"CHUTES_API_KEY": "anything", "CHUTES_BASE_URL": "http://127.0.0.1:8899/v1"},
    ],
)
def test_settings_for_local_use_pass(settings: Settings, tmp_path: Path, changes: dict[str, Any]) -> None:
    assert findings(settings, tmp_path, **changes) == []


def test_a_missing_data_folder_is_named(settings: Settings, tmp_path: Path) -> None:
    (message,) = findings(settings, tmp_path / "nowhere")
    assert message.id == "agents.E001"
    assert str(tmp_path / "nowhere") in str(message.hint)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_folder_that_can_not_be_written_to_is_named(settings: Settings, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert [message.id for message in findings(settings, tmp_path)] == ["agents.E001"]

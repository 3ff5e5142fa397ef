"""`manage.py try` shows the template agent's plan for a prompt, without a database."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from agents.tests.demo_sites import cinema, shop

URL = "http://localhost:9000/?seed=58"


def output(*arguments: str) -> str:
    out = StringIO()
    call_command("try", *arguments, stdout=out)
    return out.getvalue()


def answer(text: str) -> dict[str, Any]:
    """The JSON that ends the output."""
    return dict(json.loads(text[text.index("\n{") :]))


def test_it_prints_understanding_candidates_and_plan_of_a_step(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(cinema()["/contact"])
    text = output(
        "Send a message where name not equals 'Ann' and topic is one of ['Support', 'x']", URL, "--html", str(tmp_path / "page.html")
    )
    lines = text.splitlines()
    assert lines[:4] == [
        "Write a message: “Send message”",
        "Condition: name does not equal “Ann”",
        "Condition: topic is one of “Support”, “x”",
        "Answered by the recipe FormTask",
    ]
    assert any(line.startswith("Field for name: textbox “Your name”, found by ") for line in lines)
    assert any(line.startswith("Field for topic: listbox ") for line in lines)
    assert any(line.startswith("Fits by its name to ") and "Send message" in line for line in lines)
    assert any(line.startswith("  1. Type ") for line in lines)
    names = [call["name"] for call in answer(text)["tool_calls"]]
    assert (names[0], names[-1]) == ("browser.input", "browser.click")
    assert "browser.select_dropdown" in names


def test_it_prints_a_chain_and_the_whole_list_of_a_one_shot_task_on_an_unseen_page() -> None:
    prompt = "Login with username:<username> and password:<password>, search for 'Salt' and then log out"
    text = output(prompt, URL, "--form", "one-shot")
    assert "In this order: Log in → Search → Log out" in text
    assert "For the log-in: username equals “<username>”" in text
    assert "No page" in text
    types = [action["type"] for action in answer(text)["actions"]]
    assert types[0] == "NavigateAction"
    assert types.count("TypeAction") == 3


def test_it_shows_the_item_of_the_task(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(shop()["/"])
    assert "The item of the task: link “Smart Watch”, found by " in output(
        "Open the product 'Smart Watch'", URL, "--html", str(tmp_path / "page.html")
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("x", "nowhere"), "url"), (("x", URL, "--html", "/nowhere.html"), "--html: /nowhere.html can't be read")],
)
def test_bad_input_is_named_with_its_remedy(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        output(*arguments)


def test_it_plans_by_the_facts_of_a_known_site() -> None:
    text = output("Open the contact form where name equals 'Ann'", URL, "--form", "one-shot", "--project", "autocinema")
    assert "by facts about autocinema" in text
    assert "Open http://localhost:9000/contact?seed=58" in text

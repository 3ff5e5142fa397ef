"""Questions that are answered from a page of their kind. The held-out ones were not used while the code was written."""

import json
from pathlib import Path
from typing import Any

import pytest

from agents.contract.protocol import Form, Step
from agents.page import read
from agents.template import plan
from agents.template.prompt.intents import Kind, understand
from agents.tests.question_pages import PAGES

QUESTIONS: list[dict[str, Any]] = [json.loads(line) for line in (Path(__file__).parents[1] / "questions.jsonl").read_text().splitlines()]


def step(prompt: str, html: str, form: Form = Form.STEP) -> Step:
    return Step("/step" if form is Form.STEP else "/solve_task", form, "t", prompt, "http://localhost:8000/all/list?seed=3", html)


def answered(row: dict[str, Any]) -> str:
    made = plan(step(row["prompt"], PAGES[row["page"]]), None)
    assert made.done is bool(made.answer) or not made.actions
    return made.answer.lower()


def wrong(*, held_out: bool) -> list[str]:
    rows = [row for row in QUESTIONS if row["held_out"] is held_out]
    return [row["prompt"] for row in rows if answered(row) != row["answer"].lower()]


def test_each_question_is_answered_from_the_page() -> None:
    assert wrong(held_out=False) == []


def test_most_questions_that_were_held_out_are_answered() -> None:
    held_out = [row for row in QUESTIONS if row["held_out"]]
    assert len(held_out) >= len(QUESTIONS) // 3
    assert len(wrong(held_out=True)) <= len(held_out) // 2


def test_a_question_without_its_answer_on_the_page_leads_to_the_next_page() -> None:
    made = plan(step("Who is the director of the film where name equals 'Paper Lanterns'?", PAGES["films"]), None)
    assert (made.answer, made.done) == ("", False)
    assert made.actions


def test_a_one_shot_question_opens_the_page_and_is_answered_if_the_page_was_sent() -> None:
    question = "What is the year of the film where name equals 'Northern Static'?"
    made = plan(step(question, PAGES["films"], Form.ONE_SHOT), read(PAGES["films"], "http://localhost:8000/all/list?seed=3"))
    assert ([action.type for action in made.actions], made.answer) == (["NavigateAction"], "2008")
    assert plan(step(question, "", Form.ONE_SHOT), None).answer == ""


@pytest.mark.parametrize(
    "prompt",
    [
        "Show me the details of the film where year equals 1999",
        "Find which films are by Ines Marlow",
        "When logged in, open the cart",
        "Can you open the film 'Northern Static'?",
        "Write a review that asks: who is the director?",
    ],
)
def test_a_prompt_with_only_a_questions_words_is_no_question(prompt: str) -> None:
    assert understand(prompt).kind is not Kind.QUESTION

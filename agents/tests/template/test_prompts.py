"""A corpus of prompts with expected results: `chain` the kinds in order, `criteria` as field, operator and values."""

import json
from pathlib import Path
from typing import Any

from agents.template.prompt.criteria import Operator, criteria
from agents.template.prompt.intents import Kind, understand
from agents.template.prompt.masking import mask
from agents.tests.rows import rows

CORPUS: list[dict[str, Any]] = [json.loads(line) for line in (Path(__file__).parents[1] / "prompts.jsonl").read_text().splitlines()]


@rows("row", CORPUS)
def test_a_prompt_of_the_corpus_is_understood(row: dict[str, Any]) -> None:
    assert [kind.value for kind in understand(row["prompt"]).chain] == row["chain"]
    assert [[criterion.field, criterion.operator.value, *criterion.values] for criterion in criteria(mask(row["prompt"]))] == row[
        "criteria"
    ]


def test_the_corpus_has_every_kind_and_every_operator_in_several_wordings() -> None:
    kinds = [kind for row in CORPUS for kind in row["chain"]]
    operators = [criterion[1] for row in CORPUS for criterion in row["criteria"]]
    assert all(kinds.count(kind.value) >= 2 for kind in Kind)
    assert all(operators.count(operator.value) >= 10 for operator in Operator)
    assert len({row["prompt"] for row in CORPUS}) == len(CORPUS) >= 300

"""The table of task kinds: one row a kind, and a recipe for each of them."""

from agents.template.prompt.intents import Intent
from agents.template.prompt.task_kinds import Kind
from agents.template.recipes import BEST_GUESS, recipe_for
from agents.template.recipes.form_task import FormTask


def test_each_kind_except_the_unknown_one_has_its_own_recipe() -> None:
    assert [kind for kind in Kind if recipe_for(Intent(kind)) is BEST_GUESS] == [Kind.OTHER]


def test_a_row_with_a_form_or_buttons_needs_no_code() -> None:
    by_form = {kind for kind in Kind if type(recipe_for(Intent(kind))) is FormTask}
    assert len(by_form) >= 10
    assert {Kind.TRAILER, Kind.PREVIEW} <= {kind for kind in Kind if kind.row.buttons and not kind.row.sent_by}


def test_each_row_describes_its_task_in_a_sentence() -> None:
    assert [kind for kind in Kind if not kind.row.sentence[:1].isupper()] == []
    assert len({kind.row.sentence for kind in Kind}) == len(Kind)

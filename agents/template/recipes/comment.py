"""Write a comment or a review, on the page of what it is about."""

from __future__ import annotations

from agents.page.matching import words
from agents.template.criteria import Criterion
from agents.template.form_task import FormTask
from agents.template.intents import Kind

_WRITTEN = frozenset(
    """comment content message text body review commenter reviewer feedback reply rating star score""".split()  # noqa: SIM905 (words read best as words)
)


def _is_written(criterion: Criterion) -> bool:
    said = words(criterion.field)
    return bool(said) and bool({said[0], said[-1]} & _WRITTEN)


RECIPE = FormTask(
    "comment",
    frozenset({Kind.COMMENT}),
    leads=("write a review", "add a review", "leave a review", "add a comment", "write a comment", "add review", "reviews", "comments"),
    sends=(
        "post comment", "submit review", "add comment", "share feedback", "post review", "submit", "post", "publish", "comment",
        "send", "share",
    ),
    known_by=("comment", "review", "message"),
    fills=("name", "comment", "message", "rating"),
    about=_is_written,
)  # fmt: skip

"""Write a comment or a review, on the page of what it is about."""

from __future__ import annotations

from agents.template.form_task import FormTask
from agents.template.intents import Kind

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
)  # fmt: skip

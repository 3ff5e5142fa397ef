"""The earlier steps of a task by our records, completed by the page as it is now, and the facts that the next step needs."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agents.contract.earlier import Earlier, completed
from agents.contract.protocol import Form, Plan, Step
from agents.page import Page
from agents.page.past import View, action_in_words
from agents.template.moves import BREATH

logger = logging.getLogger(__name__)


class TaskHistory:
    """`earlier` None: the records can't be read. `effect`: what the actions of the previous step changed. `replied`: digest and model of
    each prompt that got a reply in this step; `notes`: why no reply could be used."""

    def __init__(self, step: Step) -> None:
        self.step, self.effect = step, ""
        self.earlier: Sequence[Earlier] | None = None
        self.replied, self.notes = list[list[str]](), list[str]()
        self.view: View | None = None

    def completed(self, page: Page | None) -> Step:
        """The step with its history completed by the records; unchanged where there are none."""
        self.view = View(page) if page else None
        if not self.earlier:
            return self.step
        *before, last = self.earlier
        try:
            if self.view and last.seen and last.is_before(self.step.index):
                self.effect = self.view.effect(last.seen)
                last = replace(last, effect=self.effect)
            return completed(self.step, [*before, last])
        except Exception:
            logger.exception("The history of task %s can't be completed. It is used as the caller sends it.", self.step.task_id)
            return self.step

    def models_without_reply(self, digest: str, models: Sequence[str]) -> tuple[str, ...]:
        """The models that have not replied to this prompt in this task."""
        return tuple(model for model in models if not self.has_replied(digest, model))

    def has_replied(self, digest: str, model: str) -> bool:
        before = (pair for step in self.earlier or () for pair in step.asked)
        return [digest, model] in [*map(list, before), *self.replied]

    def facts(self, plan: Plan, *, is_by_llm: bool) -> dict[str, Any]:
        """What the task's next step needs of this one."""
        facts = {"asked": self.replied, "notes": list(plan.notes if is_by_llm else self.notes)}
        if self.step.form is not Form.STEP:
            return facts
        try:
            page = self.view.page if self.view else None
            waits = (action.type == "WaitAction" and (not is_by_llm or action == BREATH) for action in plan.actions)
            texts = ["" if is_ours else action_in_words(action, page) for is_ours, action in zip(waits, plan.actions, strict=True)]
            return facts | {"words": texts, "seen": self.view.signature if self.view and not plan.done else {}}
        except Exception:
            logger.exception("The actions of step %s of task %s can't be described.", self.step.index, self.step.task_id)
            return facts

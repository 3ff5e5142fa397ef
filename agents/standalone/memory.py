"""The earlier steps of the tasks that this process answered last, in its memory."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from agents.contract.action_history import heard, judge
from agents.contract.earlier import Earlier, chain
from agents.contract.limits import MAX_ACTIONS
from agents.contract.protocol import Plan, Step
from agents.prompting.task_history import TaskHistory

MOST_TASKS = 200  # a task's steps take some 30 kB


class Memory:
    def __init__(self) -> None:
        self._tasks: OrderedDict[tuple[str, str], list[Earlier]] = OrderedDict()
        self._numbers = count(1)

    def before(self, step: Step) -> Sequence[Earlier]:
        """The task's steps before this one, oldest first; none for its first step."""
        if not (step.index or step.history):
            return ()
        kept = list(self._tasks.get((step.task_id, step.prompt), ()))
        lower = [one for one in kept if one.index < step.index or one.index == step.index == 0]
        found = chain(sorted(lower, key=lambda one: (-one.index, -one.pk)), step.index, len(step.history))
        if not found or found[-1].outcome:
            return found
        *before, last = found
        judged = judge(last.actions, last.index, last.history_size, heard(step.history))
        return (*before, replace(last, outcome=judged.outcome)) if judged else found

    def keep(self, history: TaskHistory, plan: Plan, confidence: float, received_at: float, *, is_by_llm: bool) -> None:
        """What is done in a step. Of the step before, what its actions changed is known by now, so that its page is forgotten."""
        step = history.step
        known = history.facts(plan, is_by_llm=is_by_llm)
        made = Earlier(
            next(self._numbers),
            step.index,
            len(step.history),
            received_at,
            step.url,
            "llm" if is_by_llm else "template",
            [action.as_action() for action in plan.actions],
            confidence=confidence,
            **known,
        )
        rows = self._tasks.setdefault((step.task_id, step.prompt), [])
        self._tasks.move_to_end((step.task_id, step.prompt))
        last = history.earlier[-1].pk if history.earlier else None
        rows[:] = [replace(one, effect=history.effect, seen=None) if one.pk == last else one for one in rows]
        rows.append(made)
        del rows[:-MAX_ACTIONS]
        if len(self._tasks) > MOST_TASKS:
            self._tasks.popitem(last=False)

"""Solutions of tasks: learned from runs that an LLM ended, with counts of how the tasks ended for which they were used."""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import OuterRef, Subquery

from agents import ledger
from agents.contract.action_history import WAITS, Outcome
from agents.contract.limits import MAX_STEPS
from agents.contract.protocol import Form
from agents.hybrid import page_archive
from agents.learning import store
from agents.learning.reading.runs import NotGeneral, RunStep, learned
from agents.learning.store import AnsweredStep
from agents.models import Learned, Route, Step, StepPage, Task
from agents.page import read
from agents.template.solutions.solution import Solution, read_solution

logger = logging.getLogger(__name__)

SOLUTION = Learned.Kind.SOLUTION
# Solutions of one kind of task: those that fail are dropped, and sites have two or three variants.
MOST_ALIKE = 5
# A task without a further step for so long has ended: steps have 25 s, and browsers some more.
QUIET = timedelta(minutes=1)
# If so many of a caller's last RECENT_TASKS ended before the miner reported them as done, the caller ends tasks itself.
RECENT_TASKS, ENDED_BY_CALLER = 20, 3


def solutions_of(rows: Iterable[Learned]) -> list[Solution]:
    """The valid solutions among the rows: an admin may have written anything."""
    solutions = list[Solution]()
    for row in rows:
        try:
            if row.kind == SOLUTION:
                solutions.append(read_solution(row.facts, won=row.won, lost=row.lost, id_=row.pk))
        except (TypeError, LookupError, ValueError, AttributeError) as error:
            logger.warning("The learned solution %s of %s can't be read (%s). Delete it.", row.pk, row.site, error)
    return solutions


def is_open(row: Step) -> bool:
    """Whether its task may continue."""
    return row.form == Form.STEP and not row.done and not Step.objects.filter(task=row.task_id, pk__gt=row.pk).exists()


def learn_solution(answered: AnsweredStep) -> None:
    """Learn from the step that ended a run; undo that where the task went on after it. Raises UNAVAILABLE."""
    row = answered.row
    if row.form != Form.STEP:
        return
    run = _run(row)
    if any(step.done for step in run[:-1]):
        if not any(step.done for step in run[:-2]):
            _take_back(answered, run[-2])
    elif row.done or row.index >= MAX_STEPS - 1:
        _learn_from_end(answered, run, is_success=row.done and not ends_tasks(row, answered.now))


def learn_from_last(answered: AnsweredStep) -> None:
    """Learn from the last step of a task that its caller ended. Raises UNAVAILABLE."""
    if is_open(answered.row) and answered.row.index < MAX_STEPS - 1 and ends_tasks(answered.row, answered.now):
        _learn_from_end(answered, _run(answered.row), is_success=True)


def ends_tasks(row: Step, now: datetime) -> bool:
    """Whether the step's caller ends a task once it is solved. Then a task that the miner ended was not solved."""
    task = row.task
    last = Step.objects.filter(task=OuterRef("pk"), form=Form.STEP).order_by("-pk")
    fields = {name: Subquery(last.values(f"{name}")[:1]) for name in ("done", "index", "received_at")}
    before = Task.objects.filter(source=task.source, caller=task.caller).order_by("-created_at")[:RECENT_TASKS]
    ends = Task.objects.filter(pk__in=[task.pk for task in before]).values_list(*(fields[name] for name in fields))
    quiet = [at for done, index, at in ends if at and not done and index < MAX_STEPS - 1 and at <= now - QUIET]
    return len(quiet) >= ENDED_BY_CALLER


def _learn_from_end(answered: AnsweredStep, run: Sequence[Step], *, is_success: bool) -> None:
    row = answered.row
    new = _learned(answered, run) if is_success and row.route == Route.LLM and not row.answer else None
    if used := [pk for step in run if (pk := used_in(step))]:
        # An LLM that solved the task differently has corrected the solution.
        is_won = is_success and used_in(row) == used[-1]
        if new != used[-1]:
            store.count(used[-1], won=is_won)


def used_in(row: Step) -> int:
    """The id of the solution whose actions the step sent, 0 for none."""
    return int(row.limits.get("solution", 0)) if row.route == Route.TEMPLATE else 0


def _run(row: Step) -> list[Step]:
    """The steps of the run up to this one, oldest first."""
    earlier = ledger.earlier_steps(row.task.fingerprint, row.index, row.history_size, row.received_at.timestamp())
    rows = Step.objects.in_bulk([past.pk for past in earlier])
    return [*(rows[past.pk] for past in earlier if past.pk in rows), row]


def _learned_before(answered: AnsweredStep) -> list[Learned]:
    return [row for row in store.stored(answered.place).values() if row.kind == SOLUTION and row.site == answered.place.site]


def _take_back(answered: AnsweredStep, ended: Step) -> None:
    if pk := used_in(ended):
        store.take_back(pk)
    for row in _learned_before(answered) if ended.route == Route.LLM else ():
        steps = row.facts.get("steps", [])
        if steps == [ended.pk]:
            row.delete()
        elif ended.pk in steps:
            kept = [step for step in steps if step != ended.pk]
            store.save(answered.place, {(SOLUTION, row.key): {**row.facts, "steps": kept}}, row.step_id, answered.now)


def _learned(answered: AnsweredStep, run: Sequence[Step]) -> int:
    """The id of the record, 0 where nothing was learned."""
    try:
        new = learned(answered.row.task.prompt, _executed(answered, run), answered.row.pk)
    except NotGeneral as error:
        logger.info("No solution is learned from step %s: %s", answered.row.pk, error)
        return 0
    rows = _learned_before(answered)
    solutions = solutions_of(rows)
    whole = next(((solution, made) for solution in solutions if (made := solution.merged(new))), None)
    if whole is None and sum(solution.sign.is_like(new.sign) for solution in solutions) >= MOST_ALIKE:
        return 0
    key = next((row.key for row in rows if whole and row.pk == whole[0].id), new.key)
    store.save(answered.place, {(SOLUTION, key): (whole[1] if whole else new).facts()}, answered.row.pk, answered.now)
    at = answered.place
    return Learned.objects.filter(site=at.site, callers=at.callers, kind=SOLUTION, key=key).values_list("pk", flat=True).first() or 0


def _executed(answered: AnsweredStep, run: Sequence[Step]) -> list[RunStep]:
    """Raises NotGeneral where the executed actions or their pages are unknown."""
    if len(run) > MAX_STEPS or run[0].history_size or run[0].index:
        raise NotGeneral("Not all steps of its run are on record.")
    done = [(row, _done_at(row, is_last=row is answered.row)) for row in run]
    if not any(actions and row.route == Route.LLM for row, actions in done):
        raise NotGeneral("The LLM did nothing for it.")
    kept = dict(StepPage.objects.filter(step__in=[row.pk for row, actions in done if actions]).values_list("step", "gz"))
    if any(actions and row.pk not in kept for row, actions in done):
        raise NotGeneral("A page of its run is not kept.")
    pages = {pk: page_archive.unpacked(bytes(gz)) for pk, gz in kept.items()}
    return [RunStep(read(pages[row.pk].page, pages[row.pk].url), actions) for row, actions in done if actions]


def _done_at(row: Step, *, is_last: bool) -> list[dict[str, object]]:
    actions = [action for action in row.actions if action.get("type") not in WAITS]
    if is_last or not actions:  # the outcome of the last actions is never reported
        return actions
    if row.outcome not in (Outcome.WORKED, Outcome.PARTLY, Outcome.FAILED):
        raise NotGeneral("It is not known whether its actions were executed.")
    return [action for action, worked in zip(row.actions, row.worked, strict=True) if worked and action.get("type") not in WAITS]

"""Which steps the template agent answers at once, by the setting and what happened in the task before."""

from agents.contract.earlier import Earlier
from agents.contract.protocol import Form, PastAction, Plan, Step
from agents.policy.modes import Mode, Use
from agents.policy.routing import Rules, is_sure
from agents.tests.rows import rows

SURE, UNSURE = Plan((), confidence=0.9), Plan((), confidence=0.5)
FAILED = PastAction("ClickAction", {}, succeeded=False, error="Timeout", url="")
WORKED = PastAction("ClickAction", {}, succeeded=True, error="", url="")


def before(confidence: float | None, outcome: str = "") -> Earlier:
    return Earlier(1, 0, 0, 0.0, confidence=confidence, outcome=outcome)


@rows(
    ("use", "plan", "history", "earlier", "answered_at_once"),
    [
        (Use.ALWAYS, SURE, (), (), False),
        (Use.WHEN_UNSURE, SURE, (FAILED,), (before(0.1),), True),
        (Use.WHEN_UNSURE, UNSURE, (), (), False),
        (Use.AFTER_TEMPLATE, SURE, (), (), True),
        (Use.AFTER_TEMPLATE, SURE, (WORKED,), (before(0.9, "worked"),), True),
        (Use.AFTER_TEMPLATE, UNSURE, (), (), False),
        (Use.AFTER_TEMPLATE, SURE, (), (before(0.5), before(0.9)), False),
        (Use.AFTER_TEMPLATE, SURE, (), (before(None),), False),
        (Use.AFTER_TEMPLATE, SURE, (), (before(0.9, "failed"), before(0.9, "worked")), False),
        (Use.AFTER_TEMPLATE, SURE, (FAILED, WORKED), (), False),
    ],
)
def test_after_a_step_that_was_unsure_or_failed_the_llm_keeps_the_task(
    use: Use, plan: Plan, history: tuple[PastAction, ...], earlier: tuple[Earlier, ...], answered_at_once: bool
) -> None:
    step = Step("/step", Form.STEP, "t", "Log in", "http://localhost:8000/", index=len(earlier), history=history)
    assert is_sure(plan, Rules(mode=Mode.HYBRID, llm_use=use, sure_from=0.8), step, earlier) is answered_at_once
    assert not is_sure(plan, Rules(mode=Mode.LLM, llm_use=use, sure_from=0.8), step, earlier)

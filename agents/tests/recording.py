"""Hours of a miner's life written by the real ledger on a virtual clock, against a hidden account: records to replay."""

from dataclasses import dataclass, replace
from functools import partial
from random import Random

from agents import ledger
from agents.configuration import default_account, rules
from agents.contract.protocol import Form
from agents.contract.protocol import Step as Asked
from agents.contract.step_facts import AttemptEnd, Closing, Opening, StepFacts, opening
from agents.ledger import Permit, Request, gate_rows
from agents.ledger.gate_rows import at
from agents.models import LLMAttempt, Settings, Source, Step
from agents.policy import latency
from agents.policy.gate import GateState, hold
from agents.policy.reasons import PauseSource, Purpose, Reason, Verdict
from agents.policy.refusals import RefusalClass, wait
from agents.policy.routing import Budget, Candidate, Reach, Tries, budget, retry_pause
from agents.simulation.provider import Reply, Said
from agents.simulation.run import Account, Clock, Record
from agents.simulation.scenario import MODELS, Fault, Scenario

# 00:00 UTC of some Monday: days and 4-hour windows start with the recording.
START = 1_777_852_800.0
NEXT_STEP, LOOK, PROBE_BUDGET = 2.0, 0.2, 25.0
# The worker looks for due probes every ten seconds; on the average half of that passes.
PROBE_AFTER = 5.0
KINDS = {said: RefusalClass(said.value) for said in Said if said is not Said.ANSWERED}
UNHEARD = {Fault.HTTP500: 500, Fault.HTTP502: 502, Fault.HTTP503: 503, Fault.RESET: None, Fault.HANG: None}


@dataclass
class Story:
    """One step under way."""

    left: int
    opening: Opening
    budget: Budget
    tries: Tries
    permit: Permit
    request: Request


class Recording:
    """Plays a scenario's load through the ledger, as the runner does. The settings in force are the miner's."""

    def __init__(self, scenario: Scenario, seed: int = 0) -> None:
        self.scenario, self.clock, self.record = scenario, Clock(START), Record()
        self.account, self.rules = default_account(), rules(Settings.current())
        self.hidden = Account(scenario, self.clock, START, self.record, Random(f"account {seed}"))
        self._dice, self._waiting = Random(f"dice {seed}"), list[Story]()
        for number, came in enumerate(scenario.load.arrivals(scenario.horizon, Random(f"load {seed}"))):
            self.clock.at(START + came, partial(self._step, f"task {number}", 0))

    def now(self) -> float:
        return self.clock.now

    def _request(self, tries: Tries, cut_off: float) -> list[Request]:
        return [Request(self.account, self.rules.limits, cut_off, each.models) for each in tries.candidates]

    def _step(self, task: str, index: int) -> None:
        now = self.clock.now
        if now >= START + self.scenario.horizon:
            return
        asked = Asked("/step", Form.STEP, task, "Log out", "http://localhost:8000/?seed=58", index=index)
        time, tries = budget(self.rules.deadline_seconds, now), Tries((Candidate(self.account.pk, MODELS),))
        opened = opening(asked, source=Source.VALIDATOR, caller=None, received_at=now, deadline_at=time.deadline, limits={})
        requests = self._request(tries, time.cut_off)
        permit = ledger.open_step(opened, requests, self.now)
        self._go(Story(self.scenario.load.steps - index - 1, opened, time, tries, permit, requests[0]), None, permit.decision.reason)

    def _go(self, story: Story, end: AttemptEnd | None, reason: Reason) -> None:
        """Wait for the slot that the gate gave, or give the answer without the LLM."""
        if story.permit.decision.may_wait:
            looks_at = max(self.clock.now, gate_rows.of(self.account).paused_until) + LOOK
            self.clock.at(looks_at, partial(self._look, story))
            return
        if story.permit.attempt_uid is None:
            self._close(story, end, reason)
            return
        self._waiting.append(story)
        self.clock.at(story.permit.decision.slot or 0.0, partial(self._wake, story, story.permit))

    def _look(self, story: Story) -> None:
        requests = self._request(story.tries, story.budget.cut_off)
        if ledger.preview(requests, self.now).decision.may_wait:
            self._go(story, None, Reason.PROBING)
            return
        story.permit = ledger.decide_again(story.opening, requests, self.now)
        self._go(story, None, story.permit.decision.reason)

    def _wake(self, story: Story, permit: Permit) -> None:
        if story not in self._waiting or story.permit is not permit:
            return
        obstacle = hold(gate_rows.of(self.account), self.rules.limits, permit.decision, permit.decided_at, self.clock.now)
        if obstacle is None and self.clock.now < (permit.decision.slot or 0.0):
            return
        self._waiting.remove(story)
        if obstacle:
            self._again(story, self._ended(permit, Verdict.GIVEN_UP), obstacle)
            return
        sent_at, reply = self.clock.now, self.hidden.ask(permit.model)
        wait = (permit.decision.slot or 0.0) - permit.decided_at
        longest = latency.limit(permit.recent, permit.then, story.budget.cut_off - sent_at, wait)
        over = sent_at + min(reply.seconds, longest)
        self.clock.at(over, partial(self._heard, story, sent_at, None if reply.seconds > longest else reply))

    def _heard(self, story: Story, sent_at: float, reply: Reply | None) -> None:
        end = self.end_of(story.permit, sent_at, reply)
        if end.verdict == Verdict.OK:
            self._close(story, end, Reason.ANSWERED)
            return
        kind = RefusalClass(end.refusal) if end.refusal else None
        reach = Reach.ACCOUNT if kind and kind.pauses_account else Reach.MODEL
        story.tries = story.tries.after(self.account.pk, story.permit.model, reach, may_retry=not end.refusal)
        reason = {Verdict.REFUSED: Reason.REFUSED, Verdict.INVALID: Reason.INVALID}.get(Verdict(end.verdict), Reason.FAILED)
        if not story.tries.candidates:
            self._close(story, end, reason)
            if reach is Reach.ACCOUNT:
                self._after_refusal()
            return
        pause = retry_pause(self._dice.random()) if story.tries.is_retry else 0.0
        self.clock.at(self.clock.now + pause, partial(self._again, story, end, reason))

    def _again(self, story: Story, end: AttemptEnd, reason: Reason) -> None:
        requests = self._request(story.tries, story.budget.cut_off)
        story.permit = ledger.next_attempt(story.opening, story.request, end, requests, self.now)
        self._go(story, None, reason)

    def _close(self, story: Story, end: AttemptEnd | None, reason: Reason) -> None:
        now, came = self.clock.now, story.opening
        route = "llm" if reason is Reason.ANSWERED else "template"
        ledger.close_step(StepFacts(came, Closing(route, reason, now, now - came.received_at, attempt=end)), self.rules.limits)
        if story.left:
            self.clock.at(now + NEXT_STEP, partial(self._step, came.key, came.index + 1))

    def end_of(self, permit: Permit, sent_at: float, reply: Reply | None) -> AttemptEnd:
        """The reply as the runner would have read it."""
        end = self._ended(permit, Verdict.FAILED, sent_at)
        if reply is None:
            return replace(end, is_cut=True)
        if reply.said in KINDS:
            return self._refusal(end, KINDS[reply.said], reply)
        if reply.fault in UNHEARD:
            return replace(end, status=UNHEARD[reply.fault])
        verdict = Verdict.OK if reply.fault in (None, Fault.SLOW) else Verdict.INVALID
        return replace(end, verdict=verdict, status=200, accepted=True, published=self.hidden.published)

    def _refusal(self, end: AttemptEnd, kind: RefusalClass, reply: Reply) -> AttemptEnd:
        now = self.clock.now
        until, source = wait(kind, "", "", now)
        if reply.reset_at is not None:
            until, source = START + reply.reset_at, PauseSource.PROVIDER
        pause = None if until is None else until - now
        return replace(end, verdict=Verdict.REFUSED, status=429, refusal=kind, pause=pause, pause_source=source)

    def _ended(self, permit: Permit, verdict: Verdict, sent_at: float | None = None) -> AttemptEnd:
        assert permit.attempt_uid
        return AttemptEnd(permit.attempt_uid, verdict, self.clock.now, sent_at=sent_at, jitter=self._dice.random())

    def _after_refusal(self) -> None:
        for story in self._waiting:
            self.clock.at(self.clock.now + LOOK, partial(self._wake, story, story.permit))
        self.clock.at(gate_rows.of(self.account).paused_until + PROBE_AFTER, self._probe)

    def _probe(self) -> None:
        now, gate = self.clock.now, gate_rows.of(self.account)
        if now >= START + self.scenario.horizon or gate.state(now) is not GateState.PROBING or now < gate.probe_until:
            return
        wanted = Request(self.account, self.rules.limits, now + PROBE_BUDGET, MODELS)
        permit = ledger.open_attempt([wanted], Purpose.PROBE, self.now)
        if permit.attempt_uid:
            self.clock.at(permit.decision.slot or now, partial(self._send_probe, permit))

    def _send_probe(self, permit: Permit) -> None:
        sent_at, reply = self.clock.now, self.hidden.ask(permit.model)
        self.clock.at(sent_at + min(reply.seconds, PROBE_BUDGET), partial(self._probed, permit, sent_at, reply))

    def _probed(self, permit: Permit, sent_at: float, reply: Reply) -> None:
        end = self.end_of(permit, sent_at, None if reply.seconds > PROBE_BUDGET else reply)
        ledger.close_attempt(end, self.rules.limits)
        if end.verdict == Verdict.REFUSED:
            self._after_refusal()


@dataclass(frozen=True)
class Recorded:
    """What came of it."""

    steps: int
    llm: int
    edge_429: int
    in_ban: int
    wasted: int


def recorded(scenario: Scenario, seed: int = 0) -> Recorded:
    """Play and record; the counts as the rows and the account have them."""
    recording = Recording(scenario, seed)
    recording.clock.run()
    edge = LLMAttempt.objects.filter(refusal=RefusalClass.EDGE).count()
    assert edge == recording.record.edge_429
    return Recorded(Step.objects.count(), Step.objects.filter(route="llm").count(), edge, recording.record.in_ban, recording.record.wasted)


def ended_at(scenario: Scenario) -> float:
    """The recording's last second."""
    return START + scenario.horizon


__all__ = ["START", "Recorded", "Recording", "at", "ended_at", "recorded"]

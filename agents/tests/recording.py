"""Records hours of a miner's steps by the real ledger on a virtual clock, against a hidden account, for replays."""

from dataclasses import dataclass, replace
from functools import partial
from random import Random

from agents import ledger
from agents.configuration import default_account, rules
from agents.contract.protocol import Form
from agents.contract.protocol import Step as ProtocolStep
from agents.contract.step_facts import AttemptEnd, Closing, Opening, StepFacts, opening
from agents.ledger import Permit, Request, gate_rows
from agents.ledger.gate_rows import at
from agents.models import LLMAttempt, Settings, Source, Step
from agents.policy import latency
from agents.policy.gate import GateState, hold
from agents.policy.reasons import PauseSource, Purpose, Reason, Verdict
from agents.policy.refusals import RefusalClass, wait
from agents.policy.routing import Budget, Candidate, Reach, Tries, budget, retry_pause
from agents.simulation.provider import Reply, ReplyKind
from agents.simulation.run import Account, Clock, Record
from agents.simulation.scenario import MODELS, Fault, Scenario

# 00:00 UTC on a Monday: days and 4-hour windows start with the recording.
START = 1_777_852_800.0
NEXT_STEP, REREAD_SECONDS, PROBE_BUDGET = 2.0, 0.2, 25.0
# The worker checks for due probes every ten seconds, so that the mean delay is half of that.
PROBE_AFTER = 5.0
KINDS = {kind: RefusalClass(kind.value) for kind in ReplyKind if kind is not ReplyKind.ANSWERED}
STATUSES = {Fault.HTTP500: 500, Fault.HTTP502: 502, Fault.HTTP503: 503, Fault.RESET: None, Fault.HANG: None}


@dataclass
class OpenStep:
    """A step that is not answered yet."""

    left: int
    opening: Opening
    budget: Budget
    tries: Tries
    permit: Permit
    request: Request


class Recording:
    """Sends a scenario's load through the ledger, as the runner does, with the settings in force."""

    def __init__(self, scenario: Scenario, seed: int = 0) -> None:
        self.scenario, self.clock, self.record = scenario, Clock(START), Record()
        self.account, self.rules = default_account(), rules(Settings.current())
        self.hidden = Account(scenario, self.clock, START, self.record, Random(f"account {seed}"))
        self._dice, self._waiting = Random(f"dice {seed}"), list[OpenStep]()
        for number, arrived in enumerate(scenario.load.arrivals(scenario.horizon, Random(f"load {seed}"))):
            self.clock.at(START + arrived, partial(self._step, f"task {number}", 0))

    def now(self) -> float:
        return self.clock.now

    def _request(self, tries: Tries, cut_off: float) -> list[Request]:
        return [Request(self.account, self.rules.limits, cut_off, candidate.models) for candidate in tries.candidates]

    def _step(self, task: str, index: int) -> None:
        now = self.clock.now
        if now >= START + self.scenario.horizon:
            return
        sent_step = ProtocolStep("/step", Form.STEP, task, "Log out", "http://localhost:8000/?seed=58", index=index)
        time, tries = budget(self.rules.deadline_seconds, now), Tries((Candidate(self.account.pk, MODELS),))
        opened = opening(sent_step, source=Source.VALIDATOR, caller=None, received_at=now, deadline_at=time.deadline, limits={})
        requests = self._request(tries, time.cut_off)
        permit = ledger.open_step(opened, requests, self.now)
        self._go(OpenStep(self.scenario.load.steps - index - 1, opened, time, tries, permit, requests[0]), None, permit.decision.reason)

    def _go(self, step: OpenStep, end: AttemptEnd | None, reason: Reason) -> None:
        """Wait for the gate's slot, or answer without the LLM."""
        if step.permit.decision.may_wait:
            reread_at = max(self.clock.now, gate_rows.of(self.account).paused_until) + REREAD_SECONDS
            self.clock.at(reread_at, partial(self._reread, step))
            return
        if step.permit.attempt_uid is None:
            self._close(step, end, reason)
            return
        self._waiting.append(step)
        self.clock.at(step.permit.decision.slot or 0.0, partial(self._wake, step, step.permit))

    def _reread(self, step: OpenStep) -> None:
        requests = self._request(step.tries, step.budget.cut_off)
        if ledger.preview(requests, self.now).decision.may_wait:
            self._go(step, None, Reason.PROBING)
            return
        step.permit = ledger.decide_again(step.opening, requests, self.now)
        self._go(step, None, step.permit.decision.reason)

    def _wake(self, step: OpenStep, permit: Permit) -> None:
        if step not in self._waiting or step.permit is not permit:
            return
        obstacle = hold(gate_rows.of(self.account), self.rules.limits, permit.decision, permit.decided_at, self.clock.now)
        if obstacle is None and self.clock.now < (permit.decision.slot or 0.0):
            return
        self._waiting.remove(step)
        if obstacle:
            self._again(step, self._ended(permit, Verdict.GIVEN_UP), obstacle)
            return
        sent_at, reply = self.clock.now, self.hidden.answer_request(permit.model)
        wait = (permit.decision.slot or 0.0) - permit.decided_at
        longest = latency.limit(permit.recent, permit.then, step.budget.cut_off - sent_at, wait)
        over = sent_at + min(reply.seconds, longest)
        self.clock.at(over, partial(self._replied, step, sent_at, None if reply.seconds > longest else reply))

    def _replied(self, step: OpenStep, sent_at: float, reply: Reply | None) -> None:
        end = self.end_of(step.permit, sent_at, reply)
        if end.verdict == Verdict.OK:
            self._close(step, end, Reason.ANSWERED)
            return
        kind = RefusalClass(end.refusal) if end.refusal else None
        reach = Reach.ACCOUNT if kind and kind.pauses_account else Reach.MODEL
        step.tries = step.tries.after(self.account.pk, step.permit.model, reach, may_retry=not end.refusal)
        reason = {Verdict.REFUSED: Reason.REFUSED, Verdict.INVALID: Reason.INVALID}.get(Verdict(end.verdict), Reason.FAILED)
        if not step.tries.candidates:
            self._close(step, end, reason)
            if reach is Reach.ACCOUNT:
                self._after_refusal()
            return
        pause = retry_pause(self._dice.random()) if step.tries.is_retry else 0.0
        self.clock.at(self.clock.now + pause, partial(self._again, step, end, reason))

    def _again(self, step: OpenStep, end: AttemptEnd, reason: Reason) -> None:
        requests = self._request(step.tries, step.budget.cut_off)
        step.permit = ledger.next_attempt(step.opening, step.request, end, requests, self.now)
        self._go(step, None, reason)

    def _close(self, step: OpenStep, end: AttemptEnd | None, reason: Reason) -> None:
        now, arrived = self.clock.now, step.opening
        route = "llm" if reason is Reason.ANSWERED else "template"
        ledger.close_step(StepFacts(arrived, Closing(route, reason, now, now - arrived.received_at, attempt=end)), self.rules.limits)
        if step.left:
            self.clock.at(now + NEXT_STEP, partial(self._step, arrived.key, arrived.index + 1))

    def end_of(self, permit: Permit, sent_at: float, reply: Reply | None) -> AttemptEnd:
        """The end of the attempt, as the runner would record the reply."""
        end = self._ended(permit, Verdict.FAILED, sent_at)
        if reply is None:
            return replace(end, is_cut=True)
        if reply.kind in KINDS:
            return self._refusal(end, KINDS[reply.kind], reply)
        if reply.fault in STATUSES:
            return replace(end, status=STATUSES[reply.fault])
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
        for step in self._waiting:
            self.clock.at(self.clock.now + REREAD_SECONDS, partial(self._wake, step, step.permit))
        self.clock.at(gate_rows.of(self.account).paused_until + PROBE_AFTER, self._probe)

    def _probe(self) -> None:
        now, gate = self.clock.now, gate_rows.of(self.account)
        if now >= START + self.scenario.horizon or gate.state(now) is not GateState.PROBING or now < gate.probe_until:
            return
        llm_request = Request(self.account, self.rules.limits, now + PROBE_BUDGET, MODELS)
        permit = ledger.open_attempt([llm_request], Purpose.PROBE, self.now)
        if permit.attempt_uid:
            self.clock.at(permit.decision.slot or now, partial(self._send_probe, permit))

    def _send_probe(self, permit: Permit) -> None:
        sent_at, reply = self.clock.now, self.hidden.answer_request(permit.model)
        self.clock.at(sent_at + min(reply.seconds, PROBE_BUDGET), partial(self._probed, permit, sent_at, reply))

    def _probed(self, permit: Permit, sent_at: float, reply: Reply) -> None:
        end = self.end_of(permit, sent_at, None if reply.seconds > PROBE_BUDGET else reply)
        ledger.close_attempt(end, self.rules.limits)
        if end.verdict == Verdict.REFUSED:
            self._after_refusal()


@dataclass(frozen=True)
class Recorded:
    """The counts of a recording."""

    steps: int
    llm: int
    edge_429: int
    in_ban: int
    wasted: int


def recorded(scenario: Scenario, seed: int = 0) -> Recorded:
    """Record a scenario; returns the counts of the rows and the account."""
    recording = Recording(scenario, seed)
    recording.clock.run()
    edge = LLMAttempt.objects.filter(refusal=RefusalClass.EDGE).count()
    assert edge == recording.record.edge_429
    return Recorded(Step.objects.count(), Step.objects.filter(route="llm").count(), edge, recording.record.in_ban, recording.record.wasted)


def ended_at(scenario: Scenario) -> float:
    """The recording's last second."""
    return START + scenario.horizon


__all__ = ["START", "Recorded", "Recording", "at", "ended_at", "recorded"]

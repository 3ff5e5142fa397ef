"""What could be had at best from a hidden account, and what patience alone would win: miners that know what no miner can know."""

from bisect import insort
from dataclasses import replace
from functools import partial
from math import ceil, inf
from random import Random
from typing import Any

from agents.policy.routing import budget
from agents.simulation.provider import Balancer, Reply, ReplyKind, World, answer_request, cap_used, counted, quota_used, reset_at
from agents.simulation.run import EPOCH, USABLE, Miner, Run, Sending
from agents.simulation.scenario import Counter, Hidden, Scenario

# Requests are planned for whole numbers of this, in seconds, and a little after a place is free: a float holds such times exactly, as a
# time of the day and as one of the run, and the last digits of sums do not matter.
TICK, LITTLE = 1 / 1024, 1e-6


class Directed(Random):
    """Dice with which a request meets the balancer that has room for it."""

    balancer = 0

    def randrange(self, *_: Any) -> int:
        return self.balancer


class Oracle(Run):
    """Knows the account as it is, and what the next request comes to. Sends in the order of arrival, each as soon as it is accepted.

    `prompt`: as in our miner, a step that the LLM can't answer in time is answered at once by the template agent, not at its cut-off.
    `even`: what the account takes is spread over its window. Crowds that go on get more by that, crowds that go get less.
    """

    def __init__(self, scenario: Scenario, seed: int, *, prompt: bool, even: bool) -> None:
        super().__init__(scenario, Miner(), seed)
        self._prompt, self._even, self._queue, self._next_plan = prompt, even, list[Sending](), -inf
        self._dice_of_account, self._sent_at = Directed(f"account {seed}"), -inf
        for change in scenario.timeline:
            self.clock.at(EPOCH + change.at, self._plan)

    def _attempt(self, sending: Sending) -> None:
        self._queue.append(sending)
        self._plan_at(self.clock.now)

    def _plan_at(self, time: float) -> None:
        """Again at `time`, or before where that is planned already."""
        if not self.clock.now <= self._next_plan <= time:
            self._next_plan = time
            self.clock.at(time, self._plan)

    def _plan(self) -> None:
        """Sends what is accepted now. Each step behind that gets its place in the time to come."""
        if self._next_plan <= self.clock.now:
            self._next_plan = -inf
        waiting, self._queue = sorted(self._queue, key=lambda each: each.cut_off), []
        hidden, now, last = self.account.hidden, self.clock.now - EPOCH, self._sent_at
        gap = hidden.window / hidden.limit / hidden.balancers if self._even and hidden.limit else 0.0
        at, balancers = opens(self.account.world, hidden, now)
        for sending in waiting:
            at, place = min((_has_room(each, hidden, max(at, last + gap)), place) for place, each in enumerate(balancers))
            if now < at < inf:
                at = ceil(at / TICK) * TICK
            if at <= now and self._is_sent(sending, place):
                last = self._sent_at = now
                at, balancers = opens(self.account.world, hidden, now)
                continue
            has_place = now < at <= sending.cut_off - EPOCH - hidden.latency.low
            if has_place:
                last = at
                balancers[place], _ = counted(balancers[place], hidden, at)
            if self.clock.now >= sending.cut_off or (self._prompt and not has_place):
                sending.done(by_llm=False)
            else:
                self._queue.append(sending)
                self._plan_at(EPOCH + at if has_place else sending.cut_off)

    def _is_sent(self, sending: Sending, balancer: int) -> bool:
        """Not where the answer comes too late for this step, but not for every one. After a fault the step asks again."""
        now, dice, left = self.clock.now, self._dice_of_account, sending.cut_off - self.clock.now
        dice.balancer = balancer
        reply, world, before = Reply(ReplyKind.CAPACITY, 0.0), self.account.world, dice.getstate()
        while reply.kind is ReplyKind.CAPACITY:  # a moment later one of the models has room
            before = dice.getstate()
            world, reply = answer_request(self.account.world, self.account.hidden, having_room(self.account.hidden), now - EPOCH, dice)
        if left <= 0 or (reply.fault in USABLE and left < reply.seconds <= budget(self.miner.deadline, 0.0).cut_off):
            dice.setstate(before)
            return False
        self.account.world = world
        self.record.count(reply)
        if reply.fault in USABLE and reply.seconds <= left:
            insort(self.record.successes, now + reply.seconds)
            self.clock.at(now + reply.seconds, partial(sending.done, by_llm=True))
        elif reply.fault:
            seconds = reply.seconds if reply.seconds <= left else self.account.hidden.latency.refusal
            self.clock.at(min(now + seconds, sending.cut_off), partial(self._attempt, sending))
        else:
            self.clock.at(sending.cut_off, partial(sending.done, by_llm=False))
        return True


def having_room(hidden: Hidden) -> list[str]:
    """The models that are not always full: the emptiest first, of those the fastest."""
    some = {name: model for name, model in hidden.models.items() if model.full < 1}
    return sorted(some, key=lambda name: (some[name].full, (some[name].latency or hidden.latency).median))


def opens(world: World, hidden: Hidden, now: float) -> tuple[float, list[Balancer]]:
    """From when on requests are accepted, as things stand, where one of the balancers has room."""
    ban, at = world.edge.ban, now
    if ban and now < ban.until:
        at = ban.until
    if hidden.quota and quota_used(world, hidden.quota, at) >= hidden.quota.total:
        at = reset_at(hidden.quota, at)
    if hidden.cap4h and cap_used(world, hidden.cap4h, at) >= hidden.cap4h.cap:
        at = reset_at(hidden.cap4h, at)
    if not hidden.valid or not hidden.limit or not having_room(hidden):
        at = inf
    return at, [*world.edge.balancers, *[Balancer()] * hidden.balancers][: hidden.balancers]


def _has_room(balancer: Balancer, hidden: Hidden, at: float) -> float:
    """When, from `at` on."""
    until = -inf
    if at == inf:
        return at
    if hidden.counter is Counter.WINDOW and len(balancer.accepted) >= hidden.limit:
        until = balancer.accepted[-hidden.limit] + hidden.window
    elif hidden.counter is Counter.LEAKY and balancer.seen_at is not None:
        until = balancer.seen_at + (balancer.excess + 1 - hidden.burst) * hidden.window / hidden.limit
    return max(at, until + LITTLE)


class Patient(Run):
    """A miner that is told with each refusal when the ban ends if nobody touches it, and waits for that."""

    def _refused(self, sending: Sending, sent_at: float, reply: Reply) -> None:
        super()._refused(sending, sent_at, reply)
        ban = self.account.world.edge.ban
        if reply.kind is ReplyKind.EDGE and ban and self.clock.now < EPOCH + ban.until:
            self.gate = replace(self.gate, paused_until=EPOCH + ban.until)

"""The account of a run: the hidden numbers as the timeline has them now, asked one request at a time, with all refusals counted."""

from __future__ import annotations

from functools import partial
from random import Random

from agents.simulation.clock import Clock
from agents.simulation.measures import Record
from agents.standin.fields import merged
from agents.standin.provider import Reply, Said, World, ask, banned_now, reset_at
from agents.standin.scenario import Scenario
from agents.standin.timeline import Change


class Account:
    """Acts on `clock`, whose time 0 of the scenario is `epoch`."""

    def __init__(self, scenario: Scenario, clock: Clock, epoch: float, record: Record, rng: Random) -> None:
        self.hidden, self.world = scenario.account, World()
        self._clock, self._epoch, self._record, self._rng = clock, epoch, record, rng
        self._shut_at = None if self.hidden.valid else 0.0
        for change in scenario.timeline:
            clock.at(epoch + change.at, partial(self._happen, change))

    @property
    def published(self) -> float:
        """The limit a minute that successes tell of, whatever the real one is."""
        return self.hidden.published

    def ask(self, model: str) -> Reply:
        """The reply to one request now. It is counted at once."""
        now = self._clock.now - self._epoch
        self.world, reply = ask(self.world, self.hidden, [model], now, self._rng)
        self._record.edge_429 += reply.said is Said.EDGE
        self._record.in_ban += reply.in_ban
        self._record.wasted += reply.said in (Said.AUTH, Said.DAILY_QUOTA, Said.SUBSCRIPTION_CAP)
        self._note_block(reply, now)
        return reply

    def cap_resets_at(self) -> float | None:
        """When the 4-hour cap starts anew, as the management API tells it: a time of the clock."""
        cap = self.hidden.cap4h
        return self._epoch + reset_at(cap, self._clock.now - self._epoch) if cap else None

    def _happen(self, change: Change) -> None:
        self.hidden = merged(self.hidden, change.changes)
        self._note_key(change.at)
        if change.ban is not None:
            self.world = banned_now(self.world, change.at, change.ban)
            self._note_ban()

    def _note_key(self, at: float) -> None:
        if not self.hidden.valid and self._shut_at is None:
            self._shut_at = at
        elif self.hidden.valid and self._shut_at is not None:
            self._record.blocks[self._epoch + self._shut_at] = self._epoch + at
            self._shut_at = None

    def _note_block(self, reply: Reply, now: float) -> None:
        self._note_ban()
        limit = {Said.DAILY_QUOTA: self.hidden.quota, Said.SUBSCRIPTION_CAP: self.hidden.cap4h}.get(reply.said)
        if limit:
            until = self._epoch + reset_at(limit, now)
            if until not in self._record.blocks.values():
                self._record.blocks[self._epoch + now] = until

    def _note_ban(self) -> None:
        ban = self.world.edge.ban
        if ban:
            self._record.blocks[self._epoch + ban.began_at] = self._epoch + ban.untouched_until

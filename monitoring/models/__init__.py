"""What the panel keeps of its own. One file a subject; import from here."""

from monitoring.models.backups import BackupPlan
from monitoring.models.health import Component, HealthCheck, HealthState
from monitoring.models.logs import JournalImport, LogEntry
from monitoring.models.notices import Channel, Delivery, Notice, Severity
from monitoring.models.panel import Panel
from monitoring.models.retention import Retention
from monitoring.models.rollups import AttemptRollup, By, GroupRollup, PauseRollup, RollupState, Span, StepRollup
from monitoring.models.search import TextIndexed
from monitoring.models.tests import Result, TestResult, TestRun, TestSchedule

__all__ = [
    "AttemptRollup",
    "BackupPlan",
    "By",
    "Channel",
    "Component",
    "Delivery",
    "GroupRollup",
    "HealthCheck",
    "HealthState",
    "JournalImport",
    "LogEntry",
    "Notice",
    "Panel",
    "PauseRollup",
    "Result",
    "Retention",
    "RollupState",
    "Severity",
    "Span",
    "StepRollup",
    "TestResult",
    "TestRun",
    "TestSchedule",
    "TextIndexed",
]

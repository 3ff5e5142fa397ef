"""The panel's own models. Import them from here."""

from monitoring.models.logs import JournalImport, LogEntry
from monitoring.models.notices import EVENTS, Channel, Delivery, MaintenanceWindow, Notice, Severity, Watcher
from monitoring.models.panel import (
    ApiToken,
    Component,
    FailedLogIns,
    HealthCheck,
    HealthState,
    Panel,
    Retention,
    SavedView,
    Scope,
    StoredBytes,
    TextIndexed,
)
from monitoring.models.rollups import Of, Rollup, RollupState, Span
from monitoring.models.tests import SUITE_TITLES, Result, TestResult, TestRun, TestSchedule

__all__ = [
    "EVENTS",
    "SUITE_TITLES",
    "ApiToken",
    "Channel",
    "Component",
    "Delivery",
    "FailedLogIns",
    "HealthCheck",
    "HealthState",
    "JournalImport",
    "LogEntry",
    "MaintenanceWindow",
    "Notice",
    "Of",
    "Panel",
    "Result",
    "Retention",
    "Rollup",
    "RollupState",
    "SavedView",
    "Scope",
    "Severity",
    "Span",
    "StoredBytes",
    "TestResult",
    "TestRun",
    "TestSchedule",
    "TextIndexed",
    "Watcher",
]

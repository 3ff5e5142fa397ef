"""The suites by name, in the order in which a run carries them out."""

from __future__ import annotations

from collections.abc import Mapping

from agents.phrases import phrase
from monitoring.suites.api import API
from monitoring.suites.findings import Suite
from monitoring.suites.key import KEY
from monitoring.suites.logs import LOGS

SUITES: Mapping[str, Suite] = {"key": KEY, "api": API, "logs": LOGS}
TITLES = {"key": phrase("Direct key test"), "api": phrase("Live API test"), "logs": phrase("Log analysis")}

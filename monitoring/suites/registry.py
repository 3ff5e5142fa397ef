"""The suites by name, in the order in which a run carries them out."""

from __future__ import annotations

from collections.abc import Mapping

from monitoring.suites.api import api_suite
from monitoring.suites.findings import Suite
from monitoring.suites.key import key_suite

SUITES: Mapping[str, Suite] = {"key": key_suite, "api": api_suite}
TITLES = {"key": "Direct key test", "api": "Live API test", "logs": "Log analysis"}

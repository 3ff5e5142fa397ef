"""The suites by name, in the order in which a run carries them out."""

from __future__ import annotations

from collections.abc import Mapping

from monitoring.suites.findings import Suite

SUITES: Mapping[str, Suite] = {}
TITLES = {"key": "Direct key test", "api": "Live API test", "logs": "Log analysis"}

"""The suites by name, in the order in which a run carries them out."""

from collections.abc import Iterable, Mapping

from monitoring.testruns.suites.api import API
from monitoring.testruns.suites.findings import Suite
from monitoring.testruns.suites.key import KEY
from monitoring.testruns.suites.logs import LOGS

SUITES: Mapping[str, Suite] = {"key": KEY, "api": API, "logs": LOGS}
TITLES = {"key": "Direct key test", "api": "Live API test", "logs": "Log analysis"}


def titles(suites: Iterable[str]) -> str:
    return ", ".join(TITLES[name] for name in suites)

"""What is learned of a step's site, as its plan is made by it: read at most once in some seconds for each place."""

import logging
import time
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from django.db.models import Q

from agents.database import UNAVAILABLE, answering
from agents.learning.solutions import SOLUTION, solutions_of
from agents.learning.store import Place
from agents.models import Learned
from agents.template.solutions.solution import Solution

logger = logging.getLogger(__name__)

SECONDS = 10.0  # the worker learns in rounds of as much
MOST_PLACES, MOST_SOLUTIONS = 64, 200

_read = OrderedDict[Place, tuple[float, Sequence[Solution]]]()
_reading = Lock()


def solutions_at(place: Place | None) -> Sequence[Solution]:
    """Raises nothing: without the database those that were read last."""
    if place is None:
        return ()
    with _reading:
        read_at, found = _read.get(place, (0.0, ()))
    if read_at and time.monotonic() - read_at < SECONDS:
        return found
    here = Q(site=place.site) | Q(project=place.project) if place.project else Q(site=place.site)
    try:
        with answering():
            found = solutions_of(Learned.objects.filter(here, callers=place.callers, kind=SOLUTION).order_by("-seen_at")[:MOST_SOLUTIONS])
    except UNAVAILABLE as error:
        logger.warning("What is learned can't be read (%s).", error)
    with _reading:
        _read[place] = time.monotonic(), found
        _read.move_to_end(place)
        while len(_read) > MOST_PLACES:
            _read.popitem(last=False)
    return found


def forget() -> None:
    """What was read; the next step reads it again."""
    with _reading:
        _read.clear()

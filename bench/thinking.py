"""How long the template agent thinks, and how many tokens an LLM is asked: in this process, without server and database.

CPU time, so that a busy machine counts little.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from agents import template
from agents.page import read
from agents.prompt import question
from agents.protocol import Form, Step
from agents.template.masking import LONGEST_PROMPT
from agents.tests.long_pages import films
from agents.tokens import tokens

ROUNDS = 15
URL = "http://localhost:8000/films?seed=58"
FILM = "Show details for a film where the genre equals 'Sci-Fi' and the year is greater than 1999 and the rating is not equal to 4.5"
# What costs most to understand: nothing but operators.
WORST = ("is " * LONGEST_PROMPT)[:LONGEST_PROMPT]
# By films on the page.
PAGES = {"18 kB": 27, "47 kB": 71, "500 kB": 755}


def main() -> None:
    """A line a page, then the worst prompt."""
    print(f"\nThe template agent's CPU time, {ROUNDS} rounds")
    print(f"{'':28}{'answer':>12}{'max':>12}{'LLM prompt':>12}{'tokens':>10}")
    for name, count in PAGES.items():
        show(f"page of {name}", FILM, films(count))
    show("47 kB, worst prompt", WORST, films(PAGES["47 kB"]))


def show(name: str, prompt: str, html: str) -> None:
    step = Step("/step", Form.STEP, "t", prompt, URL, html)
    page = read(html, URL)
    answers = [spent(lambda: template.plan(step, read(html, URL))) for _ in range(ROUNDS)]
    asked = [spent(lambda: question(step, page)) for _ in range(ROUNDS)]
    size = tokens("\n".join(message["content"] for message in question(step, page).messages))
    print(f"{name:28}{statistics.median(answers):10.1f}ms{max(answers):10.1f}ms{statistics.median(asked):10.1f}ms{size:10,}")


def spent(work: Callable[[], object]) -> float:
    """Milliseconds of CPU time."""
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1000


if __name__ == "__main__":
    main()

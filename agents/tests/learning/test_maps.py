"""Site maps are learned from answered steps, and one-shot tasks are planned from those of their own callers."""

from datetime import UTC, datetime
from typing import Any

import pytest

from agents.contract.protocol import Form, Step
from agents.hybrid import page_archive, runner
from agents.learning import job, maps
from agents.models import Learned, Settings, Source, Unlearned
from agents.models import Step as StepRow

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KNOWN, UNKNOWN, OTHER = "10.0.0.1", "6.6.6.6", "7.7.7.7"
START = "http://site.example:8900/?seed=3"
HOME = '<title>Films</title><header><nav><a href="/?seed=3">Home</a><a href="/contact?seed=3">Contact</a></nav></header><main><h1>Films</h1></main>'
CONTACT = (
    '<header><nav><a href="/?seed=3">Home</a></nav></header><main><h1>Contact us</h1><form><input name="{name}" aria-label="Name">'
    '<input type="email" name="email"><textarea name="message" aria-label="Message"></textarea><button type="submit">Send</button></form></main>'
)
BY_NAME = "contains('|name|"  # the first field of the contact form, by learned facts
PROMPT = "Fill the contact form where name equals 'Jo' and email equals 'jo@x.org' and message contains 'hours'"


@pytest.fixture(autouse=True)
def callers() -> None:
    maps.forget()
    Settings(id=Settings.ONLY, allowed_callers=[KNOWN]).save()


def learn_from(caller: str | None, name: str = "name", source: Source = Source.VALIDATOR, url: str = START) -> str:
    """Answer steps of a task and learn from them. Returns the job's result."""
    for index, (at, page) in enumerate(((url, HOME), (url.replace("/?", "/contact?"), CONTACT.format(name=name)))):
        step = Step("/step", Form.STEP, f"t{caller}{name}", "Open the contact page", at, page, index)
        runner.answer(step, source=source, caller=caller)
    page_archive.waiting.join()
    return job.learn(NOW)


def planned(caller: str | None, url: str = START, **more: Any) -> str:
    maps.forget()
    step = Step("/solve_task", Form.ONE_SHOT, "one", PROMPT, url, **more)
    return " ".join(str(dict(action.fields)) for action in runner.answer(step, source=Source.VALIDATOR, caller=caller).plan.actions)


def test_a_one_shot_task_is_planned_from_what_steps_have_shown() -> None:
    assert "textarea" not in planned(KNOWN)
    assert learn_from(KNOWN) == "3 steps learned from; 0 facts deleted."
    assert not Unlearned.objects.filter(settles_at=None).exists()
    assert set(Learned.objects.values_list("kind", "key")) == {
        ("route", "/"),
        ("route", "/contact"),
        ("form", "/contact > //form[.//textarea] with 3 fields"),
    }
    plan = planned(KNOWN)
    assert "/contact?seed=3" in plan and BY_NAME in plan and "'jo@x.org'" in plan and "form[.//textarea]" in plan


def test_an_unknown_callers_page_changes_no_other_callers_plan() -> None:
    before = {caller: planned(caller) for caller in (KNOWN, OTHER, None)}
    learn_from(UNKNOWN, "evil")
    assert {caller: planned(caller) for caller in before} == before
    assert "evil" in planned(UNKNOWN)
    learn_from(KNOWN)
    learn_from(UNKNOWN, "worse")
    assert "evil" not in planned(KNOWN) and "worse" not in planned(KNOWN) and BY_NAME in planned(KNOWN)


def test_a_known_callers_map_is_not_used_for_unknown_callers_and_operators_share_it() -> None:
    learn_from(None, source=Source.OPERATOR)
    assert BY_NAME in planned(KNOWN) and BY_NAME not in planned(UNKNOWN)


def test_a_project_is_known_at_another_address_and_the_plan_stays_there() -> None:
    learn_from(KNOWN)
    Learned.objects.update(project="minifilms")
    elsewhere = "http://new.example:9000/?seed=8"
    plan = planned(KNOWN, elsewhere, project="minifilms")
    assert "new.example:9000/contact?seed=8" in plan and "site.example" not in plan
    assert "textarea" not in planned(KNOWN, elsewhere, project="other")


def test_a_site_at_an_unknown_address_is_recognised_by_its_page() -> None:
    learn_from(KNOWN)
    elsewhere = "http://new.example:9000/?seed=8"
    assert "new.example:9000/contact?seed=8" in planned(KNOWN, elsewhere, page=HOME)
    for caller, page in ((UNKNOWN, HOME), (KNOWN, HOME.replace("Films", "Books")), (KNOWN, HOME.replace("/contact", "/about"))):
        assert "textarea" not in planned(caller, elsewhere, page=page)


def test_a_page_of_another_host_is_not_learned() -> None:
    learn_from(KNOWN)
    step = Step("/step", Form.STEP, "tname", "Open the contact page", "http://evil.example/contact", CONTACT.format(name="evil"), 2)
    runner.answer(step, source=Source.VALIDATOR, caller=KNOWN)
    page_archive.waiting.join()
    job.learn(NOW)
    assert not any("evil" in str(row.facts) for row in Learned.objects.filter(site="site.example:8900"))


def test_a_page_is_learned_as_it_is_once_its_contents_have_loaded() -> None:
    rows = "".join(f"<li><h3>Film {n}</h3><a href='/films/{n}?seed=3'>Open</a></li>" for n in range(3))
    films = HOME.replace("</main>", "<p>Newest first</p></main>")
    visit = [
        (START, HOME, "ClickAction"),
        ("/films?", films, "WaitAction"),
        ("/films?", films.replace("</main>", f"<ul>{rows}</ul></main>"), ""),
    ]
    for index, (url, page, then) in enumerate(visit):
        runner.answer(
            Step("/step", Form.STEP, "t", "Open the films", url.replace("/films?", START.replace("/?", "/films?")), page, index),
            source=Source.VALIDATOR,
            caller=KNOWN,
        )
        selector = {"type": "xpathSelector", "value": "//nav/a[1]"} if then == "ClickAction" else None
        StepRow.objects.filter(index=index).update(actions=[{"type": then or "WaitAction", "selector": selector}])
    page_archive.waiting.join()
    job.learn(NOW)
    assert "Film 2" in Learned.objects.get(kind="route", key="/films").facts["html"]

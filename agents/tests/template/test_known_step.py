"""Steps by the plan of a known site, where its pages show no control for the task, on a small paper site."""

from dataclasses import replace
from pathlib import Path

from agents.configuration.known_sites import load
from agents.contract.actions import validate
from agents.contract.protocol import Form, PastAction, Plan, Step
from agents.page import read
from agents.template.prompt.intents import understand
from agents.template.sites.known_step import known_step
from agents.template.sites.site_facts import Sites
from agents.template.sites.site_plans import by_facts
from agents.tests.paper_browser import Outcome, step_by_step

FACTS = """
port = 8000
login = [
  { open = "/enter" },
  { fill = "(//form//input)[1]", with = "username", else = "<username>" },
  { fill = "//input[@type='password']", with = "password", else = "<password>" },
  { press = "//form//button" },
]

[ways."add a lamp"]
says = ["add", "lamp"]
unless = "cart"
actions = [
  { open = "/desk" },
  { press = "(//*[@role='tab'])[2]" },
  { fill = "//form//input[1]", with = "shade" },
  { press = "//form//button" },
]

[ways."count the lamps"]
says = ["count"]
actions = [{ open = "/nowhere" }, { press = "//button[@id='erase']" }]

[ways."dim the hall"]
says = ["dim"]
actions = [{ press = "//button[@id='knob']" }]

[items.lamp]
list = "/all"
card = "//article"
link = "//a"
texts = { name = ".//h3" }

[ways."keep a lamp"]
says = ["cart"]
actions = [{ list = "lamp" }, { item = "lamp" }, { press = "(//main//button)[1]" }]
"""
HOME = "<a href='/?seed=58'>Home</a>"
TABS = (
    "<div role=tablist><button type=button role=tab aria-selected=true>Me</button>"
    "<button type=button role=tab aria-selected=false data-goto='/desk/w'>Workbench</button></div>"
)
PAGES = {
    "/": f"{HOME}<h1>Dusk</h1><p>Text</p><a href='/lamps/1?seed=58'>Moon</a>",
    "/all": f"{HOME}<h1>Lamps</h1><article><h3>Sun</h3><a href='/lamps/2?seed=58'>Sun</a></article><article><h3>Moon</h3>"
    "<a href='/lamps/1?seed=58'>Moon</a></article>",
    "/lamps/1": f"{HOME}<main><h1>Moon</h1><p>Watts: 40</p><button type=button data-goto='/kept'>Zzz</button></main>",
    "/kept": f"{HOME}<h1>Moon</h1>",
    "/desk": f"{HOME}{TABS}<h1>Me</h1><form action='/me'><label>Shade<input name=shade></label><button>Save</button></form>",
    "/desk/w": f"{HOME}{TABS}<h1>Workbench</h1><form action='/lamps'><label>Shade<input name=shade></label>"
    "<label>Watts<input name=watts></label><button>Add lamp</button></form>",
    "/nowhere": f"{HOME}<h1>Nothing here</h1><button type=button id=erase data-goto='/erased'>Delete all</button>",
    "/enter": f"{HOME}<form action='/session'><label>Username<input name=username></label><label>Password<input type=password name=password>"
    "</label><button>Log in</button></form>",
    "/session": f"{HOME}<h1>Hello</h1><button type=button>Log out</button>",
    "/me": f"{HOME}<h1>Saved</h1>",
    "/lamps": f"{HOME}<h1>Added</h1>",
    "/erased": f"{HOME}<h1>Erased</h1>",
}
ADD = "Add a lamp where shade equals 'red' and watts equals '40'"


def run(prompt: str, folder: Path, facts: str = FACTS, start: str = PAGES["/"]) -> Outcome:
    (folder / "lamps.toml").write_text(facts, "utf-8")
    sites, faults = load(folder)
    assert not faults
    pages = {path: f"<title>Lamp shop: {path}</title>{html}" for path, html in {**PAGES, "/": start}.items()}
    return step_by_step(prompt, pages, by_facts(sites), first_only=False)


def stated(step: Step, sites: Sites) -> Plan:
    plan = by_facts(sites).stated(replace(step, url=step.start or step.url), understand(step.prompt), "")
    assert plan
    return plan[0]


def test_a_form_that_no_page_links_is_reached_by_the_sites_plan(tmp_path: Path) -> None:
    assert run(ADD, tmp_path).browser.sent == [("/lamps", {"shade": "red", "watts": "40"})]
    assert not run(ADD, tmp_path, facts="").browser.sent


def test_a_form_without_a_field_for_all_values_is_not_sent_if_the_plan_has_another(tmp_path: Path) -> None:
    assert run(ADD, tmp_path, start=PAGES["/desk"]).browser.visited == ["/", "/desk", "/desk/w", "/lamps"]
    assert "/me" in run(ADD, tmp_path, facts="", start=PAGES["/desk"]).browser.visited


def test_on_pages_with_the_sites_title_a_plan_that_uses_all_values_comes_before_the_pages_own_form(tmp_path: Path) -> None:
    titled = f'title = "Lamp shop"{FACTS}'
    whole = titled.replace('with = "shade" },', 'with = "shade" }, { fill = "//form//input[2]", with = "watts" },')
    start = f"<h1>Dusk</h1>{PAGES['/desk/w']}"
    assert run(ADD, tmp_path, titled, start).browser.visited == ["/", "/lamps"]
    assert run(ADD, tmp_path, whole, start).browser.visited == ["/", "/desk", "/desk/w", "/lamps"]
    assert run(ADD, tmp_path, whole.replace("Lamp shop", "Bookshop"), start).browser.visited == ["/", "/lamps"]


def test_a_wrong_route_costs_one_step_and_is_not_opened_twice(tmp_path: Path) -> None:
    outcome = run("Count the lamps where watts equals '40'", tmp_path)
    assert outcome.browser.visited.count("/nowhere") == 1
    assert outcome.done


def test_a_press_of_the_plan_that_destroys_is_not_sent(tmp_path: Path) -> None:
    assert "/erased" not in run("Count the lamps where watts equals '40'", tmp_path).browser.visited


def test_the_log_in_comes_before_routes_that_need_it(tmp_path: Path) -> None:
    outcome = run(f"Login where username equals 'ann' and password equals 'pw', then {ADD}", tmp_path)
    assert outcome.browser.visited == ["/", "/enter", "/session", "/desk", "/desk/w", "/lamps"]


def test_a_task_that_is_known_to_be_done_on_its_own_page_is_done_there(tmp_path: Path) -> None:
    knob = f"{PAGES['/']}<button type=button id=knob data-goto='/kept'>Zzz</button>"
    assert run("Dim the hall", tmp_path, start=knob).browser.visited == ["/", "/kept"]


def test_the_press_on_the_tasks_own_page_is_sent_on_no_other_page(tmp_path: Path) -> None:
    facts = f'{FACTS}\n[ways."air the hall"]\nsays = ["air"]\nactions = [{{ press = "(//main//button)[1]" }}]'
    (tmp_path / "lamps.toml").write_text(facts, "utf-8")
    sites = load(tmp_path)[0]
    start, here = "http://localhost:8000/?seed=58", "http://localhost:8000/kept?seed=58"
    left = PastAction("ClickAction", dict(validate(on("//a[1]")).fields), succeeded=True, error="", url=start)

    def planned(html: str, *history: PastAction) -> str:
        step = Step("/step", Form.STEP, "t", "Air the hall", here, index=len(history), history=history, start=start)
        made = known_step(step, understand(step.prompt), read(f"<body><main>{html}</main></body>", here), stated(step, sites))
        return made.actions[0].fields["url"] if made else ""

    assert planned("<button type=button>Empty the bin</button>", left) == start
    reopened = PastAction("NavigateAction", {"url": start}, succeeded=True, error="", url=start)
    assert planned("<button type=button>Empty the bin</button>", left, reopened, left) == ""


def test_a_route_of_the_plan_that_was_reached_by_a_link_is_opened_at_most_once_more(tmp_path: Path) -> None:
    (tmp_path / "lamps.toml").write_text(FACTS, "utf-8")
    sites, prompt = load(tmp_path)[0], ADD
    root = "http://localhost:8000/{}?seed=58".format

    def planned(*history: PastAction) -> str:
        step = Step("/step", Form.STEP, "t", prompt, root("kept"), index=len(history), history=history)
        made = known_step(step, understand(step.prompt), read("<h1>Moon</h1>", root("kept")), stated(step, sites))
        return str(made.actions[0].fields.get("url")) if made else ""

    link = PastAction("ClickAction", dict(validate(on("//a[1]")).fields), succeeded=True, error="", url=root("desk"))
    opened = PastAction("NavigateAction", {"url": root("desk")}, succeeded=True, error="", url=root("kept"))
    assert planned(link) == "/desk"
    assert planned(link, opened, link) == ""


def test_the_first_page_of_a_task_is_not_opened_again_if_nothing_is_done_there(tmp_path: Path) -> None:
    (tmp_path / "lamps.toml").write_text(FACTS, "utf-8")
    here = "http://localhost:8000/desk?seed=58"
    came = PastAction("ClickAction", dict(validate(on("//a[1]")).fields), succeeded=True, error="", url=here)
    step = Step("/step", Form.STEP, "t", ADD, here, index=1, history=(came,), start="http://localhost:8000/?seed=58")
    made = known_step(step, understand(ADD), read(PAGES["/desk"], here), stated(step, load(tmp_path)[0]))
    assert made and made.actions[0].type == "ClickAction"


def test_the_plans_press_on_an_items_page_is_sent_once_and_ends_the_task(tmp_path: Path) -> None:
    outcome = run("Add to my cart the lamp where the name equals 'Moon'", tmp_path)
    assert outcome.browser.visited == ["/", "/lamps/1", "/kept"]
    assert outcome.done


def test_what_the_rules_pressed_by_another_selector_is_not_pressed_again_by_the_plan() -> None:
    url = "http://localhost:9410/notes?seed=58"
    page = read("<body><main><h1>Notes</h1><textarea></textarea><button type=button id=keep>Keep</button></main></body>", url)
    opening, press = (
        validate({"type": "NavigateAction", "url": url}),
        validate({"type": "ClickAction", "selector": {"type": "xpathSelector", "value": "(//textarea/following::button)[1]"}}),
    )
    own = {"type": "attributeValueSelector", "attribute": "id", "value": "keep", "case_sensitive": False}
    pressed = PastAction("ClickAction", {"selector": own}, succeeded=True, error="", url=url)

    def planned(*history: PastAction) -> Plan | None:
        step = Step("/step", Form.STEP, "t", "Keep the note", url, index=len(history), history=history)
        return known_step(step, understand(step.prompt), page, Plan((opening, press)))

    assert planned() == Plan((press,), reasoning="Template: by the site's plan.")
    assert planned(pressed) is None


def steps_of(html: str, *history: PastAction, plan: tuple[dict[str, object], ...]) -> list[str]:
    url = "http://localhost:9410/notes?seed=58"
    page, opening = read(f"<body><main>{html}</main></body>", url), validate({"type": "NavigateAction", "url": url})
    step = Step("/step", Form.STEP, "t", "Add a note", url, index=len(history), history=history)
    made = known_step(step, understand(step.prompt), page, Plan((opening, *map(validate, plan))))
    return [action.fields["selector"]["value"] for action in made.actions if "selector" in action.fields] if made else []


def on(expression: str, **fields: str) -> dict[str, object]:
    kind = "TypeAction" if fields else "ClickAction"
    return {"type": kind, "selector": {"type": "xpathSelector", "value": expression}, **fields}


NOTE = (on("//input[1]", text="Tea"), on("//textarea", text="At noon"), on("//h1"), on("//button[1]"), on("//button[2]"))
FIELDS = (
    "<h1>Notes</h1><form><input name=title value='{}'><textarea></textarea><button type=button>Next</button><button>Save</button></form>"
)


def test_the_plans_fields_of_one_page_are_filled_in_one_reply_up_to_the_first_press() -> None:
    assert steps_of(FIELDS.format(""), plan=NOTE) == ["//input[1]", "//textarea", "//button[1]"]


def test_a_press_that_the_plan_repeats_is_sent_as_often_in_one_reply() -> None:
    more = (on("//button[1]"),) * 3
    assert steps_of(FIELDS.format(""), plan=(*more, on("//button[2]"))) == ["//button[1]"] * 3
    once = PastAction("ClickAction", dict(validate(more[0]).fields), True, "", "http://localhost:9410/notes?seed=58")
    assert steps_of(FIELDS.format(""), once, plan=more) == ["//button[1]"] * 2


def test_a_field_that_the_rules_filled_already_is_left_out() -> None:
    assert steps_of(FIELDS.format("Tea"), plan=NOTE)[0] == "//textarea"


def test_a_field_with_the_same_place_in_a_later_step_of_a_dialog_is_filled_too() -> None:
    typed = PastAction("TypeAction", dict(validate(NOTE[0]).fields), True, "", "http://localhost:9410/notes?seed=58")
    later = (NOTE[0], on("//button[1]"), on("//input[1]", text="Ann"), on("//button[2]"))
    pressed = PastAction("ClickAction", dict(validate(later[1]).fields), True, "", "http://localhost:9410/notes?seed=58")
    assert steps_of(FIELDS.format(""), typed, pressed, plan=later) == ["//input[1]", "//button[2]"]


def test_what_no_markup_shows_as_a_control_is_pressed_by_the_plan_unless_its_text_destroys(tmp_path: Path) -> None:
    way = '[ways."pick a shelf"]\nsays = ["pick"]\nactions = [{ item = "shelf" }]\n'
    shelf = f'{FACTS}\n[items.shelf]\nlist = "/"\ncard = "//div[@class=\'s\']"\ntexts = {{ shelf = ".//b" }}\n{way}'
    (tmp_path / "lamps.toml").write_text(shelf, "utf-8")
    sites, url = load(tmp_path)[0], "http://localhost:8000/?seed=58"

    def planned(*texts: str) -> int:
        html = "".join(f"<div class=s><b>{text}</b></div>" for text in texts)
        step = Step("/step", Form.STEP, "t", "Pick a shelf where shelf contains 'Oak'", url, index=0)
        made = known_step(
            step, understand(step.prompt), read(f"<h1>Shelves</h1><a href='/?seed=58'>Home</a>{html}", url), stated(step, sites)
        )
        return len(made.actions) if made else 0

    assert planned("Elm", "Oak") == 1
    assert planned("Elm") == planned("Elm", "Delete Oak") == 0
    (tmp_path / "lamps.toml").write_text(shelf.replace('texts = { shelf = ".//b" }', 'lists = { shelf = "." }'), "utf-8")
    sites = load(tmp_path)[0]
    assert (planned("Elm", "Oak"), planned("Elm")) == (1, 0)


def test_on_an_items_page_the_plans_fields_are_filled_before_its_press(tmp_path: Path) -> None:
    facts = FACTS.replace(
        '{ press = "(//main//button)[1]" }', '{ fill = "//main//input", with = "phone" }, { press = "(//main//button)[1]" }'
    )
    (tmp_path / "lamps.toml").write_text(facts, "utf-8")
    sites, _ = load(tmp_path)
    moon = "<main><h1>Moon</h1><p>Watts: 40</p><input name=a><button type=button data-goto='/kept'>Zzz</button></main>"
    prompt = "Add to my cart the lamp where the name equals 'Moon' and phone equals '555'"
    typed = [
        action.fields["text"]
        for made in step_by_step(prompt, {**PAGES, "/lamps/1": moon}, by_facts(sites), first_only=False).plans
        for action in made.actions
        if action.type == "TypeAction"
    ]
    assert "555" in typed


SCRAP = '[ways."scrap a lamp"]\nsays = ["delete"]\nactions = [{ list = "lamp" }, { item = "lamp", inside = "//button" }]\n'
ROW = "<article><h3>{0}</h3><p>Watts: {1}</p><button type=button data-goto='/gone/{0}'>Zzz</button></article>"


def test_in_a_list_the_plan_deletes_an_item_only_if_it_tests_all_criteria(tmp_path: Path) -> None:
    (tmp_path / "lamps.toml").write_text(f'title = "Lamps"\n{FACTS}\n{SCRAP}', "utf-8")
    sites, here = load(tmp_path)[0], "http://localhost:8000/all?seed=58"
    page = read(f"<body><h1>Lamps</h1>{ROW.format('Sun', 60)}{ROW.format('Moon', 40)}</body>", here)

    def presses(prompt: str) -> bool:
        step = Step("/step", Form.STEP, "t", prompt, here, index=0)
        plan, is_whole = by_facts(sites).stated(step, understand(prompt), "Lamps") or (Plan(()), False)
        made = known_step(step, understand(prompt), page, plan, is_whole=is_whole)
        return made is not None and any("moon" in str(action.fields.get("selector")) for action in made.actions)

    assert presses("Delete the lamp where name equals 'Moon'")
    assert not presses("Delete the lamp where name equals 'Moon' and watts equals '40'")


def test_a_few_letters_in_the_whole_text_of_a_row_do_not_identify_its_item(tmp_path: Path) -> None:
    letter = '[items.letter]\nlist = "/"\ncard = "//li"\nlists = { author = "." }\n'
    way = '[ways."keep a letter"]\nsays = ["keep"]\nactions = [{ item = "letter", inside = "//button" }]\n'
    (tmp_path / "lamps.toml").write_text(f'port = 8000\ntitle = "Letters"\n{letter}{way}', "utf-8")
    sites, url = load(tmp_path)[0], "http://localhost:8000/?seed=58"

    def is_whole(author: str) -> bool:
        prompt = f"Keep the letter where author contains '{author}'"
        plan = by_facts(sites).stated(Step("/step", Form.STEP, "t", prompt, url), understand(prompt), "Letters")
        return plan is not None and plan[1]

    assert is_whole("Anna Berg")
    assert not is_whole("an")


def test_no_row_is_opened_by_a_plan_that_does_not_test_all_criteria_of_the_item() -> None:
    here, prompt = "http://localhost:9410/letters?seed=58", "Star the letter where subject equals 'Moon'"
    page = read("<body><h1>Letters</h1><a href='/?seed=58'>Home</a><div class=r>Moon</div><div class=r>Sun</div></body>", here)
    plan = Plan(tuple(map(validate, ({"type": "NavigateAction", "url": here}, on("(//div[@class='r'])[1]")))))
    step = Step("/step", Form.STEP, "t", prompt, here, index=0)
    made = [known_step(step, understand(prompt), page, plan, is_whole=is_whole) for is_whole in (True, False)]
    assert [bool(each and each.actions) for each in made] == [True, False]


def test_on_an_items_page_no_press_comes_before_one_that_is_not_possible_yet() -> None:
    here, prompt = "http://localhost:9410/lamps/1?seed=58", "Reserve the lamp where name equals 'Moon'"
    page = read("<body><h1>Moon</h1><button type=button>Day</button><button type=button>Zzz</button></body>", here)
    plan = Plan(
        tuple(map(validate, ({"type": "NavigateAction", "url": here}, on("//td"), on("//button[1]"), on("//td"), on("//button[2]"))))
    )

    def sent(*history: PastAction) -> list[str]:
        step = Step("/step", Form.STEP, "t", prompt, here, index=len(history), history=history)
        made = known_step(step, understand(prompt), page, plan)
        return [action.fields["selector"]["value"] for action in made.actions] if made else []

    assert sent() == ["//button[1]"]
    assert sent(PastAction("ClickAction", dict(validate(on("//button[1]")).fields), True, "", here)) == []


def test_a_plan_with_more_presses_than_steps_are_left_sends_several_in_one_reply() -> None:
    here = "http://localhost:9410/notes?seed=58"
    presses = tuple(on(f"(//button)[{number}]") for number in range(1, 16))
    plan = Plan(tuple(map(validate, ({"type": "NavigateAction", "url": here}, *presses))))
    page = read("<body><h1>Notes</h1><button type=button>Next</button></body>", here)

    def sent(index: int, *, is_whole: bool) -> int:
        step = Step("/step", Form.STEP, "t", "Add a note", here, index=index)
        made = known_step(step, understand(step.prompt), page, plan, is_whole=is_whole)
        return sum(action.type == "ClickAction" for action in made.actions) if made else 0

    assert sent(0, is_whole=True) == 2
    assert sent(10, is_whole=True) == 14  # the last press is sent once its page is seen
    assert sent(0, is_whole=False) == 1


def test_a_route_of_the_plan_is_opened_by_the_pages_link_to_it(tmp_path: Path) -> None:
    (tmp_path / "lamps.toml").write_text(FACTS, "utf-8")
    here = "http://localhost:8000/?seed=58"
    step = Step("/step", Form.STEP, "t", ADD, here, index=0)
    plan = stated(step, load(tmp_path)[0])
    linked = known_step(step, understand(ADD), read("<h1>Dusk</h1><a href='/desk?seed=58'>Desk</a>", here), plan)
    unlinked = known_step(step, understand(ADD), read("<h1>Dusk</h1><a href='/door?seed=58'>Door</a>", here), plan)
    assert linked and linked.actions[0].type == "ClickAction"
    assert unlinked and unlinked.actions[0].type == "NavigateAction"

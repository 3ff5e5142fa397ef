"""Site facts are read from TOML; invalid entries are reported and left out."""

from pathlib import Path

import pytest

from agents.configuration.known_sites import KNOWN, load

LAMPS = """
confidence = 0.8
login = [{ open = "/enter" }, { fill = "//form//input", with = "username", else = "<username>" }]

[items.lamp]
list = "/lamps"
card = "//article"
link = "//a"
texts = { name = ".//h3" }

[[ways]]
task = "open a lamp"
says = ["open", "lamps?"]
unless = "shop"
actions = [{ list = "lamp" }, { item = "lamp" }]
"""


def written(folder: Path, text: str, name: str = "lamps.toml") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, "utf-8")
    return folder


def test_the_agents_own_facts_are_all_valid() -> None:
    sites, faults = load(KNOWN)
    assert faults == ()
    assert len(sites) == 14
    assert all(site.plans for site in sites.values())


def test_a_file_describes_its_site(tmp_path: Path) -> None:
    sites, faults = load(written(tmp_path, LAMPS))
    assert faults == ()
    site = sites["lamps"]
    assert [action.verb for action in site.login] == ["open", "fill"]
    assert site.items["lamp"].texts == {"name": ".//h3"}
    assert site.plans[0].fits("open a lamp")
    assert not site.plans[0].fits("reopen a clamp")
    assert not site.plans[0].fits("open the lamp shop")


def test_an_operators_folder_takes_precedence_over_ours_and_may_refer_to_it(tmp_path: Path) -> None:
    ours = written(tmp_path / "ours", LAMPS)
    theirs = written(tmp_path / "theirs", '[[ways]]\ntask = "see a lamp"\nsays = ["open"]\nactions = [{ item = "lamp" }]\n')
    sites, faults = load(ours, theirs)
    assert faults == ()
    assert [plan.task for plan in sites["lamps"].plans] == ["see a lamp", "open a lamp"]
    assert sites["lamps"].login
    assert sites["lamps"].confidence == 0.8


def test_ways_by_task_have_the_actions_of_their_parts(tmp_path: Path) -> None:
    listed = LAMPS.replace("{ item", "{ wait = 1 }, { item")
    named = LAMPS.replace('[[ways]]\ntask = "open a lamp"', '[ways."open a lamp"]').replace('{ list = "lamp" }', '{ part = "far" }')
    named += '[parts]\nnear = [{ list = "lamp" }]\nfar = [{ part = "near" }, { wait = 1 }]\n'
    assert repr(load(written(tmp_path / "named", named))) == repr(load(written(tmp_path / "listed", listed)))


def test_sites_of_a_folder_have_its_shared_parts_and_prefer_their_own(tmp_path: Path) -> None:
    written(tmp_path, '[parts]\nenter = [{ open = "/enter" }, { wait = 2 }]\nleave = [{ open = "/leave" }]\n', "_shared.toml")
    written(
        tmp_path,
        'login = [{ part = "enter" }]\n[parts]\nleave = [{ wait = 1 }]\n[ways]\nleave = { says = [], actions = [{ part = "leave" }] }',
    )
    sites, faults = load(tmp_path)
    assert faults == ()
    assert list(sites) == ["lamps"]
    assert [(action.verb, action.target) for action in sites["lamps"].login] == [("open", "/enter"), ("wait", "2")]
    assert [(action.verb, action.target) for action in sites["lamps"].plans[0].actions] == [("wait", "1")]


@pytest.mark.parametrize(("text", "entry"), [("parts = 3", "parts"), ("port = 8000", "port")])
def test_what_can_not_be_shared_is_reported(tmp_path: Path, text: str, entry: str) -> None:
    sites, faults = load(written(written(tmp_path, text, "_shared.toml"), LAMPS))
    assert [(fault.file, fault.entry) for fault in faults] == [("_shared.toml", entry)]
    assert sites["lamps"].plans


def test_the_condition_of_a_part_holds_for_its_actions_without_their_own(tmp_path: Path) -> None:
    part = '[parts]\nday = [{ press = "//a" }, { press = "//b", if = "hour" }]\n'
    (plan,) = load(written(tmp_path, part + '[ways.x]\nsays = []\nactions = [{ part = "day", if = "day" }]'))[0]["lamps"].plans
    assert [action.only_if for action in plan.actions] == ["day", "hour"]


@pytest.mark.parametrize(
    ("text", "entry", "remedy"),
    [
        ('[ways.x]\nsays = []\nactions = [{ part = "far" }]', "ways, entry 1", "there is no part 'far' here"),
        ('[ways.x]\nsays = []\nactions = [{ part = "far" }]\n[parts]\nfar = [{ part = "far" }]', "ways, entry 1", "there is no part 'far'"),
        ("ways.x = 1", "ways, entry 1", "valid dictionary"),
        ("ways = [", "file", "Make it readable TOML"),
        ("routes = 1", "routes", "take it out"),
        ('[items.lamp]\ncard = "//a"', "items.lamp", "list: Field required"),
        ('[items.lamp]\nlist = "lamps"\ncard = "//a"', "items.lamp", "begins with /"),
        ('[items.lamp]\nlist = "/"\ncard = "article"', "items.lamp", "XPath"),
        ('[items.lamp]\nlist = "/"\ncard = "//a"\ntexts = { name = "((" }', "items.lamp", "XPath"),
        ('[items.lamp]\nlist = "/"\ncard = "//a"\ntexts = { name = 3 }', "items.lamp", "texts.name: Input should be a valid string"),
        ('[items.lamp]\nlist = "/"\ncard = "//a"\ncolour = "red"', "items.lamp", "colour: Extra inputs"),
        ('[items.lamp]\nlist = "/"\ncard = "//a"\npages = 99', "items.lamp", "pages: Input should be less than or equal to 8"),
        ('[items.lamp]\nlist = "/"\ncard = "//a"\ndates = { made = "((" }', "items.lamp", "XPath"),
        ("confidence = 2", "confidence", "less than or equal to 1"),
        ('confidence = "high"', "confidence", "a valid number"),
        ("items = 3", "items", "table"),
        ("ways = 3", "ways", "list"),
        ("login = 3", "login", "list"),
        ('[[ways]]\ntask = "x"\nsays = ["("]\nactions = []', "ways, entry 1", "regular expression"),
        ('[[ways]]\ntask = "x"\nsays = [1]\nactions = []', "ways, entry 1", "says.1: it must be a text"),
        ('[[ways]]\ntask = "x"\nsays = []\nactions = [{ jump = "//a" }]', "ways, entry 1", "actions.1.jump: Extra inputs"),
        ('[[ways]]\ntask = "x"\nsays = []\nactions = [{ press = "//a", open = "/" }]', "ways, entry 1", "exactly one of"),
        ('[[ways]]\ntask = "x"\nsays = []\nactions = [{ press = "//a[" }]', "ways, entry 1", "XPath"),
        ('[[ways]]\ntask = "x"\nsays = []\nactions = [{ press = "((//a)[1])" }]', "ways, entry 1", "begin with"),
        ('[[ways]]\ntask = "x"\nsays = []\nactions = [{ item = "lamp" }]', "ways, entry 1", "add items.lamp"),
        ('[[ways]]\ntask = "x"\nsays = []\nactions = [{ keys = "Jump" }]', "ways, entry 1", "no key"),
        (
            '[[ways]]\ntask = "x"\nsays = []\nactions = [{ wait = 100 }]',
            "ways, entry 1",
            "actions.1.wait: Input should be less than or equal to 10",
        ),
        (
            '[[ways]]\ntask = "x"\nsays = []\nactions = [{ press = "//a", tries = 99 }]',
            "ways, entry 1",
            "actions.1.tries: Input should be less than or equal to 6",
        ),
    ],
)
def test_an_invalid_entry_is_reported_with_its_file_and_remedy(tmp_path: Path, text: str, entry: str, remedy: str) -> None:
    sites, faults = load(written(tmp_path, text))
    assert [(fault.file, fault.entry) for fault in faults] == [("lamps.toml", entry)]
    assert remedy in faults[0].remedy
    assert sites["lamps"].plans == ()


def test_an_invalid_plan_does_not_affect_the_others(tmp_path: Path) -> None:
    sites, faults = load(written(tmp_path, LAMPS + '\n[[ways]]\ntask = "x"\nsays = []\nactions = [{ press = "a" }]\n'))
    assert len(faults) == 1
    assert [plan.task for plan in sites["lamps"].plans] == ["open a lamp"]


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    sites, faults = load(tmp_path / "nowhere")
    assert not sites
    assert faults[0].entry == "folder"


def test_a_binary_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "lamps.toml").write_bytes(b"\xff\xfe\x00")
    assert load(tmp_path)[1][0].entry == "file"

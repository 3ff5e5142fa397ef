"""Hostile bodies for the callers' endpoints: pages, prompts, histories and JSON that could cost far more than their bytes.

`hostile_bodies(seed, count)` is the same for the same seed. Each body can be posted to every endpoint of `protocol.PATHS`; all but
those of `JSON` are whole requests, and may be refused only for a limit (400 that names the field, or 413).
"""

import json
from collections.abc import Callable, Iterator
from itertools import cycle
from random import Random
from typing import Any

from agents.tests import hostile_pages
from agents.tests.hostile_pages import ODD, WORDS, repeated

Fields = dict[str, Any]
Family = Callable[[Random, int], str | Fields]
# A task that every kind of page could belong to.
PROMPT = "Add the film 'Alien' where the year equals 1979 and the rating is greater than 4.5, and save the form."
# Characters: most bodies are as large as real pages, some as large as a body may be.
SMALLEST, LARGEST = 2_000, 2_000_000
HUGE, SHARE_OF_HUGE = 15_500_000, 0.02
# Of a prompt: up to the limit, and a third beyond it.
LONGEST_PROMPT = 24_000


def request(number: int, **fields: Any) -> Fields:
    """A whole request of any endpoint; `fields` replace what is ordinary."""
    url = "http://localhost:8000/films?seed=7"
    ordinary = {"task_id": f"hostile-{number}", "id": f"hostile-{number}", "prompt": PROMPT, "url": url, "step_index": 1, "html": ""}
    return {**ordinary, **fields}


# ---- the rows of the attack that was measured


def row_a(number: int, characters: int = 10_000_000) -> bytes:
    """A prompt of 10 MB."""
    return _body(request(number, prompt=repeated(characters, lambda at: f"word{at % 5_000} ")))


def row_b(number: int, attributes: int = 40_000) -> bytes:
    """One tag with 40,000 attributes."""
    return _body(request(number, html=f"<div {' '.join(f'a{at}=1' for at in range(attributes))}>x</div>"))


def row_c(number: int, criteria: int = 120, inputs: int = 2_000) -> bytes:
    """A prompt with 120 criteria, a page with 2,000 inputs."""
    # A name that ends with a figure is no criterion's: two words of letters each.
    nouns = ("film", "year", "rating", "price", "genre", "author", "studio", "street", "order", "member", "city", "user")
    names = [f"{one} {other}" for one in nouns for other in nouns]
    prompt = "Add the film where " + " and ".join(f"{names[at % len(names)]} equals 'value {at}'" for at in range(criteria))
    fields = "".join(f"<label for=i{at}>{names[at % len(names)]} {at}</label><input id=i{at} name=field_{at}>" for at in range(inputs))
    return _body(request(number, prompt=prompt, html=f"<form>{fields}<button>Save</button></form>"))


def row_c_grid(number: int, cells: int = 50_000) -> bytes:
    """A grid of 50,000 cells."""
    rows = repeated(
        cells * 24, lambda at: ("" if at % 10 else "<div role=row>") + f"<div role=gridcell>{at}</div>" + ("</div>" if at % 10 == 9 else "")
    )
    return _body(request(number, prompt="Choose the free cell where the hour equals 14:00.", html=f"<div role=grid>{rows}</div>"))


ROWS: dict[str, Callable[[int], bytes]] = {"row A": row_a, "row B": row_b, "row C": row_c, "row C, grid": row_c_grid}

# ---- prompts


def many_criteria(rng: Random, size: int) -> Fields:
    form = rng.choice(
        ("the {0} equals '{1}'", "{0}:{1}", "{0} not contains '{1}'", "{0} is one of ['{1}', '{1}x']", "{0} greater than {1}")
    )
    link = rng.choice((" and ", ", ", " or ", "; ", ". "))
    html = hostile_pages.inputs(rng, size * 10)
    return {"prompt": "Edit the film where " + repeated(size, lambda at: form.format(rng.choice(WORDS), at) + link), "html": html}


def repeated_fragments(rng: Random, size: int) -> Fields:
    fragments = " ".join(rng.choices(WORDS, k=rng.randrange(1, 6))) + " "
    return {"prompt": repeated(size, lambda _: fragments), "html": hostile_pages.list_items(rng, size * 10)}


def brackets_and_quotes(rng: Random, size: int) -> Fields:
    piece = rng.choice(("'", '"', "(", "[", "{", "<a>", "<b", "''", "' '", "'x' ", "“", "’", "`", "<username>:<password> ", "['a', "))
    return {"prompt": "Log in where " + repeated(size, lambda _: piece)}


def digits_and_dates(rng: Random, size: int) -> Fields:
    piece = rng.choice(("1", "1,", "1.", "1 ", "2024-01-01 ", "12:30 ", "1/2/", "$1 ", "1e9", "-", "10:00 to ", "1–"))
    return {"prompt": "Book where the date equals " + repeated(size, lambda _: piece)}


def one_long_word(rng: Random, size: int) -> Fields:
    piece = rng.choice(("x", "ab-", "a_", "A", "é", "a.", "a@", "http://", "a:", "%20", "\\", "/"))
    return {"prompt": "Search for " + repeated(size, lambda _: piece), "html": hostile_pages.inputs(rng, size * 5)}


def odd_prompt(rng: Random, size: int) -> Fields:
    odd = "".join(rng.choices(ODD, k=3))
    return {"prompt": "Find " + repeated(size, lambda _: odd), "html": hostile_pages.odd_characters(rng, size)}


def sentences(rng: Random, size: int) -> Fields:
    verbs = (
        "Log in",
        "Search",
        "Open",
        "Add",
        "Delete",
        "Buy",
        "Filter",
        "Register",
        "Book",
        "Who is the director",
        "Then go back",
        "If not",
    )
    return {
        "prompt": repeated(
            size, lambda _: rng.choice(verbs) + " " + " ".join(rng.choices(WORDS, k=4)) + rng.choice((". ", "? ", "\n", ", then "))
        )
    }


# ---- histories


def many_entries(rng: Random, size: int) -> Fields:
    entry = rng.choice(
        (
            {"step": 1, "action": "ClickAction", "text": "x", "exec_ok": True},
            {
                "index": 1,
                "action": {"type": "TypeAction", "text": "a", "selector": {"type": "xpathSelector", "value": "//input"}},
                "success": True,
            },
            {},
        )
    )
    return {"history": [entry] * (size // 40), "html": hostile_pages.forms(rng, size // 4)}


def large_entries(rng: Random, size: int) -> Fields:
    text = repeated(size // 20, lambda _: rng.choice(("x", "word ", *ODD)))
    value = rng.choice(
        (text, {"type": "xpathSelector", "value": "//" + text}, {"type": "attributeValueSelector", "attribute": text, "value": text})
    )
    return {
        "history": [
            {"index": at, "action": {"type": "ClickAction", "selector": value, "text": text}, "error": text, "url": text} for at in range(5)
        ]
    }


def wide_entries(rng: Random, size: int) -> Fields:
    wide = {f"k{at}": at for at in range(size // 30)}
    return {"history": [{**wide, "action": {"type": rng.choice(("ClickAction", "Nothing", "")), **wide}}, {"action": list(wide)}]}


def deep_entries(rng: Random, size: int) -> Fields:
    value: Any = "x"
    for _ in range(min(size // 6, 400)):
        value = {"a": value} if rng.random() < 0.5 else [value]
    return {"history": [{"action": {"type": "ClickAction", "selector": value}, "error": value}] * max(1, size // 3_000)}


# ---- fields beside them


def unknown_fields(rng: Random, size: int) -> Fields:
    return {f"unknown{at}": rng.choice((at, None, [], {}, "x")) for at in range(size // 20)}


def many_tools(rng: Random, size: int) -> Fields:
    name = rng.choice(("browser.click", "x", "browser.{0}", ""))
    tools: list[Any] = [name.format(at) for at in range(size // 20)]
    return {
        "tools": [{"type": "function", "function": {"name": tool, "parameters": {}}} for tool in tools] if rng.random() < 0.5 else tools
    }


def long_names(rng: Random, size: int) -> Fields:
    name = rng.choice(("url", "task_id", "web_project_id", "screenshot", "endpoint"))
    return {name: "http://localhost:8000/" + repeated(size, lambda _: rng.choice(("x", "%41", "?a=1&", "/..", "é")))}


# ---- JSON that is no request, or costs more to read than its bytes


def nested_json(rng: Random, size: int) -> str:
    mark = rng.choice(("[", '{"a":'))
    return mark * (size // len(mark)) + ("" if rng.random() < 0.5 else "1" + {"[": "]"}.get(mark, "}") * (size // len(mark)))


def nested_field(rng: Random, size: int) -> str:
    depth = rng.choice((300, 900, 5_000, size // 2))
    name = rng.choice(("history", "tools", "unknown", "prompt", "html"))
    return json.dumps(request(0, **{name: "here"})).replace('"here"', "[" * depth + "]" * depth)


def huge_number(rng: Random, size: int) -> str:
    number = rng.choice(("9" * size, "1e" + "9" * size, "0." + "1" * size, "-" + "9" * 4_301, "NaN", "Infinity", "1E400"))
    name = rng.choice(("step_index", "timeout_seconds", "unknown", "id", "task_id"))
    return json.dumps(request(0, **{name: "here"})).replace('"here"', number)


def many_numbers(rng: Random, size: int) -> str:
    digits = rng.choice((1, 20, 400, 4_000))
    return json.dumps(request(0, unknown="here")).replace('"here"', "[" + ",".join(["9" * digits] * (size // (digits + 1))) + "]")


def repeated_keys(rng: Random, size: int) -> str:
    return "{" + repeated(size, lambda at: f'"prompt":"{at}",') + json.dumps(request(0))[1:]


def escapes(rng: Random, size: int) -> str:
    escape = rng.choice((r"\u0000", r"\ud800", r"\ud83d\ude00", r"\n", r"\\", r"\u003c", r"\ufffe"))
    name = rng.choice(("html", "prompt", "unknown"))
    return json.dumps(request(0, **{name: "here"})).replace('"here"', '"x' + escape * (size // len(escape)) + '"')


def broken_json(rng: Random, size: int) -> str:
    return rng.choice(("", "[1]", "null", '"' + "x" * size, "{" * 9, " " * size, '{"a":1}' * (size // 7), json.dumps(request(0))[:-1]))


REQUESTS: tuple[Callable[[Random, int], Fields], ...] = (
    many_criteria, repeated_fragments, brackets_and_quotes, digits_and_dates, one_long_word, odd_prompt, sentences,
    many_entries, large_entries, wide_entries, deep_entries, unknown_fields, many_tools, long_names,
)  # fmt: skip
PROMPTS = frozenset(REQUESTS[:7])
JSON: tuple[Callable[[Random, int], str], ...] = (
    nested_json, nested_field, huge_number, many_numbers, repeated_keys, escapes, broken_json
)  # fmt: skip


def hostile_bodies(seed: int, count: int, largest: int = HUGE) -> Iterator[tuple[str, bytes]]:
    """`count` bodies, each with a name that says its family and size; all families in turn, of sizes up to `largest` characters."""
    rng = Random(seed)
    families: tuple[Family, ...] = (*hostile_pages.FAMILIES, *REQUESTS, *JSON)
    for number, family in zip(range(count), cycle(rng.sample(families, len(families))), strict=False):
        size = _size(rng, largest)
        yield f"{family.__name__} {size}", _made(family, rng, number, size)


def _size(rng: Random, largest: int) -> int:
    if rng.random() < SHARE_OF_HUGE:
        return min(HUGE, largest)
    return int(SMALLEST * (min(LARGEST, largest) / SMALLEST) ** rng.random())


def _made(family: Family, rng: Random, number: int, size: int) -> bytes:
    if family in PROMPTS:
        size = min(size, LONGEST_PROMPT)
    made = family(rng, size)
    if isinstance(made, dict):
        return _body(request(number, **made))
    if family in JSON:
        return made.encode()
    return _body(request(number, html=made))


def _body(fields: Fields) -> bytes:
    return json.dumps(fields).encode()

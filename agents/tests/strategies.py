"""Hypothesis strategies for requests: any JSON, and JSON that is nearly an action."""

from hypothesis import strategies as st

from agents.contract.action_types import CATALOGUE

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from(["", "//a", "/x?seed=1", "#go", "it's", "Enter", "down", "true", "1", "nan", "\ud800", "\0", "click", "[1"])
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=12
)

_SELECTORS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["attributeValueSelector", "tagContainsSelector", "xpathSelector", "cssSelector", "id"]) | SCALARS,
        "attribute": st.sampled_from(["id", "class", "name", "href", "custom", "xpath", "on click"]) | SCALARS,
        "value": SCALARS,
        "case_sensitive": SCALARS,
    },
)
_NAMES = sorted(
    {name for kind in CATALOGUE.values() for name in kind.fields} | {"value", "direction", "xpath", "timeSeconds", "key", "href"}
)
_TYPES = st.sampled_from([name for kind in CATALOGUE.values() for name in (kind.type, kind.tool, *kind.aliases)])


def near_actions() -> st.SearchStrategy[dict[str, object]]:
    """Dicts with a known type in one of the usual places, and fields that may be right."""
    fields = st.dictionaries(st.sampled_from(_NAMES), SCALARS | _SELECTORS, max_size=3)
    flat = st.builds(lambda name, given: {**given, "type": name}, _TYPES, fields)
    call = st.builds(lambda name, given: {"name": name, "arguments": given}, _TYPES, fields)
    return flat | call | call.map(lambda inner: {"type": "function", "function": inner})


URLS = st.sampled_from(
    [
        "http://localhost:8000/?seed=58",
        "http://localhost:8000/a?x=1&seed=58&y=<username>",
        "http://localhost:8000/a?seed=1&seed=58#top",
        "https://localhost:8000/a",
        "http://127.0.0.1:8000/a?seed=7",
        "http://[::1]:8000/a?%73eed=7",
        "http://localhost/a",
        "http://u:p@localhost:8000/",
        "http://evil.example:8000/?seed=58",
        "http://localhost:8000@evil.example/",
        "http://localhost:99999/",
        "http://[::1/",
        "//evil.example/a",
        "\\\\evil.example",
        "/login",
        "/login?seed=58&a",
        "login?x=2",
        "?q=1",
        "#top",
        "",
    ]
) | st.text(st.characters(), max_size=12)

"""Site facts from TOML files, one a site: those of the agent, overridden by those of the operators' folder.

A file is named after the caller's `web_project_id`; `_shared.toml` has the `[parts]` of all files of its folder. `docs/operations.md`
describes the tables.
"""

import re
import tomllib
from collections.abc import Iterator, Set
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import pydantic
from django.conf import settings
from pydantic import AfterValidator, Field, TypeAdapter

from agents.contract.actions import send_keys
from agents.contract.selectors import check_xpath
from agents.template import sites as template_sites
from agents.template.sites.site_facts import HOLE, MOST_PAGES, Fault, FormField, Item, SiteAction, SiteFacts, SitePlan, Sites

KNOWN = Path(template_sites.__file__).parent / "known"
SHARED = "_shared.toml"
TABLES = ("login", "items", "parts", "ways", "pages", "forms", "confidence", "port", "title")
VERBS = ("open", "list", "item", "fill", "choose", "press", "enter", "keys", "wait")
MOST_TRIES = 6  # a wrong choice costs a second or two, as does an unnecessary wait
LONGEST_WAIT = 10


def _route(text: str) -> str:
    if not text.startswith("/"):
        raise ValueError("it must be a route that begins with /, without scheme, host and seed")
    return text


def _xpath(text: str) -> str:
    check_xpath(HOLE.sub("'x'", text), "XPath")
    return text


def _relative(text: str) -> str:
    check_xpath(f"//*[{text}]", "XPath")
    return text


def _keys(text: str) -> str:
    send_keys(text)
    return text


def _expression(text: object) -> re.Pattern[str]:
    if not isinstance(text, str):
        raise ValueError("it must be a text")  # noqa: TRY004 -- pydantic collects ValueErrors
    try:
        return re.compile(rf"\b(?:{text})\b")
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression ({error})") from None


def _known_item(name: str, info: pydantic.ValidationInfo) -> str:
    if name not in (info.context or {})["items"]:
        raise ValueError(f"there is no item {name!r}; add items.{name}")
    return name


def _known_part(name: str) -> str:
    """Existing parts have been replaced by their actions already."""
    raise ValueError(f"there is no part {name!r} here; add it to parts")


Route = Annotated[str, AfterValidator(_route)]
XPath = Annotated[str, AfterValidator(_xpath)]
KnownItem = Annotated[str, AfterValidator(_known_item)]
ByField = dict[str, Annotated[str, AfterValidator(_relative)]]
Expression = Annotated[re.Pattern[str], pydantic.BeforeValidator(_expression)]


class _Table(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(strict=True, extra="forbid")


class _Item(_Table):
    list: Route
    card: XPath
    link: str = ""
    next: XPath = ""
    here: XPath = ""
    pages: int = Field(2, ge=0, le=MOST_PAGES)
    entries: int = Field(0, ge=0)
    texts: ByField = {}
    lists: ByField = {}
    numbers: ByField = {}
    dates: ByField = {}
    times: ByField = {}
    filters: dict[str, str] = {}
    search: dict[str, str] = {}
    sort: dict[str, Any] = {}

    @pydantic.model_validator(mode="after")
    def _has_valid_paths(self) -> "_Item":
        _xpath(self.card + self.link)
        return self


class _Action(_Table):
    open: Route | None = None
    list: KnownItem | None = None
    item: KnownItem | None = None
    fill: XPath | None = None
    choose: XPath | None = None
    press: XPath | None = None
    enter: XPath | None = None
    keys: Annotated[str, AfterValidator(_keys)] | None = None
    wait: int | None = Field(None, ge=1, le=LONGEST_WAIT)
    part: Annotated[str, AfterValidator(_known_part)] | None = None
    names: str = Field("", alias="with")
    default: str | None = Field(None, alias="else")
    options: tuple[Any, ...] = Field((), strict=False)
    only_if: str = Field("", alias="if")
    inside: str = ""
    tries: int = Field(1, ge=1, le=MOST_TRIES)
    each: str = ""
    times: str = ""

    @pydantic.model_validator(mode="after")
    def _has_one_verb(self) -> "_Action":
        if len(self.model_fields_set & set(VERBS)) != 1:
            raise ValueError(f"an action has exactly one of {', '.join(VERBS)}")
        return self

    def value(self) -> SiteAction:
        (verb,) = self.model_fields_set & set(VERBS)
        given = self.model_dump(exclude={*VERBS, "part"})
        return SiteAction(verb, str(getattr(self, verb)), **{**given, "options": tuple(map(str, self.options))})


class _Plan(_Table):
    task: str
    says: list[Expression]
    actions: list[_Action]
    login: bool = False
    unless: Expression | None = None


class _Page(_Table):
    html: str = ""
    to: str = ""


class _Field(_Table):
    kind: str
    names: list[str] = []


class _Form(_Table):
    fields: list[_Field]


_ITEM, _PLAN, _LOGIN, _PAGE = TypeAdapter(_Item), TypeAdapter(_Plan), TypeAdapter(list[_Action]), TypeAdapter(_Page)
_FORM = TypeAdapter(_Form)
_CONFIDENCE = TypeAdapter[float](Annotated[float, Field(strict=True, ge=0, le=1)])
_PORT = TypeAdapter[int](Annotated[int, Field(strict=True, ge=1, le=65_535)])
_TITLE = TypeAdapter[str](Annotated[str, Field(strict=True, min_length=3)])


def known_sites() -> Sites:
    return _loaded(settings.SITE_FACTS_DIR)[0]


def faults() -> tuple[Fault, ...]:
    return _loaded(settings.SITE_FACTS_DIR)[1]


@cache
def _loaded(folder: Path | None) -> tuple[Sites, tuple[Fault, ...]]:
    return load(KNOWN, *([folder] if folder else []))


def load(*folders: Path) -> tuple[Sites, tuple[Fault, ...]]:
    """The facts of all `*.toml` in the folders, by project. Facts of later folders take precedence.

    Invalid entries are left out and reported; nothing raises.
    """
    sites: dict[str, SiteFacts] = {}
    faults: list[Fault] = []
    for folder in folders:
        if not folder.is_dir():
            faults.append(Fault(str(folder), "folder", "Make it a folder with a TOML file a site, or leave the setting empty."))
        tables = {file: _table(file, faults) for file in sorted(folder.glob("*.toml"))}
        shared = _shared(tables.pop(folder / SHARED, {}), faults)
        for file, raw in tables.items():
            own = raw.get("parts", {})
            parts = shared | own if isinstance(own, dict) else own
            sites[file.stem] = read_table(file.name, raw | {"parts": parts}, sites.get(file.stem, SiteFacts()), faults)
    return sites, tuple(faults)


def _shared(table: dict[str, Any], faults: list[Fault]) -> dict[str, Any]:
    faults += [Fault(SHARED, name, "Only parts are shared; move it into the file of a site.") for name in sorted(table.keys() - {"parts"})]
    parts = table.get("parts", {})
    if isinstance(parts, dict):
        return parts
    faults.append(Fault(SHARED, "parts", "Make it a table."))
    return {}


def _table(file: Path, faults: list[Fault]) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        faults.append(Fault(file.name, "file", f"Make it readable TOML: {error}."))
        return {}


def _with_plans(raw: dict[str, Any]) -> dict[str, Any]:
    """The table with `ways` as a list, where they may be a table by task, and with the actions of `parts` in the place of their names. What
    else an entry with the name of a part has, such as `if`, holds for those of the part's actions that do not have it themselves."""
    plans, parts = raw.get("ways", []), raw.get("parts", {})
    if isinstance(plans, dict):
        plans = [{"task": task, **plan} if isinstance(plan, dict) else plan for task, plan in plans.items()]
    if not isinstance(plans, list) or not isinstance(parts, dict):
        return raw
    expanded = [
        plan | {"actions": _expanded(plan["actions"], parts)} if isinstance(plan, dict) and "actions" in plan else plan for plan in plans
    ]
    return raw | {"ways": expanded} | ({"login": _expanded(raw["login"], parts)} if "login" in raw else {})


def _expanded(actions: Any, parts: dict[str, Any]) -> Any:
    if not isinstance(actions, list):
        return actions
    made = list[Any]()
    for action in actions:
        name = action.get("part") if isinstance(action, dict) else None
        part = parts.get(name) if isinstance(name, str) else None
        if not isinstance(part, list):
            made.append(action)
            continue
        others = {key: other for key, other in parts.items() if key != name}  # no part contains itself
        given = {key: value for key, value in action.items() if key != "part"}
        made += [given | each if isinstance(each, dict) else each for each in _expanded(part, others)]
    return made


def read_table(file: str, raw: dict[str, Any], base: SiteFacts, faults: list[Fault]) -> SiteFacts:
    """The facts of a site's table, taking precedence over `base`. Invalid entries are left out and reported as of `file`."""
    raw = _with_plans(raw)

    def usable(entry: str, kind: TypeAdapter[Any], value: object, items: Set[str] = frozenset()) -> Iterator[Any]:
        try:
            yield kind.validate_python(value, context={"items": items})
        except pydantic.ValidationError as error:
            first = error.errors(include_url=False)[0]
            path = ".".join(str(part + 1 if isinstance(part, int) else part) for part in first["loc"])
            faults.append(Fault(file, entry, f"{f'{path}: ' if path else ''}{first['msg'].removeprefix('Value error, ')}."))

    def part(name: str, kind: type[Any]) -> Any:
        if isinstance(raw.get(name, kind()), kind):
            return raw.get(name, kind())
        faults.append(Fault(file, name, f"Make it a {'table' if kind is dict else 'list'}."))
        return kind()

    for name in sorted(raw.keys() - set(TABLES)):
        faults.append(Fault(file, name, f"Only {', '.join(TABLES[:-1])} and {TABLES[-1]} are known here; take it out."))
    items = {
        name: Item(**item.model_dump()) for name, table in part("items", dict).items() for item in usable(f"items.{name}", _ITEM, table)
    }
    names = base.items.keys() | items.keys()
    plans = [
        SitePlan(plan.task, tuple(plan.says), tuple(action.value() for action in plan.actions), plan.login, plan.unless)
        for number, table in enumerate(part("ways", list), 1)
        for plan in usable(f"ways, entry {number}", _PLAN, table, names)
    ]
    pages = {
        key: page.model_dump(exclude_defaults=True)
        for key, table in part("pages", dict).items()
        for page in usable(f"pages.{key}", _PAGE, table)
    }
    forms = {
        key: tuple(FormField(field.kind, tuple(field.names)) for field in form.fields)
        for key, table in part("forms", dict).items()
        for form in usable(f"forms.{key}", _FORM, table)
    }
    login = tuple(action.value() for actions in usable("login", _LOGIN, part("login", list), names) for action in actions)
    given = usable("confidence", _CONFIDENCE, raw["confidence"]) if "confidence" in raw else iter(())
    port = next(usable("port", _PORT, raw["port"]), base.port) if "port" in raw else base.port
    title = next(usable("title", _TITLE, raw["title"]), base.title) if "title" in raw else base.title
    all_items, all_pages, all_forms = {**base.items, **items}, {**base.pages, **pages}, {**base.forms, **forms}
    rate = next(given, base.confidence)
    return SiteFacts(login or base.login, all_items, (*plans, *base.plans), all_pages, all_forms, confidence=rate, port=port, title=title)

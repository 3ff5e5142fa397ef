"""Writes TOML for tables of texts, numbers, booleans, lists and further tables."""

import json
from collections.abc import Iterator, Mapping
from typing import Any


def toml(table: Mapping[str, Any], name: str = "") -> str:
    """The table as TOML, which `tomllib` reads as the same table."""
    return "\n".join(_lines(table, name)).strip() + "\n"


def _lines(table: Mapping[str, Any], name: str) -> Iterator[str]:
    inner = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    if name and (len(inner) < len(table) or not table):
        yield f"\n[{name}]"
    for key, value in table.items():
        if key not in inner:
            yield f"{_text(key)} = {_value(value)}"
    for key, value in inner.items():
        yield from _lines(value, f"{name}.{_text(key)}" if name else _text(key))


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_text(key)} = {_value(entry)}" for key, entry in value.items()) + " }"
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(text: str) -> str:
    """TOML's basic strings are those of JSON, except that DEL is escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

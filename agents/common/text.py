"""Text that every database and JSON parser accepts, and durations as text."""


def storable(text: str) -> str:
    """The text with lone surrogates and NUL characters replaced: PostgreSQL refuses NUL, UTF-8 refuses surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def storable_json(value: object, depth: int = 8) -> object:
    """A JSON value with storable texts and keys. Values nested deeper than `depth` become None, so that no parser's stack overflows."""
    if isinstance(value, str):
        return storable(value)
    if not isinstance(value, dict | list):
        return value
    if depth == 0:
        return None
    if isinstance(value, list):
        return [storable_json(item, depth - 1) for item in value]
    return {storable(str(key)): storable_json(item, depth - 1) for key, item in value.items()}


def shorten(text: str, length: int = 80) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def length(seconds: float, units: int = 2) -> str:
    """A duration in its `units` largest units, such as 3 min 12 s."""
    left, parts = max(0, round(seconds)), list[str]()
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
    return " ".join(parts[:units])

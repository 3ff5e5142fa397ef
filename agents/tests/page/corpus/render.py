"""A page of the corpus with a seed: in text here, in the browser by browser.js."""

import re
from pathlib import Path
from zlib import crc32

FOLDER = Path(__file__).parent
PAGES = sorted((FOLDER / "pages").glob("*.html"))
IN_BROWSER, LOOKS = ((FOLDER / name).read_text() for name in ("browser.js", "looks.css"))

_ONE_OF, _ID = re.compile(r"\[\[(.*?)\]\]", re.S), re.compile(r"@@(\w+)")


def rendered(path: Path, seed: int) -> str:
    """The head's style and script are taken out of the page again once it is there."""
    page = _ID.sub(lambda found: _id(found[1], seed), _ONE_OF.sub(lambda found: _one_of(found[1], seed), path.read_text()))
    head = f"<style corpus>{LOOKS}</style><script corpus>const seed = {seed};{IN_BROWSER}</script>"
    return f"<!doctype html><html><head><meta charset=utf-8><title>{path.stem}</title>{head}</head>{page}</html>"


def _one_of(texts: str, seed: int) -> str:
    choice = texts.split("|")
    return choice[(crc32(texts.encode()) + seed) % len(choice)]


def _id(name: str, seed: int) -> str:
    """As people write it, as React makes it, and with a hash behind it."""
    number = crc32(name.encode()) + seed
    return (name, f":r{number % 97}:", f"{name}-{number % 0xFFFFF:05x}")[seed % 3]

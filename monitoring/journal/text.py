"""Bytes → lines of text, whatever the bytes are, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

# Of a longer line its beginning is read: no record's head is further in, and a file without line breaks must not fill the memory.
LONGEST_LINE = 65_536


def text_lines(chunks: Iterable[bytes]) -> Iterator[list[str]]:
    """The lines of each chunk, without their line breaks; a line that goes on in the next chunk comes with that one."""
    rest, is_cut = b"", False
    for chunk in chunks:
        *whole, last = chunk.split(b"\n")
        if whole:
            whole[0] = rest if is_cut else rest + whole[0]
            rest, is_cut = b"", False
            yield _decoded(whole)
        if not is_cut:
            rest += last
            rest, is_cut = rest[:LONGEST_LINE], len(rest) > LONGEST_LINE
    if rest:
        yield _decoded([rest])


def _decoded(lines: list[bytes]) -> list[str]:
    try:
        # All at once is quick, and nearly always possible.
        found = b"\n".join(lines).decode().split("\n")
    except UnicodeDecodeError:
        found = [_one(line) for line in lines]
    # A database takes no NUL.
    return [line[:LONGEST_LINE].rstrip("\r").replace("\0", "\ufffd") for line in found]


def _one(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")

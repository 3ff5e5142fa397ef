"""The rows of a table as one test, which runs every row and names those that fail."""

import inspect
import traceback
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar

import pytest

Row = TypeVar("Row")
# Of a failing row's traceback: its own check and what it called.
FRAMES = 3


def each_row(rows: Iterable[Row], check: Callable[[Row], object], name: Callable[[Row], str] = str) -> None:
    """Fails where a row fails, and where there is none."""
    count, failed = 0, list[str]()
    for row in rows:
        count += 1
        try:
            check(row)
        except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 -- every error of a row is reported
            failed.append(f"{name(row)[:200]}\n" + "".join(traceback.format_exception(error, limit=-FRAMES)))
    assert count, "no row"
    if failed:
        pytest.fail(f"{len(failed)} of {count} rows fail\n" + "\n".join(failed), pytrace=False)


def rows(names: str | tuple[str, ...], values: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """In place of `pytest.mark.parametrize`, for tests whose rows leave nothing behind for each other."""
    keys, table = names.replace(" ", "").split(",") if isinstance(names, str) else names, list(values)

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(test)

        @wraps(test)
        def every_row(**fixtures: Any) -> None:
            each_row(table, lambda row: test(**fixtures, **dict(zip(keys, row if len(keys) > 1 else [row], strict=True))))

        rest = [parameter for name, parameter in signature.parameters.items() if name not in keys]
        every_row.__signature__ = signature.replace(parameters=rest)  # type: ignore[attr-defined]
        return every_row

    return decorate

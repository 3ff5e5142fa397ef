"""Paging of the API: the same pages as in the panel, with links to the next and the previous one."""

from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode

from django.db.models import Model
from django.http import Http404, HttpRequest
from ninja import Field, Path, Schema

from monitoring.api.problems import ApiProblem, FieldError, bad_field
from monitoring.reporting.filter_query import MAX_QUERY, Qualifier, Query, parse
from monitoring.reporting.pagination import Cursor, Place, Slice, fitting

M = TypeVar("M", bound=Model)
T = TypeVar("T")
CURSOR = r"^(\d{1,17}-\d{1,18}|n-?\d{1,20}(\.\d{1,20})?-\d{1,18})$"
PLAIN = r"^[^\x00]*$"  # PostgreSQL accepts no NUL

Id = Annotated[int, Path(ge=1, le=2**63 - 1)]
Text = Annotated[str, Field(pattern=PLAIN)]
Line = Annotated[
    str, Field(max_length=MAX_QUERY, pattern=PLAIN, description="The filter line of the page, such as route:template since:2h")
]


def get_row(model: type[M], pk: int, field: str = "pk") -> M:
    """The row. Raises Http404 with a message."""
    row = model._default_manager.filter(**{field: pk}).first()  # noqa: SLF001 -- Django's documented manager of any model
    if row is None:
        raise Http404(f"There is no {model._meta.verbose_name} {pk}.")  # noqa: SLF001 -- as above
    return row


class Paging(Schema):
    """The start of a page, as in `next` and `previous` of another page."""

    older: Annotated[str, Field(pattern=CURSOR)] | None = None
    newer: Annotated[str, Field(pattern=CURSOR)] | None = None

    def place(self, at: str) -> Place:
        """`at`: the field that the rows are ordered by."""
        place = Place.parse({"older": self.older or "", "newer": self.newer or ""})
        if fitting(place, at) != place:
            raise bad_field("older" if self.older else "newer", "This cursor belongs to another order.", "Start at the first page.")
        return place


class Page(Schema, Generic[T]):
    """`count`: of all matching rows, null if not counted; `is_capped`: there are more. `next`: the page of older rows."""

    items: list[T]
    count: int | None = None
    is_capped: bool = False
    next: str | None = None
    previous: str | None = None


def paged(request: HttpRequest, page: Slice[Any], items: list[Any] | None = None) -> dict[str, Any]:
    return {
        "items": list(page.rows) if items is None else items,
        "count": None if page.count is None else int(page.count),
        "is_capped": page.count is not None and page.count.is_more,
        "next": _link(request, "older", page.older),
        "previous": _link(request, "newer", page.newer),
    }


def _link(request: HttpRequest, name: str, cursor: Cursor | None) -> str | None:
    if cursor is None:
        return None
    kept = [(key, value) for key, value in request.GET.items() if key not in ("older", "newer")]
    return f"{request.path}?{urlencode([*kept, (name, str(cursor))])}"


def query_of(line: str, qualifiers: tuple[Qualifier, ...]) -> Query:
    """The parsed filter line; unlike on a page, an invalid condition is an error."""
    query = parse(line, qualifiers)
    if query.faults:
        names = ", ".join(qualifier.name for qualifier in qualifiers)
        errors = [FieldError(field="q", message=fault, remedy=f"Qualifiers: {names}.") for fault in query.faults]
        raise ApiProblem(422, f"q: {' '.join(query.faults)}", errors)
    return query

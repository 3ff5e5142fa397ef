"""Pages of the API: the panel's own, with links to their neighbours."""

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
PLAIN = r"^[^\x00]*$"  # PostgreSQL takes no zero character

Id = Annotated[int, Path(ge=1, le=2**63 - 1)]
Text = Annotated[str, Field(pattern=PLAIN)]
Line = Annotated[
    str, Field(max_length=MAX_QUERY, pattern=PLAIN, description="The filter line of the page, such as route:template since:2h")
]


def found_in(model: type[M], pk: int, field: str = "pk") -> M:
    """The row. Raises Http404 in words."""
    row = model._default_manager.filter(**{field: pk}).first()  # noqa: SLF001 -- Django's documented manager of any model
    if row is None:
        raise Http404(f"There is no {model._meta.verbose_name} {pk}.")  # noqa: SLF001 -- and its name
    return row


class Paging(Schema):
    """Where a page begins; `next` and `previous` of another page have it."""

    older: Annotated[str, Field(pattern=CURSOR)] | None = None
    newer: Annotated[str, Field(pattern=CURSOR)] | None = None

    def place(self, at: str) -> Place:
        """`at`: by which field the rows are ordered."""
        place = Place.parse({"older": self.older or "", "newer": self.newer or ""})
        if fitting(place, at) != place:
            raise bad_field("older" if self.older else "newer", "It is a place in another order.", "Begin at the first page.")
        return place


class Page(Schema, Generic[T]):
    """`count`: of all rows that match, where they are counted; `is_capped`: there are more. `next`: the page of older rows."""

    items: list[T]
    count: int | None = None
    is_capped: bool = False
    next: str | None = None
    previous: str | None = None


def paged(request: HttpRequest, found: Slice[Any], items: list[Any] | None = None) -> dict[str, Any]:
    return {
        "items": list(found.rows) if items is None else items,
        "count": None if found.count is None else int(found.count),
        "is_capped": found.count is not None and found.count.is_more,
        "next": _link(request, "older", found.older),
        "previous": _link(request, "newer", found.newer),
    }


def _link(request: HttpRequest, name: str, cursor: Cursor | None) -> str | None:
    if cursor is None:
        return None
    kept = [(key, value) for key, value in request.GET.items() if key not in ("older", "newer")]
    return f"{request.path}?{urlencode([*kept, (name, str(cursor))])}"


def query_of(line: str, qualifiers: tuple[Qualifier, ...]) -> Query:
    """The filter line; unlike on a page, nothing is left out of it."""
    query = parse(line, qualifiers)
    if query.faults:
        names = ", ".join(each.name for each in qualifiers)
        errors = [FieldError(field="q", message=fault, remedy=f"Known words: {names}.") for fault in query.faults]
        raise ApiProblem(422, f"q: {' '.join(query.faults)}", errors)
    return query

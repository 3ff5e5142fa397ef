"""Errors of the API as problem+json (RFC 9457), with the field and its remedy."""

import logging
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import ValidationError as Invalid
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError, ValidationError

from agents.database import RETRY_SECONDS, UNAVAILABLE
from monitoring.settings.forms import bounds_text
from monitoring.testruns.suites.running import AlreadyRunning

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 20  # in one answer; a body may have a million wrong fields
DOCUMENTED = "Send what /api/v1/openapi.json describes."
# By the type of pydantic's error.
REMEDIES = {"missing": "Add it.", "extra_forbidden": "Remove it.", "json_invalid": "Send a JSON document."}


class FieldError(Schema):
    """`field`: of the body or the query, with dots between its parts; `remedy`: what to send instead."""

    field: str
    message: str
    remedy: str


class Problem(Schema):
    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []


class ApiProblem(Exception):
    """Answered as a Problem. `detail` has the remedy."""

    def __init__(self, status: int, detail: str, errors: Iterable[FieldError] = (), headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors, self.headers = status, detail, list(errors), headers


def answer(status: int, detail: str, errors: Iterable[FieldError] = (), headers: Mapping[str, str] | None = None) -> HttpResponse:
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=list(errors)).model_dump()
    response = JsonResponse(body, status=status, content_type=MEDIA_TYPE, headers=headers)
    # Otherwise Django logs a warning, a row, for each mistake of a program
    response._has_been_logged = status < 500  # type: ignore[attr-defined]  # noqa: SLF001 -- what Django's own `log_response` reads
    return response


def bad_field(field: str, message: str, remedy: str = DOCUMENTED) -> ApiProblem:
    return ApiProblem(422, f"{field}: {message} {remedy}", [FieldError(field=field, message=message, remedy=remedy)])


def of_form(form: BaseForm) -> ApiProblem:
    """The errors of one of the panel's forms."""
    return _of_messages({"body" if name == "__all__" else name: list(map(str, faults)) for name, faults in form.errors.items()})


def _of_messages(faults: Mapping[str, list[str]]) -> ApiProblem:
    errors = [FieldError(field=name, message=text, remedy=_remedy(name)) for name, texts in faults.items() for text in texts]
    return ApiProblem(422, " ".join(f"{error.field}: {error.message}" for error in errors), errors)


def _remedy(name: str) -> str:
    bounds = bounds_text(name)
    return f"Give {bounds}." if bounds else DOCUMENTED


def of_invalid(error: Invalid) -> ApiProblem:
    """The errors of a model's validation."""
    faults = error.message_dict if hasattr(error, "error_dict") else {"__all__": error.messages}
    return _of_messages({"body" if name == "__all__" else name: texts for name, texts in faults.items()})


def wrong_method(allowed: str) -> HttpResponse:
    return answer(405, f"Use {allowed}.", headers={"Allow": allowed})


def handle(api: NinjaAPI) -> None:
    """Answer every error of the API's views as a Problem."""
    handlers: dict[type[Exception], Any] = {
        ApiProblem: lambda _, error: _answer_to(error),
        Invalid: lambda _, error: _answer_to(of_invalid(error)),
        ValidationError: lambda _, error: _answer_to(_of_parameters(error)),
        HttpError: _of_http_error,
        Http404: lambda _, error: answer(404, str(error) or "Not found."),
        AlreadyRunning: lambda _, error: answer(409, f"{error} Follow it at /api/v1/test-runs/{error.run.pk}, or cancel it."),
        UnreadablePostError: lambda *_: answer(400, "The body is incomplete. Send it again."),
        **dict.fromkeys(UNAVAILABLE, database_away),
        Exception: _fault,
    }
    for error, handler in handlers.items():
        api.add_exception_handler(error, handler)


def _answer_to(problem: ApiProblem) -> HttpResponse:
    return answer(problem.status, problem.detail, problem.errors, problem.headers)


def _of_parameters(invalid: ValidationError) -> ApiProblem:
    errors = [
        FieldError(field=_field(error["loc"]), message=f"{error['msg']}.", remedy=REMEDIES.get(error["type"], DOCUMENTED))
        for error in invalid.errors[:MOST_ERRORS]
    ]
    return ApiProblem(422, " ".join(f"{error.field}: {error.message}" for error in errors), errors)


def _field(place: tuple[Any, ...]) -> str:
    """The field's path, without its source (query, path, body) and the view's argument."""
    kind, *parts = map(str, place)
    parts = parts[1:] if kind == "body" else parts
    return ".".join(parts) or kind


def unauthorized() -> HttpResponse:
    remedy = "Send “Authorization: Bearer mp_…” with a token that is not revoked or expired. Make one in the panel, below API tokens."
    return answer(401, remedy, headers={"WWW-Authenticate": "Bearer"})


def _of_http_error(_: HttpRequest, error: HttpError) -> HttpResponse:
    if error.status_code == 401:
        return unauthorized()
    if error.status_code == 400:
        return answer(400, "The body is not JSON.", [FieldError(field="body", message="It is not JSON.", remedy=REMEDIES["json_invalid"])])
    return answer(error.status_code, str(error))


def database_away(*_: object) -> HttpResponse:
    return answer(503, "The database does not answer. Send the request again.", headers={"Retry-After": f"{RETRY_SECONDS:.0f}"})


def _fault(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("The API failed at %s.", request.path, exc_info=error)
    return answer(500, "The panel failed. Its log has the traceback.")

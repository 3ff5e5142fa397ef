"""The control port: `GET /state`, `POST /set` (the settings to change), `POST /ban` ({"seconds": s}), `POST /reset`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from agents.standin.chutes import Chutes
from agents.standin.faults import BadSetting
from agents.standin.fields import number
from agents.standin.server import Answer, App, Request, json_answer


def control(chutes: Chutes) -> App:
    """The app of the control port."""

    def app(request: Request) -> Answer:
        match request.method, request.path:
            case "GET", "/state":
                return json_answer(200, chutes.state(request.now))
            case "POST", "/set":
                return _set(chutes, request)
            case "POST", "/ban":
                return _ban(chutes, request)
            case "POST", "/reset":
                chutes.reset(request.now)
                return json_answer(200, chutes.state(request.now))
        return json_answer(404, {"error": "Unknown; there are GET /state, POST /set, POST /ban and POST /reset."})

    return app


def _set(chutes: Chutes, request: Request) -> Answer:
    return _done(chutes, request, lambda body: chutes.change(body, request.now), "settings")


def _ban(chutes: Chutes, request: Request) -> Answer:
    return _done(chutes, request, lambda body: chutes.ban(_seconds(body), request.now), "account")


def _seconds(body: object) -> float:
    return number("seconds", body.get("seconds") if isinstance(body, dict) else None)


def _done(chutes: Chutes, request: Request, act: Callable[[Any], None], told: str) -> Answer:
    try:
        act(json.loads(request.body))
    except BadSetting as error:
        return json_answer(400, {"error": str(error), "field": error.field})
    except ValueError as error:
        return json_answer(400, {"error": f"body: not JSON ({error})", "field": "body"})
    return json_answer(200, {told: chutes.state(request.now)[told]})

"""The control port: `GET /state`, `POST /set` (the settings to change), `POST /reset`."""

from __future__ import annotations

import json

from agents.standin.behaviour import BadSetting
from agents.standin.chutes import Chutes
from agents.standin.server import Answer, App, Request, json_answer


def control(chutes: Chutes) -> App:
    """The app of the control port."""

    def app(request: Request) -> Answer:
        match request.method, request.path:
            case "GET", "/state":
                return json_answer(200, chutes.state(request.now))
            case "POST", "/set":
                return _set(chutes, request)
            case "POST", "/reset":
                chutes.reset(request.now)
                return json_answer(200, chutes.state(request.now))
        return json_answer(404, {"error": "Unknown; there are GET /state, POST /set and POST /reset."})

    return app


def _set(chutes: Chutes, request: Request) -> Answer:
    try:
        chutes.change(json.loads(request.body), request.now)
    except BadSetting as error:
        return json_answer(400, {"error": str(error), "field": error.field})
    except ValueError as error:
        return json_answer(400, {"error": f"body: not JSON ({error})", "field": "body"})
    return json_answer(200, {"settings": chutes.state(request.now)["settings"]})

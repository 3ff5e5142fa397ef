"""The callers' endpoints."""

import logging
import os
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from agents import VERSION
from agents.contract import limits, protocol
from agents.standalone.agent import Agent
from agents.standalone.gateway import Gateway
from agents.standalone.options import Options


def application(options: Options, environment: Mapping[str, str] = os.environ) -> FastAPI:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # else a line a request
    gateway, agent_id = gateway_of(environment), environment.get("SANDBOX_AGENT_UID", "1")
    agent = Agent(options, Gateway(gateway) if gateway and options.models else None, agent_id)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    async def answer(request: Request) -> JSONResponse:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > limits.MAX_BODY:
                message = f"The body is larger than {limits.MAX_BODY:,} bytes. Send a smaller page."
                return JSONResponse({"error": message, "field": "body"}, 413)
        try:
            return JSONResponse(await agent.answer(request.url.path, bytes(body)))
        except protocol.BadRequest as error:
            return JSONResponse({"error": str(error), "field": error.field}, 400)

    async def health() -> JSONResponse:
        return JSONResponse({"status": "healthy", "agent_type": options.mode, "version": VERSION, "models": list(options.models)})

    for path in protocol.PATHS:
        app.add_api_route(path, answer, methods=["POST"])
    app.add_api_route("/health", health, methods=["GET", "HEAD"])
    return app


def gateway_of(environment: Mapping[str, str]) -> str:
    """The base URL of its chat API, "" where there is no gateway: then the template agent answers."""
    root = environment.get("SANDBOX_GATEWAY_URL", "").rstrip("/")
    return environment.get("CHUTES_BASE_URL") or (f"{root}/chutes/v1" if root else "")

"""A scripted assistant, by the SDK's own client: makes the calls that it reads from standard input, and prints the answers.

Runs with the packages of requirements-mcp.txt: `assistant.py SERVER`, which is the JSON by which clients start a server, or a URL, with
MCP_TOKEN. Calls are [tool, arguments] as JSON; an argument "@3" is the confirmation that the answer number 3 has.
"""

import json
import os
import sys
import time
from contextlib import AsyncExitStack
from typing import Any

import anyio
import httpx2
from mcp import StdioServerParameters
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client


async def answers(where: str, calls: list[tuple[str, dict[str, Any]]]) -> list[Any]:
    async with AsyncExitStack() as stack:
        if where.startswith("{"):
            server: Any = StdioServerParameters(**json.loads(where), cwd="/")
        else:
            bearer = {"Authorization": f"Bearer {os.environ['MCP_TOKEN']}"}
            http = await stack.enter_async_context(httpx2.AsyncClient(headers=bearer, timeout=60))
            server = streamable_http_client(where, http_client=http)
        client = await stack.enter_async_context(Client(server, read_timeout_seconds=60))
        listed: list[Any] = [[tool.name for tool in (await client.list_tools()).tools]]
        for name, arguments in calls:
            filled = {key: _filled(value, listed) for key, value in arguments.items()}
            started = time.perf_counter()
            result = await client.call_tool(name, filled)
            text = "".join(getattr(part, "text", "") for part in result.content)
            shown = {"error": text} if result.is_error else json.loads(text)
            listed.append({**shown, "seconds": time.perf_counter() - started})
        return listed


def _filled(value: Any, answers: list[Any]) -> Any:
    return answers[int(value[1:])]["confirmation"] if isinstance(value, str) and value.startswith("@") else value


if __name__ == "__main__":
    print(json.dumps(anyio.run(answers, sys.argv[1], json.load(sys.stdin))))  # noqa: T201 -- a program's output

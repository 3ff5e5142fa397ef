"""A web server that receives Apprise's posts in tests."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """`url`: for a channel, with secrets in it; `messages`: received ones in order; `status`: of its responses."""

    def __init__(self, port: int) -> None:
        self.url = f"json://user:pa55word-very-secret@127.0.0.1:{port}/hook/s3cr3t-path"
        self.messages: list[dict[str, Any]] = []
        self.status = 200


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port, stopped at the end."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if mailbox.status == 200:
                mailbox.messages.append(json.loads(body))
            self.send_response(mailbox.status)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Not in the tests' output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        mailbox = Receiver(server.server_address[1])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield mailbox
        server.shutdown()

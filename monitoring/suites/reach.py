"""Why a host can't be reached: its name, the connection, or its certificate, each told apart."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

# A host that does not take a connection by then is no use inside a step.
PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Reach:
    """`fault` "": the host takes connections. Else one of address, dns, refused, timeout, network, tls; `words` say it."""

    fault: str = ""
    words: str = ""


def reach(url: str) -> Reach:
    """Look the host up, connect, and shake hands where the URL wants TLS. Sends nothing."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        return Reach("address", f"{url} is no usable address ({error}).")
    if not host:
        return Reach("address", f"{url} names no host.")
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        return Reach("dns", f"The name {host} can't be resolved ({error}).")
    return _connect(host, addresses[0][4][0], port, is_tls=parts.scheme == "https")


def _connect(host: str, address: object, port: int, *, is_tls: bool) -> Reach:
    try:
        with socket.create_connection((str(address), port), PATIENCE) as connection:
            if is_tls:
                with ssl.create_default_context().wrap_socket(connection, server_hostname=host):
                    pass
    except TimeoutError:
        return Reach("timeout", f"{host} port {port} did not take a connection within {PATIENCE:.0f} s.")
    except ConnectionRefusedError:
        return Reach("refused", f"Nothing listens at {host} port {port}.")
    except ssl.SSLError as error:
        return Reach("tls", f"{host} has no valid certificate, or does not speak TLS ({error.reason or error}).")
    except OSError as error:
        return Reach("network", f"{host} port {port} can't be reached ({error}).")
    return Reach()

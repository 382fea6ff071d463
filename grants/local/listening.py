"""The one socket visitors come to, and the web process that answers on it."""

from __future__ import annotations

import errno
import http.client
import logging
import signal
import socket
from typing import Any

from grants.local.folder import LocalError


def listen(host: str, port: int) -> socket.socket:
    """The one listening socket; a taken port is an error that names it."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(1024)
        listener.set_inheritable(True)
        return listener
    except socket.gaierror as error:
        raise LocalError(f"HOST is “{host}”, which is not an address of this machine. Try HOST=127.0.0.1.") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise LocalError(
                f"Port {port} is taken by another program. End it, or choose another port: PORT={port + 80} make run"
            ) from error
        if error.errno == errno.EACCES:
            raise LocalError(
                f"Port {port} may be opened by root only. Choose one from 1024 on: PORT=8000 make run"
            ) from error
        raise LocalError(f"{host} port {port} cannot be opened ({error.strerror}). Check HOST and PORT.") from error


def address_of(host: str, port: int) -> str:
    shown = _local_host(host)
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def _local_host(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def answers_http(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(_local_host(host), port, timeout=4)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        return True
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def serve(app: Any, settings: Any, listener: socket.socket) -> None:
    """The web process: waitress on a socket that the supervisor keeps open, so that a restart loses no visitor."""
    import waitress

    signal.signal(signal.SIGTERM, _leave)
    logging.basicConfig(level=settings.LOG_LEVEL, format="%(asctime)s web %(levelname)s %(name)s: %(message)s")
    # Waiting for a free thread is no news.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    waitress.serve(
        app,
        sockets=[listener],
        threads=8,
        ident=None,
        _quiet=True,
        # The program itself reads as many forwarded hops as TRUSTED_PROXIES says; otherwise they are dropped here.
        clear_untrusted_proxy_headers=settings.TRUSTED_PROXIES == 0,
    )


def _leave(number: int, frame: object) -> None:
    raise SystemExit(0)

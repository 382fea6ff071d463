"""A real server for the tests' browsers, which ends only when every request it took is answered."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from werkzeug.serving import ThreadedWSGIServer


class Listener(ThreadedWSGIServer):
    """A thread for each connection, all waited for at the end.

    A page asks on by itself, also while its test ends. Such a request still holds a connection to the database; were the
    program given back under it, that connection would be lost unclosed.
    """

    daemon_threads = False

    def __init__(self, wsgi: Any) -> None:
        super().__init__("127.0.0.1", 0, wsgi)
        self.taken: list[socket.socket] = []

    def process_request(self, request: Any, client_address: Any) -> None:
        self.taken.append(request)
        super().process_request(request, client_address)

    def server_close(self) -> None:
        """Take nothing more, answer what was asked, and wait until that is done."""
        for connection in self.taken:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
        super().server_close()


@contextmanager
def listening(wsgi: Any) -> Iterator[str]:
    """The address at which this program answers while the block lasts."""
    server = Listener(wsgi)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

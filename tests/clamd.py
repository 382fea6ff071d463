"""A small server that speaks the protocol of clamd, for tests: VERSION and INSTREAM, over TCP or a unix socket."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# The test file every scanner knows, in two halves, so that none mistakes this module for it.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
SIGNATURE = "Eicar-Test-Signature"
VERSION = "ClamAV 1.4.1/27485/Mon Dec  9 09:46:44 2024"


class Clamd:
    """What the server says. ``says`` overrules its verdict; an empty one hangs up in the middle of it."""

    def __init__(self) -> None:
        self.address = ""
        self.says: bytes | None = None
        self.asked = 0

    def verdict(self, data: bytes) -> bytes:
        if self.says is not None:
            return self.says
        return b"stream: OK\0" if EICAR not in data else f"stream: {SIGNATURE} FOUND\0".encode()


def _handler(clamd: Clamd) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            command = b""
            while not command.endswith(b"\0"):
                command += self.rfile.read(1)
            if command == b"zVERSION\0":
                self.wfile.write(VERSION.encode() + b"\0")
            elif command == b"zINSTREAM\0":
                clamd.asked += 1
                data = b""
                while size := struct.unpack("!L", self.rfile.read(4))[0]:
                    data += self.rfile.read(size)
                self.wfile.write(clamd.verdict(data))
            else:
                self.wfile.write(b"UNKNOWN COMMAND\0")

    return Handler


@contextmanager
def clamd(socket_path: Path | None = None) -> Iterator[Clamd]:
    """A running server: on a free port, or on the socket named."""
    found = Clamd()
    server: Any
    if socket_path is None:
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _handler(found))
        found.address = f"tcp://127.0.0.1:{server.server_address[1]}"
    else:
        server = socketserver.ThreadingUnixStreamServer(str(socket_path), _handler(found))
        found.address = f"unix://{socket_path}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

"""A mail server of the tests: speaks enough SMTP, keeps what it was given, and refuses whom it is told to refuse."""

from __future__ import annotations

import socketserver
import threading
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import cast


class MailServer(socketserver.ThreadingTCPServer):
    """Listens on a port of its own choice on this machine."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.received: list[bytes] = []
        self.refused: dict[str, str] = {}
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"

    @property
    def messages(self) -> list[EmailMessage]:
        return [cast(EmailMessage, message_from_bytes(data, policy=default)) for data in self.received]

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Talk(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server = cast(MailServer, self.server)
        self.say("220 tests")
        while line := self.rfile.readline():
            verb = line.decode().strip()
            word = verb[:4].upper()
            if word == "RCPT":
                address = verb.partition("<")[2].rstrip(">")
                self.say(server.refused.get(address, "250 ok"))
            elif word == "DATA":
                self.say("354 go on")
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line.removeprefix(b"."))
                server.received.append(b"".join(lines))
                self.say("250 ok")
            elif word == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")

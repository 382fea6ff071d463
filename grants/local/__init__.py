"""Everything on one machine: the embedded PostgreSQL and Valkey, and the small supervisor behind `make run`.

Nothing here is needed where `DATABASE_URL` and `REDIS_URL` name servers of your own and something
else (systemd, a container) keeps `web`, `worker` and `scheduler` alive.
"""

from grants.local.databases import (
    DEMO_MARK,
    DEMO_UNFINISHED,
    connect,
    demo_mark,
    empty_schema,
    held,
    is_empty,
    migration,
    owns_tables,
    set_demo_mark,
)
from grants.local.embedded import DATABASE, OWNER, PROGRAM, SYSTEM_PLACE, Embedded, servers
from grants.local.folder import MARK, Addresses, Home, LocalError
from grants.local.listening import listen, serve
from grants.local.processes import end_with_parent
from grants.local.supervisor import Supervisor

__all__ = [
    "DATABASE",
    "DEMO_MARK",
    "DEMO_UNFINISHED",
    "MARK",
    "OWNER",
    "PROGRAM",
    "SYSTEM_PLACE",
    "Addresses",
    "Embedded",
    "Home",
    "LocalError",
    "Supervisor",
    "connect",
    "demo_mark",
    "empty_schema",
    "end_with_parent",
    "held",
    "is_empty",
    "listen",
    "migration",
    "owns_tables",
    "serve",
    "servers",
    "set_demo_mark",
]

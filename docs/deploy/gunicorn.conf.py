"""How gunicorn serves the pages: `gunicorn --config docs/deploy/gunicorn.conf.py wsgi:app`.

Every value may be changed by an option of the command; WEB_CONCURRENCY=5 sets the number of processes.
"""

import contextlib
import ctypes
import gc
import logging
import os
import sys
from pathlib import Path

# The folder of the program, wherever this was started.
chdir = str(Path(__file__).resolve().parents[2])
sys.path.insert(0, chdir)

# Where nothing else is said (systemd hands over a socket of its own): HOST and PORT, as `make run` reads them.
bind = [f"{os.environ.get('HOST') or '127.0.0.1'}:{os.environ.get('PORT') or '8000'}"]

# One process per core and one more; each answers four requests at once and holds at most four connections to the database.
workers = int(os.environ.get("WEB_CONCURRENCY") or 3)
worker_class = "gthread"
threads = 4
# The slowest page takes a second; longer work is done by the workers of the queue.
timeout = 60
graceful_timeout = 30
keepalive = 5
# A process makes room for a fresh one now and then, not all at the same time.
max_requests = 5_000
max_requests_jitter = 500
# The heartbeat of each process belongs into memory: a slow disk must not end it.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

# Addresses of invitations hold their secret: the access log is left to the proxy, which knows what to leave out.
accesslog = None
errorlog = "-"
loglevel = (os.environ.get("LOG_LEVEL") or "info").lower()
control_socket_disable = True


def on_starting(server):
    """Make the program once, before the processes are forked, and refuse bad settings in words, before a port is opened."""
    from config import BadSettings, Config

    try:
        # First the settings alone: they are read in a moment, the program in a second.
        level = Config.from_env().LOG_LEVEL
        import wsgi
        from grants.app import keep_out_of_collection

        wsgi.ready()
    except BadSettings as error:
        sys.exit(f"This does not start. {error}")
    _share_heaps()
    logging.basicConfig(level=level, format="%(asctime)s web %(levelname)s %(name)s: %(message)s")
    # What is garbage by now would be kept with the rest.
    gc.collect()
    keep_out_of_collection()


def _share_heaps():
    """Two heaps for all threads of a process: with one of its own, each thread keeps what its largest page ever took."""
    heaps_max = -8  # M_ARENA_MAX of <malloc.h>
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(heaps_max, 2)


def post_fork(server, worker):
    """No connection of the parent, if it ever opened one, is used by two processes."""
    import wsgi
    from grants.core.db import db

    _, app = wsgi.ready()
    with app.app_context():
        db.engine.dispose(close=False)

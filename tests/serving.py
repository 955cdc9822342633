"""A site on a socket of this machine, for tests that are no flask client."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from werkzeug.serving import make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@contextmanager
def serving(site: "WSGIApplication", *, threaded: bool = True) -> Iterator[str]:
    """Its address, for as long as it is served."""
    server = make_server("127.0.0.1", 0, site, threaded=threaded)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

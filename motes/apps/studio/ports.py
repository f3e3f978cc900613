"""Finds a free port for the studio."""

import socket

from motes.errors import UserError

PORT = 7860
# ports from PORT on that are tried
TRIES = 20


def free_port(host: str) -> int:
    """The studio's usual port, or the next free one, so that two studios can run at once."""
    for port in range(PORT, PORT + TRIES):
        if _is_free(host, port):
            return port
    raise UserError(
        f"ports {PORT} to {PORT + TRIES - 1} are taken, or {host} is not this machine's; name one with --port"
    )


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True

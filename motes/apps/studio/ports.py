"""Finds a free port for the studio, and the addresses under which it can be opened."""

import socket

from motes.errors import UserError

PORT = 7860
# ports from PORT on that are tried
TRIES = 20
# hosts that mean all addresses of this machine, and the one among them by which it reaches itself
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}
# an address that belongs to nobody (RFC 5737)
NOBODY = ("192.0.2.1", 80)


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


def addresses(host: str, port: int, token: str) -> list[str]:
    """The addresses that open a studio which listens on this host: from this machine, and from others if it
    listens everywhere."""
    hosts = [EVERYWHERE[host], _own_host()] if host in EVERYWHERE else [host]
    query = f"?token={token}" if token else ""
    # an IPv6 address has colons of its own
    return [f"http://{f'[{host}]' if ':' in host else host}:{port}/{query}" for host in hosts]


def _own_host() -> str:
    """The address of this machine that others see, or else its name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # sends nothing, but chooses the network that leads to others
            probe.connect(NOBODY)
            return probe.getsockname()[0]
        except OSError:
            return socket.gethostname()

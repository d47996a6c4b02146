"""Where windows go. A sink writes one window after the other, for one process; ``BURNISH_OUTPUT`` chooses it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from ..notice import Notices
from .address import Address, parse_address

if TYPE_CHECKING:
    from ..settings import Settings
    from .transport import Transport


class Sink(Protocol):
    """What the flush thread writes windows to. Nothing raises but what it says."""

    @property
    def dropped(self) -> int:
        """How many windows were written and will never arrive, since the process started."""

    def write(self, start: int, sequence: int, pieces: Iterable[bytes]) -> bool:
        """Write the window that starts at ``start`` (Unix ns); ``pieces`` are its line. False where it is lost.

        Raises what ``pieces`` raises; nothing of the window is then left.
        """

    def start(self) -> None:
        """Start what runs beside, if it does not run."""

    def pause(self) -> None:
        """Before a fork: end what runs beside; the next window starts it again."""

    def close(self, seconds: float) -> None:
        """No window follows: send what can be sent within ``seconds``."""

    def forget(self) -> None:
        """In a forked child: give up what is the parent's, without touching it."""


def open_output(settings: Settings, instance: str) -> Sink:
    """The sink for ``settings.output``; touches neither disk nor network yet."""
    address = parse_address(settings.output, settings.root)
    notices = Notices()
    if address.kind == "directory":
        from .directory import Directory

        return Directory(address.path, instance, notices)
    if address.kind == "file":
        from .shared_file import SharedFile

        return SharedFile(address.path, notices)
    from .delivery import Delivery
    from .spool import Spool

    spool = Spool(settings.spool, settings.service, instance, int(settings.spool_mb * 1_000_000), notices)
    return Delivery(str(address), spool, lambda: _transport(address, settings.token), notices)


def _transport(address: Address, token: str) -> Transport:
    if address.kind == "unix":
        from .unix_socket import UnixTransport

        return UnixTransport(address.path)
    from .http import HttpTransport

    return HttpTransport(address, token)

"""Connections of clients that are slow or rude: each is given a while, and then let go."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from reelmake.server.access import is_loopback

REQUEST = 10.0
"""Seconds that a request's first line and headers may take."""
STALLED = 120.0
"""Seconds that an answer may wait for a client that takes nothing. A browser that was paused asks
for the rest anew."""
CONNECTIONS = 400
"""At once. From then on who comes takes the place of the one that has asked for nothing for the
longest time. Where all are being answered it is told to come back (503), and from twice as many on
closed at once."""
OF_ONE = 64
"""Of them, of one other machine."""


class PatientProtocol(H11Protocol):
    """HTTP/1.1 with limits that uvicorn does not have of itself."""

    _arriving: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _since = 0.0

    def connection_made(self, transport: Any) -> None:
        """A client is there."""
        super().connection_made(transport)
        if len(self.connections) > 2 * CONNECTIONS or self._has_enough():
            transport.abort()
            return
        self._since = self.loop.time()
        if len(self.connections) >= CONNECTIONS:
            self._displace()
        self._await_request()

    def data_received(self, data: bytes) -> None:
        """A client says something."""
        super().data_received(data)
        if self._asks_nothing():
            self._await_request()  # a part of one
        else:
            self._forget(self._arriving)
            self._arriving = None
            self._since = self.loop.time()

    def pause_writing(self) -> None:
        """A client takes nothing more for now."""
        super().pause_writing()
        self._forget(self._stalled)
        self._stalled = self.loop.call_later(STALLED, self.transport.abort)

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        self._forget(self._stalled)

    def connection_lost(self, exc: Exception | None) -> None:
        """A client is gone."""
        self._forget(self._arriving)
        self._forget(self._stalled)
        super().connection_lost(exc)

    def _has_enough(self) -> bool:
        # A reverse proxy on this machine asks for everybody.
        if self.client is None or is_loopback(self.client[0]):
            return False
        same = 0
        for each in self.connections:
            client = getattr(each, "client", None)
            same += client is not None and client[0] == self.client[0]
        return same > OF_ONE

    def _await_request(self) -> None:
        # Not set anew by each byte, which is what a slow client counts on.
        if self._arriving is None:
            self._arriving = self.loop.call_later(REQUEST, self._give_up)

    def _give_up(self) -> None:
        self._arriving = None
        if self._asks_nothing():
            self.transport.abort()

    def _asks_nothing(self) -> bool:
        """Whether no whole request of the client is without an answer."""
        return self.cycle is None or bool(self.cycle.response_complete)

    def _displace(self) -> None:
        others = (each for each in self.connections if isinstance(each, PatientProtocol))
        idle = [each for each in others if each is not self and each._asks_nothing()]
        if idle:
            longest = min(idle, key=lambda each: each._since)
            self.connections.discard(longest)  # at once: several may come before it is lost
            longest.transport.abort()

    @staticmethod
    def _forget(timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()

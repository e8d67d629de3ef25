"""The state of the library, as `reel status` reads it: looked at once for all who ask."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio.to_thread

EVERY = 2.0
"""Seconds from one look to the next."""
BEAT = 15.0
"""Seconds of silence after which a comment tells that the server is there."""
LISTENERS = 64
"""Pages that may listen at once."""

Status = dict[str, Any]


class LiveStatus:
    """look: gives the status; it may take a while, and runs on a thread of its own. stopping:
    whether the server is about to end, when listeners are let go."""

    def __init__(self, look: Callable[[], Status], stopping: Callable[[], bool]):
        self._look, self._stopping = look, stopping
        self._lock = asyncio.Lock()
        self._looked = 0.0
        self._latest: Status = {}
        self._listeners = 0

    async def latest(self) -> Status:
        """The status, at most two seconds old."""
        async with self._lock:
            if not self._latest or time.monotonic() - self._looked >= EVERY:
                self._latest = await anyio.to_thread.run_sync(self._look)
                self._looked = time.monotonic()
        return self._latest

    def is_full(self) -> bool:
        """Whether as many listen as may."""
        return self._listeners >= LISTENERS

    async def events(self) -> AsyncIterator[str]:
        """Server-sent events: the status as JSON, when it has changed."""
        self._listeners += 1
        try:
            sent, last = "", time.monotonic()
            while not self._stopping():
                status = {k: v for k, v in (await self.latest()).items() if k != "now"}
                text = json.dumps(status)
                if text != sent:
                    sent, last = text, time.monotonic()
                    yield f"data: {text}\n\n"
                elif time.monotonic() - last >= BEAT:
                    last = time.monotonic()
                    yield ": still here\n\n"
                await asyncio.sleep(EVERY)
        finally:
            self._listeners -= 1

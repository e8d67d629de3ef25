"""The status is looked at once for all, and told when it changes."""

import asyncio
import json

import pytest

from reelmake.server import live_status
from reelmake.server.live_status import LiveStatus


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(live_status, "EVERY", 0.02)
    monkeypatch.setattr(live_status, "BEAT", 0.1)


async def told(status: LiveStatus, number: int) -> list[str]:
    events, found = status.events(), []
    async for event in events:
        found.append(event)
        if len(found) == number:
            break
    await events.aclose()
    return found


def test_many_listeners_cost_one_look(monkeypatch):
    monkeypatch.setattr(live_status, "EVERY", 60)
    looks = []
    status = LiveStatus(lambda: looks.append(1) or {"now": 1, "videos": 1}, lambda: False)

    async def listen():
        return await asyncio.gather(*(told(status, 1) for _ in range(20)))

    assert asyncio.run(listen()) == [['data: {"videos": 1}\n\n']] * 20
    assert len(looks) == 1


def test_only_what_has_changed_is_told_and_silence_is_broken():
    answers = iter([1, 1, 2])
    last = 2

    def look():
        return {"now": 0, "videos": next(answers, last)}

    one, two, beat = asyncio.run(told(LiveStatus(look, lambda: False), 3))
    assert [json.loads(event[6:])["videos"] for event in (one, two)] == [1, 2]
    assert beat.startswith(":")


def test_listeners_end_with_the_server_and_are_counted(monkeypatch):
    monkeypatch.setattr(live_status, "LISTENERS", 1)
    stopping = []
    status = LiveStatus(lambda: {"videos": 1}, lambda: bool(stopping))

    async def listen():
        events = status.events()
        assert not status.is_full()
        await anext(events)
        assert status.is_full()
        stopping.append(True)
        assert [event async for event in events] == []
        assert not status.is_full()

    asyncio.run(listen())

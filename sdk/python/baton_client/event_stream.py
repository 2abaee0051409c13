"""The events of a subscription, in order and without a gap, as long as the connection lives and over its reconnects."""
from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from types import TracebackType
from typing import Any

from .connection import Connection
from .errors import BatonError
from .methods import EventMethods
from .types import RecordedEvent

#: So many events wait for a slow reader; what comes after is asked for again when it has read them.
WAITING_MAX = 10_000


class EventStream:
    """Subscribes when its block is entered, and unsubscribes when it is left."""

    def __init__(self, connection: Connection, methods: EventMethods, *, after: int | None, ticket_id: str | None) -> None:
        self._connection = connection
        self._methods = methods
        self._ticket_id = ticket_id
        self._seen = after
        self._subscription_id: str | None = None
        self._waiting: asyncio.Queue[RecordedEvent] = asyncio.Queue(WAITING_MAX)
        self._has_gap = False
        self._undo: list[Callable[[], None]] = []

    async def __aenter__(self) -> EventStream:
        self._undo.append(self._connection.on_notification('event/published', self._take))
        self._undo.append(await self._connection.on_open(self._subscribe))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for undo in reversed(self._undo):
            undo()
        await self._unsubscribe()

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> RecordedEvent:
        while True:
            if self._has_gap and self._waiting.empty():
                await self._unsubscribe()
                await self._subscribe()
            event = await self._next_waiting()
            # After a reconnect the coordinator begins where the reader stands, and some of it may be waiting already.
            if self._seen is None or event['seq'] > self._seen:
                self._seen = event['seq']
                return event

    async def _next_waiting(self) -> RecordedEvent:
        if not self._waiting.empty():
            return self._waiting.get_nowait()
        getting = asyncio.ensure_future(self._waiting.get())
        try:
            both: set[asyncio.Future[Any]] = {getting, self._connection.ended}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                return getting.result()
            raise self._connection.ended.result()
        finally:
            getting.cancel()

    async def _subscribe(self) -> None:
        self._has_gap = False
        answer = await self._methods.subscribe(after=self._seen, ticket_id=self._ticket_id)
        self._subscription_id = answer['subscriptionId']
        if self._seen is None:
            self._seen = answer['after']

    async def _unsubscribe(self) -> None:
        subscription_id, self._subscription_id = self._subscription_id, None
        if subscription_id is not None:
            with contextlib.suppress(BatonError):
                await self._methods.unsubscribe(subscription_id=subscription_id)

    def _take(self, params: Any) -> None:
        # The answer to the subscription always comes before its first events.
        if params['subscriptionId'] != self._subscription_id or self._has_gap:
            return
        for event in params['events']:
            if self._waiting.full():
                self._has_gap = True
                return
            self._waiting.put_nowait(event)

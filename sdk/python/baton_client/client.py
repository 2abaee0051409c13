"""The whole contract over one connection: `async with connect() as client`."""
from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from .connection import Connection, Hook, Listener
from .errors import BatonError, ConnectionClosed
from .event_stream import EventStream
from .methods import Methods
from .place import socket_url, token_source


def connect(url: str | None = None, *, token: str | None = None, token_file: str | os.PathLike[str] | None = None) -> Client:
    """A client of the coordinator at `url`, to be used with `async with`.

    Where nothing is given, BATON_URL and BATON_TOKEN_FILE speak, and then what `baton up` uses.
    """
    return Client(socket_url(url), token_source(token, token_file))


class Client(Methods):
    """`await client.task.claim(max=1, wait_ms=20_000)`: one function per method, in snake_case.

    Calls made while there is no connection wait for it. `connection` is there between entering and leaving the block.
    """

    def __init__(self, url: str, read_token: Callable[[], str]) -> None:
        super().__init__(self.call)
        self._url = url
        self._read_token = read_token
        self._connection: Connection | None = None

    async def __aenter__(self) -> Client:
        connection = Connection(self._url, self._read_token)
        await connection.open()
        self._connection = connection
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.connection.close()

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            raise ConnectionClosed('There is no connection yet: use the client in an `async with` block.')
        return self._connection

    async def call(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        """Calls a method by its name on the wire, with the parameters as they are on the wire."""
        return await self.connection.call(method, params or {})

    async def on_open(self, hook: Hook) -> Callable[[], None]:
        """Runs the hook now and after every reconnect, before any other call is sent: the place to register a session."""
        return await self.connection.on_open(hook)

    def on_notification(self, name: str, listener: Listener) -> Callable[[], None]:
        """Calls the listener with the parameters of each notification of this name. Returns what takes it away again."""
        return self.connection.on_notification(name, listener)

    def subscribe(self, *, after: int | None = None, ticket_id: str | None = None) -> EventStream:
        """The events of the project after a number, in order and without a gap, over reconnects too; from now on if none is
        given: `async with client.subscribe() as events: async for event in events: …`
        """
        return EventStream(self.connection, self.event, after=after, ticket_id=ticket_id)

    async def wait_ended(self) -> BatonError:
        """Returns why the connection has ended for good, once it has."""
        return await asyncio.shield(self.connection.ended)

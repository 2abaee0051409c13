"""A line between client and coordinator that a test can break."""
from __future__ import annotations

import asyncio
import os
from types import TracebackType
from urllib.parse import urlsplit

from baton_client.place import socket_url


class Line:
    """Carries bytes both ways. `breaks` counts how often it was broken."""

    def __init__(self) -> None:
        target = urlsplit(socket_url(os.environ['BATON_URL']))
        self._target = (target.hostname or '', target.port or 80)
        self._writers: set[asyncio.StreamWriter] = set()
        self._break_at_answer: bytes | None = None
        self.breaks = 0
        self.url = ''

    async def __aenter__(self) -> Line:
        self._server = await asyncio.start_server(self._carry, '127.0.0.1', 0)
        self.url = f'ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/rpc'
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Breaks every connection."""
        self.breaks += 1
        for writer in self._writers:
            writer.transport.abort()

    def swallow_answer_with(self, text: str) -> None:
        """Breaks the connection instead of passing on the next bytes from the coordinator that hold the text."""
        self._break_at_answer = text.encode()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        self._writers |= {writer, far_writer}
        await asyncio.wait(
            {asyncio.ensure_future(self._pump(reader, far_writer)), asyncio.ensure_future(self._pump(far_reader, writer, is_answer=True))},
            return_when=asyncio.FIRST_COMPLETED,
        )
        for each in (writer, far_writer):
            each.transport.abort()
            self._writers.discard(each)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool = False) -> None:
        try:
            while chunk := await reader.read(65_536):
                if is_answer and self._break_at_answer is not None and self._break_at_answer in chunk:
                    self._break_at_answer = None
                    self.cut()
                    return
                writer.write(chunk)
                await writer.drain()
        except OSError:
            pass  # The line was cut.

"""One open socket with calls on it, from the moment it is open until it closes."""
from __future__ import annotations

import asyncio
import itertools
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

import websockets.exceptions

from .dial import Socket
from .errors import ConnectionLost, CoordinatorError

log = logging.getLogger('baton_client')

#: What the coordinator takes at most in one message.
FRAME_BYTES_MAX = 4 * 1024 * 1024


class Link:
    """It never comes back; another takes its place."""

    def __init__(self, socket: Socket, on_notification: Callable[[str, Any], None]) -> None:
        self._socket = socket
        self._on_notification = on_notification
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._cancelling: set[asyncio.Task[None]] = set()
        self._reading = asyncio.create_task(self._read())
        #: Set when no call can be made any more.
        self.closed = asyncio.Event()

    async def request(self, method: str, params: Mapping[str, Any]) -> Any:
        """Sends a call and returns its result. A call whose task is cancelled is cancelled in the coordinator too.

        Raises CoordinatorError, or ConnectionLost where the socket closed before the answer, or ValueError where the
        parameters cannot be sent.
        """
        number = next(self._numbers)
        text = encode({'jsonrpc': '2.0', 'id': number, 'method': method, 'params': params})
        if self.closed.is_set():
            raise self._lost(method)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            await self._socket.send(text)
            return await answer
        except websockets.exceptions.ConnectionClosed as error:
            raise self._lost(method) from error
        except ConnectionLost as error:
            raise self._lost(method) from error
        except asyncio.CancelledError:
            self._cancel_soon(number)
            raise
        finally:
            del self._answers[number]
            if answer.done() and not answer.cancelled():
                answer.exception()  # Where the sending failed as well, nobody has asked.

    async def close(self) -> None:
        """Settles when the socket is gone."""
        await self._socket.close()
        await self.closed.wait()

    def _cancel_soon(self, number: int) -> None:
        task = asyncio.create_task(self._cancel(number))
        self._cancelling.add(task)
        task.add_done_callback(self._cancelling.discard)

    async def _cancel(self, number: int) -> None:
        try:
            await self._socket.send(encode({'jsonrpc': '2.0', 'method': '$/cancelRequest', 'params': {'id': number}}))
        except websockets.exceptions.ConnectionClosed:
            pass  # What is gone needs no cancelling.

    async def _read(self) -> None:
        try:
            async for text in self._socket:
                self._take(json.loads(text))
                # Who waited for an answer acts on it before what follows is read: a subscription is known before its events come.
                await asyncio.sleep(0)
        except websockets.exceptions.ConnectionClosed:
            pass
        except ValueError:
            log.error('what the coordinator sent is not JSON; the connection is closed')
        finally:
            self.closed.set()
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(ConnectionLost())
            await self._socket.close()

    def _take(self, message: Any) -> None:
        if not isinstance(message, dict):
            return
        if 'method' in message:
            self._on_notification(str(message['method']), message.get('params'))
            return
        answer = self._answers.get(message.get('id', 0))
        if answer is None or answer.done():
            return  # Nobody waits for it any more.
        if 'error' in message:
            answer.set_exception(CoordinatorError.from_answer(message['error']))
        else:
            answer.set_result(message.get('result'))

    def _lost(self, method: str) -> ConnectionLost:
        return ConnectionLost(f'The connection broke before {method} was answered; whether it had its effect is not known.')


def encode(message: Mapping[str, Any]) -> str:
    """The message as JSON. What would break the connection is refused here, where it hurts one call only."""
    text = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(',', ':'))
    size = len(text.encode('utf-8'))
    if size > FRAME_BYTES_MAX:
        raise ValueError(f'The call has {size} bytes; the coordinator takes {FRAME_BYTES_MAX}. Pass large content by its URI.')
    return text

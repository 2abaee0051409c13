"""A succession of links that looks like one: what is called while there is none waits for the next."""
from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from time import monotonic
from typing import Any

from .dial import dial
from .errors import BatonError, ConnectionClosed, ConnectionLost, CoordinatorError, CoordinatorUnreachable
from .link import Link
from .repeat import REPEATS_MAX, backoff_seconds, is_repeatable, retry_after_seconds, with_idempotency_key

log = logging.getLogger('baton_client')

Hook = Callable[[], Awaitable[None]]
Listener = Callable[[Any], None]

#: One that closes sooner than this after it opened counts as a failure: it is not to be asked in a tight circle.
SOUND_SECONDS = 5.0


class _Opening:
    """A link that is open while its hooks still run: theirs are the only calls that may use it."""

    def __init__(self, owner: Connection, link: Link) -> None:
        self.owner = owner
        self.link = link
        self.is_over = False


_opening: ContextVar[_Opening | None] = ContextVar('baton_client_opening', default=None)


class Connection:
    """Connects to a coordinator and stays connected."""

    def __init__(self, url: str, read_token: Callable[[], str]) -> None:
        self._url = url
        self._read_token = read_token
        self._hooks: list[Hook] = []
        self._listeners: dict[str, list[Listener]] = {}
        self._link: Link | None = None
        self._ready: asyncio.Future[Link] = asyncio.get_running_loop().create_future()
        self._keeping: asyncio.Task[None] | None = None
        #: Settles with the reason when the connection has ended for good.
        self.ended: asyncio.Future[BatonError] = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        """Raises CoordinatorUnreachable, or CoordinatorError `unauthenticated`, where the first connection fails."""
        self._keeping = asyncio.create_task(self._keep_open(await self._dial()))

    async def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """Calls a method by name. A call that was under way when the connection broke is sent again where that is safe; all
        that changes something carries an idempotency key for it. Refusals that pass by themselves are retried a few times.
        """
        given = with_idempotency_key(method, params)
        for repeats in range(REPEATS_MAX + 1):
            opening = _opening.get()
            is_in_hook = opening is not None and opening.owner is self and not opening.is_over
            link = opening.link if opening is not None and is_in_hook else await self._ready_link()
            try:
                return await link.request(method, given)
            except CoordinatorError as error:
                wait = retry_after_seconds(error)
                if wait is None or repeats == REPEATS_MAX:
                    raise
                await asyncio.sleep(wait)
            except ConnectionLost:
                if is_in_hook or repeats == REPEATS_MAX or not is_repeatable(method, given):
                    raise
        raise AssertionError('The last turn returns or raises.')

    async def on_open(self, hook: Hook) -> Callable[[], None]:
        """Runs the hook now and after every reconnect, before any other call is sent. Calls made inside it go out at once.
        Returns what takes it away again, once it has run for the first time.
        """
        while True:
            try:
                await self._run_hooks(await self._ready_link(), [hook])
            except ConnectionLost:
                continue
            self._hooks.append(hook)
            return lambda: self._hooks.remove(hook)

    def on_notification(self, name: str, listener: Listener) -> Callable[[], None]:
        """Calls the listener with the parameters of each notification. Returns what takes it away again."""
        listeners = self._listeners.setdefault(name, [])
        listeners.append(listener)
        return lambda: listeners.remove(listener)

    async def close(self) -> None:
        """Fails what is still waiting, and settles when the socket is closed."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})
        self._end(ConnectionClosed('The connection was closed on this side.'))
        if self._link is not None:
            await self._link.close()

    async def _dial(self) -> Link:
        self._link = Link(await dial(self._url, self._read_token()), self._notify)
        return self._link

    async def _keep_open(self, link: Link) -> None:
        failures = 0
        while True:
            opened_at = monotonic()
            self._ready.set_result(link)
            await link.closed.wait()
            self._ready = asyncio.get_running_loop().create_future()
            failures = 0 if monotonic() - opened_at > SOUND_SECONDS else failures + 1
            log.info('the connection to %s broke; connecting again', self._url)
            try:
                link = await self._next_link(failures)
            except BatonError as error:
                self._end(error)
                return

    async def _next_link(self, failures: int) -> Link:
        while True:
            await asyncio.sleep(backoff_seconds(failures))
            link: Link | None = None
            try:
                link = await self._dial()
                await self._run_hooks(link, list(self._hooks))
                return link
            except (CoordinatorError, CoordinatorUnreachable, ConnectionLost) as error:
                if link is not None:
                    await link.close()
                # Whatever the network does may pass; of what the coordinator says, only what it says will pass.
                if isinstance(error, CoordinatorError) and not error.retryable:
                    raise
                failures += 1

    async def _run_hooks(self, link: Link, hooks: list[Hook]) -> None:
        opening = _Opening(self, link)
        before = _opening.set(opening)
        try:
            for hook in hooks:
                await hook()
        finally:
            opening.is_over = True
            _opening.reset(before)

    async def _ready_link(self) -> Link:
        while True:
            link = await asyncio.shield(self._ready)
            if not link.closed.is_set():
                return link
            # It broke between the two; there is another to wait for with the next turn.
            await asyncio.sleep(0)

    def _notify(self, name: str, params: Any) -> None:
        for listener in list(self._listeners.get(name, ())):
            try:
                listener(params)
            except Exception:
                log.exception('a listener to %s failed', name)

    def _end(self, error: BatonError) -> None:
        if self.ended.done():
            return
        if self._ready.done():
            self._ready = asyncio.get_running_loop().create_future()
        self._ready.set_exception(error)
        self._ready.exception()  # Nobody may be waiting.
        self.ended.set_result(error)

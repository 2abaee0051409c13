"""Connects an agent, gives it work, never more at once than it has slots, and drains it."""
from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from . import types as t
from .attempt import Attempt, Handler
from .client import Client
from .errors import AgentReplaced, BatonError, CoordinatorError, PermanentTaskError
from .session import AttemptId, Identity, Session, is_session_gone

log = logging.getLogger('baton_client')

#: How long a claim waits in the coordinator for work.
CLAIM_WAIT_MS = 20_000
#: How long to leave a coordinator alone that could not answer and did not say how long.
CLAIM_RETRY_SECONDS = 1.0
#: How long the coordinator may take to hear something on the way out. It finds out by itself when the lease ends.
FAREWELL_SECONDS = 2.0


async def serve(
    handlers: Mapping[str, Handler],
    identity: Identity,
    *,
    url: str,
    read_token: Callable[[], str],
    workspace: Path | None,
    stop: asyncio.Event,
    drain_seconds: float,
) -> None:
    """Raises BatonError where the agent cannot connect, is refused, or loses its place for good."""
    async with Client(url, read_token) as client:
        await _Service(client, handlers, identity, workspace).run(stop, drain_seconds)


class _Service:
    def __init__(self, client: Client, handlers: Mapping[str, Handler], identity: Identity, workspace: Path | None) -> None:
        self._client = client
        self._handlers = handlers
        self._identity = identity
        self._workspace = workspace
        self._attempts: dict[AttemptId, Attempt] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._slot_freed = asyncio.Event()
        self._replaced = asyncio.Event()
        self._is_leaving = False
        self._session = Session(client, identity, running=lambda: list(self._attempts), on_revoked=self._revoke)

    async def run(self, stop: asyncio.Event, drain_seconds: float) -> None:
        client = self._client
        client.on_notification('task/revoked', lambda p: self._revoke((p['taskId'], p['attempt']), p['reason']))
        client.on_notification('lock/lost', self._lose_lock)
        client.on_notification('agent/sessionEnded', self._on_session_ended)
        await client.on_open(self._session.register)
        beating = asyncio.create_task(self._session.beat())
        claiming = asyncio.create_task(self._claim())
        try:
            await self._until_over(stop)
            log.info('%s: draining', self._identity.name)
            self._is_leaving = True
            claiming.cancel()
            await self._drain(drain_seconds)
            # A beat that arrives after the goodbye would find no session, and begin another.
            beating.cancel()
            await _farewell(lambda: client.agent.deregister(reason='The agent has drained.'))
        finally:
            for attempt in list(self._attempts.values()):
                attempt.revoke('lease_lost')
            self._session.stop()
            left = {beating, claiming, *self._running}
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=FAREWELL_SECONDS)

    async def _until_over(self, stop: asyncio.Event) -> None:
        """Returns when the agent is to stop, and raises where it cannot go on."""
        waiting = [asyncio.create_task(waiter) for waiter in (stop.wait(), self._replaced.wait(), self._client.wait_ended())]
        _, replaced, ended = waiting
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if ended.done() and isinstance(reason := ended.result(), BatonError):
                raise reason
            if replaced.done():
                raise AgentReplaced(f'Another process has registered as {self._identity.name}; this one ends. Give each a name of its own.')
        finally:
            for task in waiting:
                task.cancel()

    async def _claim(self) -> None:
        while True:
            free = self._identity.capacity - len(self._attempts)
            if free <= 0:
                self._slot_freed.clear()
                await self._slot_freed.wait()
                continue
            try:
                answer = await self._client.task.claim(max=free, wait_ms=CLAIM_WAIT_MS)
            except BatonError as error:
                await self._recover(error)
                continue
            for claim in answer['claims']:
                self._begin(claim)

    async def _recover(self, error: BatonError) -> None:
        if is_session_gone(error):
            await self._session.renew()
            return
        log.warning('no task could be claimed: %s', error)
        asked = error.retry_after_ms if isinstance(error, CoordinatorError) else None
        await asyncio.sleep(CLAIM_RETRY_SECONDS if asked is None else asked / 1_000)

    def _begin(self, claim: t.Claim) -> None:
        handler = self._handlers.get(claim['type'], self._unknown_type)
        attempt = Attempt(self._client, claim, handler, workspace=self._workspace, grace_seconds=self._session.grace_seconds)
        if attempt.id in self._attempts:
            return
        self._attempts[attempt.id] = attempt
        task = asyncio.create_task(self._see_through(attempt))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _see_through(self, attempt: Attempt) -> None:
        try:
            end = await attempt.run()
            log.info('%s: %s', attempt.claim['title'], end)
        except BatonError as error:
            log.error('%s: the attempt could not be run: %s', attempt.claim['title'], error)
        finally:
            del self._attempts[attempt.id]
            self._slot_freed.set()

    async def _unknown_type(self, _: Any, ctx: Any) -> None:
        types = sorted(self._handlers)
        message = f'This agent has no task of type {ctx.claim["type"]}; it has {", ".join(types)}.'
        raise PermanentTaskError(message, code='task_type_unknown', details={'types': types})

    async def _drain(self, drain_seconds: float) -> None:
        await _farewell(self._client.agent.drain)
        if self._running:
            await asyncio.wait(self._running, timeout=drain_seconds)
        for attempt in list(self._attempts.values()):
            attempt.stop('draining')
        if self._running:
            await asyncio.wait(self._running, timeout=self._session.grace_seconds + FAREWELL_SECONDS)

    def _revoke(self, attempt_id: AttemptId, reason: str) -> None:
        attempt = self._attempts.get(attempt_id)
        if attempt is not None:
            attempt.revoke(reason)

    def _lose_lock(self, params: Any) -> None:
        for attempt in self._attempts.values():
            attempt.context.task_locks.lose(params['key'], params['fence'])

    def _on_session_ended(self, params: Any) -> None:
        if self._session.answer is None or params['sessionId'] != self._session.answer['sessionId']:
            return
        for attempt in list(self._attempts.values()):
            attempt.revoke('lease_lost')
        # The end that follows our own goodbye is no news.
        if self._is_leaving:
            return
        log.warning('%s: the session has ended: %s', self._identity.name, params['reason'])
        if params['reason'] == 'superseded':
            self._replaced.set()
        else:
            self._session.renew_soon()


async def _farewell(call: Callable[[], Awaitable[Any]]) -> None:
    """Politeness: the coordinator learns from the end of the lease what it is not told in time."""
    with contextlib.suppress(BatonError, TimeoutError):
        async with asyncio.timeout(FAREWELL_SECONDS):
            await call()

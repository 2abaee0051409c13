"""An agent's session: registered once per connection, kept alive by beats that do not depend on what tasks do."""
from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from . import types as t
from .client import Client
from .errors import BatonError, CoordinatorError

log = logging.getLogger('baton_client')

AttemptId = tuple[str, int]

RENEW_RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class Identity:
    name: str
    capabilities: Sequence[str]
    capacity: int = 1
    tags: Sequence[str] = ()
    metadata: t.JsonObject = field(default_factory=dict)


class Session:
    def __init__(
        self,
        client: Client,
        identity: Identity,
        *,
        running: Callable[[], Sequence[AttemptId]],
        on_revoked: Callable[[AttemptId, str], None],
    ) -> None:
        self._client = client
        self._identity = identity
        self._running = running
        self._on_revoked = on_revoked
        self._renewing: asyncio.Task[None] | None = None
        self.answer: t.AgentRegisterResult | None = None

    @property
    def grace_seconds(self) -> float:
        """How long a task may take to stop by itself."""
        return 5.0 if self.answer is None else self.answer['graceMs'] / 1_000

    async def register(self) -> None:
        """Registers on a connection that has just opened; an earlier session goes on where it still lives. Attempts that were
        lost meanwhile are revoked.
        """
        before = self.answer
        identity = self._identity
        self.answer = await self._client.agent.register(
            name=identity.name,
            capabilities=[*identity.capabilities],
            capacity=identity.capacity,
            tags=[*identity.tags],
            metadata=identity.metadata,
            resume_token=None if before is None else before['resumeToken'],
        )
        news = 'ready for tasks' if before is None else 'the session goes on' if self.answer['resumed'] else 'a new session has begun'
        log.info('%s: %s (session epoch %d)', identity.name, news, self.answer['epoch'])
        kept = {(attempt['taskId'], attempt['attempt']) for attempt in self.answer['attempts']}
        for own in self._running():
            if own not in kept:
                self._on_revoked(own, 'lease_lost')

    async def renew(self) -> None:
        """Registers anew on the open connection after the coordinator has forgotten the session. Many callers make one registration."""
        await asyncio.shield(self.renew_soon())

    def renew_soon(self) -> asyncio.Task[None]:
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew())
        return self._renewing

    def stop(self) -> None:
        if self._renewing is not None:
            self._renewing.cancel()

    async def beat(self) -> None:
        """Beats until it is cancelled, at the pace that the coordinator dictates, whatever becomes of single beats."""
        interval = 5.0 if self.answer is None else self.answer['heartbeatMs'] / 1_000
        while True:
            await asyncio.sleep(interval)
            try:
                # A beat that gets no answer by the time the next is due counts as failed.
                async with asyncio.timeout(interval):
                    interval = await self._beat_once()
            except (BatonError, TimeoutError) as error:
                if is_session_gone(error):
                    await self.renew()
                else:
                    log.debug('a heartbeat failed: %s', error)

    async def _beat_once(self) -> float:
        attempts: list[t.AgentHeartbeatAttempt] = [{'taskId': task_id, 'attempt': number} for task_id, number in self._running()]
        answer = await self._client.agent.heartbeat(attempts=attempts)
        for revoked in answer['revoked']:
            self._on_revoked((revoked['taskId'], revoked['attempt']), revoked['reason'])
        return answer['heartbeatMs'] / 1_000

    async def _renew(self) -> None:
        while True:
            try:
                return await self.register()
            except BatonError as error:
                log.warning('the session could not be renewed: %s', error)
                await asyncio.sleep(RENEW_RETRY_SECONDS)


def is_session_gone(error: BaseException) -> bool:
    """The coordinator knows no session of this connection any more."""
    return isinstance(error, CoordinatorError) and error.kind in ('session_unknown', 'session_required')

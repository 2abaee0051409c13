"""The locks that one attempt takes in its course. All of them end with the attempt at the latest."""
from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from types import TracebackType

from . import types as t
from .methods import LockMethods

#: A key for itself is asked for exclusively.
LockWish = str | t.LockRequest

LOCK_WAIT_MS = 30_000


class TaskLocks:
    def __init__(self, methods: LockMethods, claim: t.Claim, is_stopped: Callable[[], bool]) -> None:
        self.methods = methods
        self.task_id = claim['taskId']
        self.attempt = claim['attempt']
        # The attempt ends after its time-out anyway, and its locks with it: nothing has to renew them until then.
        self.ttl_ms = claim['timeoutMs']
        # The coordinator counts a holder once, so only the last block to leave a key may give it back.
        self.holds = Counter(lock['key'] for lock in claim['locks'])
        self.held: list[HeldLock] = []
        self.is_stopped = is_stopped

    def lose(self, key: str, fence: int) -> None:
        """The coordinator says that a lock is gone."""
        for hold in self.held:
            if hold.fences.get(key) == fence:
                hold.lost.set()


class HeldLock:
    """Locks for the length of an `async with` block, all of them or none.

    A lease alone is not mutual exclusion: give `fence` to the resource, and let it refuse a lower one than it has seen.
    """

    def __init__(self, locks: TaskLocks, wishes: Sequence[LockWish], *, ttl_ms: int | None, wait_ms: int | None) -> None:
        self._locks = locks
        self._wishes: list[t.LockRequest] = [{'key': wish} if isinstance(wish, str) else wish for wish in wishes]
        self._ttl_ms = ttl_ms
        self._wait_ms = LOCK_WAIT_MS if wait_ms is None else wait_ms
        #: By key.
        self.fences: dict[str, int] = {}
        self._first = ''
        #: Is set when a lock is lost before the block is left.
        self.lost = threading.Event()

    @property
    def fence(self) -> int:
        """Of the first key."""
        return self.fences[self._first]

    @property
    def keys(self) -> list[str]:
        """What is held. Of a range it is the member that was granted."""
        return list(self.fences)

    async def __aenter__(self) -> HeldLock:
        locks = self._locks
        answer = await locks.methods.acquire(
            keys=self._wishes,
            wait_ms=self._wait_ms,
            ttl_ms=self._ttl_ms or locks.ttl_ms,
            task_id=locks.task_id,
            attempt=locks.attempt,
        )
        self.fences = {lock['key']: lock['fence'] for lock in answer['locks']}
        wished = self._wishes[0]['key']
        named = [lock['key'] for lock in answer['locks'] if wished in (lock['key'], lock.get('requested'))]
        # The first wish may be another way to write a path.
        self._first = named[0] if named else answer['locks'][0]['key']
        locks.holds.update(self.fences.keys())
        locks.held.append(self)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        locks = self._locks
        locks.held.remove(self)
        locks.holds.subtract(self.fences.keys())
        free = [key for key in self.fences if locks.holds[key] <= 0]
        # An attempt that must stop has lost its locks or is about to; asking could only hide why it stops.
        if free and not locks.is_stopped():
            await locks.methods.release(keys=free, task_id=locks.task_id, attempt=locks.attempt)

"""What several tests set up: tickets with tasks, and agents that serve for the length of a block."""
from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from baton_client import Agent, Client
from baton_client import types as t

T = TypeVar('T')
_numbers = itertools.count(1)


def new_name(prefix: str) -> str:
    """A name, or a type of tasks, that no other test uses."""
    return f'{prefix}-{os.getpid()}-{next(_numbers)}'


async def submit(client: Client, *tasks: t.NewTask) -> list[str]:
    """Submits tasks to a new ticket, and returns their ids."""
    ticket = await client.ticket.create(title='A test')
    answer = await client.task.submit(ticket_id=ticket['id'], tasks=tasks)
    return [task['id'] for task in answer['tasks']]


@asynccontextmanager
async def serving(agent: Agent, **options: Any) -> AsyncIterator[None]:
    """Serves an agent, and drains it at the end."""
    stop = asyncio.Event()
    running = asyncio.create_task(agent.serve(stop=stop, drain_seconds=1.0, **options))
    try:
        yield
    finally:
        stop.set()
        await running


async def task_in(client: Client, task_id: str, *states: t.TaskState) -> t.TaskDetails:
    """Waits until a task is in one of the states."""
    return await eventually(lambda: client.task.get(task_id=task_id), lambda task: task['state'] in states)


async def registered(client: Client, name: str) -> None:
    """Waits until an agent of this name is there."""
    while name not in [agent['name'] for agent in (await client.agent.list(limit=1_000))['agents']]:
        await asyncio.sleep(0.05)


async def eventually(look: Callable[[], Awaitable[T]], is_right: Callable[[T], bool]) -> T:
    """Looks until what is seen is right. A test that waits in vain shows what it saw last."""
    for _ in range(800):
        seen = await look()
        if is_right(seen):
            return seen
        await asyncio.sleep(0.05)
    raise AssertionError(f'It never came to that; seen last: {seen!r}')

"""An agent: a name, what it can do, and a function for each type of task."""
from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from .attempt import Handler
from .errors import BatonError
from .place import socket_url, token_source, workspace_folder
from .serve import serve
from .session import Identity

H = TypeVar('H', bound=Handler)

LOG_LEVELS = {'trace': 'DEBUG', 'debug': 'DEBUG', 'info': 'INFO', 'warn': 'WARNING', 'error': 'ERROR', 'fatal': 'CRITICAL', 'silent': 'CRITICAL'}


class Agent:
    """Takes tasks from a coordinator, does them and reports what came of them.

    agent = Agent('counter', capabilities=['python'])

    @agent.task('count-words')
    async def count_words(given, ctx):
        return {'words': len(given['text'].split())}

    agent.run()
    """

    def __init__(self, name: str, capabilities: Sequence[str] = (), capacity: int = 1, tags: Sequence[str] = ()) -> None:
        self.name = name
        self.capabilities = tuple(capabilities)
        self.capacity = capacity
        self.tags = tuple(tags)
        self.handlers: dict[str, Handler] = {}

    def task(self, type: str) -> Callable[[H], H]:
        """Makes a function the one that does tasks of a type. What it returns is the output; what it raises, the failure."""

        def define(handler: H) -> H:
            if type in self.handlers:
                raise ValueError(f'The agent {self.name} has two functions for tasks of type {type}.')
            self.handlers[type] = handler
            return handler

        return define

    async def serve(
        self,
        *,
        url: str | None = None,
        token: str | None = None,
        token_file: str | os.PathLike[str] | None = None,
        workspace: str | os.PathLike[str] | None = None,
        stop: asyncio.Event | None = None,
        drain_seconds: float = 10.0,
    ) -> None:
        """Connects, takes tasks, and returns when `stop` was set and all has drained.

        Where nothing is given the environment speaks: BATON_URL, BATON_TOKEN_FILE, BATON_WORKSPACE, and instead of what the
        agent says of itself BATON_AGENT_NAME, BATON_AGENT_CAPABILITIES (with commas between) and BATON_AGENT_CAPACITY.
        """
        await serve(
            self.handlers,
            self._identity(),
            url=socket_url(url),
            read_token=token_source(token, token_file),
            workspace=workspace_folder(workspace),
            stop=stop or asyncio.Event(),
            drain_seconds=drain_seconds,
        )

    def run(self) -> None:
        """Serves until SIGTERM or SIGINT, and ends the process with an error line where it cannot. A second signal ends it at once."""
        level = LOG_LEVELS.get(os.environ.get('BATON_LOG_LEVEL', 'info'), 'INFO')
        logging.basicConfig(stream=sys.stderr, level=level, format='%(levelname)s %(message)s')
        logging.getLogger('websockets').setLevel(logging.ERROR)
        try:
            asyncio.run(self._serve_until_signal())
        except BatonError as error:
            raise SystemExit(f'{type(error).__name__}: {error}') from error

    async def _serve_until_signal(self) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def on_signal(number: signal.Signals) -> None:
            if stop.is_set():
                os._exit(128 + number)
            stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, on_signal, number)
        await self.serve(stop=stop)

    def _identity(self) -> Identity:
        environment = os.environ
        listed = environment.get('BATON_AGENT_CAPABILITIES')
        own = self.capabilities if listed is None else [word.strip() for word in listed.split(',') if word.strip()]
        return Identity(
            name=environment.get('BATON_AGENT_NAME') or self.name,
            # The types of its tasks are always offered.
            capabilities=sorted({*own, *self.handlers}),
            capacity=int(environment.get('BATON_AGENT_CAPACITY') or self.capacity),
            tags=self.tags,
        )

"""Client and agents for Baton, the coordinator for teams of software agents."""
from .agent import Agent
from .client import Client, connect
from .errors import (
    AgentReplaced,
    BatonError,
    ConnectionClosed,
    ConnectionLost,
    CoordinatorError,
    CoordinatorUnreachable,
    PermanentTaskError,
    TaskError,
    TokenUnreadable,
)
from .task_context import TaskContext
from .task_locks import HeldLock

__all__ = [
    'Agent',
    'AgentReplaced',
    'BatonError',
    'Client',
    'ConnectionClosed',
    'ConnectionLost',
    'CoordinatorError',
    'CoordinatorUnreachable',
    'HeldLock',
    'PermanentTaskError',
    'TaskContext',
    'TaskError',
    'TokenUnreadable',
    'connect',
]

"""When a call may be sent again, and how long to wait before."""
from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from typing import Any

from .errors import CoordinatorError
from .methods import IDEMPOTENT, KEYED

#: How often one call is sent again, after lost connections and passing refusals together, before its caller hears of it.
REPEATS_MAX = 5


def with_idempotency_key(method: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Leaves out what is None, and gives a call that changes something a key of its own, kept over all its repetitions."""
    given = {name: value for name, value in params.items() if value is not None}
    if method in KEYED and method not in IDEMPOTENT:
        given.setdefault('idempotencyKey', str(uuid.uuid4()))
    return given


def is_repeatable(method: str, params: Mapping[str, Any]) -> bool:
    """Whether sending a call twice has the effect of sending it once."""
    return method in IDEMPOTENT or 'idempotencyKey' in params


def retry_after_seconds(error: CoordinatorError) -> float | None:
    """How long to wait before a refused call is worth another try; None where it is not."""
    if not error.retryable or error.retry_after_ms is None:
        return None
    # Spread over twice the time asked for, so that those who were refused together do not return together.
    return error.retry_after_ms / 1_000 * random.uniform(1, 2)


def backoff_seconds(failures: int, base: float = 0.1, cap: float = 5.0) -> float:
    """How long to wait before the next try, after so many failures in a row, with full jitter: those who lost the same
    coordinator do not all come back at once. https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    return random.uniform(0, min(cap, base * 2 ** min(failures, 30)))

"""Opens a socket to a coordinator, with `websockets` from 10.4 on: its client and some of its names changed with 13 and 14."""
from __future__ import annotations

import asyncio
import inspect
import ssl
from typing import Any

import websockets.exceptions

from .errors import CoordinatorError, CoordinatorUnreachable

try:
    from websockets.asyncio.client import connect as _connect
except ImportError:
    from websockets.client import connect as _connect

#: Answers may be larger than calls: a list of artifacts with their contents.
ANSWER_BYTES_MAX = 64 * 1024 * 1024
#: A coordinator that shows no sign of life for this long is gone.
PING_SECONDS = 15.0
HANDSHAKE_SECONDS = 10.0
CLOSE_SECONDS = 2.0

Socket = Any


async def dial(url: str, token: str) -> Socket:
    """Opens a socket.

    Raises CoordinatorError `unauthenticated` where the token does not fit, `overloaded` where there is no room, and
    CoordinatorUnreachable where nothing answers, or something else does.
    """
    try:
        return await _connect(url, **_options(token))
    except (websockets.exceptions.InvalidHandshake, websockets.exceptions.InvalidURI) as error:
        raise _refusal(url, error) from error
    except ssl.SSLCertVerificationError as error:
        message = f'The certificate of {url} is not trusted ({error.verify_message}). Name the file of the authority that vouches for it in SSL_CERT_FILE.'
        raise CoordinatorUnreachable(message) from error
    except (OSError, EOFError, asyncio.TimeoutError, websockets.exceptions.WebSocketException) as error:
        reason = str(error) or type(error).__name__
        raise CoordinatorUnreachable(f'No coordinator answers at {url} ({reason}). Is it running?') from error


def _options(token: str) -> dict[str, Any]:
    known = inspect.signature(_connect.__init__).parameters
    options: dict[str, Any] = {
        'compression': None,
        'max_size': ANSWER_BYTES_MAX,
        'open_timeout': HANDSHAKE_SECONDS,
        'close_timeout': CLOSE_SECONDS,
        'ping_interval': PING_SECONDS,
        'ping_timeout': PING_SECONDS,
        'additional_headers' if 'additional_headers' in known else 'extra_headers': {'Authorization': f'Bearer {token}'},
    }
    # Newer versions would go by a proxy of the environment, even to this machine.
    return options | ({'proxy': None} if 'proxy' in known else {})


def _refusal(url: str, error: Exception) -> Exception:
    response = getattr(error, 'response', None)
    status = getattr(response, 'status_code', None) or getattr(error, 'status_code', None)
    if status == 401:
        title = 'The token is missing, unknown, expired or revoked.'
        return CoordinatorError('unauthenticated', {'message': f'It was shown to {url}.'}, code=40101, title=title)
    if status in (429, 503):
        data = {'retryable': True, 'message': f'{url} takes no more connections from here now.'}
        return CoordinatorError('overloaded', data, code=50301, title='The coordinator is busy.')
    if status == 403:
        return CoordinatorUnreachable(f'{url} refuses connections under this host name.')
    return CoordinatorUnreachable(f'What answers at {url} is not a coordinator ({error}).')

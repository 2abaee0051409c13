"""Where the coordinator is, and what to show it: what was given, then the environment, then what `baton up` uses."""
from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from .errors import CoordinatorUnreachable, TokenUnreadable

USUAL_URL = 'ws://127.0.0.1:4766/rpc'
USUAL_TOKEN_FILE = '.baton/token'
_SCHEMES = {'http': 'ws', 'https': 'wss', 'ws': 'ws', 'wss': 'wss'}


def socket_url(given: str | None) -> str:
    """`ws://host:port/rpc`, from any of the ways to write where a coordinator is: http or ws, with or without the path."""
    text = given or os.environ.get('BATON_URL') or USUAL_URL
    parts = urlsplit(text)
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None or not parts.netloc:
        raise CoordinatorUnreachable(f'{text!r} is not the address of a coordinator. It looks like {USUAL_URL}.')
    return f'{scheme}://{parts.netloc}{parts.path if parts.path not in ("", "/") else "/rpc"}'


def token_source(token: str | None, token_file: str | os.PathLike[str] | None) -> Callable[[], str]:
    """What returns the token. A file is read anew for each connection, for it may have been replaced."""
    if token is not None:
        given = token
        return lambda: given
    file = Path(token_file or os.environ.get('BATON_TOKEN_FILE') or USUAL_TOKEN_FILE).absolute()

    def read() -> str:
        try:
            text = file.read_text(encoding='utf-8').strip()
        except (OSError, UnicodeDecodeError) as error:
            raise TokenUnreadable(f'The token cannot be read from {file}: {error}') from error
        if not text:
            raise TokenUnreadable(f'The token file {file} is empty.')
        return text

    return read


def workspace_folder(given: str | os.PathLike[str] | None) -> Path | None:
    """The folder that tasks are told to work in."""
    folder = given or os.environ.get('BATON_WORKSPACE')
    return Path(folder).absolute() if folder else None

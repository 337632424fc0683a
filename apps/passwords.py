"""Passwords, by argon2id with its authors' parameters: 64 MiB and some ten milliseconds for each."""

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 10, 1024
# Each takes 64 MiB: a crowd at the door must wait in the street.
_DESK = threading.BoundedSemaphore(2)


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


def hash_of(password: str) -> str:
    """Give what is kept of a password."""
    with _DESK:
        return _hasher().hash(password)


def is_right(password: str, password_hash: str | None) -> bool:
    """Tell whether this is the password of a hash. With None it takes as long, and is always wrong."""
    with _DESK:
        try:
            return _hasher().verify(password_hash or _nobodys(), password) and password_hash is not None
        except (VerificationError, InvalidHashError):
            return False


@cache
def _nobodys() -> str:
    return _hasher().hash("nobody's")

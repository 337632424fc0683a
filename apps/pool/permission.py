"""Who may change the pool: whoever has the token, or, where none is set, whoever sits at this very machine."""

import hmac

from flask import Request

from apps.callers import is_from_here
from apps.errors import NotAllowedError

NO_TOKEN = "this needs the header Authorization: Bearer <ADMIN_TOKEN>"
ELSEWHERE = (
    "without ADMIN_TOKEN only a caller on the server's own machine, through no proxy, may do this; set ADMIN_TOKEN"
)


def check_permission(request: Request, token: str) -> None:
    """Let a request pass that may change the pool; `token` is ADMIN_TOKEN, empty when it is not set.

    Raises:
        NotAllowedError: 401 without the right token where there is one, 403 for a caller from elsewhere.
    """
    if token:
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        # Compared in constant time, so that nobody can find the token letter by letter.
        if kind.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
            raise NotAllowedError(401, NO_TOKEN)
    elif not is_from_here(request):
        raise NotAllowedError(403, ELSEWHERE)

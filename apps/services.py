"""The parts that a route may use: built once for each process, handed in, never reached for."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import current_app

from agent.host import Host
from agent.ledger import Ledger
from apps.freezing import Seals
from apps.participation import Participation
from apps.pictures import PictureDesk
from jobs.parts import Parts
from jobs.pool_changes import PoolChanges
from jobs.service import Jobs
from store.stores import Stores

EXTENSION = "stepideator"


@dataclass(frozen=True)
class Services:
    """What a route may use.

    `host` and `ledger` are what this process shares with the others of its host; `operations` the names of all that
    participants may be allowed to use; `users_of_settings` which of them use a preset, by `preset:<name>`.
    """

    stores: Stores
    jobs: Jobs
    pictures: PictureDesk
    parts: Parts
    host: Host
    ledger: Ledger
    pool_changes: PoolChanges
    seals: Seals
    operations: frozenset[str]
    participation: Participation
    users_of_settings: Mapping[str, tuple[str, ...]]

    def close(self, grace_s: float = 0.0) -> None:
        """Give connections and instances back: the process ends, and its jobs have `grace_s` seconds to end before."""
        self.jobs.stop(grace_s)
        self.participation.close()
        for part in (self.parts.pool, self.parts.chat, self.parts.multiview):
            if part is not None:
                part.close()
        self.ledger.close()
        self.host.stop()
        self.parts.metrics.close()
        self.stores.close()


def services() -> Services:
    """Return the services of the app that serves the current request."""
    found: Services = current_app.extensions[EXTENSION]
    return found

"""How the processes of this server speak Celery with one another: one kind of message, carrying a generation's id.

A message only wakes a worker. What is to be done, by whom, and whether it is done already stands in the generation's
record, so a message that comes twice, late or never harms nothing.
"""

from celery import Celery
from kombu import Connection, Queue
from kombu.pidbox import Mailbox

from jobs.celery_broker import TRANSPORT

ADOPT_TASK = "stepideator.adopt"
"""Name of the only task; its one argument is a generation's id."""

CHANGE_POOL = "change_pool"
"""Name of the only command that a worker takes from a web host; see `jobs.celery_orders`."""

_CONNECT_S = 1.0
_ANSWER_S = 3.0
"""More than the second for which a worker asks Redis to wait for a message."""
_BEAT_S = 20


def celery_app(broker_url: str, longest_job_s: float) -> Celery:
    """Make the application that both sides share; nothing connects before it is used.

    Args:
        broker_url: where Redis is, such as redis://:password@host:6379/0; it is never logged by us.
        longest_job_s: a message in a worker's hands for longer than this is given to another worker.
    """
    app = Celery("stepideator", broker=broker_url, set_as_current=False)
    app.conf.update(
        broker_transport=TRANSPORT,
        # The record is the result.
        task_ignore_result=True,
        # Done is what has ended, and not what was begun.
        task_acks_late=True,
        broker_transport_options={
            "visibility_timeout": longest_job_s,
            "socket_connect_timeout": _CONNECT_S,
            # A submission must not wait for a Redis that hangs.
            "socket_timeout": _ANSWER_S,
            "socket_keepalive": True,
            "health_check_interval": _BEAT_S,
        },
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
    )
    return app


def as_worker(app: Celery, queues: tuple[str, ...], threads: int) -> Celery:
    """Set the application up for a worker that listens to these queues.

    Threads, because a job waits for other machines nearly all of its time, and because all jobs of a host share one
    pool of WebUIs.
    """
    app.conf.update(
        task_queues=[Queue(name) for name in queues],
        worker_pool="threads",
        worker_concurrency=threads,
        # What a worker cannot begin at once stays in Redis, where any other worker finds it.
        worker_prefetch_multiplier=1,
        # After a lost connection all threads go on taking messages.
        worker_enable_prefetch_count_reduction=False,
        worker_redirect_stdouts=False,
        # By it whoever reaches Redis could stop workers; and a worker that listens to it as well as to its queues does
        # not outlive a restart of Redis (kombu 5.7). What a web host has to say comes by `jobs.celery_orders`.
        worker_enable_remote_control=False,
    )
    return app


def mailbox(connection: Connection) -> Mailbox:
    """Give the way of commands to worker hosts, each of which listens by its name, and of their answers."""
    return Mailbox("stepideator", type="fanout", connection=connection)

"""A fleet of worker hosts in simulated time, under the rules that the real one follows.

Routing is `jobs.celery_routing.route`, what a host lets in `jobs.celery_places.lets_in`, the choice of an instance
`agent.schedule.plan`, the look for unclaimed records has the numbers of `jobs.celery_intake`. What is simulated is what
those rules wait for: people, chat, loads and pictures.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import simpy

from agent.schedule import Seat, Waiting, plan
from jobs.celery_intake import BUSY_LOOK_S, GRACE_S, LOOK_S, OVERTAKE
from jobs.celery_places import SPARE, Seats, Wish, lets_in, spare
from jobs.celery_routing import ANY_QUEUE, CHAT_QUEUE, WorkerHost, queues_of, route, seats_of

BEAT_S = 1.5
OVERTAKE_S = 30.0


@dataclass(frozen=True)
class Times:
    """Seconds that things take, and what people ask for."""

    picture_s: float = 4.0
    load_s: float = 10.0
    chat_s: float = 3.0
    checkpoints: tuple[tuple[str, float], ...] = (("sketches", 0.6), ("scenes", 0.2), ("renderings", 0.2))
    chat_only: float = 0.2
    pictures: tuple[int, ...] = (1, 1, 2, 4)

    @property
    def pictures_per_job(self) -> float:
        """On average, jobs that only chat included."""
        return (1 - self.chat_only) * sum(self.pictures) / len(self.pictures)


@dataclass(frozen=True)
class Policy:
    """What is compared.

    With `routed` off all painting jobs share one queue, with `planned` off a host lets in whatever comes, up to a
    number, and takes its idle WebUIs as they come.
    """

    name: str
    routed: bool = True
    planned: bool = True


@dataclass
class Job:
    """One generation: `checkpoint` is None if it only chats. Times are those of the simulation."""

    checkpoint: str | None
    pictures: int
    created_s: float
    queue: str = ""
    is_claimed: bool = False
    waited_s: float = -1.0
    ended_s: float = -1.0


@dataclass
class Instance:
    """One WebUI with its GPU."""

    name: str
    checkpoint: str | None
    free_at_s: float = 0.0
    is_idle: bool = True
    painted: int = 0
    loads: int = 0
    last_used_s: float = 0.0


@dataclass
class Host:
    """One worker: its WebUIs, the messages in its threads, and its places."""

    name: str
    queues: tuple[str, ...]
    instances: list[Instance]
    threads_left: int
    held: deque[Job] = field(default_factory=deque)
    in_hand: dict[str, int] = field(default_factory=dict)
    calls: dict[int, tuple[Waiting, Job, simpy.Event]] = field(default_factory=dict)
    turn: int = 0
    seats: Seats | None = None
    beat: WorkerHost | None = None
    sent: dict[str, int] = field(default_factory=dict)


class Fleet:
    """All hosts and the broker between them."""

    def __init__(self, env: simpy.Environment, hosts: int, gpus: int, times: Times, policy: Policy, seed: int) -> None:
        self.env, self.times, self.policy = env, times, policy
        self.random = random.Random(seed)
        self.numbers = count()
        names = [name for name, _ in times.checkpoints]
        self.hosts = [self._host(index, gpus, names) for index in range(hosts)]
        self.by_queue: dict[str, list[Host]] = {}
        for host in self.hosts:
            for queue in host.queues:
                self.by_queue.setdefault(queue, []).append(host)
        self.queues: dict[str, deque[Job]] = {queue: deque() for queue in self.by_queue}
        self.unclaimed: dict[int, Job] = {}
        self.ended: list[Job] = []
        self.messages = self.found = 0
        for host in self.hosts:
            env.process(self._beats(host))
            env.process(self._looks(host))

    def _host(self, index: int, gpus: int, names: list[str]) -> Host:
        name = f"gpu-{index:03}"
        queues = queues_of(name, names, chats=True, paints=True)
        # After a while of service each instance has some checkpoint loaded.
        instances = [Instance(f"{name}:{gpu}", self._checkpoint()) for gpu in range(gpus)]
        return Host(name, queues, instances, threads_left=4 * gpus + 8)

    def _checkpoint(self) -> str:
        names, weights = zip(*self.times.checkpoints, strict=True)
        return str(self.random.choices(names, weights)[0])

    def submit(self) -> Job:
        """Make a job as people make them, and send its message."""
        chats = self.random.random() < self.times.chat_only
        job = Job(None if chats else self._checkpoint(), self.random.choice(self.times.pictures), self.env.now)
        self.unclaimed[id(job)] = job
        job.queue = self._routed(job)
        self.messages += 1
        self._deliver(job)
        return job

    def _routed(self, job: Job) -> str:
        if not self.policy.routed:
            return CHAT_QUEUE if job.checkpoint is None else ANY_QUEUE
        queue = route(job.checkpoint, (self._present(host) for host in self.hosts))
        for host in self.by_queue[queue] if queue.startswith("host.") else ():
            host.sent[str(job.checkpoint)] = host.sent.get(str(job.checkpoint), 0) + job.pictures
        return queue

    def _present(self, host: Host) -> WorkerHost:
        beat = host.beat or self._beat_of(host)
        if not host.sent:
            return beat
        ready = {name: number - host.sent.get(name, 0) for name, number in beat.ready.items()}
        return replace(beat, ready=ready, spare=beat.spare - sum(host.sent.values()))

    def _beat_of(self, host: Host) -> WorkerHost:
        seats = self._seats(host)
        return WorkerHost(host.name, frozenset(host.queues), seats.ready, max(0, spare(host.in_hand, seats)), seats.up)

    def _beats(self, host: Host) -> Generator[simpy.Event, Any, None]:
        yield self.env.timeout(self.random.random() * BEAT_S)
        while True:
            host.beat, host.sent = self._beat_of(host), {}
            yield self.env.timeout(BEAT_S)

    def _deliver(self, job: Job) -> None:
        """Redis gives a message to a host that waits for one, else keeps it."""
        able = [host for host in self.by_queue[job.queue] if host.threads_left]
        if able:
            self._receive(self.random.choice(able), job)
        else:
            self.queues[job.queue].append(job)

    def _receive(self, host: Host, job: Job) -> None:
        host.threads_left -= 1
        if job.checkpoint is not None and not self._lets_in(host, job):
            host.held.append(job)
        else:
            self._adopt(host, job, thread=True)

    def _adopt(self, host: Host, job: Job, *, thread: bool) -> None:
        if job.is_claimed:
            self._release(host, thread=thread)
            return
        job.is_claimed = True
        del self.unclaimed[id(job)]
        if job.checkpoint is not None:
            host.in_hand[job.checkpoint] = host.in_hand.get(job.checkpoint, 0) + job.pictures
        self.env.process(self._run(host, job, thread=thread))

    def _release(self, host: Host, *, thread: bool) -> None:
        """A thread goes for the next message, the queues taking turns."""
        host.threads_left += thread
        self._retry(host)
        for step in range(len(host.queues)):
            if not host.threads_left:
                return
            queue = self.queues[host.queues[(host.turn + step) % len(host.queues)]]
            if queue:
                host.turn += step + 1
                self._receive(host, queue.popleft())
                return

    def _retry(self, host: Host) -> None:
        for job in list(host.held):
            if job in host.held and (job.is_claimed or self._lets_in(host, job)):
                host.held.remove(job)
                self._adopt(host, job, thread=True)

    def _looks(self, host: Host) -> Generator[simpy.Event, Any, None]:
        yield self.env.timeout(self.random.random() * LOOK_S)
        for number in count():
            self._retry(host)
            if spare(host.in_hand, self._seats(host)) > 0 or number % round(BUSY_LOOK_S / LOOK_S) == 0:
                self._look(host)
            yield self.env.timeout(LOOK_S)

    def _look(self, host: Host) -> None:
        now = self.env.now
        ready = {instance.checkpoint for instance in host.instances if instance.is_idle}
        late_s = OVERTAKE.total_seconds()
        waiting = [job for job in self.unclaimed.values() if now - job.created_s > GRACE_S and job.checkpoint][:50]
        waiting.sort(key=lambda job: (now - job.created_s < late_s, job.checkpoint not in ready, job.created_s))
        for job in waiting:
            if self._lets_in(host, job):
                self.found += 1
                self._adopt(host, job, thread=False)

    def _lets_in(self, host: Host, job: Job) -> bool:
        if not self.policy.planned:
            return sum(host.in_hand.values()) <= SPARE * len(host.instances)
        wish = Wish(job.checkpoint, job.pictures, job.created_s)
        return lets_in(wish, self.env.now - job.created_s, host.in_hand, self._seats(host))

    def _seats(self, host: Host) -> Seats:
        if host.seats is None:
            host.seats = seats_of(("idle" if one.is_idle else "busy", one.checkpoint) for one in host.instances)
        return host.seats

    def _run(self, host: Host, job: Job, *, thread: bool) -> Generator[simpy.Event, Any, None]:
        chat_s = self.random.expovariate(1 / self.times.chat_s)
        yield self.env.timeout(chat_s)
        if job.checkpoint is not None:
            calls = [self._call(host, job) for _ in range(job.pictures)]
            self._plan(host)
            yield simpy.AllOf(self.env, calls)
            host.in_hand[job.checkpoint] -= job.pictures
            job.waited_s -= job.created_s + chat_s
        job.ended_s = self.env.now
        self.ended.append(job)
        self._release(host, thread=thread)

    def _call(self, host: Host, job: Job) -> simpy.Event:
        number = next(self.numbers)
        waiting = Waiting(number, self.env.now, job.checkpoint, share=str(id(job)), size=1.0)
        host.calls[number] = (waiting, job, self.env.event())
        return host.calls[number][2]

    def _plan(self, host: Host) -> None:
        """Start what the pool's rule starts now."""
        if not host.calls or not any(instance.is_idle for instance in host.instances):
            return
        by_name = {instance.name: instance for instance in host.instances}
        if self.policy.planned:
            seats = [self._seat(instance) for instance in host.instances]
            placed = plan([call for call, _, _ in host.calls.values()], seats, {}, OVERTAKE_S)
            starts = [(one.call.id, by_name[one.seat]) for one in placed if one.now]
        else:
            idle = [instance for instance in host.instances if instance.is_idle]
            starts = list(zip(list(host.calls), idle, strict=False))
        for number, instance in starts:
            self.env.process(self._paint(host, instance, number))

    def _seat(self, instance: Instance) -> Seat:
        return Seat(
            instance.name, instance.checkpoint, max(0.0, instance.free_at_s - self.env.now), instance.is_idle,
            self.times.picture_s, self.times.picture_s, self.times.load_s, instance.last_used_s,
        )  # fmt: skip

    def _paint(self, host: Host, instance: Instance, number: int) -> Generator[simpy.Event, Any, None]:
        call, job, done = host.calls.pop(number)
        if job.waited_s < 0:
            job.waited_s = self.env.now
        seconds = self.times.picture_s * self.random.uniform(0.9, 1.1)
        if call.checkpoint != instance.checkpoint:
            instance.loads += 1
            seconds += self.times.load_s
        instance.checkpoint, instance.is_idle, host.seats = call.checkpoint, False, None
        instance.free_at_s = instance.last_used_s = self.env.now + seconds
        yield self.env.timeout(seconds)
        instance.is_idle, host.seats = True, None
        instance.painted += 1
        done.succeed()
        self._plan(host)

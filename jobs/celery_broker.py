"""Redis as Celery's broker, mended in one place: an acknowledgement that gets lost must not cost a thread its work.

A worker takes as many messages as it has threads. When Redis goes away while all of them are in hand, the
acknowledgements fail, the messages count as in hand for ever, the worker asks for no more, and so it never notices that
it was cut off.
"""

from kombu.transport import redis, virtual
from redis.exceptions import ConnectionError as RedisConnectionError


class QoS(redis.QoS):
    """Counts the messages in hand; one that could not be acknowledged is in hand no more."""

    def ack(self, delivery_tag: str) -> None:
        """Tell Redis that a message is dealt with; when Redis is away, only forget it here.

        Redis gives it to somebody again, who finds in the record that nothing is left to do.
        """
        try:
            super().ack(delivery_tag)
        except RedisConnectionError:
            virtual.QoS.ack(self, delivery_tag)
            raise


class Channel(redis.Channel):
    """The channel that counts so."""

    QoS = QoS


class Transport(redis.Transport):
    """The transport with such channels; Celery is given its name."""

    Channel = Channel


TRANSPORT = f"{__name__}:{Transport.__name__}"

"""confluent-kafka: makes a topic, produces, and reads all of it back in a group. Arguments: broker, number of records."""
import sys

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

broker, count = sys.argv[1], int(sys.argv[2])
admin = AdminClient({"bootstrap.servers": broker})
for future in admin.create_topics([NewTopic("trip", num_partitions=2, replication_factor=1)]).values():
    future.result(30)

failures = []


def delivered(error, _):
    if error is not None:
        failures.append(error)


producer = Producer({"bootstrap.servers": broker, "enable.idempotence": True, "compression.type": "lz4", "linger.ms": 5})
for i in range(count):
    producer.produce("trip", key=f"key {i}", value=f"value {i}", partition=i % 2, headers={"number": str(i)},
                     on_delivery=delivered)
    producer.poll(0)
assert producer.flush(60) == 0 and not failures, failures

consumer = Consumer({"bootstrap.servers": broker, "group.id": "trip", "auto.offset.reset": "earliest"})
consumer.subscribe(["trip"])
seen = set()
while len(seen) < count:
    message = consumer.poll(30)
    assert message is not None, f"nothing came for 30 s after {len(seen)} records"
    assert message.error() is None, message.error()
    i = int(dict(message.headers())["number"])
    assert (message.partition(), message.key(), message.value()) == (i % 2, f"key {i}".encode(), f"value {i}".encode())
    assert i not in seen
    seen.add(i)
committed = consumer.commit(asynchronous=False)
assert sum(each.offset for each in committed) == count, committed
consumer.close()
for future in admin.delete_topics(["trip"]).values():
    future.result(30)
print(f"OK {len(seen)}")

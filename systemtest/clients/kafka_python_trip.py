"""kafka-python: makes a topic, produces, and reads all of it back in a group. Arguments: broker, number of records."""
import sys

from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic

broker, count = sys.argv[1], int(sys.argv[2])
admin = KafkaAdminClient(bootstrap_servers=broker)
admin.create_topics([NewTopic("trip", num_partitions=2, replication_factor=1)])
producer = KafkaProducer(bootstrap_servers=broker, acks="all", compression_type="gzip")
sent = [producer.send("trip", key=f"key {i}".encode(), value=f"value {i}".encode(), partition=i % 2,
                      headers=[("number", str(i).encode())]) for i in range(count)]
producer.flush(60)
for each in sent:
    each.get(60)
producer.close()

consumer = KafkaConsumer("trip", bootstrap_servers=broker, group_id="trip", auto_offset_reset="earliest",
                         enable_auto_commit=False, consumer_timeout_ms=30000)
seen = set()
for message in consumer:
    i = int(dict(message.headers)["number"])
    assert (message.partition, message.key, message.value) == (i % 2, f"key {i}".encode(), f"value {i}".encode())
    assert i not in seen
    seen.add(i)
    if len(seen) == count:
        break
assert len(seen) == count, f"{len(seen)} of {count} came"
consumer.commit()
committed = admin.list_consumer_group_offsets("trip")
assert sum(each.offset for each in committed.values()) == count, committed
consumer.close()
admin.delete_topics(["trip"])
admin.close()
print(f"OK {len(seen)}")

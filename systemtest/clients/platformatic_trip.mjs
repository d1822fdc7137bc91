// @platformatic/kafka: makes a topic, produces, and reads all of it back in a group. Arguments: broker, number of records.
import { Admin, Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'

const [broker, count] = [process.argv[2], Number(process.argv[3])]
const common = { clientId: 'trip', bootstrapBrokers: [broker] }

const admin = new Admin(common)
await admin.createTopics({ topics: ['trip'], partitions: 2, replicas: 1 })
const producer = new Producer({ ...common, serializers: stringSerializers, idempotent: true })
for (let from = 0; from < count; from += 100) {
  const messages = []
  for (let i = from; i < Math.min(count, from + 100); i++) {
    messages.push({ topic: 'trip', key: `key ${i}`, value: `value ${i}`, partition: i % 2, headers: { number: `${i}` } })
  }
  await producer.send({ messages, compression: 'gzip' })
}
await producer.close()
const consumer = new Consumer({ ...common, groupId: 'trip', deserializers: stringDeserializers })
const stream = await consumer.consume({ autocommit: true, topics: ['trip'], mode: 'earliest', sessionTimeout: 10000, heartbeatInterval: 500 })
const seen = new Set()
for await (const message of stream) {
  const i = Number(message.headers.get('number'))
  if (message.partition !== i % 2 || message.key !== `key ${i}` || message.value !== `value ${i}` || seen.has(i)) {
    throw new Error(`record ${i} came back as ${message.key} ${message.value} from partition ${message.partition}`)
  }
  seen.add(i)
  if (seen.size === count) break
}
await stream.close()
await consumer.close()
await admin.deleteTopics({ topics: ['trip'] })
await admin.close()
console.log(`OK ${seen.size}`)
process.exit(0)

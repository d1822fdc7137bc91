// kafkajs: makes a topic, produces, and reads all of it back in a group. Arguments: broker, number of records.
const { Kafka, logLevel, CompressionTypes } = require('kafkajs')

const [broker, count] = [process.argv[2], Number(process.argv[3])]
const value = (i) => (i % 10 === 9 ? null : `value ${i}`)

async function main () {
  const kafka = new Kafka({ clientId: 'trip', brokers: [broker], logLevel: logLevel.ERROR })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'trip', numPartitions: 2 }] })
  const producer = kafka.producer({ idempotent: true })
  await producer.connect()
  for (let from = 0; from < count; from += 100) {
    const messages = []
    for (let i = from; i < Math.min(count, from + 100); i++) {
      messages.push({ key: `key ${i}`, value: value(i), partition: i % 2, headers: { number: `${i}` } })
    }
    await producer.send({ topic: 'trip', acks: -1, compression: CompressionTypes.GZIP, messages })
  }
  await producer.disconnect()
  const consumer = kafka.consumer({ groupId: 'trip' })
  await consumer.connect()
  await consumer.subscribe({ topics: ['trip'], fromBeginning: true })
  const seen = new Map()
  await new Promise((resolve, reject) => {
    consumer.on('consumer.crash', (event) => reject(event.payload.error))
    consumer.run({
      eachMessage: async ({ partition, message }) => {
        const i = Number(message.headers.number.toString())
        const wanted = value(i)
        const got = message.value === null ? null : message.value.toString()
        if (partition !== i % 2 || message.key.toString() !== `key ${i}` || got !== wanted || seen.has(i)) {
          reject(new Error(`record ${i} came back as ${message.key} ${got} from partition ${partition}`))
        }
        seen.set(i, true)
        if (seen.size === count) resolve()
      }
    })
  })
  await consumer.disconnect()
  const offsets = await admin.fetchOffsets({ groupId: 'trip', topics: ['trip'] })
  const committed = offsets[0].partitions.reduce((sum, each) => sum + Number(each.offset), 0)
  if (committed !== count) throw new Error(`${committed} of ${count} are committed`)
  await admin.deleteGroups(['trip'])
  await admin.deleteTopics({ topics: ['trip'] })
  await admin.disconnect()
  console.log(`OK ${seen.size}`)
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1) })

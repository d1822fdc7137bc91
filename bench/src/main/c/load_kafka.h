/* Kafka: Produce 3 and Fetch 12, the last that calls topics by name. As in every answer that today's clients get, three bytes follow the records. */
#include "load.h"

enum { BATCH_HEAD_BYTES = 61, TAIL_BYTES = 3 };

static char *putVarint(char *at, long n) {
    uint64_t z = ((uint64_t)n << 1) ^ (n >> 63);
    for (; z > 127; z >>= 7) *at++ = z | 128;
    *at++ = z;
    return at;
}

static uint32_t crc32c(const char *bytes, size_t length) {
    static uint32_t table[256];
    if (!table[1]) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = i;
            for (int k = 0; k < 8; k++) c = c & 1 ? 0x82F63B78 ^ c >> 1 : c >> 1;
            table[i] = c;
        }
    }
    uint32_t c = ~0u;
    for (size_t i = 0; i < length; i++) c = table[(c ^ (uint8_t)bytes[i]) & 255] ^ c >> 8;
    return ~c;
}

/* The largest batch of records of that size within option.batch; one record at least. The same arguments give the same bytes, but for the time. */
static void kafkaMakeBatch(void) {
    size_t room = (option.batch > option.record ? option.batch : option.record) + 256;
    batch = malloc(room);
    if (!batch) die("malloc");
    char *at = batch + BATCH_HEAD_BYTES, *end = batch + (option.batch > 61 ? option.batch : 0);
    uint64_t random = 88172645463325252u;
    for (;;) {
        char lead[64], *l = lead;
        *l++ = 0;
        l = putVarint(putVarint(putVarint(putVarint(l, 0), batchRecords), -1), option.record);
        long body = l - lead + option.record + 1;
        char length[10], *n = putVarint(length, body);
        if (batchRecords && at + (n - length) + body > end) break;
        memcpy(at, length, n - length);
        at += n - length;
        memcpy(at, lead, l - lead);
        at += l - lead;
        for (long i = 0; i < option.record; i++) {
            random ^= random << 13; random ^= random >> 7; random ^= random << 17;
            *at++ = random;
        }
        *at++ = 0;
        batchRecords++;
        if (at >= end) break;
    }
    batchBytes = at - batch;
    uint64_t ms = (uint64_t)time(NULL) * 1000;
    char *h = put64(batch, 0);
    h = put32(h, batchBytes - 12);
    h = put32(h, -1);
    *h++ = 2;
    h += 4;
    h = put16(h, 0);
    h = put32(h, batchRecords - 1);
    h = put64(put64(h, ms), ms);
    h = put64(h, -1);
    h = put16(h, -1);
    h = put32(put32(h, -1), batchRecords);
    put32(batch + 17, crc32c(batch + 21, batchBytes - 21));
}

static void kafkaProduceHead(struct connection *c, int partition) {
    char *at = putString(put32(put16(put16(c->head + 4, 0), 3), c->asked), "load");
    at = put32(put16(put16(at, -1), option.acks), 30000);
    at = put32(putString(put32(at, 1), topic), 1);
    at = put32(put32(at, partition), batchBytes);
    c->headBytes = at - c->head;
    c->frameBytes = c->headBytes + batchBytes;
    put32(c->head, c->frameBytes - 4);
}

static void kafkaFetchHead(struct connection *c) {
    size_t name = strlen(topic);
    if (name > 126) quit("topic's name too long", name);
    char *at = putString(put32(put16(put16(c->head + 4, 1), 12), c->asked), "load");
    *at++ = 0;
    at = put32(put32(put32(put32(at, -1), 500), 1), option.max);
    *at++ = 0;
    at = put32(put32(at, 0), -1);   /* no session */
    *at++ = 2;
    *at++ = name + 1;
    memcpy(at, topic, name);
    at += name;
    *at++ = 2;
    at = put64(put32(put32(at, c->partition), -1), c->offset);
    at = put32(put64(put32(at, -1), -1), option.max);
    memcpy(at, "\0\0\1\1\0", 5);   /* tags of partition and topic, nothing forgotten, no rack, tags */
    at += 5;
    c->headBytes = c->frameBytes = at - c->head;
    put32(c->head, c->headBytes - 4);
}

static void kafkaProduced(struct connection *c) {
    const char *answer = c->room + 4;
    int name = get16(answer + 8), error = get16(answer + 10 + name + 8);
    if (error) quit("produce error", error);
    if (get32(answer) != (uint32_t)c->answered) quit("answer out of order", get32(answer));
}

/* Up to the length of the records, which is one to four bytes long: there are as many behind where it begins, whatever it says. */
static size_t kafkaFetchedWant(struct connection *c) {
    (void)c;
    return 4 + 5 + 10 + 2 + strlen(topic) + 1 + 4 + 2 + 24 + 1 + 4 + 4;
}

static int kafkaFetchedHead(struct connection *c) {
    if (c->have < kafkaFetchedWant(c)) return 0;
    const char *p = c->room + 4 + 5 + 10 + 2 + strlen(topic) + 1;
    int error = get16(c->room + 4 + 5 + 4) ? get16(c->room + 4 + 5 + 4) : get16(p + 4);
    if (error) quit("fetch error", error);
    if (p[30] > 1) quit("aborted transactions", p[30] - 1);
    uint32_t length = 0;
    int lengthBytes = 0;
    do length |= (uint32_t)(p[35 + lengthBytes] & 127) << 7 * lengthBytes;
    while (p[35 + lengthBytes++] & 128 && lengthBytes < 4);
    long records = length ? length - 1 : 0, whole = kafkaFetchedWant(c) - 4 + lengthBytes + records + TAIL_BYTES;
    if (4 + (long)get32(c->room) != whole) quit("not an answer of one partition; its length", get32(c->room));
    if (get32(c->room + 4) != (uint32_t)c->answered) quit("answer out of order", get32(c->room + 4));
    c->left = records + TAIL_BYTES - (4 - lengthBytes);
    c->checked = 4 - lengthBytes;
    c->unchecked = TAIL_BYTES;
    long batches = records / batchBytes;
    if (records && !batches) quit("half a batch came", records);
    c->payload = batches * batchBytes;
    c->next = c->offset + batches * batchRecords;
    if (c->next >= get64(p + 6)) c->next = 0;   /* again from the beginning */
    return 1;
}

static const struct protocol kafka = {
    "kafka", kafkaMakeBatch, kafkaProduceHead, kafkaFetchHead, kafkaProduced, kafkaFetchedWant, kafkaFetchedHead, BATCH_HEAD_BYTES};

/*
 * RocketMQ's remoting protocol with JSON heads, as its own client writes them: SEND_MESSAGE_V2 of one message,
 * SEND_BATCH_MESSAGE of many, PULL_MESSAGE.
 */
#include "load.h"

enum { SEND_ONE = 310, SEND_BATCH = 320, PULL = 11, MESSAGE_HEAD_BYTES = 20, FLAT_HEAD_BYTES = 8 };

/* One message as it is, or as many as fit in option.batch, each with its own head. */
static void rocketmqMakeBatch(void) {
    int single = option.batch <= option.record;
    size_t each = single ? option.record : MESSAGE_HEAD_BYTES + option.record + 2;
    batchRecords = single ? 1 : option.batch / each > 0 ? option.batch / each : 1;
    batchBytes = batchRecords * each;
    batch = malloc(batchBytes);
    if (!batch) die("malloc");
    uint64_t random = 88172645463325252u;
    char *at = batch;
    for (long m = 0; m < batchRecords; m++) {
        if (!single) at = put32(put32(put32(put32(put32(at, each), 0), 0), 0), option.record);
        for (long i = 0; i < option.record; i++) {
            random ^= random << 13; random ^= random >> 7; random ^= random << 17;
            *at++ = random;
        }
        if (!single) at = put16(at, 0);
    }
}

static void rocketmqHead(struct connection *c, int json, size_t bodyBytes) {
    if (json >= HEAD_BYTES - FLAT_HEAD_BYTES) quit("head too long", json);
    c->headBytes = FLAT_HEAD_BYTES + json;
    c->frameBytes = c->headBytes + bodyBytes;
    put32(put32(c->head, c->frameBytes - 4), json);
}

static void rocketmqProduceHead(struct connection *c, int partition) {
    int one = batchRecords == 1;
    int json = snprintf(
        c->head + FLAT_HEAD_BYTES, HEAD_BYTES - FLAT_HEAD_BYTES,
        "{\"code\":%d,\"extFields\":{\"a\":\"load\",\"b\":\"%s\",\"c\":\"TBW102\",\"d\":\"%ld\",\"e\":\"%d\",\"f\":\"0\",\"g\":\"%lld\","
        "\"h\":\"0\",\"i\":\"\",\"j\":\"0\",\"k\":\"false\",\"m\":\"%s\"},\"flag\":0,\"language\":\"JAVA\",\"opaque\":%ld,"
        "\"serializeTypeCurrentRPC\":\"JSON\",\"version\":493}",
        one ? SEND_ONE : SEND_BATCH, topic, option.partitions, partition, (long long)time(NULL) * 1000, one ? "false" : "true", c->asked);
    rocketmqHead(c, json, batchBytes);
}

static void rocketmqFetchHead(struct connection *c) {
    int json = snprintf(
        c->head + FLAT_HEAD_BYTES, HEAD_BYTES - FLAT_HEAD_BYTES,
        "{\"code\":%d,\"extFields\":{\"consumerGroup\":\"load\",\"topic\":\"%s\",\"queueId\":\"%d\",\"queueOffset\":\"%llu\","
        "\"maxMsgNums\":\"%ld\",\"sysFlag\":\"4\",\"commitOffset\":\"0\",\"suspendTimeoutMillis\":\"0\",\"subscription\":\"*\","
        "\"subVersion\":\"0\",\"expressionType\":\"TAG\"},\"flag\":0,\"language\":\"JAVA\",\"opaque\":%ld,"
        "\"serializeTypeCurrentRPC\":\"JSON\",\"version\":493}",
        PULL, topic, c->partition, (unsigned long long)c->offset, option.max / option.record > 0 ? option.max / option.record : 1, c->asked);
    rocketmqHead(c, json, 0);
}

/* A number in an answer's JSON head, as a number or as a string of digits; -1 where it isn't there. */
static long rocketmqField(struct connection *c, const char *name) {
    size_t json = get32(c->room + 4) & 0xFFFFFF;
    const char *at = c->room + FLAT_HEAD_BYTES, *end = at + json;
    size_t length = strlen(name);
    for (; at + length + 3 < end; at++) {
        if (*at == '"' && !memcmp(at + 1, name, length) && at[length + 1] == '"' && at[length + 2] == ':') {
            at += length + 3;
            return atol(*at == '"' ? at + 1 : at);
        }
    }
    return -1;
}

static void rocketmqProduced(struct connection *c) {
    long code = rocketmqField(c, "code");
    if (code) {
        fprintf(stderr, "%.*s\n", (int)(get32(c->room + 4) & 0xFFFFFF), c->room + FLAT_HEAD_BYTES);
        quit("produce error", code);
    }
}

static size_t rocketmqFetchedWant(struct connection *c) {
    return c->have < FLAT_HEAD_BYTES ? FLAT_HEAD_BYTES : FLAT_HEAD_BYTES + (get32(c->room + 4) & 0xFFFFFF);
}

static int rocketmqFetchedHead(struct connection *c) {
    if (c->have < FLAT_HEAD_BYTES || c->have < rocketmqFetchedWant(c)) return 0;
    long code = rocketmqField(c, "code");
    if (code) quit("pull error", code);
    c->left = 4 + get32(c->room) - c->have;
    c->next = rocketmqField(c, "nextBeginOffset");
    c->payload = (c->next - c->offset) * option.record;
    if ((long)c->next >= rocketmqField(c, "maxOffset")) c->next = 0;   /* again from the beginning */
    return 1;
}

static const struct protocol rocketmq = {
    "rocketmq", rocketmqMakeBatch, rocketmqProduceHead, rocketmqFetchHead, rocketmqProduced, rocketmqFetchedWant, rocketmqFetchedHead, 0};

/* What the load program and the protocols it speaks share. */
#ifndef SLUICE_BENCH_LOAD_H
#define SLUICE_BENCH_LOAD_H

#include "common.h"
#include <time.h>

enum { MOST_DEPTH = 64, HEAD_BYTES = 1024, ROOM_BYTES = 64 << 10 };

static struct {
    long connections, partitions, record, batch, depth, acks, mib, requests, max, check, scatter, seconds;
} option = {1, 1, 1024, 262144, 5, 1, 512, 0, 1 << 20, 0, 0};

static const char *topic;
static char *batch;      /* the one batch */
static size_t batchBytes;
static long batchRecords;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* ---- bytes */

static char *put16(char *at, int v) { at[0] = v >> 8; at[1] = v; return at + 2; }
static char *put32(char *at, uint32_t v) { for (int i = 0; i < 4; i++) at[i] = v >> (24 - 8 * i); return at + 4; }
static char *put64(char *at, uint64_t v) { for (int i = 0; i < 8; i++) at[i] = v >> (56 - 8 * i); return at + 8; }
static char *putString(char *at, const char *s) { at = put16(at, strlen(s)); memcpy(at, s, strlen(s)); return at + strlen(s); }
static int get16(const char *at) { return (int16_t)((uint8_t)at[0] << 8 | (uint8_t)at[1]); }
static uint32_t get32(const char *at) { uint32_t v = 0; for (int i = 0; i < 4; i++) v = v << 8 | (uint8_t)at[i]; return v; }
static uint64_t get64(const char *at) { return (uint64_t)get32(at) << 32 | get32(at + 4); }

/* ---- connections */

struct connection {
    int socket, partition, outstanding, writable;
    char head[HEAD_BYTES];   /* what is sent before the batch */
    size_t headBytes, frameBytes, sent;
    int sending;
    double since[MOST_DEPTH];
    long asked, answered, quota;
    /* the answer under way */
    char *room;
    size_t have;
    int headSeen;
    uint64_t offset, next;   /* where this fetch began, and where the one after it begins */
    size_t payload;          /* bytes of whole batches in this answer */
    size_t left, checked;    /* bytes of it still to come, and where they are in the batch */
    size_t unchecked;        /* of those still to come, the last: no records */
};

static struct connection *connections;
static float *latencies;
static long latencyCount, latencyRoom;
static uint64_t fetchedBytes, answers;
static int poller;

/* How to talk to one kind of server. */
struct protocol {
    const char *name;
    void (*makeBatch)(void);
    /* Fill in head, headBytes and frameBytes of the next request. */
    void (*produceHead)(struct connection *, int partition);
    void (*fetchHead)(struct connection *);
    /* Looks at a whole answer to a produce; its frame begins at room, with its length. */
    void (*produced)(struct connection *);
    /* How many bytes of a fetch's answer are wanted in room before it is looked at again. */
    size_t (*fetchedWant)(struct connection *);
    /* Looks at the head of a fetch's answer: 0 when more of it is wanted, otherwise sets payload, left and next; checked and unchecked when they aren't 0. */
    int (*fetchedHead)(struct connection *);
    size_t uncheckedBytes;   /* at the start of each batch: the server's own */
};

#endif

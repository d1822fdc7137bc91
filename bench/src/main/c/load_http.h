/* HTTP/1.1: ranges of a file, over connections that stay open. */
#include "load.h"

/* No batch goes with a request: one of a byte, so that the payload is counted in bytes. */
static void httpMakeBatch(void) {
    batch = malloc(1);
    batchBytes = batchRecords = 1;
}

static void httpFetchHead(struct connection *c) {
    c->headBytes = c->frameBytes = snprintf(
        c->head, HEAD_BYTES, "GET /%s HTTP/1.1\r\nHost: 127.0.0.1\r\nRange: bytes=%llu-%llu\r\n\r\n", topic,
        (unsigned long long)c->offset, (unsigned long long)c->offset + option.max - 1);
}

static size_t httpFetchedWant(struct connection *c) { (void)c; return HEAD_BYTES; }

static int httpFetchedHead(struct connection *c) {
    c->room[c->have] = 0;
    char *end = strstr(c->room, "\r\n\r\n");
    if (!end) return 0;
    unsigned long long from, to, all;
    char *range = strstr(c->room, "\r\nContent-Range: bytes ");
    if (strncmp(c->room, "HTTP/1.1 206", 12) || !range || sscanf(range + 23, "%llu-%llu/%llu", &from, &to, &all) != 3) {
        quit("not a part of the file; status", atol(c->room + 9));
    }
    c->payload = to - from + 1;
    c->next = to + 1 + option.max > all ? 0 : to + 1;   /* whole ranges only, then again from the beginning */
    c->left = c->payload - (c->have - (end + 4 - c->room));
    return 1;
}

static const struct protocol http = {"http", httpMakeBatch, 0, httpFetchHead, 0, httpFetchedWant, httpFetchedHead, 0};

/*
 * limit: what the kernel can do at best, without a JVM and without a protocol.
 *
 *   limit ingest   FILE CHUNK MIB   socket -> hot buffer -> one pass over the bytes, as a checksum makes -> pwrite to a new, fallocated file
 *   limit dispatch FILE CHUNK MIB   the file, which is in the page cache -> sendfile -> socket; the peer has the kernel throw it away
 *
 * The peer is a child of this process. Prints one line of name=value; cpuSeconds are this process's own, without the peer's.
 */
#define _GNU_SOURCE
#include "common.h"
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <time.h>

enum { PEER_BYTES = 1 << 20, STEP_BYTES = 8 << 20 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static double cpu(void) {
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void peer(struct sockaddr_in *address, int sends, size_t bytes) {
    char *buffer = malloc(PEER_BYTES);
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (!buffer || s < 0 || connect(s, (void *)address, sizeof *address)) die("connect");
    memset(buffer, 7, PEER_BYTES);
    if (!sends) {
        while (recv(s, buffer, PEER_BYTES, MSG_TRUNC) > 0) {}
    }
    for (size_t sent = 0; sends && sent < bytes;) {
        ssize_t n = send(s, buffer, bytes - sent < PEER_BYTES ? bytes - sent : PEER_BYTES, 0);
        if (n < 0) die("send");
        sent += n;
    }
    _exit(0);
}

static volatile uint64_t sink;

static void pass(const char *bytes, size_t length) {
    uint64_t sum = 0, word;
    for (size_t i = 0; i + sizeof word <= length; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        sum += word;
    }
    sink = sum;
}

int main(int argc, char **argv) {
    int ingest = argc == 5 && !strcmp(argv[1], "ingest");
    if (argc != 5 || (!ingest && strcmp(argv[1], "dispatch"))) {
        fprintf(stderr, "usage: limit ingest|dispatch FILE CHUNK MIB\n");
        return 2;
    }
    size_t chunk = atol(argv[3]), bytes = (size_t)atol(argv[4]) << 20;
    if (ingest) unlink(argv[2]);
    int file = open(argv[2], ingest ? O_RDWR | O_CREAT : O_RDONLY, 0644);
    if (file < 0) die(argv[2]);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    if (listener < 0 || bind(listener, (void *)&address, length) || listen(listener, 1)
        || getsockname(listener, (void *)&address, &length)) {
        die("listen");
    }
    pid_t child = fork();
    if (!child) peer(&address, ingest, bytes);
    int s = accept(listener, NULL, NULL);
    char *buffer = NULL;
    if (s < 0 || posix_memalign((void **)&buffer, 4096, chunk)) die("accept");
    memset(buffer, 1, chunk);
    double from = now(), used = cpu();
    size_t reserved = 0;
    off_t position = 0;
    while ((size_t)position < bytes) {
        size_t want = bytes - position < chunk ? bytes - position : chunk;
        ssize_t n;
        if (ingest) {
            if (position + want > reserved) {
                if (fallocate(file, FALLOC_FL_KEEP_SIZE, reserved, STEP_BYTES)) die("fallocate");
                reserved += STEP_BYTES;
            }
            n = recv(s, buffer, want, MSG_WAITALL);
            if (n > 0) {
                pass(buffer, n);
                if (pwrite(file, buffer, n, position) != n) die("pwrite");
                position += n;
            }
        } else {
            n = sendfile(s, file, &position, want);
        }
        if (n <= 0) die("nothing moved");
    }
    used = cpu() - used;
    shutdown(s, SHUT_WR);
    waitpid(child, NULL, 0);
    printf("seconds=%.6f payloadBytes=%zu cpuSeconds=%.6f\n", now() - from, bytes, used);
    if (ingest) unlink(argv[2]);
    return 0;
}

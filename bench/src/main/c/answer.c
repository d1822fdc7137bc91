/*
 * answer: what an answer of some memory, then bytes of a file, then some memory again costs whoever gives it, by each way to send it.
 *
 *   answer WAY FILE LENGTH REQUESTS
 *
 *   sendfile  send(head), cachestat, sendfile, send(tail): what is in memory is known before
 *   pread     preadv2(RWF_NOWAIT) into a hot buffer, and one sendmsg: the read itself tells what is not in memory
 *   mmap      cachestat, and one sendmsg with the map of the file between head and tail
 *   mmap-only the same without asking: it waits for the disk when it has to
 *
 * The file is in the page cache and is gone through from its beginning to its end, and again. Maps are of 64 MiB, made anew for each. The peer, a child of
 * this process, has DEPTH requests under way and has the kernel throw away what it gets. Prints one line of name=value; cpuSeconds are this process's own.
 */
#define _GNU_SOURCE
#include "common.h"
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

enum { REQUEST_BYTES = 64, HEAD_BYTES = 72, TAIL_BYTES = 3, DEPTH = 8, MAP_BYTES = 64 << 20, SYS_CACHESTAT = 451 };

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

static void peer(struct sockaddr_in *address, size_t answer, long requests) {
    char *buffer = calloc(1, 1 << 20);
    int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (!buffer || s < 0 || setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) || connect(s, (void *)address, sizeof *address)) die("connect");
    long sent = 0;
    size_t got = 0;
    for (long answered = 0; answered < requests;) {
        long ask = answered + DEPTH < requests ? answered + DEPTH - sent : requests - sent;
        if (ask > 0 && send(s, buffer, ask * REQUEST_BYTES, 0) != ask * REQUEST_BYTES) die("ask");
        sent += ask > 0 ? ask : 0;
        ssize_t n = recv(s, buffer, 1 << 20, MSG_TRUNC);
        if (n <= 0) die("answer");
        got += n;
        answered = got / answer;
    }
    _exit(0);
}

static void all(ssize_t sent, size_t length, const char *what) {
    if (sent != (ssize_t)length) die(what);
}

static void ask(int file, off_t position, size_t length) {
    uint64_t range[2] = {position, length}, stat[5];
    if (syscall(SYS_CACHESTAT, file, range, stat, 0)) die("cachestat");
    if (stat[0] * 4096 < length) die("not in memory");
}

int main(int argc, char **argv) {
    const char *way = argc == 5 ? argv[1] : "";
    int mapped = !strcmp(way, "mmap") || !strcmp(way, "mmap-only"), copied = !strcmp(way, "pread"), sent = !strcmp(way, "sendfile");
    if (!mapped && !copied && !sent) {
        fprintf(stderr, "usage: answer sendfile|pread|mmap|mmap-only FILE LENGTH REQUESTS\n");
        return 2;
    }
    int asks = !strstr(way, "-only") && !copied;
    size_t length = atol(argv[3]);
    long requests = atol(argv[4]);
    int file = open(argv[2], O_RDONLY);
    struct stat status;
    if (file < 0 || fstat(file, &status)) die(argv[2]);
    off_t most = status.st_size / MAP_BYTES * MAP_BYTES;
    static char chunk[1 << 20];
    while (read(file, chunk, sizeof chunk) > 0) {}   /* into the page cache, if somebody has emptied it */
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (listener < 0 || bind(listener, (void *)&address, size) || listen(listener, 1) || getsockname(listener, (void *)&address, &size)) die("listen");
    pid_t child = fork();
    if (!child) peer(&address, HEAD_BYTES + length + TAIL_BYTES, requests);
    int s = accept(listener, NULL, NULL);
    char head[HEAD_BYTES] = {0}, tail[TAIL_BYTES] = {0}, asked[DEPTH * REQUEST_BYTES], *map = NULL, *buffer = aligned_alloc(4096, (length + 4095) & ~4095UL);
    if (s < 0 || setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one)) die("accept");
    memset(buffer, 1, length);
    double from = now(), used = cpu();
    off_t position = 0, mappedAt = 0;
    size_t received = 0;
    for (long answered = 0; answered < requests;) {
        ssize_t n = recv(s, asked, sizeof asked, 0);
        if (n <= 0) die("asked");
        received += n;
        for (; answered < (long)(received / REQUEST_BYTES); answered++) {
            if (position / MAP_BYTES != (position + (off_t)length - 1) / MAP_BYTES) position = (position / MAP_BYTES + 1) * MAP_BYTES;
            if (position + (off_t)length > most) position = 0;
            if (mapped && (!map || position < mappedAt || position >= mappedAt + MAP_BYTES)) {
                if (map && munmap(map, MAP_BYTES)) die("munmap");
                mappedAt = position / MAP_BYTES * MAP_BYTES;
                map = mmap(NULL, MAP_BYTES, PROT_READ, MAP_SHARED, file, mappedAt);
                if (map == MAP_FAILED) die("mmap");
            }
            if (asks) ask(file, position, length);
            if (sent) {
                all(send(s, head, sizeof head, MSG_MORE), sizeof head, "send");
                off_t at = position;
                for (size_t left = length; left > 0;) {
                    ssize_t moved = sendfile(s, file, &at, left);
                    if (moved <= 0) die("sendfile");
                    left -= moved;
                }
                all(send(s, tail, sizeof tail, 0), sizeof tail, "send");
            } else {
                struct iovec into = {buffer, length};
                if (copied) all(preadv2(file, &into, 1, position, RWF_NOWAIT), length, "preadv2");
                struct iovec pieces[] = {{head, sizeof head}, {copied ? buffer : map + (position - mappedAt), length}, {tail, sizeof tail}};
                struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 3};
                all(sendmsg(s, &message, 0), sizeof head + length + sizeof tail, "sendmsg");
            }
            position += length;
        }
    }
    used = cpu() - used;
    double seconds = now() - from;
    waitpid(child, NULL, 0);
    printf("seconds=%.6f requests=%ld payloadBytes=%zu cpuSeconds=%.6f\n", seconds, requests, requests * length, used);
    return 0;
}

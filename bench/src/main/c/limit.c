/*
 * limit: what the kernel can do at best, without a JVM and without a protocol.
 *
 *   limit ingest   FILE CHUNK MIB [WAY [FILES]]   from a socket to FILES (1) new, fallocated files in turn, a chunk to each
 *   limit dispatch FILE CHUNK MIB   the file, which is in the page cache -> sendfile -> socket; the peer has the kernel throw it away
 *
 * A way is how a chunk gets to its file; a pass is one over the bytes, as a checksum makes:
 *   pwrite         recv to a hot buffer, pass, pwrite
 *   mapped         recv to a hot buffer, pass, copy to the mapped file, which is filled with zeros by pwrite ahead of its end
 *   mapped-fresh   recv straight to the mapped file, pages that nothing was written to before; pass
 *   splice         socket -> pipe -> file; nobody looks at the bytes
 *   splice-pread   the same, then pread to a hot buffer, pass
 *
 * The peer is a child of this process. Prints one line of name=value; cpuSeconds and faults are this process's own, without the peer's.
 */
#define _GNU_SOURCE
#include "common.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <time.h>

enum { PEER_BYTES = 1 << 20, STEP_BYTES = 8 << 20, FILL_BYTES = 256 << 10, LEAST_FILL_BYTES = 64 << 10, WINDOW_BYTES = 16 << 20, PAGE_BYTES = 4096 };

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

static double faults(void) {
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return r.ru_minflt;
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

/* A file that is appended to. */
struct target {
    char name[4096];
    int file;
    off_t end, reserved, filled, windowAt;
    char *window;
};

static enum { PWRITE, MAPPED, MAPPED_FRESH, SPLICE, SPLICE_PREAD, WAYS } way;
static const char *const ways[WAYS] = {"pwrite", "mapped", "mapped-fresh", "splice", "splice-pread"};
static int pipeEnds[2];
static char *buffer, *zeros;

static void openTarget(struct target *t, const char *name, int number) {
    snprintf(t->name, sizeof t->name, number ? "%s.%d" : "%s", name, number);
    unlink(t->name);
    t->file = open(t->name, O_RDWR | O_CREAT, 0644);
    if (t->file < 0) die(t->name);
}

static void reserve(struct target *t, size_t want) {
    while (t->end + (off_t)want > t->reserved) {
        /* as long as the file is, as a log does that has thousands of them */
        off_t step = t->end < LEAST_FILL_BYTES ? LEAST_FILL_BYTES : t->end < STEP_BYTES ? t->end : STEP_BYTES;
        if (fallocate(t->file, FALLOC_FL_KEEP_SIZE, t->reserved, step)) die("fallocate");
        t->reserved += step;
    }
}

/* Where a chunk goes in the map, with the file long enough. */
static char *mapped(struct target *t, size_t want) {
    if (t->end + (off_t)want > t->filled) {
        off_t ahead = t->end < LEAST_FILL_BYTES ? LEAST_FILL_BYTES : t->end < FILL_BYTES ? t->end : FILL_BYTES;
        off_t to = (t->end + (ahead > (off_t)want ? ahead : (off_t)want) + LEAST_FILL_BYTES - 1) / LEAST_FILL_BYTES * LEAST_FILL_BYTES;
        if (way == MAPPED_FRESH && ftruncate(t->file, to)) die("ftruncate");
        for (off_t at = t->filled; way == MAPPED && at < to; at += FILL_BYTES) {
            size_t n = to - at < FILL_BYTES ? to - at : FILL_BYTES;
            if (pwrite(t->file, zeros, n, at) != (ssize_t)n) die("pwrite");
        }
        t->filled = to;
    }
    if (!t->window || t->end + want > (size_t)t->windowAt + WINDOW_BYTES) {
        if (t->window) munmap(t->window, WINDOW_BYTES);
        t->windowAt = t->end / PAGE_BYTES * PAGE_BYTES;
        t->window = mmap(NULL, WINDOW_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, t->file, t->windowAt);
        if (t->window == MAP_FAILED) die("mmap");
    }
    return t->window + (t->end - t->windowAt);
}

static void receive(int s, char *to, size_t want) {
    if (recv(s, to, want, MSG_WAITALL) != (ssize_t)want) die("recv");
}

static void spliceAll(int s, struct target *t, size_t want) {
    off_t at = t->end;
    for (size_t in = 0, out = 0; out < want;) {
        ssize_t n = in < want ? splice(s, NULL, pipeEnds[1], NULL, want - in, SPLICE_F_MOVE) : 0;
        if (n < 0) die("splice");
        in += n;
        while (out < in) {
            n = splice(pipeEnds[0], NULL, t->file, &at, in - out, SPLICE_F_MOVE);
            if (n <= 0) die("splice");
            out += n;
        }
    }
}

static void ingest(int s, struct target *t, size_t want) {
    reserve(t, want);
    switch (way) {
        case MAPPED: {
            receive(s, buffer, want);
            pass(buffer, want);
            char *to = mapped(t, want);
            memcpy(to, buffer, want);
            break;
        }
        case MAPPED_FRESH: {
            char *to = mapped(t, want);
            receive(s, to, want);
            pass(to, want);
            break;
        }
        case SPLICE:
        case SPLICE_PREAD:
            spliceAll(s, t, want);
            if (way == SPLICE_PREAD) {
                if (pread(t->file, buffer, want, t->end) != (ssize_t)want) die("pread");
                pass(buffer, want);
            }
            break;
        default:
            receive(s, buffer, want);
            pass(buffer, want);
            if (pwrite(t->file, buffer, want, t->end) != (ssize_t)want) die("pwrite");
    }
    t->end += want;
}

static int usage(void) {
    fprintf(stderr, "usage: limit ingest FILE CHUNK MIB [pwrite|mapped|mapped-fresh|splice|splice-pread [FILES]]\n       limit dispatch FILE CHUNK MIB\n");
    return 2;
}

int main(int argc, char **argv) {
    int ingests = argc >= 5 && argc <= 7 && !strcmp(argv[1], "ingest");
    if (!ingests && (argc != 5 || strcmp(argv[1], "dispatch"))) return usage();
    size_t chunk = atol(argv[3]), bytes = (size_t)atol(argv[4]) << 20;
    if (argc > 5) while (way < WAYS && strcmp(argv[5], ways[way])) way++;
    long files = argc > 6 ? atol(argv[6]) : 1;
    if (way == WAYS || files < 1 || chunk < 1 || chunk > WINDOW_BYTES - PAGE_BYTES) return usage();
    struct target *targets = calloc(files, sizeof *targets);
    int file = -1;
    if (ingests) {
        for (long i = 0; i < files; i++) openTarget(&targets[i], argv[2], i);
        if (pipe(pipeEnds)) die("pipe");
        fcntl(pipeEnds[1], F_SETPIPE_SZ, 1 << 20);
    } else {
        file = open(argv[2], O_RDONLY);
        if (file < 0) die(argv[2]);
    }
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    if (listener < 0 || bind(listener, (void *)&address, length) || listen(listener, 1)
        || getsockname(listener, (void *)&address, &length)) {
        die("listen");
    }
    pid_t child = fork();
    if (!child) peer(&address, ingests, bytes);
    int s = accept(listener, NULL, NULL);
    /* Zeros that are never written to are all the kernel's one page of them. */
    zeros = mmap(NULL, FILL_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (s < 0 || zeros == MAP_FAILED || posix_memalign((void **)&buffer, PAGE_BYTES, chunk)) die("accept");
    memset(buffer, 1, chunk);
    double from = now(), used = cpu(), faulted = faults();
    off_t position = 0;
    for (long turn = 0; (size_t)position < bytes; turn++) {
        size_t want = bytes - position < chunk ? bytes - position : chunk;
        if (ingests) {
            ingest(s, &targets[turn % files], want);
            position += want;
        } else if (sendfile(s, file, &position, want) <= 0) {
            die("nothing moved");
        }
    }
    used = cpu() - used;
    faulted = faults() - faulted;
    shutdown(s, SHUT_WR);
    waitpid(child, NULL, 0);
    printf("seconds=%.6f payloadBytes=%zu requests=%zu cpuSeconds=%.6f faults=%.0f\n", now() - from, bytes, (bytes + chunk - 1) / chunk, used, faulted);
    for (long i = 0; ingests && i < files; i++) unlink(targets[i].name);
    return 0;
}

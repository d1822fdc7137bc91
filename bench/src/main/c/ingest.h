/*
 * The ways that bytes can take from a socket to files. A pass is one over the bytes, as a checksum makes:
 *
 *   pwrite         recv to a hot buffer, pass, pwrite
 *   mapped         recv to a hot buffer, pass, copy to the mapped file, which is filled with zeros by pwrite ahead of its end
 *   mapped-fresh   recv straight to the mapped file, pages that nothing was written to before; pass
 *   splice         socket -> pipe -> file; nobody looks at the bytes
 *   splice-pread   the same, then pread to a hot buffer, pass
 */
#ifndef SLUICE_BENCH_INGEST_H
#define SLUICE_BENCH_INGEST_H

#include <sys/mman.h>

enum { FILL_BYTES = 256 << 10, LEAST_FILL_BYTES = 64 << 10, WINDOW_BYTES = 16 << 20, PAGE_BYTES = 4096 };

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
    t->file = opened(t->name, 1);
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

/* Makes ready to take in chunks. */
static struct target *startIngest(const char *name, long files, size_t chunk) {
    struct target *targets = calloc(files, sizeof *targets);
    for (long i = 0; i < files; i++) openTarget(&targets[i], name, i);
    if (pipe(pipeEnds)) die("pipe");
    fcntl(pipeEnds[1], F_SETPIPE_SZ, 1 << 20);
    /* Zeros that are never written to are all the kernel's one page of them. */
    zeros = mmap(NULL, FILL_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (zeros == MAP_FAILED || posix_memalign((void **)&buffer, PAGE_BYTES, chunk)) die("memory");
    memset(buffer, 1, chunk);
    return targets;
}

#endif

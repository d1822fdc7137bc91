/*
 * sender FILE: sends the file by the method that each line of standard input names, as little C as each method can be.
 *
 *   in:   METHOD CHUNK PORT                              METHOD: sendfile | mmap | mmap-whole | splice | readwrite
 *   out:  sent BYTES PROCESS_NS THREAD_NS WALL_NS        user + system time of this process and of its one thread (getrusage)
 *
 * The connection is made before the clock starts and ended after it stops. Sockets block and have the system's options. Calls and their order
 * are those of the library's movers:
 *
 *   readwrite   pread into one page-aligned buffer that is kept between transfers, send
 *   mmap        windows of 64 MiB, send from each, ask for the file's length (fstat) at its end, munmap
 *   mmap-whole  the same with one window over the file, and without asking
 *   sendfile    sendfile
 *   splice      file -> pipe of 1 MiB, kept between transfers -> socket, SPLICE_F_MORE on all but the last
 */
#define _GNU_SOURCE
#include "common.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>

static const size_t WINDOW = 64 << 20;
static int pipes[2] = {-1, -1};
static char *buffer;
static size_t buffer_size;

static long long wall_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long cpu_ns(int who) {
    struct rusage r;
    if (getrusage(who, &r)) die("getrusage");
    return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000000LL + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1000LL;
}

static void send_all(int to, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t n = send(to, bytes, length, MSG_NOSIGNAL);
        if (n < 0) die("send");
        bytes += n;
        length -= n;
    }
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static void by_readwrite(int file, int to, size_t size, size_t chunk) {
    if (buffer_size < chunk) {
        free(buffer);
        if (posix_memalign((void **)&buffer, 4096, chunk)) die("posix_memalign");
        buffer_size = chunk;
    }
    for (size_t at = 0; at < size;) {
        ssize_t n = pread(file, buffer, least(chunk, size - at), at);
        if (n <= 0) die("pread");
        send_all(to, buffer, n);
        at += n;
    }
}

static void by_mmap(int file, int to, size_t size, size_t chunk, size_t window) {
    for (size_t start = 0; start < size; start += window) {
        size_t length = least(window, size - start);
        char *map = mmap(NULL, length, PROT_READ, MAP_SHARED, file, start);
        if (map == MAP_FAILED) die("mmap");
        for (size_t at = 0; at < length; at += least(chunk, length - at)) send_all(to, map + at, least(chunk, length - at));
        munmap(map, length);
        struct stat now;
        if (window == WINDOW && (fstat(file, &now) || (size_t)now.st_size < start + length)) die("the file shrank");
    }
}

static void by_sendfile(int file, int to, size_t size, size_t chunk) {
    for (off_t at = 0; (size_t)at < size;) {
        if (sendfile(to, file, &at, least(chunk, size - at)) <= 0) die("sendfile");
    }
}

static void by_splice(int file, int to, size_t size, size_t chunk) {
    if (pipes[0] < 0 && (pipe2(pipes, O_NONBLOCK | O_CLOEXEC) || fcntl(pipes[1], F_SETPIPE_SZ, 1 << 20) < 0)) die("pipe");
    for (loff_t at = 0; (size_t)at < size;) {
        ssize_t held = splice(file, &at, pipes[1], NULL, least(chunk, size - at), 0);
        if (held <= 0) die("splice from the file");
        while (held > 0) {
            ssize_t n = splice(pipes[0], NULL, to, NULL, held, (size_t)at < size ? SPLICE_F_MORE : 0);
            if (n <= 0) die("splice to the socket");
            held -= n;
        }
    }
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: sender FILE\n");
        return 2;
    }
    int file = open(argv[1], O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file < 0 || fstat(file, &status)) die(argv[1]);
    size_t size = status.st_size, chunk;
    char method[32];
    int port;
    while (scanf("%31s %zu %d", method, &chunk, &port) == 3) {
        int to = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in address = loopback(port);
        if (to < 0 || connect(to, (void *)&address, sizeof address)) die("connect");
        long long wall = wall_ns(), process = cpu_ns(RUSAGE_SELF), thread = cpu_ns(RUSAGE_THREAD);
        if (!strcmp(method, "sendfile")) by_sendfile(file, to, size, chunk);
        else if (!strcmp(method, "mmap")) by_mmap(file, to, size, chunk, WINDOW);
        else if (!strcmp(method, "mmap-whole")) by_mmap(file, to, size, chunk, size);
        else if (!strcmp(method, "splice")) by_splice(file, to, size, chunk);
        else if (!strcmp(method, "readwrite")) by_readwrite(file, to, size, chunk);
        else {
            fprintf(stderr, "no method %s\n", method);
            return 2;
        }
        /* In this order, here and above: asking for the process brings the running thread's time up to date, asking for the thread does not. */
        process = cpu_ns(RUSAGE_SELF) - process;
        thread = cpu_ns(RUSAGE_THREAD) - thread;
        wall = wall_ns() - wall;
        shutdown(to, SHUT_WR);
        char end;
        if (read(to, &end, 1) != 0) die("waiting for the receiver to close");
        close(to);
        printf("sent %zu %lld %lld %lld\n", size, process, thread, wall);
        fflush(stdout);
    }
    return 0;
}

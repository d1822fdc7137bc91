/*
 * limit: what the kernel can do at best, without a JVM and without a protocol.
 *
 *   limit ingest   FILE CHUNK MIB [WAY [FILES]]
 *                                   from a socket to FILES (1) new, fallocated files in turn, a chunk to each; the ways are in ingest.h; pwrite
 *   limit dispatch FILE CHUNK MIB   the file, which is in the page cache -> sendfile -> socket; the peer has the kernel throw it away
 *   limit answers  FILE pwrite|memory|sendfile LOAD produce|fetch TOPIC key=value...
 *                                   serves the load program, small requests and answers, see answers.h
 *
 * The peer is a child of this process. Prints one line of name=value; cpuSeconds and faults are this process's own, without the peer's.
 */
#define _GNU_SOURCE
#include "common.h"
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <time.h>

enum { PEER_BYTES = 1 << 20, STEP_BYTES = 8 << 20 };

#include "answers.h"

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

static int listening(struct sockaddr_in *address) {
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t length = sizeof *address;
    *address = loopback(0);
    if (listener < 0 || bind(listener, (void *)address, length) || listen(listener, CLIENTS)
        || getsockname(listener, (void *)address, &length)) {
        die("listen");
    }
    return listener;
}

static int opened(const char *path, int writes) {
    if (writes) unlink(path);
    int file = open(path, writes ? O_RDWR | O_CREAT : O_RDONLY, 0644);
    if (file < 0) die(path);
    return file;
}

#include "ingest.h"

/* Starts the load program with its output in a pipe. */
static FILE *startLoad(int port, char **command) {
    int ends[2];
    if (pipe(ends)) die("pipe");
    pid_t child = fork();
    if (!child) {
        char number[16], *arguments[32] = {command[0], command[1], number};
        snprintf(number, sizeof number, "%d", port);
        for (int i = 2; command[i] && i < 30; i++) arguments[i + 1] = command[i];
        dup2(ends[1], 1);
        execv(command[0], arguments);
        die(command[0]);
    }
    close(ends[1]);
    return fdopen(ends[0], "r");
}

/* The load program's line, with the server's processor time in the place of its own. */
static int answers(char **argv) {
    struct server server = {.writes = !strcmp(argv[3], "pwrite"), .answersByFile = !strcmp(argv[3], "sendfile")};
    struct sockaddr_in address;
    int listener = listening(&address);
    server.file = opened(argv[2], server.writes);
    server.fileBytes = lseek(server.file, 0, SEEK_END);
    makeAnswer(&server);
    FILE *load = startLoad(ntohs(address.sin_port), argv + 4);
    double used = cpu();
    serve(&server, listener);
    used = cpu() - used;
    char line[1024];
    char *own = load && fgets(line, sizeof line, load) ? strstr(line, "cpuSeconds=") : NULL;
    if (!own) die("the load program told nothing");
    printf("%.*scpuSeconds=%.6f clientC%s", (int)(own - line), line, used, own + 1);
    if (server.writes) unlink(argv[2]);
    return 0;
}

static int usage(void) {
    fprintf(stderr, "usage: limit ingest FILE CHUNK MIB [pwrite|mapped|mapped-fresh|splice|splice-pread [FILES]]\n       limit dispatch FILE CHUNK MIB\n"
                    "       limit answers FILE pwrite|memory|sendfile LOAD produce|fetch TOPIC key=value...\n");
    return 2;
}

int main(int argc, char **argv) {
    if (argc > 6 && argc < 32 && !strcmp(argv[1], "answers")) return answers(argv);
    int ingests = argc >= 5 && argc <= 7 && !strcmp(argv[1], "ingest");
    if (!ingests && (argc != 5 || strcmp(argv[1], "dispatch"))) return usage();
    size_t chunk = atol(argv[3]), bytes = (size_t)atol(argv[4]) << 20;
    while (argc > 5 && way < WAYS && strcmp(argv[5], ways[way])) way++;
    long files = argc > 6 ? atol(argv[6]) : 1;
    if (way == WAYS || files < 1 || chunk < 1 || chunk > WINDOW_BYTES - PAGE_BYTES) return usage();
    struct target *targets = ingests ? startIngest(argv[2], files, chunk) : NULL;
    int file = ingests ? -1 : opened(argv[2], 0);
    struct sockaddr_in address;
    int listener = listening(&address);
    pid_t child = fork();
    if (!child) peer(&address, ingests, bytes);
    int s = accept(listener, NULL, NULL);
    if (s < 0) die("accept");
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

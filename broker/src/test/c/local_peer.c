/*
 * A local reader in C that does not mean well: asks a broker for a partition, as docs/formats/local-reading.md says, and
 * tries every way there is to get more than reading out of what it was passed. Prints a line for each try:
 * "what: OK" or "what: ERRNO".
 *
 *   local_peer SOCKET TOPIC PARTITION [STATE]    says "holding" in that state, and stays so until it is killed: connected,
 *       welcomed, reading, asking (its answer is under way), asleep (on the page of ends)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define PAGE 4096
#define MAGIC 0x474F4C53

static char message[1024];
static int passed[4];
static int passed_count;

static void tried(const char *what, long result) {
    printf("%s: %s\n", what, result < 0 ? strerrorname_np(errno) : "OK");
}

static void tried_map(const char *what, void *map) {
    tried(what, map == MAP_FAILED ? -1 : 0);
}

static void end(const char *what) {
    printf("%s: %s\n", what, strerrorname_np(errno));
    exit(0);
}

/* Sends a request and waits for the answer; descriptors go to passed. */
static void ask(int sock, const void *request, size_t length) {
    if (send(sock, request, length, MSG_NOSIGNAL) < 0 && errno != EPIPE) {
        end("send");
    }
    union {
        char bytes[CMSG_SPACE(sizeof passed)];
        struct cmsghdr align;
    } control;
    struct iovec vector = {message, sizeof message};
    struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t n;
    do {
        n = recvmsg(sock, &header, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == ECONNRESET);
    if (n <= 0) {
        end("answer");
    }
    passed_count = 0;
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    if (rights != NULL && rights->cmsg_type == SCM_RIGHTS) {
        passed_count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(passed, CMSG_DATA(rights), passed_count * sizeof(int));
    }
    int16_t type, reason;
    memcpy(&type, message, 2);
    memcpy(&reason, message + 2, 2);
    if (type == 4) {
        printf("refused: %d\n", reason);
        exit(0);
    }
}

static int reopened(int fd, int flags) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, flags);
}

static void try_segment(int fd) {
    char byte = 'X';
    printf("segment mode: %s\n", (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY ? "read-only" : "writable");
    tried("segment read", pread(fd, &byte, 1, 0));
    tried("segment write", write(fd, &byte, 1));
    tried("segment pwrite", pwrite(fd, &byte, 1, 0));
    tried("segment truncate", ftruncate(fd, 0));
    tried("segment punch", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
    tried_map("segment map", mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    void *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    tried_map("segment read map", map);
    tried("segment protect", mprotect(map, PAGE, PROT_READ | PROT_WRITE));
    tried("segment chmod", fchmod(fd, 0666));
    tried("segment chown", fchown(fd, getuid(), getgid()));
    tried("segment link", linkat(fd, "", AT_FDCWD, "/tmp/local_peer_link", AT_EMPTY_PATH));
    tried("segment reopen rdwr", reopened(fd, O_RDWR));
    tried("segment reopen wronly", reopened(fd, O_WRONLY));
    tried("segment reopen trunc", reopened(fd, O_RDONLY | O_TRUNC));
    tried("segment neighbour", openat(fd, "../meta.properties", O_RDONLY));
}

static void try_ends(const char *name, int fd) {
    char what[64];
    char byte = 'X';
#define NAMED(suffix) (snprintf(what, sizeof what, "%s %s", name, suffix), what)
    tried(NAMED("write"), pwrite(fd, &byte, 1, 0));
    tried(NAMED("truncate"), ftruncate(fd, 0));
    tried(NAMED("grow"), ftruncate(fd, 1 << 20));
    tried(NAMED("punch"), fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
    tried_map(NAMED("map"), mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    void *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    tried_map(NAMED("read map"), map);
    tried(NAMED("protect"), mprotect(map, PAGE, PROT_READ | PROT_WRITE));
    tried(NAMED("seal"), fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
}

static void hold_if(int count, char **arguments, const char *state) {
    if (count > 4 && strcmp(arguments[4], state) == 0) {
        puts("holding");
        while (1) {
            pause();
        }
    }
}

int main(int count, char **arguments) {
    if (count < 4) {
        return 2;
    }
    setlinebuf(stdout);
    int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, arguments[1], sizeof address.sun_path - 1);
    if (connect(sock, (struct sockaddr *) &address, sizeof address) < 0) {
        end("connect");
    }
    hold_if(count, arguments, "connected");
    struct {
        int16_t type, zero;
        int32_t magic, version;
    } hello = {1, 0, MAGIC, 1};
    ask(sock, &hello, sizeof hello);
    int ends = passed[0], waiting = passed[1];
    hold_if(count, arguments, "welcomed");
    struct {
        int16_t type, name_bytes;
        int32_t partition;
        int64_t offset;
        char name[256];
    } __attribute__((packed)) opening = {2, (int16_t) strlen(arguments[2]), atoi(arguments[3]), -2, ""};
    memcpy(opening.name, arguments[2], strlen(arguments[2]));
    ask(sock, &opening, 16 + strlen(arguments[2]));
    int segment = passed[0];
    if (count > 4 && strcmp(arguments[4], "asleep") != 0) {
        struct {
            int16_t type, slot;
            int32_t zero;
            int64_t offset;
        } next = {3, 0, 0, 0};
        if (strcmp(arguments[4], "asking") == 0 && send(sock, &next, sizeof next, 0) < 0) {
            end("send");
        }
        volatile char *bytes = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, segment, 0);
        puts("holding");
        while (1) {
            (void) bytes[0];
        }
    }
    if (count > 4) {
        int *words = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, ends, 0);
        volatile int *waits = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, waiting, 0);
        *waits = 1;
        puts("holding");
        while (1) {
            syscall(SYS_futex, words + 2, FUTEX_WAIT, words[2], NULL, NULL, 0);
            *waits = 1;
        }
    }
    try_segment(segment);
    try_ends("ends", ends);
    int again = reopened(ends, O_RDWR);
    if (again >= 0) {
        try_ends("ends again", again);
    }
    tried("waiting truncate", ftruncate(waiting, 0));
    tried("waiting grow", ftruncate(waiting, 1 << 20));
    return 0;
}

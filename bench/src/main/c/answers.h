/*
 * What small requests cost the kernel: a server without a protocol, one thread with an epoll, edge-triggered. It knows of Kafka's frames
 * where their length and their number stand, and what the load program wants to find in an answer.
 *
 * Of each request: one recv of the frame; then
 *   pwrite     its bytes to a new, fallocated file, and a short answer by send
 *   memory     4 KiB by one send, from memory with the answer's head before them and its end behind
 *   sendfile   the head by send, MSG_MORE, 4 KiB of the file, which is in the page cache, by sendfile, and the end by send
 */
#ifndef SLUICE_BENCH_ANSWERS_H
#define SLUICE_BENCH_ANSWERS_H

#include <netinet/tcp.h>
#include <sys/epoll.h>

enum { FRAME_BYTES = 64 << 10, FETCHED_BYTES = 4096, CLIENTS = 1024 };

/* Of the topic "load", of one partition; zero is no error. Behind a fetch's records stand three bytes, no tags. */
enum {
    NUMBER_AT = 4,
    PRODUCED_BYTES = 4 + 4 + 4 + 2 + 4 + 4 + 4 + 2 + 8 + 8 + 4,
    FETCHED_HEAD_BYTES = 4 + 5 + 10 + 1 + 5 + 1 + 35 + 2,
    FETCHED_TAIL_BYTES = 3
};

struct server {
    int file, answersByFile, writes;
    off_t position, reserved, fileBytes;
    char answer[FETCHED_HEAD_BYTES + FETCHED_BYTES + FETCHED_TAIL_BYTES];
    size_t answerBytes;
};

static char *big(char *at, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) at[i] = value >> 8 * (bytes - 1 - i);
    return at + bytes;
}

static void makeAnswer(struct server *s) {
    char *at = s->answer;
    memset(at, 0, sizeof s->answer);
    if (s->writes) {
        s->answerBytes = PRODUCED_BYTES;
        at = big(at, PRODUCED_BYTES - 4, 4) + 4;
        at = big(big(at, 1, 4), 4, 2);
        memcpy(at, "load", 4);
        big(at + 4, 1, 4);
        return;
    }
    s->answerBytes = s->answersByFile ? FETCHED_HEAD_BYTES : sizeof s->answer;
    at = big(at, sizeof s->answer - 4, 4) + 5 + 10;
    at = big(big(at, 2, 1), 5, 1);
    memcpy(at, "load", 4);
    at = big(at + 4, 2, 1) + 4 + 2;
    at = big(at, INT64_MAX, 8) + 8 + 8 + 1 + 4;
    big(big(at, 128 | ((FETCHED_BYTES + 1) & 127), 1), (FETCHED_BYTES + 1) >> 7, 1);
}

/* Whether a client got its answer. One that goes away is no fault of the server's: the load program tells whether it had all it wanted. */
static int given(ssize_t sent, size_t length, const char *how) {
    if (sent == (ssize_t)length) return 1;
    if (sent >= 0 || (errno != EPIPE && errno != ECONNRESET)) die(how);
    return 0;
}

/* What has come of one client, which has one request under way: all of a frame, or nothing. Returns 0 when the client has gone away. */
static int serve1(struct server *s, int client, char *frame) {
    ssize_t n = recv(client, frame, FRAME_BYTES, 0);
    if (n < 0 && errno == EAGAIN) return 1;
    if (n <= 0) return 0;
    uint32_t length;
    memcpy(&length, frame, sizeof length);
    if (n < 12 || n != 4 + (ssize_t)ntohl(length)) quit("limit answers whole requests of 64 KiB at most, one at a time a connection; bytes that came", n);
    if (s->writes) {
        if (s->position + n > s->reserved) {
            if (fallocate(s->file, FALLOC_FL_KEEP_SIZE, s->reserved, STEP_BYTES)) die("fallocate");
            s->reserved += STEP_BYTES;
        }
        if (pwrite(s->file, frame, n, s->position) != n) die("pwrite");
        s->position += n;
    }
    memcpy(s->answer + NUMBER_AT, frame + 8, 4);
    if (!given(send(client, s->answer, s->answerBytes, s->answersByFile ? MSG_MORE : 0), s->answerBytes, "send")) return 0;
    if (s->answersByFile) {
        off_t from = s->position;
        if (!given(sendfile(client, s->file, &from, FETCHED_BYTES), FETCHED_BYTES, "sendfile")) return 0;
        s->position = from + FETCHED_BYTES <= s->fileBytes ? from : 0;
        return given(send(client, s->answer + FETCHED_HEAD_BYTES, FETCHED_TAIL_BYTES, 0), FETCHED_TAIL_BYTES, "send");
    }
    return 1;   /* the socket is empty: no other request comes before this one's answer */
}

/* Serves until the load program prints what it measured, or ends. */
static void serve(struct server *s, int listener, int load) {
    char *frame = malloc(FRAME_BYTES);
    int poller = epoll_create1(0);
    struct epoll_event coming = {.events = EPOLLIN, .data.fd = listener}, end = {.events = EPOLLIN, .data.fd = load};
    if (!frame || poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, listener, &coming) || epoll_ctl(poller, EPOLL_CTL_ADD, load, &end)) die("epoll");
    for (;;) {
        struct epoll_event events[256];
        int n = epoll_wait(poller, events, 256, -1);   /* the load program gives up after 30 s without an answer */
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == load) return;
            if (fd == listener) {
                int one = 1, client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (client < 0) die("accept");
                setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                struct epoll_event asked = {.events = EPOLLIN | EPOLLET, .data.fd = client};
                if (epoll_ctl(poller, EPOLL_CTL_ADD, client, &asked)) die("epoll_ctl");
            } else if (!serve1(s, fd, frame)) {
                close(fd);
            }
        }
    }
}

#endif

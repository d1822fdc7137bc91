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

/* What has come of one client, which has one request under way: all of a frame, or nothing. */
static int serve1(struct server *s, int client, char *frame) {
    for (;;) {
        ssize_t n = recv(client, frame, FRAME_BYTES, 0);
        if (n < 0 && errno == EAGAIN) return 1;
        if (n < 8) return 0;
        if (s->writes) {
            if (s->position + n > s->reserved) {
                if (fallocate(s->file, FALLOC_FL_KEEP_SIZE, s->reserved, STEP_BYTES)) die("fallocate");
                s->reserved += STEP_BYTES;
            }
            if (pwrite(s->file, frame, n, s->position) != n) die("pwrite");
            s->position += n;
        }
        memcpy(s->answer + NUMBER_AT, frame + 8, 4);
        if (send(client, s->answer, s->answerBytes, s->answersByFile ? MSG_MORE : 0) != (ssize_t)s->answerBytes) die("send");
        if (s->answersByFile) {
            off_t from = s->position;
            if (sendfile(client, s->file, &from, FETCHED_BYTES) != FETCHED_BYTES) die("sendfile");
            s->position = from + FETCHED_BYTES <= s->fileBytes ? from : 0;
            if (send(client, s->answer + FETCHED_HEAD_BYTES, FETCHED_TAIL_BYTES, 0) != FETCHED_TAIL_BYTES) die("send");
        }
        return 1;   /* the socket is empty: a short count, and no other request before this one's answer */
    }
}

/* Serves until all clients have come and gone. */
static void serve(struct server *s, int listener) {
    char *frame = malloc(FRAME_BYTES);
    int poller = epoll_create1(0), clients = 0, come = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    if (!frame || poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event)) die("epoll");
    while (!come || clients) {
        struct epoll_event events[256];
        int n = epoll_wait(poller, events, 256, 30000);
        if (n == 0) die("no request for 30 s");
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int one = 1, client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (client < 0) die("accept");
                setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                event = (struct epoll_event){.events = EPOLLIN | EPOLLET, .data.fd = client};
                if (epoll_ctl(poller, EPOLL_CTL_ADD, client, &event)) die("epoll_ctl");
                clients++;
                come = 1;
            } else if (!serve1(s, fd, frame)) {
                close(fd);
                clients--;
            }
        }
    }
}

#endif

/*
 * load: a client that costs next to nothing, so that the server is what is measured. One thread, epoll.
 *
 *   load produce PORT TOPIC key=value...   one batch is made once and sent again and again (its CRC does not cover the base offset)
 *       connections=1 partitions=1 record=1024 batch=262144 depth=5 acks=1 mib=512 | requests=N
 *   load fetch   PORT TOPIC key=value...   reads partition 0 (or one partition a connection) from the beginning on
 *       connections=1 partitions=1 record=1024 batch=262144 max=1048576 mib=512 | requests=N  check=0
 *       scatter=N: each fetch begins at another one of the first N batches, in no order
 *       check=0 has the kernel throw the records away; check=1 reads them and compares them with what produce sends
 *   load e2e     PORT TOPIC record=1024 requests=5000 | seconds=N   a fetch waits on one connection while a record is produced on another
 *   load idle    PORT connections=N         opens connections that say nothing, prints "open", and holds them until standard input ends
 *
 * protocol=kafka (without it), rocketmq (produce and fetch) or http (fetch only: TOPIC is a file, read by ranges of max bytes).
 * Prints one line of name=value; cpuSeconds are the client's own.
 */
#include "load_http.h"
#include "load_kafka.h"
#include "load_rocketmq.h"
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/uio.h>

static const struct protocol *const protocols[] = {&kafka, &rocketmq, &http}, *protocol;

static int open1(int port) {
    struct sockaddr_in address = loopback(port);
    int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (s < 0 || connect(s, (void *)&address, sizeof address)) die("connect");
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return s;
}

static void latency(double seconds) {
    if (latencyCount == latencyRoom) {
        latencyRoom = latencyRoom ? latencyRoom * 2 : 1 << 16;
        latencies = realloc(latencies, latencyRoom * sizeof *latencies);
        if (!latencies) die("realloc");
    }
    latencies[latencyCount++] = seconds * 1000;
}

/* Sends what it may; returns when the socket is full or the depth is reached. */
static void sendMore(struct connection *c, int producing) {
    for (;;) {
        if (!c->sending) {
            long depth = producing ? option.depth : 1;
            if (c->asked == c->quota || (c->outstanding == depth && !(producing && !option.acks))) return;
            if (producing) protocol->produceHead(c, (c->partition + c->asked * option.connections) % option.partitions);
            else {
                if (option.scatter) c->offset = (uint64_t)c->asked * 7919 % option.scatter * batchRecords;   /* a prime: no order that a cache follows */
                protocol->fetchHead(c);
            }
            c->since[c->asked % MOST_DEPTH] = now();
            c->asked++;
            c->outstanding++;
            c->sending = 1;
            c->sent = 0;
        }
        struct iovec parts[2] = {{c->head + c->sent, c->headBytes - c->sent}, {batch, batchBytes}};
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = producing ? 2 : 1};
        if (c->sent >= c->headBytes) {
            parts[0] = (struct iovec){batch + (c->sent - c->headBytes), c->frameBytes - c->sent};
            message.msg_iovlen = 1;
        }
        ssize_t n = sendmsg(c->socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0) {
            if (errno == EAGAIN) return;
            die("send");
        }
        c->sent += n;
        if (c->sent == c->frameBytes) {
            c->sending = 0;
            if (producing && !option.acks) c->outstanding = 0;
        }
    }
}

static void compare(struct connection *c, const char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        size_t in = c->checked % batchBytes;
        if (in >= protocol->uncheckedBytes && bytes[i] != batch[in]) quit("wrong byte at", c->checked);
        c->checked++;
    }
}

/* Takes in what has come. Returns 0 at the end of the connection. */
static int receiveMore(struct connection *c, int producing) {
    for (;;) {
        ssize_t n;
        if (c->left) {
            size_t want = c->left < ROOM_BYTES || !option.check ? c->left : ROOM_BYTES;
            n = recv(c->socket, c->room, want, MSG_DONTWAIT | (option.check ? 0 : MSG_TRUNC));
            if (n > 0) {
                if (option.check && c->left > c->unchecked) compare(c, c->room, (size_t)n < c->left - c->unchecked ? (size_t)n : c->left - c->unchecked);
                c->left -= n;
            }
        } else {
            size_t want = !producing ? protocol->fetchedWant(c) : c->have < 4 ? 4 : 4 + get32(c->room);
            n = want > c->have ? recv(c->socket, c->room + c->have, want - c->have, MSG_DONTWAIT) : 1;
            if (n > 0 && want > c->have) c->have += n;
        }
        if (n < 0) {
            if (errno == EAGAIN) return 1;
            die("recv");
        }
        if (n == 0) return 0;
        int whole = 0;
        if (producing) {
            if (c->have >= 4 && c->have == 4 + get32(c->room)) {
                protocol->produced(c);
                whole = 1;
            }
        } else if (c->headSeen) {
            whole = !c->left;
        } else {
            c->checked = 0;
            c->unchecked = 0;
            if (protocol->fetchedHead(c)) {
                c->headSeen = 1;
                whole = !c->left;
            }
        }
        if (whole) {
            if (!producing) {
                c->offset = c->next;
                fetchedBytes += c->payload;
                c->headSeen = 0;
            }
            latency(now() - c->since[c->answered % MOST_DEPTH]);
            c->answered++;
            c->outstanding--;
            c->have = 0;
            answers++;
            sendMore(c, producing);
            if (c->answered == c->quota) return 1;
        }
    }
}

static int byValue(const void *a, const void *b) { float d = *(float *)a - *(float *)b; return d < 0 ? -1 : d > 0; }

static double percentile(double p) {
    if (!latencyCount) return 0;
    long i = latencyCount * p / 100;
    return latencies[i < latencyCount ? i : latencyCount - 1];
}

static double cpu(void) {
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void print(double seconds, uint64_t payload) {
    qsort(latencies, latencyCount, sizeof *latencies, byValue);
    printf("seconds=%.6f requests=%lld payloadBytes=%llu batchBytes=%zu batchRecords=%ld p50Ms=%.4f p99Ms=%.4f p999Ms=%.4f mostMs=%.4f"
           " cpuSeconds=%.6f\n",
           seconds, (long long)answers, (unsigned long long)payload, batchBytes, batchRecords, percentile(50), percentile(99),
           percentile(99.9), percentile(100), cpu());
}

static volatile sig_atomic_t stopped;

static void stop(int signal) { stopped = 1; }

/* Every connection its share of the requests, all of them at once; until SIGTERM at most. */
static void run(int port, int producing) {
    long perRequest = producing ? (long)batchBytes : option.max / (long)batchBytes * (long)batchBytes;
    if (perRequest <= 0) perRequest = batchBytes;
    long requests = option.requests ? option.requests : option.mib * 1048576 / perRequest;
    if (requests < option.connections) requests = option.connections;
    poller = epoll_create1(0);
    connections = calloc(option.connections, sizeof *connections);
    for (long i = 0; i < option.connections; i++) {
        struct connection *c = &connections[i];
        c->socket = open1(port);
        c->partition = i % option.partitions;
        c->quota = requests / option.connections + (i < requests % option.connections);
        c->room = malloc(ROOM_BYTES);
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, c->socket, &event)) die("epoll_ctl");
    }
    double from = now();
    long done = 0;
    for (long i = 0; i < option.connections; i++) sendMore(&connections[i], producing);
    signal(SIGTERM, stop);
    while (done < option.connections && !stopped) {
        struct epoll_event events[256];
        int n = epoll_wait(poller, events, 256, 30000);
        if (n == 0) quit("no answer for 30 s; answers so far", answers);
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            if (c->quota < 0) continue;
            if (events[i].events & EPOLLOUT) sendMore(c, producing);
            if (producing && !option.acks && c->asked == c->quota && !c->sending) {
                shutdown(c->socket, SHUT_WR);   /* its end comes when the server has taken in all */
                char rest;
                while (recv(c->socket, &rest, 1, 0) > 0) {}
                answers += c->quota;
                c->quota = -1;
                done++;
                continue;
            }
            if (!receiveMore(c, producing)) quit("the server closed a connection; answers so far", answers);
            if (c->answered == c->quota) {
                c->quota = -1;
                done++;
            }
        }
    }
    print(now() - from, producing ? answers * batchBytes : fetchedBytes);
}

static void wait1(int s, char *room, size_t most) {
    size_t have = 0, want = 4;
    while (have < want) {
        ssize_t n = recv(s, room + have, want - have, MSG_WAITALL);
        if (n <= 0) die("recv");
        have += n;
        if (have == 4) {
            want = 4 + get32(room);
            if (want > most) quit("answer too long", want);
        }
    }
}

static void send1(int s, struct connection *c, int producing) {
    struct iovec parts[2] = {{c->head, c->headBytes}, {batch, batchBytes}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = producing ? 2 : 1};
    if (sendmsg(s, &message, 0) != (ssize_t)c->frameBytes) die("send");
}

static void endToEnd(int port) {
    struct connection producer = {0}, consumer = {0};
    size_t most = 1 << 20;
    char *room = malloc(most);
    int out = open1(port), in = open1(port);
    protocol->produceHead(&producer, 0);
    send1(out, &producer, 1);
    wait1(out, room, most);
    int name = get16(room + 12);
    if (get16(room + 14 + name + 8)) quit("produce error", get16(room + 14 + name + 8));
    consumer.offset = get64(room + 14 + name + 10) + 1;
    double from = now();
    for (long i = 0; option.seconds ? now() - from < option.seconds : i < option.requests; i++) {
        protocol->fetchHead(&consumer);
        send1(in, &consumer, 0);
        struct timespec pause = {0, 500000};   /* lets the fetch come to rest in the server */
        nanosleep(&pause, NULL);
        double at = now();
        send1(out, &producer, 1);
        wait1(in, room, most);
        if (option.seconds || i >= option.requests / 5) latency(now() - at);
        wait1(out, room, most);
        consumer.offset++;
        answers++;
    }
    print(now() - from, answers * batchBytes);
}

static void idle(int port) {
    for (long i = 0; i < option.connections; i++) {
        open1(port);
        if (i % 32 == 31) usleep(2000);   /* else they overflow the server's queue of those not yet accepted, and wait a second each */
    }
    printf("open\n");
    fflush(stdout);
    while (getchar() != EOF) {}
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: load produce|fetch|e2e|idle PORT TOPIC key=value...\n");
        return 2;
    }
    int port = atoi(argv[2]);
    topic = argv[3];
    protocol = &kafka;
    struct { const char *name; long *value; } names[] = {
        {"connections", &option.connections}, {"partitions", &option.partitions}, {"record", &option.record},
        {"batch", &option.batch}, {"depth", &option.depth}, {"acks", &option.acks}, {"mib", &option.mib},
        {"requests", &option.requests}, {"max", &option.max}, {"check", &option.check}, {"scatter", &option.scatter},
        {"seconds", &option.seconds}};
    for (int i = 4; i < argc; i++) {
        char *equals = strchr(argv[i], '=');
        int known = 0;
        for (size_t k = 0; k < sizeof protocols / sizeof *protocols; k++) {
            if (!strncmp(argv[i], "protocol=", 9) && !strcmp(argv[i] + 9, protocols[k]->name)) {
                protocol = protocols[k];
                known = 1;
            }
        }
        for (size_t k = 0; equals && k < sizeof names / sizeof *names; k++) {
            if (strlen(names[k].name) == (size_t)(equals - argv[i]) && !strncmp(argv[i], names[k].name, equals - argv[i])) {
                *names[k].value = atol(equals + 1);
                known = 1;
            }
        }
        if (!known) {
            fprintf(stderr, "unknown: %s\n", argv[i]);
            return 2;
        }
    }
    if (option.depth > MOST_DEPTH) option.depth = MOST_DEPTH;
    if (!strcmp(argv[1], "e2e")) option.batch = 1;
    protocol->makeBatch();
    if (!strcmp(argv[1], "produce")) run(port, 1);
    else if (!strcmp(argv[1], "fetch")) run(port, 0);
    else if (!strcmp(argv[1], "e2e")) endToEnd(port);
    else if (!strcmp(argv[1], "idle")) idle(port);
    else return 2;
    return 0;
}

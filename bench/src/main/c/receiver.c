/*
 * receiver discard|check: takes one connection after the other on a loopback port and reads each to its end.
 *
 * discard  has the kernel throw the bytes away (MSG_TRUNC): nothing is copied to user space.
 * check    reads them and makes a 64-bit FNV-1a hash of them.
 *
 * Prints "port N" first, then for each connection "received BYTES HASH" (hash 0 when discarding) before it closes it. Ends when
 * standard input does, so that it doesn't outlive who started it.
 */
#include "common.h"
#include <poll.h>

enum { MOST = 1 << 20 };

int main(int argc, char **argv) {
    if (argc != 2 || (strcmp(argv[1], "discard") && strcmp(argv[1], "check"))) {
        fprintf(stderr, "usage: receiver discard|check\n");
        return 2;
    }
    int check = !strcmp(argv[1], "check");
    unsigned char *buffer = malloc(MOST);
    if (!buffer) die("malloc");
    memset(buffer, 1, MOST);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    if (listener < 0 || bind(listener, (void *)&address, length) || listen(listener, 8)
        || getsockname(listener, (void *)&address, &length)) {
        die("listen");
    }
    printf("port %d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        struct pollfd ready[] = {{.fd = 0, .events = POLLIN}, {.fd = listener, .events = POLLIN}};
        if (poll(ready, 2, -1) < 0) die("poll");
        if (ready[0].revents) return 0;
        int peer = accept(listener, NULL, NULL);
        if (peer < 0) die("accept");
        uint64_t bytes = 0, hash = 14695981039346656037u;
        ssize_t n;
        while ((n = recv(peer, buffer, MOST, check ? 0 : MSG_TRUNC)) > 0) {
            bytes += n;
            for (ssize_t i = 0; check && i < n; i++) hash = (hash ^ buffer[i]) * 1099511628211u;
        }
        if (n < 0) die("recv");
        printf("received %llu %llx\n", (unsigned long long)bytes, check ? (unsigned long long)hash : 0ull);
        if (fflush(stdout)) return 1;
        close(peer);
    }
}

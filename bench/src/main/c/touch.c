/*
 * touch [MIB]: writes to that much memory once (by default to nine tenths of what is available) and gives it back.
 *
 * In a virtual machine the host backs a page when it is touched first, which costs the guest more than anything a server does with it.
 * What was touched once stays backed: whoever is measured afterwards gets memory that costs the same.
 */
#include "common.h"
#include <sys/mman.h>

int main(int argc, char **argv) {
    size_t bytes = 0;
    if (argc > 1) {
        bytes = (size_t)atol(argv[1]) << 20;
    } else {
        char line[256];
        FILE *info = fopen("/proc/meminfo", "r");
        while (info && fgets(line, sizeof line, info)) {
            unsigned long long kib;
            if (sscanf(line, "MemFree: %llu", &kib) == 1) bytes = kib * 1024 / 10 * 9;
        }
    }
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) die("mmap");
    printf("%zu MiB\n", bytes >> 20);
    return 0;
}

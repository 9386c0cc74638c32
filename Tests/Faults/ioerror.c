// poyang
// SPDX-License-Identifier: Apache-2.0

// A failing disk on demand, for LD_PRELOAD: calls on files whose path begins with $POYANG_FAULT_DIRECTORY fail now and
// then, while poyang_faults(1) holds, which the process finds with dlsym; poyang_faults(0) ends it.
//
//   POYANG_FAULT_KINDS  which, separated by commas:
//                       full   ENOSPC from write, pwrite, ftruncate, fallocate
//                       write  EIO from write and pwrite
//                       short  write and pwrite take only a part of the bytes
//                       sync   EIO from fsync and fdatasync; what was to be flushed stays in the file, as on Linux
//                       read   EIO from read and pread
//   POYANG_FAULT_RATE   one call in so many fails, chosen by POYANG_FAULT_SEED
//   POYANG_FAULT_AT     instead: only the call of that number fails, counted from 1 since poyang_faults(1)
//
// poyang_faults returns how many calls failed since the start.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FULL = 1, WRITE = 2, SHORT = 4, SYNC = 8, READ = 16, DESCRIPTORS = 4096 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *directory;
static unsigned char watched[DESCRIPTORS];
static uint64_t state, calls, rate = 50, only;
static int kinds, is_on, failed;

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) {
    void *symbol = dlsym(RTLD_NEXT, name);
    if (!symbol) _exit(99);
    return symbol;
}

static uint64_t next(void) { // SplitMix64
    uint64_t value = state += 0x9E3779B97F4A7C15;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
    return value ^ (value >> 31);
}

int poyang_faults(int on) {
    pthread_mutex_lock(&lock);
    is_on = on;
    calls = 0;
    int result = failed;
    pthread_mutex_unlock(&lock);
    return result;
}

// Which of the kinds in `possible` this call shall have; 0 for none.
static int fault(int descriptor, int possible) {
    possible &= kinds;
    if (!possible || descriptor < 0 || descriptor >= DESCRIPTORS) return 0;
    pthread_mutex_lock(&lock);
    int result = 0;
    if (is_on && watched[descriptor]) {
        calls++;
        if (only ? calls == only : next() % rate == 0) {
            int several[5], count = 0;
            for (int kind = FULL; kind <= READ; kind *= 2)
                if (possible & kind) several[count++] = kind;
            result = several[next() % (uint64_t)count];
            failed++;
        }
    }
    pthread_mutex_unlock(&lock);
    return result;
}

static ssize_t refuse(int kind) {
    errno = kind == FULL ? ENOSPC : EIO;
    return -1;
}

static size_t part(size_t length) { return length > 1 ? 1 + (size_t)(next() % (length - 1)) : length; }

ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off64_t offset) {
    int kind = fault(descriptor, FULL | WRITE | SHORT);
    if (kind == FULL || kind == WRITE) return refuse(kind);
    return REAL(pwrite64)(descriptor, bytes, kind == SHORT ? part(length) : length, offset);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t length, off_t offset) {
    return pwrite64(descriptor, bytes, length, offset);
}

ssize_t write(int descriptor, const void *bytes, size_t length) {
    int kind = fault(descriptor, FULL | WRITE | SHORT);
    if (kind == FULL || kind == WRITE) return refuse(kind);
    return REAL(write)(descriptor, bytes, kind == SHORT ? part(length) : length);
}

ssize_t pread64(int descriptor, void *bytes, size_t length, off64_t offset) {
    int kind = fault(descriptor, READ);
    return kind ? refuse(kind) : REAL(pread64)(descriptor, bytes, length, offset);
}

ssize_t pread(int descriptor, void *bytes, size_t length, off_t offset) {
    return pread64(descriptor, bytes, length, offset);
}

ssize_t read(int descriptor, void *bytes, size_t length) {
    int kind = fault(descriptor, READ);
    return kind ? refuse(kind) : REAL(read)(descriptor, bytes, length);
}

int ftruncate64(int descriptor, off64_t size) {
    int kind = fault(descriptor, FULL);
    return kind ? (int)refuse(kind) : REAL(ftruncate64)(descriptor, size);
}

int ftruncate(int descriptor, off_t size) { return ftruncate64(descriptor, size); }

int fallocate64(int descriptor, int mode, off64_t offset, off64_t length) {
    int kind = fault(descriptor, FULL);
    return kind ? (int)refuse(kind) : REAL(fallocate64)(descriptor, mode, offset, length);
}

int fallocate(int descriptor, int mode, off_t offset, off_t length) {
    return fallocate64(descriptor, mode, offset, length);
}

int posix_fallocate64(int descriptor, off64_t offset, off64_t length) {
    return fault(descriptor, FULL) ? ENOSPC : REAL(posix_fallocate64)(descriptor, offset, length);
}

int posix_fallocate(int descriptor, off_t offset, off_t length) {
    return posix_fallocate64(descriptor, offset, length);
}

int fsync(int descriptor) {
    int kind = fault(descriptor, SYNC);
    return kind ? (int)refuse(kind) : REAL(fsync)(descriptor);
}

int fdatasync(int descriptor) {
    int kind = fault(descriptor, SYNC);
    return kind ? (int)refuse(kind) : REAL(fdatasync)(descriptor);
}

int close(int descriptor) {
    if (descriptor >= 0 && descriptor < DESCRIPTORS) watched[descriptor] = 0;
    return REAL(close)(descriptor);
}

static int opened(int descriptor, const char *path) {
    if (descriptor >= 0 && descriptor < DESCRIPTORS)
        watched[descriptor] = directory && !strncmp(path, directory, strlen(directory));
    return descriptor;
}

#define OPEN(name)                                                                                                   \
    int name(const char *path, int flags, ...) {                                                                     \
        va_list arguments;                                                                                           \
        va_start(arguments, flags);                                                                                  \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;                                 \
        va_end(arguments);                                                                                           \
        return opened(REAL(name)(path, flags, mode), path);                                                          \
    }
OPEN(open)
OPEN(open64)

static uint64_t number(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

__attribute__((constructor)) static void begin(void) {
    static const char *const names[] = {"full", "write", "short", "sync", "read"};
    const char *text = getenv("POYANG_FAULT_KINDS");
    directory = getenv("POYANG_FAULT_DIRECTORY");
    state = number("POYANG_FAULT_SEED", 1);
    rate = number("POYANG_FAULT_RATE", 50);
    only = number("POYANG_FAULT_AT", 0);
    if (!rate) rate = 1;
    for (int index = 0; text && index < 5; index++)
        if (strstr(text, names[index])) kinds |= 1 << index;
}

// poyang
// SPDX-License-Identifier: Apache-2.0

// A disk that is full, or broken, while a file says so, for LD_PRELOAD: $POYANG_FAULT_DISK names a file; while
// it exists, writes below $POYANG_FAULT_DIRECTORY fail. What it holds chooses how: `full` refuses with ENOSPC what would
// make a file longer, as a full disk does; `io` refuses every write with EIO.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *directory, *control;

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) {
    void *symbol = dlsym(RTLD_NEXT, name);
    if (!symbol) _exit(99);
    return symbol;
}

static int is_below(int descriptor) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return !strncmp(path, directory, strlen(directory));
}

// The error of a write that ends at `end`; 0 where it may go on.
static int refusal(int descriptor, off_t end) {
    char how[8] = "";
    struct stat status;
    if (!directory || !control || access(control, F_OK)) return 0;
    if (fstat(descriptor, &status) || !S_ISREG(status.st_mode) || !is_below(descriptor)) return 0;
    int file = open(control, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t length = read(file, how, sizeof how - 1);
    close(file);
    if (length >= 2 && !strncmp(how, "io", 2)) return EIO;
    return end > status.st_size ? ENOSPC : 0;
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off64_t offset) {
    int error = refusal(descriptor, offset + (off_t)length);
    if (!error) return REAL(pwrite64)(descriptor, bytes, length, offset);
    errno = error;
    return -1;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t length, off_t offset) {
    return pwrite64(descriptor, bytes, length, offset);
}

ssize_t write(int descriptor, const void *bytes, size_t length) {
    off_t offset = lseek(descriptor, 0, SEEK_CUR);
    int error = offset < 0 ? 0 : refusal(descriptor, offset + (off_t)length);
    if (!error) return REAL(write)(descriptor, bytes, length);
    errno = error;
    return -1;
}

int ftruncate64(int descriptor, off64_t size) {
    int error = refusal(descriptor, size);
    if (!error) return REAL(ftruncate64)(descriptor, size);
    errno = error;
    return -1;
}

int ftruncate(int descriptor, off_t size) { return ftruncate64(descriptor, size); }

__attribute__((constructor)) static void begin(void) {
    directory = getenv("POYANG_FAULT_DIRECTORY");
    control = getenv("POYANG_FAULT_DISK");
}

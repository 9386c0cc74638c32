// poyang
// SPDX-License-Identifier: Apache-2.0

// A power cut on demand, for LD_PRELOAD: what was written to files below $POYANG_FAULT_DIRECTORY and not yet flushed by
// fsync or fdatasync is taken back when the process receives SIGUSR2, which then ends with exit code 137.
// With $POYANG_FAULT_IGNORES_FLUSH set, a disk that lies: flushing succeeds, and nothing counts as flushed.
// With $POYANG_FAULT_SEED set, a disk that reorders: of each write only some sectors of 512 bytes, chosen by the seed, are
// taken back, and a size may stay; what was written last may be there without what was written before it.
//
// Per file (device and inode) an undo list holds, for each write or truncation since the last flush, the bytes and the
// size from before. SQLite's shared memory (-shm) is left alone: it is rebuilt after a crash, whatever it holds.
// Directory entries count as durable at once. Files are never opened or closed here, because closing any descriptor of
// a file gives up the process's POSIX locks on it.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct undo {
    struct undo *before;
    off_t offset, size;
    // Bytes that are kept here, and those that were written.
    size_t length, written;
    // A change of the size alone, which happens as a whole or not at all.
    int is_size;
    char bytes[];
};

struct file {
    struct file *next;
    dev_t device;
    ino_t inode;
    int descriptor;
    struct undo *undo;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file *files;
static const char *directory;
static int ignores_flush, reorders;
static uint64_t state;

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) {
    void *symbol = dlsym(RTLD_NEXT, name);
    if (!symbol) _exit(99);
    return symbol;
}

// Only under the lock.
static struct file *find(int descriptor) {
    struct stat status;
    if (!directory || fstat(descriptor, &status) || !S_ISREG(status.st_mode)) return NULL;
    for (struct file *file = files; file; file = file->next)
        if (file->device == status.st_dev && file->inode == status.st_ino) return file;
    return NULL;
}

static int opened(int descriptor, const char *path, int flags) {
    if (descriptor < 0 || !directory || (flags & O_ACCMODE) != O_RDWR) return descriptor;
    if (strncmp(path, directory, strlen(directory)) || strstr(path, "-shm")) return descriptor;
    pthread_mutex_lock(&lock);
    struct stat status;
    if (!find(descriptor) && !fstat(descriptor, &status) && S_ISREG(status.st_mode)) {
        struct file *file = calloc(1, sizeof *file);
        if (!file) _exit(99);
        *file = (struct file){files, status.st_dev, status.st_ino, dup(descriptor), NULL};
        files = file;
    }
    pthread_mutex_unlock(&lock);
    return descriptor;
}

// Only under the lock. Keeps what lies in [offset, offset + length) and the size.
static void remember(int descriptor, off_t offset, size_t length, int is_size) {
    struct file *file = find(descriptor);
    struct stat status;
    if (!file || fstat(descriptor, &status)) return;
    size_t kept = offset >= status.st_size ? 0 : (size_t)(status.st_size - offset);
    if (kept > length) kept = length;
    struct undo *undo = malloc(sizeof *undo + kept);
    if (!undo) _exit(99);
    *undo = (struct undo){file->undo, offset, status.st_size, kept, length, is_size};
    if (kept && pread(descriptor, undo->bytes, kept, offset) != (ssize_t)kept) _exit(99);
    file->undo = undo;
}

// Only under the lock.
static void forget(struct file *file) {
    while (file && file->undo) {
        struct undo *before = file->undo->before;
        free(file->undo);
        file->undo = before;
    }
}

static int flush(int descriptor, int (*call)(int)) {
    pthread_mutex_lock(&lock);
    int result = call(descriptor);
    if (!result && !ignores_flush) forget(find(descriptor));
    pthread_mutex_unlock(&lock);
    return result;
}

int fsync(int descriptor) { return flush(descriptor, REAL(fsync)); }
int fdatasync(int descriptor) { return flush(descriptor, REAL(fdatasync)); }

ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off64_t offset) {
    pthread_mutex_lock(&lock);
    remember(descriptor, offset, length, 0);
    ssize_t result = REAL(pwrite64)(descriptor, bytes, length, offset);
    pthread_mutex_unlock(&lock);
    return result;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t length, off_t offset) {
    return pwrite64(descriptor, bytes, length, offset);
}

ssize_t write(int descriptor, const void *bytes, size_t length) {
    pthread_mutex_lock(&lock);
    off_t offset = lseek(descriptor, 0, SEEK_CUR);
    if (offset >= 0) remember(descriptor, offset, length, 0);
    pthread_mutex_unlock(&lock);
    // Outside of the lock, as a pipe may block.
    return REAL(write)(descriptor, bytes, length);
}

int ftruncate64(int descriptor, off64_t size) {
    pthread_mutex_lock(&lock);
    struct stat status;
    if (!fstat(descriptor, &status))
        remember(descriptor, size, status.st_size > size ? (size_t)(status.st_size - size) : 0, 1);
    int result = REAL(ftruncate64)(descriptor, size);
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate(int descriptor, off_t size) { return ftruncate64(descriptor, size); }

#define OPEN(name)                                                                                                   \
    int name(const char *path, int flags, ...) {                                                                     \
        va_list arguments;                                                                                           \
        va_start(arguments, flags);                                                                                  \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;                                 \
        va_end(arguments);                                                                                           \
        return opened(REAL(name)(path, flags, mode), path, flags);                                                   \
    }
OPEN(open)
OPEN(open64)

static sem_t cut;

// On whatever thread, which may hold the lock: it goes on until the thread below has taken it.
static void handle(int signal) {
    (void)signal;
    sem_post(&cut);
}

static int coin(void) { // SplitMix64
    uint64_t value = state += 0x9E3779B97F4A7C15;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
    return (value ^ (value >> 31)) & 1;
}

// Takes a write back as a whole.
static void take_back(struct file *file, struct undo *undo) {
    if (undo->length
        && REAL(pwrite64)(file->descriptor, undo->bytes, undo->length, undo->offset) != (ssize_t)undo->length)
        _exit(99);
    if (REAL(ftruncate64)(file->descriptor, undo->size)) _exit(99);
}

// Takes some sectors of a write back; those that it added to the file become zeros.
static void take_back_partly(struct file *file, struct undo *undo) {
    enum { SECTOR = 512 };
    static const char zeros[SECTOR];
    off_t end = undo->offset + (off_t)undo->written;
    for (off_t place = undo->offset; place < end;) {
        off_t next = (place / SECTOR + 1) * SECTOR;
        if (next > end) next = end;
        if (coin()) {
            off_t kept = undo->offset + (off_t)undo->length;
            off_t middle = next < kept ? next : kept > place ? kept : place;
            size_t old = (size_t)(middle - place), added = (size_t)(next - middle);
            if (old && REAL(pwrite64)(file->descriptor, undo->bytes + (place - undo->offset), old, place) < 0)
                _exit(99);
            if (added && REAL(pwrite64)(file->descriptor, zeros, added, middle) < 0) _exit(99);
        }
        place = next;
    }
    struct stat status;
    if (fstat(file->descriptor, &status)) _exit(99);
    if (status.st_size > undo->size && !undo->before && coin() && REAL(ftruncate64)(file->descriptor, undo->size))
        _exit(99);
    if (status.st_size < undo->size && coin() && REAL(ftruncate64)(file->descriptor, undo->size)) _exit(99);
}

static void *wait_for_the_cut(void *unused) {
    (void)unused;
    while (sem_wait(&cut)) {}
    pthread_mutex_lock(&lock);
    for (struct file *file = files; file; file = file->next)
        for (struct undo *undo = file->undo; undo; undo = undo->before) {
            if (reorders && !undo->is_size)
                take_back_partly(file, undo);
            else if (!reorders || coin())
                take_back(file, undo);
        }
    _exit(137);
}

__attribute__((constructor)) static void begin(void) {
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    pthread_t thread;
    sigset_t signals;
    directory = getenv("POYANG_FAULT_DIRECTORY");
    if (!directory) return;
    ignores_flush = getenv("POYANG_FAULT_IGNORES_FLUSH") != NULL;
    const char *seed = getenv("POYANG_FAULT_SEED");
    reorders = seed != NULL;
    state = seed ? strtoull(seed, NULL, 10) : 0;
    if (sem_init(&cut, 0, 0) || sigaction(SIGUSR2, &action, NULL)) _exit(99);
    // The mask comes from the thread that started the process, and may hold the signal back for ever.
    if (sigemptyset(&signals) || sigaddset(&signals, SIGUSR2)) _exit(99);
    if (pthread_sigmask(SIG_UNBLOCK, &signals, NULL)) _exit(99);
    if (pthread_create(&thread, NULL, wait_for_the_cut, NULL)) _exit(99);
}

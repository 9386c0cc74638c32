// poyang
// SPDX-License-Identifier: Apache-2.0

// A wrong wall clock, for LD_PRELOAD: it is $POYANG_FAULT_CLOCK_OFFSET seconds ahead, or behind when negative, and goes
// $POYANG_FAULT_CLOCK_STEP seconds further at each SIGUSR1.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile time_t offset;
static time_t step;

static void *real(const char *name) {
    void *symbol = dlsym(RTLD_NEXT, name);
    if (!symbol) _exit(99);
    return symbol;
}

#define REAL(name) ((__typeof__(&name))real(#name))

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = REAL(clock_gettime)(clock, time);
    if (!result && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += offset;
    return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    int result = REAL(gettimeofday)(time, zone);
    if (!result) time->tv_sec += offset;
    return result;
}

time_t time(time_t *result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}

static void go_on(int number) {
    (void)number;
    offset += step;
}

__attribute__((constructor)) static void begin(void) {
    const char *text = getenv("POYANG_FAULT_CLOCK_OFFSET");
    offset = text ? atol(text) : 0;
    text = getenv("POYANG_FAULT_CLOCK_STEP");
    step = text ? atol(text) : 0;
    if (step) signal(SIGUSR1, go_on);
}

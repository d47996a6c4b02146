/* For a program under valgrind: its clocks run slower by BENCH_DILATION, as valgrind makes it slower, so that threads
 * which wake by the clock do so as often per request as they would without valgrind; and marks in callgrind's output.
 * Loaded by LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <valgrind/callgrind.h>

#define SECOND 1000000000LL

static long long factor = 1, origins[2];  /* of CLOCK_REALTIME and CLOCK_MONOTONIC; CPU clocks begin at 0 */

static long long ns_of(const struct timespec *t) { return t->tv_sec * SECOND + t->tv_nsec; }
static struct timespec spec_of(long long ns) { return (struct timespec){ns / SECOND, ns % SECOND}; }

static long long origin_of(clockid_t clock) { return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC ? origins[clock] : 0; }

static long long real_now(clockid_t clock)
{
    struct timespec t = {0, 0};
    return syscall(SYS_clock_gettime, clock, &t) == 0 ? ns_of(&t) : -1;
}

__attribute__((constructor)) static void begin(void)
{
    const char *told = getenv("BENCH_DILATION");
    if (told != NULL && atoll(told) > 0) factor = atoll(told);
    origins[CLOCK_REALTIME] = real_now(CLOCK_REALTIME);
    origins[CLOCK_MONOTONIC] = real_now(CLOCK_MONOTONIC);
}

static struct timespec real_deadline(clockid_t clock, const struct timespec *t)
{
    long long origin = origin_of(clock), past = ns_of(t) - origin;
    return past > (1LL << 62) / factor ? *t : spec_of(origin + past * factor);
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
    long long now = real_now(clock), origin = origin_of(clock);
    if (now < 0) return -1;
    *t = spec_of(origin + (now - origin) / factor);
    return 0;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *t, struct timespec *left)
{
    struct timespec real = flags & TIMER_ABSTIME ? real_deadline(clock, t) : spec_of(ns_of(t) * factor);
    return (int)syscall(SYS_clock_nanosleep, clock, flags, &real, left);
}

int sem_clockwait(sem_t *lock, clockid_t clock, const struct timespec *t)
{
    static int (*original)(sem_t *, clockid_t, const struct timespec *);
    struct timespec real = real_deadline(clock, t);
    if (original == NULL) original = dlsym(RTLD_NEXT, "sem_clockwait");
    return original(lock, clock, &real);
}

/* CPython's conditions wait by CLOCK_MONOTONIC. */
int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *t)
{
    static int (*original)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    struct timespec real = real_deadline(CLOCK_MONOTONIC, t);
    if (original == NULL) original = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    if (original == NULL) original = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    return original(condition, mutex, &real);
}

/* What was executed since the last mark is written under this name. */
void mark(const char *name) { CALLGRIND_DUMP_STATS_AT(name); }

/* Whether instructions are counted from now on. */
void count(int on)
{
    if (on) CALLGRIND_START_INSTRUMENTATION;
    else CALLGRIND_STOP_INSTRUMENTATION;
}

/*
 * fail_memory.c - see fail_memory.h.
 *
 * Stands in front of the allocating functions and hands on to those of the C library, or of
 * AddressSanitizer where that is in the program. Needs only the C library.
 */
#include "fail_memory.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define SANITIZER __attribute__((weak))

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

extern void *__interceptor_malloc(size_t size) SANITIZER;
extern void *__interceptor_calloc(size_t count, size_t size) SANITIZER;
extern void *__interceptor_realloc(void *memory, size_t size) SANITIZER;
extern void *__interceptor_memalign(size_t alignment, size_t size) SANITIZER;
extern void __interceptor_free(void *memory) SANITIZER;

#define REAL(name) (__interceptor_##name ? __interceptor_##name : __libc_##name)

static atomic_bool armed;
static atomic_ulong seen;
static atomic_long live;
static unsigned long failing;
static bool all_after;
static void *place[32];
static int place_depth;

/* A debugger's breakpoint: here an allocation fails. */
static __attribute__((noinline)) void refuse(void)
{
    atomic_store(&armed, false); /* finding the place may allocate */
    place_depth = backtrace(place, sizeof place / sizeof *place);
    atomic_store(&armed, true);
    errno = ENOMEM;
}

static bool refused(void)
{
    if (!atomic_load(&armed)) {
        return false;
    }
    unsigned long number = atomic_fetch_add(&seen, 1) + 1;
    if (failing == 0 || number < failing || (number > failing && !all_after)) {
        return false;
    }
    refuse();
    return true;
}

static void *counted(void *memory)
{
    if (memory != NULL) {
        atomic_fetch_add(&live, 1);
    }
    return memory;
}

/* ---- In front of the C library ---- */

EXPORT void *malloc(size_t size)
{
    return refused() ? NULL : counted(REAL(malloc)(size));
}

EXPORT void *calloc(size_t count, size_t size)
{
    return refused() ? NULL : counted(REAL(calloc)(count, size));
}

EXPORT void *realloc(void *memory, size_t size)
{
    if (memory != NULL && size == 0) {
        free(memory);
        return NULL;
    }
    if (refused()) {
        return NULL;
    }
    void *moved = REAL(realloc)(memory, size);
    return memory == NULL ? counted(moved) : moved;
}

EXPORT void *reallocarray(void *memory, size_t count, size_t size)
{
    size_t all;
    if (__builtin_mul_overflow(count, size, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(memory, all);
}

EXPORT void *memalign(size_t alignment, size_t size)
{
    return refused() ? NULL : counted(REAL(memalign)(alignment, size));
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

EXPORT int posix_memalign(void **memory, size_t alignment, size_t size)
{
    int before = errno;
    void *block = memalign(alignment, size);
    errno = before;
    if (block == NULL) {
        return ENOMEM;
    }
    *memory = block;
    return 0;
}

EXPORT void free(void *memory)
{
    if (memory != NULL) {
        atomic_fetch_sub(&live, 1);
        REAL(free)(memory);
    }
}

/* ---- In front of the disk ---- */

/* No machine loses its power in these tests, and waiting for the disk would be most of their time.
 */
EXPORT int fdatasync(int fd)
{
    return fcntl(fd, F_GETFD) < 0 ? -1 : 0;
}

EXPORT int fsync(int fd)
{
    return fdatasync(fd);
}

/* ---- Arming ---- */

void fail_memory_arm(unsigned long nth, bool and_all_after)
{
    failing = nth;
    all_after = and_all_after;
    place_depth = 0;
    atomic_store(&seen, 0);
    atomic_store(&armed, true);
}

unsigned long fail_memory_disarm(void)
{
    atomic_store(&armed, false);
    return atomic_load(&seen);
}

long fail_memory_live(void)
{
    return atomic_load(&live);
}

void fail_memory_show(void)
{
    fflush(stdout);
    backtrace_symbols_fd(place, place_depth, STDOUT_FILENO);
}

/* What the program inherits is not for the programs that it starts. */
static __attribute__((constructor)) void arm_from_environment(void)
{
    const char *wanted = getenv("FAIL_MEMORY");
    place_depth = backtrace(place, 1); /* the first time it loads a library */
    if (wanted != NULL) {
        fail_memory_arm(strtoul(wanted, NULL, 10), strchr(wanted, '+') != NULL);
    }
}

static __attribute__((destructor)) void report(void)
{
    const char *file = getenv("FAIL_MEMORY_REPORT");
    unsigned long count = fail_memory_disarm();
    int fd = file != NULL ? open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (fd >= 0) {
        dprintf(fd, "%lu\n", count);
        close(fd);
    }
}

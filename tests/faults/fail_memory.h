/*
 * fail_memory.h - makes allocations of memory fail, in a program that fail_memory.so is preloaded
 * into.
 *
 * Every allocation of the process is counted, the C library's own and those of foreign libraries
 * included. Armed, the nth from then on fails, or all from the nth on. The functions are NULL in a
 * program that is run without the preload. A program that knows nothing of this is armed from its
 * start by the environment:
 *
 *     FAIL_MEMORY=N             the Nth allocation fails; N+ means all from the Nth on
 *     FAIL_MEMORY_REPORT=FILE   at the end, how many allocations there were is written into FILE
 */
#ifndef FAIL_MEMORY_H
#define FAIL_MEMORY_H

#include <stdbool.h>

#define FAIL_MEMORY_API __attribute__((visibility("default"), weak))

/* nth counts from 1; 0 lets none fail. */
FAIL_MEMORY_API void fail_memory_arm(unsigned long nth, bool and_all_after);
/* Gives the number of allocations since it was armed. */
FAIL_MEMORY_API unsigned long fail_memory_disarm(void);
/* Blocks that are allocated and not freed. */
FAIL_MEMORY_API long fail_memory_live(void);
/* The place of the allocation that failed last, as symbols on standard output. */
FAIL_MEMORY_API void fail_memory_show(void);

#endif

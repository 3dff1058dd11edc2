/*
 * count_children.c - children are counted, too, when tests/run --coverage counts what is reached.
 *
 * A forked child ends with _exit(), which skips what gcov does when a program ends. Preloaded, this
 * lets it end with exit() instead; what its parent had in stdio's buffers is not written twice.
 * Needs the C library.
 */
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((visibility("default"))) void _exit(int status)
{
    __fpurge(stdout);
    exit(status);
}

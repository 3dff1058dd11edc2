/*
 * text.c - the growing buffer and the arena, and lengths of name arguments.
 *
 * Needs status. Memory that cannot be had is an error like any other: nothing here ends the
 * program, and a buffer that could not grow keeps the content that it had.
 */
#include "text.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_FIRST_CAPACITY ((size_t)64)
#define ARENA_BLOCK_SIZE ((size_t)8000) /* with malloc's own overhead just below two pages */

size_t text_length(const char *text, size_t len)
{
    if (!text) {
        return 0;
    }
    return len == RS_NTS ? strlen(text) : len;
}

/* ---- Buffer ---- */

int buffer_reserve(struct buffer *buffer, size_t more)
{
    size_t wanted, capacity;
    char *data;

    if (more <= buffer->capacity - buffer->size && buffer->data) {
        return RS_OK;
    }
    if (more > SIZE_MAX / 2 - buffer->size) {
        return RS_ENOMEM;
    }
    wanted = buffer->size + more;
    capacity = buffer->capacity ? buffer->capacity : BUFFER_FIRST_CAPACITY;
    while (capacity < wanted) {
        capacity *= 2;
    }
    data = realloc(buffer->data, capacity);
    if (!data) {
        return RS_ENOMEM;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return RS_OK;
}

int buffer_append_text(struct buffer *buffer, const char *text)
{
    return buffer_append(buffer, text, strlen(text));
}

int buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0) {
        return RS_EINVAL;
    }
    if (buffer_reserve(buffer, (size_t)length + 1) != RS_OK) {
        return RS_ENOMEM;
    }
    va_start(args, format);
    vsnprintf(buffer->data + buffer->size, (size_t)length + 1, format, args);
    va_end(args);
    buffer->size += (size_t)length;
    return RS_OK;
}

int buffer_terminate(struct buffer *buffer)
{
    if (buffer_reserve(buffer, 1) != RS_OK) {
        return RS_ENOMEM;
    }
    buffer->data[buffer->size] = '\0';
    return RS_OK;
}

void buffer_free(struct buffer *buffer)
{
    if (!buffer) {
        return;
    }
    free(buffer->data);
    *buffer = (struct buffer)BUFFER_INIT;
}

/* ---- Arena ---- */

/* The first block of the list is the one that has room. What is too large for it to waste room on
 * gets a block of its own, put behind the first. */
struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t capacity;
    alignas(max_align_t) char data[];
};

static struct arena_block *new_block(size_t capacity)
{
    struct arena_block *block = malloc(sizeof *block + capacity);

    if (block) {
        block->next = NULL;
        block->used = 0;
        block->capacity = capacity;
    }
    return block;
}

static struct arena_block *add_block(struct arena *arena, size_t size)
{
    const bool own = size > ARENA_BLOCK_SIZE / 4;
    struct arena_block *block = new_block(own ? size : ARENA_BLOCK_SIZE);

    if (!block) {
        return NULL;
    }
    if (own && arena->blocks) {
        block->next = arena->blocks->next;
        arena->blocks->next = block;
    } else {
        block->next = arena->blocks;
        arena->blocks = block;
    }
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    struct arena_block *block = arena->blocks;
    void *memory;

    if (size > SIZE_MAX / 2) { /* no object is that large, and no sum below overflows */
        return NULL;
    }
    size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (!block || size > block->capacity - block->used) {
        block = add_block(arena, size);
        if (!block) {
            return NULL;
        }
    }
    memory = block->data + block->used;
    block->used += size;
    return memory;
}

char *arena_copy(struct arena *arena, const void *data, size_t size)
{
    char *copy = size < SIZE_MAX ? arena_alloc(arena, size + 1) : NULL;

    if (!copy) {
        return NULL;
    }
    if (size) {
        memcpy(copy, data, size);
    }
    copy[size] = '\0';
    return copy;
}

/* Frees all blocks but kept, which may be NULL. */
static void free_blocks(struct arena *arena, const struct arena_block *kept)
{
    struct arena_block *next;

    for (struct arena_block *block = arena->blocks; block; block = next) {
        next = block->next;
        if (block != kept) {
            free(block);
        }
    }
}

void arena_reset(struct arena *arena)
{
    struct arena_block *kept = arena->blocks;

    while (kept && kept->capacity != ARENA_BLOCK_SIZE) {
        kept = kept->next;
    }
    free_blocks(arena, kept);
    if (kept) {
        kept->next = NULL;
        kept->used = 0;
    }
    arena->blocks = kept;
}

void arena_free(struct arena *arena)
{
    if (!arena) {
        return;
    }
    free_blocks(arena, NULL);
    arena->blocks = NULL;
}

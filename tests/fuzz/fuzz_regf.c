/*
 * fuzz_regf.c - fuzz target: a hive through its reader.
 *
 * The input is the hive without its base block, whose fields come first: how the block is made, and
 * a byte that says whether it is as it should be, lest most inputs end there. libhivex is a part of
 * what is tried. Needs fuzz_hive.
 */
#include "fuzz.h"
#include "fuzz_hive.h"

#include <stdlib.h>
#include <string.h>

#define PAGE ((size_t)4096)
#define FIELDS 48u /* bytes of the base block that mean something */

/* The hive, and how far it was read. */
struct memory {
    struct format_input input; /* the first member */
    unsigned char *bytes;
    size_t size;
    size_t at;
};

static int read_some(struct format_input *input, void *buffer, size_t size, size_t *got)
{
    struct memory *memory = (struct memory *)input;
    size_t left = memory->size - memory->at;

    *got = size < left ? size : left;
    memcpy(buffer, memory->bytes + memory->at, *got);
    memory->at += *got;
    return RS_OK;
}

static void reopen(struct format_input *input)
{
    ((struct memory *)input)->at = 0;
}

/* The base block of a hive that has these bins. The root is the first cell. */
static void make_base(unsigned char *base, size_t bins)
{
    fuzz_put32(base + BASE_MINOR, 3);
    fuzz_put32(base + BASE_FORMAT, 1);
    fuzz_put32(base + BASE_ROOT, 32);
    fuzz_put32(base + BASE_BINS, (uint32_t)bins);
    fuzz_put32(base + BASE_CLUSTER, 1);
}

/* Bins are whole pages, but for one input in some. */
static struct memory make_hive(struct fuzz_input *input)
{
    unsigned kind = fuzz_u8(input);
    size_t fields, got;
    char *base = fuzz_bytes(input, kind & 1 ? FIELDS : 0, &fields);
    size_t bins = kind & 2 ? input->left : (input->left + PAGE - 1) / PAGE * PAGE;
    struct memory memory = {.input = {read_some, "hive", -1}, .size = REGF_BASE + bins};

    memory.bytes = calloc(1, memory.size);
    FUZZ_CHECK(memory.bytes != NULL);
    make_base(memory.bytes, bins);
    memcpy(memory.bytes, base, fields);
    fuzz_seal(memory.bytes);
    char *rest = fuzz_bytes(input, input->left, &got);
    memcpy(memory.bytes + REGF_BASE, rest, got);
    free(rest);
    free(base);
    return memory;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct memory memory = make_hive(&input);

    free(fuzz_read_hive(&memory.input, reopen));
    free(memory.bytes);
    return 0;
}

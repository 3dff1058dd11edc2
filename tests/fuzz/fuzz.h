/*
 * fuzz.h - what the fuzz targets share: bytes taken from an input, a scratch directory, and a store
 * that is the same for every input.
 *
 * A target is a file fuzz_NAME.c with LLVMFuzzerTestOneInput(). Linked with libFuzzer it is
 * fuzz-NAME, linked with replay.c it is replay-NAME, which runs the inputs of a corpus. What must
 * never happen ends the process: a crash, a sanitizer's report, or a FUZZ_CHECK. Needs regstore.h.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "../../regstore/regstore.h"

#include <stdbool.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Optional in libFuzzer; each target of ours has it. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fuzz_broken(__FILE__, __LINE__, #condition);                                           \
        }                                                                                          \
    } while (0)
/* Says what did not hold, and aborts. */
_Noreturn void fuzz_broken(const char *file, int line, const char *what);

/* Gives the status back. It must be one of the list; while the store is expected to be sound, no
 * reader and no writer may call it damaged. */
int fuzz_known(int status);
void fuzz_expect_sound(bool sound);

/* An input that is taken apart from its front; what is not there is 0 or empty. */
struct fuzz_input {
    const uint8_t *at;
    size_t left;
};
unsigned fuzz_u8(struct fuzz_input *input);
unsigned fuzz_u16(struct fuzz_input *input);
/* Up to size bytes, as a block of its own with no byte to spare, so that a read beyond them is
 * seen. The caller frees; *got is their number. */
char *fuzz_bytes(struct fuzz_input *input, size_t size, size_t *got);
/* What is left, with a NUL after it. The caller frees. */
char *fuzz_text(struct fuzz_input *input);

/* A directory of the process's own below $TMPDIR, which vanishes when the process ends. */
const char *fuzz_scratch(void);
/* A path in it. Lives until the fourth call after this one. */
const char *fuzz_path(const char *name);
/* Makes "store" in it what it was at the first call: a small store with a key of each kind and a
 * value of each type, and some revisions. Gives its path. */
const char *fuzz_store(void);

/* Reads everything that a store holds through the public calls, as far as its records allow; every
 * answer must be a status of the list. */
void fuzz_walk(rs_txn *txn);
/* The same for its journal, from a revision on. */
void fuzz_watch(rs_store *store, const char *path, uint64_t since);
/* The same for its history, and for the store as it was at each revision. */
void fuzz_history(rs_txn *txn);
void fuzz_past(rs_store *store);
/* Takes revisions back; which and how, a byte says. */
void fuzz_undo(rs_txn *txn, unsigned choice);

#endif

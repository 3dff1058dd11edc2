/*
 * transfer_helpers.h - short forms for tests of import and export: stores, dumps as text, values.
 *
 * Every call ends the running test if it fails, so that a test reads as a story. Needs stores.h.
 */
#ifndef TRANSFER_HELPERS_H
#define TRANSFER_HELPERS_H

#include <stdbool.h>
#include "stores.h"

/* A new store in scratch_dir() of that name. The caller closes. */
rs_store *new_store(const char *name);

/* Writes a file into scratch_dir(); gives its path, which lives as scratch_path()'s. */
const char *write_text(const char *name, const char *text);
const char *write_bytes(const char *name, const void *bytes, size_t size);
/* The content of a file, which the caller frees; NULL if there is none. */
char *read_text(const char *path);

/* Imports a dump that is given as text, in a transaction of its own; the status of the import or of
 * the commit. options, report and error may be NULL. */
int import_text(rs_store *store, const char *dump, const rs_import_options *options,
                rs_import_report *report, rs_error *error);
/* The same for a file. */
int import_file(rs_store *store, const char *path, const rs_import_options *options,
                rs_import_report *report, rs_error *error);
/* The same for a text that must succeed. */
void must_import(rs_store *store, const char *dump, const char *key);

/* A dump around the content of its root node: foreign, or with own of our dialect. */
const char *foreign_dump(const char *content);
const char *own_dump(const char *root, const char *content);

bool key_exists(rs_store *store, const char *path);
uint64_t key_time(rs_store *store, const char *path);
void make_key(rs_store *store, const char *path);
/* A REG_DWORD; absent is told as 0xdeadbeef. */
uint32_t dword_of(rs_store *store, const char *path, const char *name);
void set_dword(rs_store *store, const char *path, const char *name, uint32_t number);
/* The target of a link, or "". Lives until the next call. */
const char *target_of(rs_store *store, const char *path);

/* Cancels; a progress call whose context is a rs_progress that gets what was told. */
int stop_at_once(void *context, const rs_progress *progress);

#endif

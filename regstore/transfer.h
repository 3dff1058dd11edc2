/*
 * transfer.h - dumps into the tree, the tree into dumps.
 *
 * Gives import (transfer_import.c), export (transfer_export.c), copies (transfer_copy.c),
 * comparison (transfer_compare.c) and what it becomes as a patch (transfer_difference.c), the walk
 * that tells a key's content (transfer_walk.c), the files that are read and written
 * (transfer_file.c), copies of what is read from pipes (transfer_spool.c) and the sets that find
 * doubles (transfer_seen.c). Needs tree and format. The words for losses are in transfer_loss.c.
 */
#ifndef REGSTORE_TRANSFER_H
#define REGSTORE_TRANSFER_H

#include <sys/types.h>

#include "format.h"
#include "tree.h"

/* rs_import() and rs_export() of regstore.h, on the tree of a transaction. options, report and
 * error may be NULL. The report's key comes from the tree's arena. */
int transfer_import(struct tree *tree, const char *file, const rs_import_options *options,
                    rs_import_report *report, rs_error *error);
int transfer_export(struct tree *tree, rs_key key, const char *file,
                    const rs_export_options *options, rs_error *error);

/* rs_key_copy(). base and path as tree_create() takes them. */
int transfer_copy(struct tree *tree, rs_key source, rs_key base, const char *path, size_t len,
                  unsigned flags, rs_import_report *report);

/* Two keys, of one tree or of two; RS_NO_KEY on both sides: all root keys. */
struct transfer_pair {
    struct tree *left;
    rs_key left_key;
    struct tree *right;
    rs_key right_key;
};
/* rs_compare() and rs_export_patch(). */
int transfer_compare(const struct transfer_pair *pair, const rs_compare_options *options,
                     uint64_t *differences);
int transfer_export_patch(const struct transfer_pair *pair, const char *file,
                          const rs_export_options *options, rs_error *error);

struct transfer_progress;
/* The edits that make the left key into the right one, as the events of a patch: keys by their
 * paths on the left side. Write times are not among them, nor class names and keys below links,
 * which are told as losses of the output. */
int transfer_tell_patch(const struct transfer_pair *pair, struct format_sink *sink,
                        struct format_output *output, struct transfer_progress *progress);
/* A key as the events of a listing: itself by its path, and with subtree what is below it. */
int transfer_walk(struct tree *tree, const struct node *node, const struct buffer *path,
                  bool subtree, struct format_sink *sink, struct transfer_progress *progress);

/* ---- Progress ---- */

/* Tells a caller how far the work is, about every MiB or 50 ms. */
struct transfer_progress {
    int (*call)(void *context, const rs_progress *progress); /* or NULL */
    void *context;
    rs_progress now;
    uint64_t told_bytes;
    int64_t told_time; /* ms */
};
/* After more bytes. RS_ECANCELLED, described in *error. */
int transfer_tell(struct transfer_progress *progress, uint64_t bytes, rs_error *error);

/* ---- Files ---- */

#define TRANSFER_HEAD 4096u /* bytes that a format is recognised by */

/* A dump that is read. */
struct transfer_input {
    struct format_input input; /* the first member */
    bool owned;                /* or standard input */
    unsigned char head[TRANSFER_HEAD];
    size_t head_size;
    size_t head_used;
    struct transfer_progress *progress;
    rs_error *error;
};
/* Opens a file, "-" being standard input, or what a spool has of it, and reads its head. */
int transfer_input_open(struct transfer_input *input, const char *file,
                        const struct rs_spool *spool, struct transfer_progress *progress,
                        rs_error *error);
void transfer_input_close(struct transfer_input *input);
/* The words for a file in errors. */
const char *transfer_input_name(const char *file);
int transfer_source_open(const char *file, int *descriptor, rs_error *error);
/* Reads some bytes, as read() does, whatever the descriptor is set to. */
ssize_t transfer_read(int descriptor, void *buffer, size_t size);

/* rs_spool_open(): a dump that can be read without waiting for others. */
struct rs_spool {
    int descriptor; /* of a regular file */
    bool owned;     /* or standard input */
    off_t start;
};
int transfer_spool(const char *file, const rs_import_options *options, struct rs_spool **spool,
                   rs_error *error);
void transfer_spool_free(struct rs_spool *spool);
/* A file without a name, in $TMPDIR or /tmp; -1 after a failure, described in *error. */
int transfer_unnamed(rs_error *error);
const char *transfer_unnamed_dir(void);

/* A dump that is written: to a file beside its target, which takes the target's place at the end;
 * to standard output, a device or a pipe at once. */
struct transfer_output {
    struct format_output output; /* the first member */
    int descriptor;
    bool owned;
    bool overwrite;
    const char *name;     /* as given, for errors */
    struct buffer target; /* the file that is to appear */
    bool nameless;        /* it gets the temporary name only when it is whole */
    struct buffer temporary;
    struct transfer_progress *progress;
    rs_error *error;
};
int transfer_output_open(struct transfer_output *output, const char *file, bool overwrite,
                         struct transfer_progress *progress, rs_error *error);
/* Makes the file appear, durably, or with keep false makes it vanish; releases in any case. */
int transfer_output_close(struct transfer_output *output, bool keep);

/* ---- Doubles ---- */

/* Names that have been seen, regardless of case. Start with {0}. */
struct seen_names {
    struct buffer folded;
    struct seen_slot *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
};
/* Adds a name; *seen tells whether it was there already. */
int seen_names_add(struct seen_names *names, const char *name, size_t len, bool *seen);
/* The same without adding it. */
int seen_names_find(struct seen_names *names, const char *name, size_t len, bool *seen);
void seen_names_reset(struct seen_names *names);
void seen_names_free(struct seen_names *names);

/* Keys that have been seen. Start with {0}. */
struct seen_keys {
    rs_key *slots; /* RS_NO_KEY: free */
    size_t capacity;
    size_t count;
};
int seen_keys_add(struct seen_keys *keys, rs_key key, bool *seen);
void seen_keys_free(struct seen_keys *keys);

#endif

/*
 * transfer_importer.h - what the parts of an import share: the importer itself.
 *
 * Gives the struct and the calls that transfer_import.c (listings, and the whole), transfer_patch.c
 * (patches), transfer_copy.c (copies) and transfer_current.c (CurrentControlSet) have for each
 * other. Needs transfer and tree_batch; nobody else includes it.
 */
#ifndef REGSTORE_TRANSFER_IMPORTER_H
#define REGSTORE_TRANSFER_IMPORTER_H

#include "transfer.h"
#include "tree_batch.h"

/* An open key. */
struct frame {
    rs_key key;
    uint64_t written; /* to be set at its end; 0: none */
    bool fresh;       /* made by this import, or found without content */
    bool link;        /* found as a link, and the dump has not shown yet that it means the link */
    bool swept;       /* RS_REPLACE: its values that are not in the dump are gone */
    bool root;        /* a patch calls it by a root's name, which may be a view's */
};

/* The keys on the way to the last one that a patch has opened, as far as the patch has opened them
 * one by one: most of the time the next one is near. */
struct trail {
    struct buffer path; /* of the last one */
    struct trail_step {
        size_t len; /* of the path, so far */
        rs_key key;
    } * steps;
    size_t count;
    size_t capacity;
};

struct importer {
    struct format_sink sink; /* the first member */
    struct tree *tree;
    const rs_import_options *options;
    rs_import_report report;
    struct transfer_progress progress;
    struct transfer_input input;
    rs_error input_error; /* of the file; needs no place */
    rs_error why;         /* of the tree or the sink; the reader adds the place */
    bool no_place;        /* why is not about a place in the dump */
    bool begun;           /* something in the tree may have changed */

    struct frame *frames;
    size_t depth;
    size_t capacity;
    unsigned left_out; /* keys open inside one that is left out, itself included */
    rs_key first_new;  /* keys from here on were made by this import */
    rs_key mount;      /* RS_NO_KEY: a patch whose keys say themselves where they belong */
    bool mount_created;
    struct trail trail;
    struct seen_keys met;
    struct tree_batch batch; /* values of the innermost key, if this import made it */
    struct seen_names names; /* values of the innermost key, if it was found */
    struct seen_names own;   /* RS_KEEP: values that a patch has set in keys that were there */
    struct arena arena;      /* of the tree while it imports; emptied again and again */
    struct buffer path;
    struct buffer view; /* the path in the 32-bit view, where that was asked for */
};

/* Starts an importer whose sink takes a listing. A mount that is set before its first event is
 * where the listing goes; else its options or the listing itself say so. */
void importer_begin(struct importer *importer, struct tree *tree, const rs_import_options *options);
/* Completes the report in the transaction's memory, which must be the tree's again, and releases.
 * After a failure the transaction can only be aborted. report may be NULL. Returns status, or that
 * of its own failure. */
int importer_end(struct importer *importer, int status, rs_import_report *report);

/* Each answers RS_OK or a status that ends the import. */

/* A key is open from here on: counted, and given its class if it has none of its own. */
int importer_enter(struct importer *importer, rs_key key, bool created,
                   const struct format_key *told);
/* The innermost key is not open any more. */
int importer_leave(struct importer *importer);
/* Sets a value of an open key that was found, and counts. */
int importer_merge_value(struct importer *importer, const struct frame *frame,
                         const rs_value *value);
/* Counted deletions. */
int importer_delete_key(struct importer *importer, rs_key key);
int importer_delete_value(struct importer *importer, rs_key key, const char *name, size_t len);
/* With RS_REPLACE: the values of an open key that was found go, unless the dump has shown their
 * names; at its end its subkeys, too. (transfer_replace.c) */
int importer_sweep_values(struct importer *importer, struct frame *frame);
int importer_sweep(struct importer *importer, struct frame *frame);
/* An open key of the dump that was found as a link is no link any more: an empty key in its place,
 * with the class that it has got from the dump. (transfer_replace.c) */
int importer_replace_link(struct importer *importer, struct frame *frame);
bool importer_is_link_target(const rs_value *value);
/* Tells a loss about the innermost open key, or a value or subkey of it. While no key is open the
 * subkey is one below the key that the import goes to, or a whole path. */
int importer_tell_loss(struct importer *importer, enum rs_loss_kind kind, const char *subkey,
                       size_t subkey_len, const char *value, size_t value_len);
/* A path from a root becomes the one that it means in the view that was asked for; it lives until
 * the next call. */
int importer_view(struct importer *importer, const char **path, size_t *len);

/* Turns the importer's sink to the events of a patch, and makes the key that it goes to, if one was
 * named. (transfer_patch.c) */
int importer_take_patch(struct importer *importer);

/* HKLM\SYSTEM\Select as it is at one time. (transfer_current.c) */
struct selection {
    bool exists;
    uint32_t current; /* 0: not set, or no REG_DWORD */
};
/* Failures of looking are not failures of the importer. */
struct selection selection_now(struct tree *tree);
/* Makes or moves the link CurrentControlSet if the selection is another one than before. */
int selection_link(struct importer *importer, const struct selection *before);

#endif

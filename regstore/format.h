/*
 * format.h - what a dump format is.
 *
 * A format reads a file into events and writes a file from events; it knows nothing of the store.
 * An event goes into a format_sink: transfer's import is one (the tree), a format's writer is
 * another. So every format is one file with one struct format, and what reads one format and writes
 * another needs nothing in between.
 *
 * Formats are of two kinds. A listing (XML, regf) says what is there: one outermost key, each key
 * and value once. A patch (.reg, Registry.pol) is a row of edits: keys stand side by side, each
 * with its whole path, in any order and more than once; the last word on a value counts, and things
 * can be taken away. Needs text; formats may also use value. Formats that need a foreign library
 * are loadable modules: build/lib/regstore/format_NAME.so with the one exported symbol
 * REGSTORE_FORMAT_SYMBOL.
 *
 * How to add a format is told in README.md.
 */
#ifndef REGSTORE_FORMAT_H
#define REGSTORE_FORMAT_H

#include "value.h"

/* A key as a dump tells it. Texts live during the call only. */
struct format_key {
    const char *name; /* WTF-8 */
    size_t name_len;
    /* Name is a rooted path. Else it is one name below the key that is open; in a patch, a path
     * below the key that the import goes to, "" being that key. */
    bool absolute;
    bool root; /* the outermost key of a dump: its name is not a key unless it is absolute */
    bool only_if_there;     /* in a patch: not made; if it is not there, what is told of it means
                               nothing */
    const char *class_name; /* NULL if the dump does not tell */
    size_t class_len;
    uint64_t written; /* FILETIME; 0 if the dump does not tell */
    unsigned flags;   /* RS_KEY_... */
};

struct format_sink {
    /* Each returns RS_OK or the status that ends the work. A key is open from key_begin() to the
     * key_end() that matches it; values belong to the innermost open key and come before its
     * subkeys. */
    int (*key_begin)(struct format_sink *sink, const struct format_key *key);
    int (*value)(struct format_sink *sink, const rs_value *value);
    int (*key_end)(struct format_sink *sink);
    /* Of patches only; NULL in a writer that cannot tell them. What is to go need not be there.
     * value_add() sets a value only if there is none of its name. The next three belong to the
     * innermost open key; key_delete() comes while none is open, and takes away all below, too. */
    int (*value_add)(struct format_sink *sink, const rs_value *value);
    int (*value_delete)(struct format_sink *sink, const char *name, size_t len);
    int (*values_delete)(struct format_sink *sink);
    int (*subkeys_delete)(struct format_sink *sink);
    int (*key_delete)(struct format_sink *sink, const struct format_key *key);
    /* An edit that is not made, and why: of a key (value NULL) or of a value of it. The key is not
     * opened; comes while none is open. */
    int (*left_out)(struct format_sink *sink, enum rs_loss_kind kind, const struct format_key *key,
                    const char *value, size_t value_len);
    /* NULL in a writer: what another dump had lost is not in the one it writes. Readers call them
     * by the two functions below. */
    int (*loss)(struct format_sink *sink, enum rs_loss_kind kind, const char *value,
                size_t value_len);
    void (*foreign)(struct format_sink *sink);
};

/* Something that the dump does not hold any more about the innermost open key (value NULL) or a
 * value of it. */
static inline int format_tell_loss(struct format_sink *sink, enum rs_loss_kind kind,
                                   const char *value, size_t value_len)
{
    return sink->loss ? sink->loss(sink, kind, value, value_len) : RS_OK;
}

/* Told once by a reader, at the latest before the first key_begin(): the dump is not of our own
 * making. */
static inline void format_tell_foreign(struct format_sink *sink)
{
    if (sink->foreign) {
        sink->foreign(sink);
    }
}

/* Where a reader takes bytes from. */
struct format_input {
    /* Up to size bytes; *got 0 at the end. RS_EIO, RS_ECANCELLED (with *error filled). */
    int (*read)(struct format_input *input, void *buffer, size_t size, size_t *got);
    const char *name; /* of the file, for errors */
    /* The file itself, for a reader that has to map it or to look for files beside it; it may be a
     * pipe, whose first bytes only read() gives. */
    int descriptor;
};

/* Where a writer puts bytes. */
struct format_output {
    int (*write)(struct format_output *output, const void *data, size_t size);
    rs_error *error; /* where a writer says why it cannot write something; may be NULL */
    /* NULL, or called for what the file does not hold of a key (value NULL) or of a value. */
    void (*loss)(struct format_output *output, enum rs_loss_kind kind, const char *path,
                 size_t path_len, const char *value, size_t value_len);
    /* What is read back must be the same to the byte, also where others write it otherwise. */
    bool exact;
};

struct format {
    const char *name;   /* "xml" */
    const char *suffix; /* of file names: ".xml" */
    bool patch;
    /* Reads a whole dump. On a failure *error tells file, line, column or offset; a status from the
     * sink is passed on as it is. */
    int (*read)(struct format_input *input, struct format_sink *sink, rs_error *error);
    /* Makes a writer: events into *sink become bytes on output. write_end() finishes the file if
     * ok, and releases the sink in any case. NULL if the format cannot be written. */
    int (*write_begin)(struct format_output *output, struct format_sink **sink);
    int (*write_end)(struct format_sink *sink, bool ok);
};

#define REGSTORE_FORMAT_ABI 1
#define REGSTORE_FORMAT_SYMBOL "regstore_format"
struct format_module {
    unsigned abi;                        /* REGSTORE_FORMAT_ABI */
    const struct format *const *formats; /* ends with NULL */
};

/* The format with a name; of a file's first bytes; by a file name's ending. Loads the module if it
 * is one. RS_ENOFORMAT, RS_EMODULE. (formats.c) */
int format_by_name(const char *name, const struct format **format, rs_error *error);
int format_by_content(const void *head, size_t size, const char *file, const struct format **format,
                      rs_error *error);
int format_by_suffix(const char *file, const struct format **format, rs_error *error);

#endif

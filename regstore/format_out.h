/*
 * format_out.h - lines that a format's writer collects before they go to its output.
 *
 * Gives a buffer with the status of the first failure, after which every call does nothing; so a
 * writer puts piece after piece and asks once. Needs format.
 */
#ifndef REGSTORE_FORMAT_OUT_H
#define REGSTORE_FORMAT_OUT_H

#include "format.h"

#define FORMAT_OUT_FULL ((size_t)64 << 10) /* bytes that are worth writing */

/* Starts as {.output = ...}; its bytes end with buffer_free(). */
struct format_out {
    struct format_output *output;
    struct buffer bytes;
    int status; /* of the first failure */
};

/* Notes a failure, if it is the first. */
void format_out_keep(struct format_out *out, int status);
void format_out_bytes(struct format_out *out, const void *data, size_t size);
void format_out_put(struct format_out *out, const char *text);
/* Writes what was collected, or what it became in another encoding, and collects anew. */
void format_out_flush(struct format_out *out);
void format_out_flush_as(struct format_out *out, const struct buffer *encoded);

#endif

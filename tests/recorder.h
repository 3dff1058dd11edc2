/*
 * recorder.h - a sink that writes down the events of a dump, and a dump that lies in memory.
 *
 * Events become lines of text, which tests compare:
 *
 *     foreign
 *     key NAME [root] [absolute] [class=TEXT] [written=NUMBER]
 *     value NAME type=NUMBER size=NUMBER HEX
 *     loss NUMBER [NAME]
 *     end
 *
 * and of patches
 *
 *     key NAME [if-there]
 *     add-value, delete-value, delete-values, delete-subkeys, delete-key
 *     left-out NUMBER NAME [value NAME]
 *
 * Bytes of names that are no printable ASCII, and "%" and " ", are written %XX; data of more than
 * 64 bytes is written as "#" and a hash. Needs format.
 */
#ifndef RECORDER_H
#define RECORDER_H

#include "../regstore/format.h"

struct recorder {
    struct format_sink sink; /* the first member */
    struct buffer lines;
    int refuse; /* a status that the next value gives, else RS_OK */
};
void recorder_begin(struct recorder *recorder);
void recorder_free(struct recorder *recorder);

/* Reads a dump that lies in memory with the XML format, in chunks of that size, from an input that
 * gives at most step bytes at a time. */
int read_memory(const void *dump, size_t size, size_t chunk, size_t step, struct format_sink *sink,
                rs_error *error);
/* The same for a Registry.xml. */
int read_gpp_memory(const void *file, size_t size, size_t chunk, size_t step,
                    struct format_sink *sink, rs_error *error);
/* The same with any format, in the format's own chunks. */
int read_memory_as(const struct format *format, const void *dump, size_t size, size_t step,
                   struct format_sink *sink, rs_error *error);
/* The same for a file, in the format's own chunks. */
int read_file(const char *path, struct format_sink *sink, rs_error *error);
/* The events of a dump as lines; "" after a failure, which *error describes. The caller frees. */
char *events_of(const void *dump, size_t size, rs_error *error);

/* The same with any format. */
char *events_as(const struct format *format, const void *dump, size_t size, rs_error *error);

/* An output that is kept in memory. */
struct memory_output {
    struct format_output output; /* the first member */
    struct buffer bytes;
};
void memory_output_begin(struct memory_output *output);

/* A hive of one key with a value, all of whose bytes are the letter; empty after a failure. The
 * caller frees. */
struct buffer hive_of(char letter, size_t size);

#endif

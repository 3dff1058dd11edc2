/*
 * Writes JSON ([RFC 8259]) to a stream. It needs calls in the right order; it gives commas, quotes
 * and escapes. Written here because names in real hives hold NUL and lone surrogates, which have to
 * become \u0000 and \udXXX: jansson, the library at hand, refuses lone surrogates both ways.
 *
 * Failures of the stream stay in the stream (ferror).
 */
#ifndef REGTOOL_JSON_H
#define REGTOOL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct json {
    FILE *out;
    int comma; /* the next value follows another */
};

/* An object or array: '{' and '}', or '[' and ']'. */
void json_open(struct json *json, char bracket);
void json_close(struct json *json, char bracket);
/* The name of the member whose value follows: plain ASCII. */
void json_member(struct json *json, const char *name);

/* A string: WTF-8, which may hold NUL. Bytes that are not valid become U+FFFD. */
void json_text(struct json *json, const char *text, size_t len);
void json_number(struct json *json, uint64_t number);
void json_null(struct json *json);
void json_truth(struct json *json, bool truth);
/* A string of hexadecimal digits. */
void json_hex(struct json *json, const void *data, size_t size);

/* Members in one call; text is NUL-terminated. */
void json_member_text(struct json *json, const char *name, const char *text);
void json_member_number(struct json *json, const char *name, uint64_t number);

/* Ends a line of JSON Lines. */
void json_line(struct json *json);

#endif

/*
 * Values, types and times as they are printed, in text and in JSON. It needs what the library
 * returned; it gives the same look in every command.
 */
#ifndef REGTOOL_SHOW_H
#define REGTOOL_SHOW_H

#include <stdbool.h>

#include <regstore.h>

#include "json.h"

/* "2010-02-02T13:42:44.1234567Z" */
#define SHOW_TIME_SIZE 96
void show_time(uint64_t filetime, char text[SHOW_TIME_SIZE]);
/* "2010-02-02 14:42:44", in the user's time zone. */
void show_local_time(uint64_t filetime, char text[SHOW_TIME_SIZE]);
/* "12.3 MiB" */
#define SHOW_BYTES_SIZE 32
void show_bytes(uint64_t bytes, char text[SHOW_BYTES_SIZE]);

/* "REG_DWORD", or "REG_0x20000" for a type without a name. */
#define SHOW_TYPE_SIZE 48
void show_type(uint32_t type, char text[SHOW_TYPE_SIZE]);
/* Text out of the store. Escaped, control characters come as \xNN: what a dump brought along may
 * neither drive a terminal nor break a line. Else it comes as it is. */
void show_text(FILE *out, const char *text, size_t len, bool escaped);
/* A path or a name in a sentence for a person: escaped wherever it goes. */
void show_safely(FILE *out, const char *text);
/* The bytes at the start of a text that are one character to be escaped; 0 if it begins with
 * another one. Each is escaped by SHOW_ESCAPE_WIDTH characters. */
#define SHOW_ESCAPE_WIDTH 4
size_t show_control_size(const char *text, size_t len);
/* Text in a listing, whose lines others read: without a terminal it comes as it is, as in reg.exe,
 * but for a CR and a LF, which come as \x0d and \x0a. What is stored cannot make up a line. */
void show_in_line(FILE *out, const char *text, size_t len, bool terminal);
/* The name of a value, in a line; "(Default)" for the default value: never in another language, so
 * that scripts can rely on it. */
void show_value_name(FILE *out, const char *name, size_t len, bool terminal);
/* The data in reg.exe's notation, in a line; separator as in rs_data_print(). */
int show_data(FILE *out, const rs_value *value, const char *separator, bool terminal);

/* The members "written" (null for 0, a key that was never written), and those that tell a value's
 * type and data. */
void show_json_time(struct json *json, const char *member, uint64_t filetime);
int show_json_data(struct json *json, const rs_value *value);
/* One side of a change: null for NULL, else an object with type and data. */
int show_json_side(struct json *json, const char *member, const rs_value *value);

#endif

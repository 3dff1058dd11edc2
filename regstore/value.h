/*
 * value.h - the type table, and what the bytes of each type mean.
 *
 * Gives names and numbers of types, reg.exe's notation of data parsed and printed, and typed data
 * encoded and decoded. Needs text. The public calls rs_type_name(), rs_type_parse(),
 * rs_data_parse(), rs_data_print() and rs_decode() are defined here.
 */
#ifndef REGSTORE_VALUE_H
#define REGSTORE_VALUE_H

#include "text.h"

/* Types whose data is text: REG_SZ, REG_EXPAND_SZ, REG_LINK; REG_MULTI_SZ is a list of texts. */
bool value_is_string(uint32_t type);

/* As much of a text as an error quotes: "%.*s%s". A longer one is cut, not within a character. */
#define VALUE_QUOTED_MAX ((size_t)60)
struct value_quoted {
    int len;
    const char *dots;
};
struct value_quoted value_quote(const char *text, size_t len);

/* Decoding. RS_ETYPE: another type than the call takes; RS_EDATA: the data does not decode. Memory
 * comes from the arena. */
int value_to_dword(uint32_t type, const void *data, size_t size,
                   uint32_t *number); /* REG_DWORD and its big-endian form */
int value_to_qword(uint32_t type, const void *data, size_t size, uint64_t *number); /* REG_QWORD */
int value_to_text(struct arena *arena, uint32_t type, const void *data, size_t size,
                  const char **text, size_t *len);
/* %NAME% in a REG_EXPAND_SZ replaced from the environment. */
int value_to_expanded(struct arena *arena, uint32_t type, const void *data, size_t size,
                      const char **text, size_t *len);
/* The strings of a REG_MULTI_SZ, *count of them and NULL after them. The empty string that ends the
 * list is not one of them. */
int value_to_list(struct arena *arena, uint32_t type, const void *data, size_t size,
                  const char *const **strings, size_t *count);

/* Encoding appends to a buffer. */
int value_from_dword(struct buffer *buffer, uint32_t number);
int value_from_qword(struct buffer *buffer, uint64_t number);
int value_from_text(struct buffer *buffer, const char *text, size_t len); /* with terminator */
int value_from_list(struct buffer *buffer, const char *const *strings, size_t count);

#endif

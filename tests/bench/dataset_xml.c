/*
 * dataset_xml.c - the benchmark's data as an XML dump, in the words that hivexml uses.
 *
 * Our own exporter does not write it, so that its faults cannot hide those of the import. Needs
 * dataset.
 */
#include <endian.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "dataset.h"

static void put_char(FILE *file, unsigned char c)
{
    switch (c) {
    case '&':
        fputs("&amp;", file);
        break;
    case '<':
        fputs("&lt;", file);
        break;
    case '"':
        fputs("&quot;", file);
        break;
    default:
        putc_unlocked(c, file);
    }
}

static void put_name(FILE *file, const char *attribute, const char *text)
{
    fprintf(file, " %s=\"", attribute);
    for (; *text != '\0'; text++) {
        put_char(file, (unsigned char)*text);
    }
    putc_unlocked('"', file);
}

/* One string of ASCII in UTF-16LE; gives what comes after its NUL. */
static const unsigned char *put_string(FILE *file, const unsigned char *at)
{
    for (; *at != 0; at += 2) {
        put_char(file, *at);
    }
    return at + 2;
}

static void put_base64(FILE *file, const unsigned char *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        unsigned group = (unsigned)data[i] << 16;
        group |= i + 1 < size ? (unsigned)data[i + 1] << 8 : 0;
        group |= i + 2 < size ? data[i + 2] : 0;
        putc_unlocked(digits[group >> 18], file);
        putc_unlocked(digits[group >> 12 & 63], file);
        putc_unlocked(i + 1 < size ? digits[group >> 6 & 63] : '=', file);
        putc_unlocked(i + 2 < size ? digits[group & 63] : '=', file);
    }
}

static void put_list(FILE *file, const struct data_value *value)
{
    const unsigned char *at = value->data;
    putc_unlocked('>', file);
    while (at < value->data + value->size) {
        fputs("<string>", file);
        at = put_string(file, at);
        fputs("</string>", file);
    }
    fputs("</value>", file);
}

static void put_data(FILE *file, const struct data_value *value)
{
    uint32_t dword;
    uint64_t qword;
    fputs(" value=\"", file);
    if (value->type == REG_DWORD) {
        memcpy(&dword, value->data, sizeof dword);
        fprintf(file, "%" PRId32, (int32_t)le32toh(dword));
    } else if (value->type == REG_QWORD) {
        memcpy(&qword, value->data, sizeof qword);
        fprintf(file, "%" PRId64, (int64_t)le64toh(qword));
    } else if (value->type == REG_SZ || value->type == REG_EXPAND_SZ) {
        put_string(file, value->data);
    } else {
        put_base64(file, value->data, value->size);
    }
    fputs("\"/>", file);
}

static void put_value(FILE *file, const struct data_value *value)
{
    static const char *const types[] = {
        [REG_NONE] = "none",     [REG_SZ] = "string",   [REG_EXPAND_SZ] = "expand",
        [REG_BINARY] = "binary", [REG_DWORD] = "int32", [REG_MULTI_SZ] = "string-list",
        [REG_QWORD] = "int64",
    };
    fprintf(file, "<value type=\"%s\"", types[value->type]);
    if (value->type == REG_BINARY || value->type == REG_NONE) {
        fputs(" encoding=\"base64\"", file);
    }
    if (*value->name != '\0') {
        put_name(file, "key", value->name);
    } else {
        fputs(" default=\"1\"", file);
    }
    if (value->type == REG_MULTI_SZ) {
        put_list(file, value);
    } else {
        put_data(file, value);
    }
}

/* The data are at most 9 deep, whoever asked for them. */
static void put_key(FILE *file, const struct dataset *data, uint32_t index)
{
    const struct data_key *key = &data->keys[index];
    fputs("<node", file);
    put_name(file, "name", index == 0 ? "root" : key->name);
    fprintf(file, "%s><mtime>2021-03-04T05:06:07Z</mtime>", index == 0 ? " root=\"1\"" : "");
    for (uint32_t i = 0; i < key->values; i++) {
        put_value(file, &data->values[key->first_value + i]);
    }
    for (uint32_t child = key->first_child; child != 0; child = data->keys[child].next_sibling) {
        put_key(file, data, child);
    }
    fputs("</node>", file);
}

void data_write_xml(const struct dataset *data, FILE *file)
{
    fputs("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<hive>", file);
    fputs("<mtime>2021-03-04T05:06:07Z</mtime>", file);
    put_key(file, data, 0);
    fputs("</hive>\n", file);
}

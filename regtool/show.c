/* Values, types and times in print. */
#include "show.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define TICKS_PER_SECOND 10000000u
#define SECONDS_1601_TO_1970 11644473600

void show_time(uint64_t filetime, char text[SHOW_TIME_SIZE])
{
    time_t seconds = (time_t)(filetime / TICKS_PER_SECOND) - SECONDS_1601_TO_1970;
    unsigned ticks = (unsigned)(filetime % TICKS_PER_SECOND);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    snprintf(text, SHOW_TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%07uZ", tm.tm_year + 1900,
             tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, ticks);
}

void show_local_time(uint64_t filetime, char text[SHOW_TIME_SIZE])
{
    time_t seconds = (time_t)(filetime / TICKS_PER_SECOND) - SECONDS_1601_TO_1970;
    struct tm tm;

    localtime_r(&seconds, &tm);
    snprintf(text, SHOW_TIME_SIZE, "%04d-%02d-%02d %02d:%02d:%02d", tm.tm_year + 1900,
             tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void show_bytes(uint64_t bytes, char text[SHOW_BYTES_SIZE])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double amount = (double)bytes / 1024;
    size_t unit = 0;

    if (bytes < 1024) {
        snprintf(text, SHOW_BYTES_SIZE, "%" PRIu64 " bytes", bytes);
        return;
    }
    while (amount >= 1024) {
        amount /= 1024;
        unit++;
    }
    snprintf(text, SHOW_BYTES_SIZE, "%.1f %s", amount, units[unit]);
}

void show_type(uint32_t type, char text[SHOW_TYPE_SIZE])
{
    const char *name = rs_type_name(type);

    if (name != NULL) {
        snprintf(text, SHOW_TYPE_SIZE, "%s", name);
    } else {
        snprintf(text, SHOW_TYPE_SIZE, "REG_0x%" PRIx32, type);
    }
}

/* U+200B to U+200F, U+2028 to U+202E, U+2060 to U+206F and U+FEFF break lines, turn the direction
 * of writing, or are not seen at all: text with them looks like something else than it is. */
static bool turns_text(const unsigned char *at)
{
    bool is_mark = at[1] == 0x80 && at[2] >= 0x8b && at[2] <= 0x8f;
    bool is_turn = at[1] == 0x80 && at[2] >= 0xa8 && at[2] <= 0xae;
    bool is_unseen = at[1] == 0x81 && at[2] >= 0xa0 && at[2] <= 0xaf;

    return (at[0] == 0xe2 && (is_mark || is_turn || is_unseen)) ||
           (at[0] == 0xef && at[1] == 0xbb && at[2] == 0xbf);
}

/* The bytes of the control character that the text begins with; 0 if it begins with another one. */
static size_t control_size(const unsigned char *at, const unsigned char *end)
{
    if (at[0] < 0x20 || at[0] == 0x7f) {
        return 1;
    }
    if (at[0] == 0xc2 && end - at >= 2 && at[1] < 0xa0) { /* U+0080 to U+009F */
        return 2;
    }
    return end - at >= 3 && turns_text(at) ? 3 : 0;
}

size_t show_control_size(const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;

    return control_size(at, at + len);
}

static void show_escaped(FILE *out, const unsigned char *at, const unsigned char *end)
{
    while (at < end) {
        size_t size = control_size(at, end);
        if (size == 0) {
            putc(*at++, out);
        }
        for (; size > 0; size--) {
            fprintf(out, "\\x%02x", *at++);
        }
    }
}

void show_text(FILE *out, const char *text, size_t len, bool escaped)
{
    const unsigned char *bytes = (const unsigned char *)text;

    if (escaped) {
        show_escaped(out, bytes, bytes + len);
    } else {
        fwrite(text, 1, len, out);
    }
}

void show_in_line(FILE *out, const char *text, size_t len, bool terminal)
{
    const char *end = text + len;

    if (terminal) {
        show_text(out, text, len, true);
        return;
    }
    while (text < end) {
        size_t plain = 0;
        while (text + plain < end && text[plain] != '\r' && text[plain] != '\n') {
            plain++;
        }
        fwrite(text, 1, plain, out);
        text += plain;
        if (text < end) {
            fprintf(out, "\\x%02x", *text++);
        }
    }
}

void show_safely(FILE *out, const char *text)
{
    show_text(out, text, strlen(text), true);
}

void show_value_name(FILE *out, const char *name, size_t len, bool terminal)
{
    if (len == 0) {
        fputs("(Default)", out);
    } else {
        show_in_line(out, name, len, terminal);
    }
}

int show_data(FILE *out, const rs_value *value, const char *separator, bool terminal)
{
    char *text;
    size_t len;
    int status = rs_data_print(value->type, value->data, value->size, separator, &text, &len);

    if (status != RS_OK) {
        return status;
    }
    show_in_line(out, text, len, terminal);
    rs_free(text);
    return RS_OK;
}

void show_json_time(struct json *json, const char *member, uint64_t filetime)
{
    char text[SHOW_TIME_SIZE];

    json_member(json, member);
    if (filetime == 0) {
        json_null(json);
        return;
    }
    show_time(filetime, text);
    json_text(json, text, strlen(text));
}

static void show_json_decoded(struct json *json, const rs_decoded *decoded)
{
    if (decoded->kind == RS_DECODED_NONE) {
        return;
    }
    json_member(json, "data");
    if (decoded->kind == RS_DECODED_NUMBER) {
        json_number(json, decoded->number);
        return;
    }
    if (decoded->kind == RS_DECODED_TEXT) {
        json_text(json, decoded->text.text, decoded->text.len);
        return;
    }
    json_open(json, '[');
    for (size_t i = 0; i < decoded->count; i++) {
        json_text(json, decoded->list[i].text, decoded->list[i].len);
    }
    json_close(json, ']');
}

int show_json_data(struct json *json, const rs_value *value)
{
    const char *name = rs_type_name(value->type);
    rs_decoded *decoded;
    int status = rs_decode(value->type, value->data, value->size, &decoded);

    if (status != RS_OK) {
        return status;
    }
    json_member_number(json, "type", value->type);
    json_member(json, "type_name");
    if (name != NULL) {
        json_text(json, name, strlen(name));
    } else {
        json_null(json);
    }
    json_member(json, "hex");
    json_hex(json, value->data, value->size);
    show_json_decoded(json, decoded);
    rs_free(decoded);
    return RS_OK;
}

int show_json_side(struct json *json, const char *member, const rs_value *value)
{
    int status;

    json_member(json, member);
    if (value == NULL) {
        json_null(json);
        return RS_OK;
    }
    json_open(json, '{');
    status = show_json_data(json, value);
    json_close(json, '}');
    return status;
}

/*
 * format_xml_code.c - base64 (RFC 4648, section 4) and times (RFC 3339 in UTC) as dumps write them.
 *
 * Times are the proleptic Gregorian calendar's, from 1601 to the end of what 64 bits of 100 ns can
 * tell. Needs text.
 */
#include "format_xml.h"

#include <string.h>

/* ---- Base64 ---- */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* What a character means in base64: a digit has the bit DIGIT and its value, any other character
 * has not. */
enum { NO_DIGIT = 0, SPACE = 1, PAD = 2, DIGIT = 64 };

static const unsigned char meanings[256] = {
    ['A'] = DIGIT + 0,  ['B'] = DIGIT + 1,  ['C'] = DIGIT + 2,  ['D'] = DIGIT + 3,
    ['E'] = DIGIT + 4,  ['F'] = DIGIT + 5,  ['G'] = DIGIT + 6,  ['H'] = DIGIT + 7,
    ['I'] = DIGIT + 8,  ['J'] = DIGIT + 9,  ['K'] = DIGIT + 10, ['L'] = DIGIT + 11,
    ['M'] = DIGIT + 12, ['N'] = DIGIT + 13, ['O'] = DIGIT + 14, ['P'] = DIGIT + 15,
    ['Q'] = DIGIT + 16, ['R'] = DIGIT + 17, ['S'] = DIGIT + 18, ['T'] = DIGIT + 19,
    ['U'] = DIGIT + 20, ['V'] = DIGIT + 21, ['W'] = DIGIT + 22, ['X'] = DIGIT + 23,
    ['Y'] = DIGIT + 24, ['Z'] = DIGIT + 25, ['a'] = DIGIT + 26, ['b'] = DIGIT + 27,
    ['c'] = DIGIT + 28, ['d'] = DIGIT + 29, ['e'] = DIGIT + 30, ['f'] = DIGIT + 31,
    ['g'] = DIGIT + 32, ['h'] = DIGIT + 33, ['i'] = DIGIT + 34, ['j'] = DIGIT + 35,
    ['k'] = DIGIT + 36, ['l'] = DIGIT + 37, ['m'] = DIGIT + 38, ['n'] = DIGIT + 39,
    ['o'] = DIGIT + 40, ['p'] = DIGIT + 41, ['q'] = DIGIT + 42, ['r'] = DIGIT + 43,
    ['s'] = DIGIT + 44, ['t'] = DIGIT + 45, ['u'] = DIGIT + 46, ['v'] = DIGIT + 47,
    ['w'] = DIGIT + 48, ['x'] = DIGIT + 49, ['y'] = DIGIT + 50, ['z'] = DIGIT + 51,
    ['0'] = DIGIT + 52, ['1'] = DIGIT + 53, ['2'] = DIGIT + 54, ['3'] = DIGIT + 55,
    ['4'] = DIGIT + 56, ['5'] = DIGIT + 57, ['6'] = DIGIT + 58, ['7'] = DIGIT + 59,
    ['8'] = DIGIT + 60, ['9'] = DIGIT + 61, ['+'] = DIGIT + 62, ['/'] = DIGIT + 63,
    [' '] = SPACE,      ['\t'] = SPACE,     ['\r'] = SPACE,     ['\n'] = SPACE,
    ['='] = PAD,
};

static unsigned meaning_of(char c)
{
    return meanings[(unsigned char)c];
}

/* The bytes of a last group of count digits and pads "=" after them. Its unused bits must be 0. */
static int decode_rest(unsigned char **to, uint32_t group, unsigned count, unsigned pads)
{
    if (count == 0) {
        return pads == 0 ? RS_OK : RS_EDATA;
    }
    if (count == 1 || count + pads != 4) {
        return RS_EDATA;
    }
    group <<= 6 * pads;
    if (group & (count == 2 ? 0xffffu : 0xffu)) {
        return RS_EDATA;
    }
    *(*to)++ = (unsigned char)(group >> 16);
    if (count == 3) {
        *(*to)++ = (unsigned char)(group >> 8);
    }
    return RS_OK;
}

/* Decodes the whole groups of four digits that text begins with; how many characters they are. */
static size_t decode_groups(const char *text, size_t len, unsigned char **to)
{
    unsigned char *at = *to;
    size_t done = 0;

    for (; len - done >= 4; done += 4) {
        unsigned a = meaning_of(text[done]);
        unsigned b = meaning_of(text[done + 1]);
        unsigned c = meaning_of(text[done + 2]);
        unsigned d = meaning_of(text[done + 3]);
        if (!(a & b & c & d & DIGIT)) {
            break;
        }
        *at++ = (unsigned char)(a << 2 | (b & 63) >> 4);
        *at++ = (unsigned char)(b << 4 | (c & 63) >> 2);
        *at++ = (unsigned char)(c << 6 | (d & 63));
    }
    *to = at;
    return done;
}

int xml_base64_decode(struct buffer *buffer, const char *text, size_t len)
{
    int status = buffer_reserve(buffer, len / 4 * 3 + 3);
    if (status != RS_OK) {
        return status;
    }
    unsigned char *begin = (unsigned char *)buffer->data + buffer->size;
    unsigned char *to = begin;
    uint32_t group = 0;
    unsigned count = 0;
    unsigned pads = 0;

    for (size_t i = decode_groups(text, len, &to); i < len; i++) {
        unsigned meaning = meaning_of(text[i]);
        if (meaning == SPACE) {
            continue;
        }
        if (meaning == PAD) {
            pads++;
            continue;
        }
        if (meaning == NO_DIGIT || pads > 0) {
            return RS_EDATA;
        }
        group = group << 6 | (meaning & 63);
        if (++count == 4) {
            *to++ = (unsigned char)(group >> 16);
            *to++ = (unsigned char)(group >> 8);
            *to++ = (unsigned char)group;
            group = 0;
            count = 0;
        }
    }
    status = decode_rest(&to, group, count, pads);
    if (status == RS_OK) {
        buffer->size += (size_t)(to - begin);
    }
    return status;
}

int xml_base64_encode(struct buffer *buffer, const void *data, size_t size)
{
    const unsigned char *at = data;
    int status = buffer_reserve(buffer, (size + 2) / 3 * 4);
    if (status != RS_OK) {
        return status;
    }
    char *to = buffer->data + buffer->size;

    for (; size > 0; at += 3) {
        size_t part = size < 3 ? size : 3;
        uint32_t group = (uint32_t)at[0] << 16;
        if (part > 1) {
            group |= (uint32_t)at[1] << 8;
        }
        if (part > 2) {
            group |= at[2];
        }
        *to++ = digits[group >> 18];
        *to++ = digits[group >> 12 & 63];
        *to++ = part > 1 ? digits[group >> 6 & 63] : '=';
        *to++ = part > 2 ? digits[group & 63] : '=';
        size -= part;
    }
    buffer->size = (size_t)(to - buffer->data);
    return RS_OK;
}

/* ---- Times ---- */

#define SECOND 10000000u
#define DAY ((uint64_t)86400 * SECOND)
#define DAYS_TO_1601 584694u /* from 0000-03-01 */
#define LAST_YEAR 60056u     /* the last one that FILETIME holds, until its end of May */

/* Days from 0000-03-01 on, in a calendar whose years begin in March, so that a leap day ends one.
 */
static uint64_t days_of(unsigned year, unsigned month, unsigned day)
{
    unsigned y = month > 2 ? year : year - 1;
    unsigned m = month > 2 ? month - 3 : month + 9;

    return (uint64_t)y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1;
}

static void date_of(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
    uint64_t era = days / 146097; /* of 400 years */
    uint64_t in_era = days % 146097;
    uint64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    uint64_t in_year = in_era - (365 * y + y / 4 - y / 100);
    uint64_t m = (5 * in_year + 2) / 153;

    *day = (unsigned)(in_year - (153 * m + 2) / 5 + 1);
    *month = (unsigned)(m < 10 ? m + 3 : m - 9);
    *year = (unsigned)(era * 400 + y + (*month <= 2));
}

static unsigned days_in(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

/* Takes a number of least to most digits and the character after it. */
static bool take(const char **at, const char *end, int least, int most, char after,
                 unsigned *number)
{
    int count = 0;

    *number = 0;
    while (count < most && *at < end && **at >= '0' && **at <= '9') {
        *number = *number * 10 + (unsigned)(*(*at)++ - '0');
        count++;
    }
    if (count < least || *at == end || **at != after) {
        return false;
    }
    (*at)++;
    return true;
}

/* Takes the seconds, their decimals if any, and the Z. */
static bool take_seconds(const char **at, const char *end, unsigned *second, unsigned *fraction)
{
    *fraction = 0;
    if (end - *at == 3) {
        return take(at, end, 2, 2, 'Z', second);
    }
    if (!take(at, end, 2, 2, '.', second)) {
        return false;
    }
    const char *begin = *at;
    if (!take(at, end, 1, 7, 'Z', fraction)) {
        return false;
    }
    for (size_t decimals = (size_t)(*at - begin) - 1; decimals < 7; decimals++) {
        *fraction *= 10;
    }
    return true;
}

int xml_time_parse(const char *text, size_t len, uint64_t *time)
{
    const char *at = text;
    const char *end = text + len;
    unsigned year, month, day, hour, minute, second, fraction;

    if (!take(&at, end, 4, 5, '-', &year) || !take(&at, end, 2, 2, '-', &month) ||
        !take(&at, end, 2, 2, 'T', &day) || !take(&at, end, 2, 2, ':', &hour) ||
        !take(&at, end, 2, 2, ':', &minute) || !take_seconds(&at, end, &second, &fraction)) {
        return RS_EDATA;
    }
    if (at != end || year < 1601 || year > LAST_YEAR || month < 1 || month > 12 || day < 1 ||
        day > days_in(year, month) || hour > 23 || minute > 59 || second > 59) {
        return RS_EDATA;
    }
    uint64_t days = days_of(year, month, day) - DAYS_TO_1601;
    uint64_t rest = ((hour * 60 + minute) * 60 + second) * (uint64_t)SECOND + fraction;
    if (days > UINT64_MAX / DAY || rest > UINT64_MAX - days * DAY) {
        return RS_EDATA;
    }
    *time = days * DAY + rest;
    return RS_OK;
}

int xml_time_print(struct buffer *buffer, uint64_t time, bool fraction)
{
    unsigned year, month, day;
    unsigned seconds = (unsigned)(time % DAY / SECOND);

    date_of(time / DAY + DAYS_TO_1601, &year, &month, &day);
    int status = buffer_printf(buffer, "%04u-%02u-%02uT%02u:%02u:%02u", year, month, day,
                               seconds / 3600, seconds / 60 % 60, seconds % 60);
    if (status == RS_OK && fraction) {
        status = buffer_printf(buffer, ".%07u", (unsigned)(time % SECOND));
    }
    return status == RS_OK ? buffer_append_byte(buffer, 'Z') : status;
}

/* Reads revisions and times. */
#include "moment.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "report.h"

#define TICKS_PER_SECOND 10000000u
#define SECONDS_1601_TO_1970 11644473600

static uint64_t filetime_of(time_t seconds, uint64_t ticks)
{
    return (uint64_t)((int64_t)seconds + SECONDS_1601_TO_1970) * TICKS_PER_SECOND + ticks;
}

/* ---- Words ---- */

/* A number of digits at *at, moved behind them; a sign or a blank is none. */
static bool read_number(const char **at, uint64_t *number)
{
    char *end;

    if (!isdigit((unsigned char)**at)) {
        return false;
    }
    errno = 0;
    *number = strtoull(*at, &end, 10);
    *at = end;
    return errno == 0;
}

/* Exactly so many digits, and what follows them if that is not NUL. */
static bool read_digits(const char **at, int count, char after, int *number)
{
    *number = 0;
    for (; count > 0; count--, (*at)++) {
        if (!isdigit((unsigned char)**at)) {
            return false;
        }
        *number = *number * 10 + (**at - '0');
    }
    if (after != '\0' && *(*at)++ != after) {
        return false;
    }
    return true;
}

/* -5, or -5 and a unit of time. */
static bool read_back(const char *word, struct moment *moment)
{
    static const char units[] = "smhd";
    static const uint64_t seconds[] = {1, 60, 3600, 86400};
    const char *at = word + 1;
    const char *unit;
    struct timespec now;
    uint64_t ticks;

    if (!read_number(&at, &moment->number)) {
        return false;
    }
    if (*at == '\0') {
        moment->kind = MOMENT_BACK;
        return moment->number > 0;
    }
    unit = strchr(units, *at);
    if (unit == NULL || at[1] != '\0' || moment->number > UINT32_MAX) {
        return false;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    ticks = filetime_of(now.tv_sec, (uint64_t)now.tv_nsec / 100);
    moment->number *= seconds[unit - units] * TICKS_PER_SECOND;
    moment->kind = MOMENT_TIME;
    moment->number = moment->number < ticks ? ticks - moment->number : 0;
    return true;
}

/* What follows the point in seconds, in 100 ns. */
static uint64_t read_fraction(const char **at)
{
    uint64_t ticks = 0;
    uint64_t unit = TICKS_PER_SECOND / 10;

    for (; isdigit((unsigned char)**at); (*at)++, unit /= 10) {
        ticks += (uint64_t)(**at - '0') * unit;
    }
    return ticks;
}

/* ":07.5", if it is there. */
static bool read_seconds(const char **at, struct tm *tm, uint64_t *ticks)
{
    if (**at != ':') {
        return true;
    }
    (*at)++;
    if (!read_digits(at, 2, '\0', &tm->tm_sec)) {
        return false;
    }
    if (**at == '.') {
        (*at)++;
        if (!isdigit((unsigned char)**at)) {
            return false;
        }
        *ticks = read_fraction(at);
    }
    return true;
}

/* Z or +01:00 or nothing: then it is the user's own zone. */
static bool read_zone(const char **at, bool *local, int *east)
{
    int hours;
    int minutes;
    int sign = **at == '-' ? -1 : 1;

    *local = **at == '\0';
    *east = 0;
    if (*local) {
        return true;
    }
    if (**at == 'Z' || **at == 'z') {
        (*at)++;
        return true;
    }
    if (*(*at)++ != (sign < 0 ? '-' : '+') || !read_digits(at, 2, ':', &hours) ||
        !read_digits(at, 2, '\0', &minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    *east = sign * (hours * 3600 + minutes * 60);
    return true;
}

static bool fits_calendar(const struct tm *tm)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = tm->tm_year + 1900;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return year >= 1601 && tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday >= 1 &&
           tm->tm_mday <= days[tm->tm_mon] + (leap && tm->tm_mon == 1) && tm->tm_hour < 24 &&
           tm->tm_min < 60 && tm->tm_sec <= 60;
}

static bool read_date(const char **at, struct tm *tm)
{
    if (!read_digits(at, 4, '-', &tm->tm_year) || !read_digits(at, 2, '-', &tm->tm_mon) ||
        !read_digits(at, 2, '\0', &tm->tm_mday)) {
        return false;
    }
    tm->tm_year -= 1900;
    tm->tm_mon--;
    tm->tm_isdst = -1;
    return true;
}

static bool read_time(const char *at, struct moment *moment)
{
    struct tm tm = {.tm_sec = 0};
    uint64_t ticks = 0;
    bool local = true;
    int east = 0;

    if (!read_date(&at, &tm)) {
        return false;
    }
    if (*at == 'T' || *at == 't' || *at == ' ') {
        at++;
        if (!read_digits(&at, 2, ':', &tm.tm_hour) || !read_digits(&at, 2, '\0', &tm.tm_min) ||
            !read_seconds(&at, &tm, &ticks) || !read_zone(&at, &local, &east)) {
            return false;
        }
    }
    if (*at != '\0' || !fits_calendar(&tm)) {
        return false;
    }
    moment->kind = MOMENT_TIME;
    moment->number = filetime_of(local ? mktime(&tm) : timegm(&tm) - east, ticks);
    return true;
}

static bool read_revision(const char *word, struct moment *moment)
{
    moment->kind = MOMENT_REVISION;
    return read_number(&word, &moment->number) && *word == '\0';
}

int moment_read(const char *about, const char *word, struct moment *moment)
{
    struct moment read;

    if ((word[0] == '-' && read_back(word, &read)) || read_revision(word, &read) ||
        read_time(word, &read)) {
        *moment = read;
        return 0;
    }
    return report("%s: \"%s\" is neither a revision (12, -1) nor a time (2026-11-21 10:00, -2h)",
                  about, word);
}

int moment_read_range(const char *about, const char *word, struct moment range[2])
{
    const char *dots = strstr(word, "..");
    char *first;
    int result;

    if (dots == NULL) {
        result = moment_read(about, word, &range[0]);
        range[1] = range[0];
        return result;
    }
    first = strndup(word, (size_t)(dots - word));
    if (first == NULL) {
        return report_status(RS_ENOMEM, NULL, about);
    }
    result = moment_read(about, first, &range[0]);
    free(first);
    if (result == 0 && dots[2] == '\0') {
        range[1] = (struct moment){MOMENT_BACK, 1};
        return 0;
    }
    return result == 0 ? moment_read(about, dots + 2, &range[1]) : 1;
}

/* ---- Revisions ---- */

struct search {
    uint64_t time;
    uint64_t found;
};

static int until(void *context, const rs_revision_info *revision)
{
    struct search *search = context;

    if (revision->time > search->time) {
        return 0;
    }
    search->found = revision->revision;
    return RS_ECANCELLED;
}

static int at_time(rs_txn *txn, uint64_t time, uint64_t *revision)
{
    struct search search = {.time = time};
    rs_stat stat;
    int status = rs_history(txn, RS_NOW, 0, until, &search);

    if (status == RS_ECANCELLED) {
        *revision = search.found;
        return RS_OK;
    }
    if (status == RS_OK) {
        status = rs_stat_get(txn, &stat);
    }
    if (status == RS_OK && stat.revision > 0 && stat.first_revision != 1) {
        return RS_EBEHIND;
    }
    if (status == RS_OK) {
        *revision = 0;
    }
    return status;
}

int moment_revision(rs_txn *txn, const struct moment *moment, uint64_t *revision)
{
    uint64_t latest = rs_revision(txn);

    switch (moment->kind) {
    case MOMENT_TIME:
        return at_time(txn, moment->number, revision);
    case MOMENT_BACK:
        if (moment->number > latest) {
            return RS_ENOTFOUND;
        }
        *revision = latest + 1 - moment->number;
        return RS_OK;
    case MOMENT_REVISION:
        break;
    }
    if (moment->number > latest) {
        return RS_ENOTFOUND;
    }
    *revision = moment->number;
    return RS_OK;
}

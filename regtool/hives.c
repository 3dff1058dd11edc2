/* The hives that are loaded. */
#include "hives.h"

#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "show.h"

#define LIST "HKRS\\Hives"

/* The number behind the file's name; RS_NO_KEY if it is none. */
static rs_key number_of(const char *text)
{
    char *end;
    unsigned long long number = strtoull(text, &end, 10);

    return text[0] >= '0' && text[0] <= '9' && *end == '\0' ? number : RS_NO_KEY;
}

/* A key that was deleted or renamed since has no hive any more, and nor has another one that came
 * into its place. */
static bool is_there(struct session *session, const rs_value *value, const char *number)
{
    rs_key key = RS_NO_KEY;
    int status =
        rs_key_open_n(session->txn, RS_NO_KEY, value->name, value->name_len, RS_NOFOLLOW, &key);

    session_forget(session);
    return status == RS_OK && key == number_of(number);
}

static int tell(struct session *session, rs_key list, const rs_value *value,
                int (*each)(void *context, const struct hive *hive), void *context)
{
    struct hive hive = {.path = value->name, .path_len = value->name_len};
    const char *const *strings;
    size_t count = 0;
    int status = rs_get_multi_n(session->txn, list, value->name, value->name_len, &strings, &count);

    if (status == RS_ETYPE || status == RS_EDATA) { /* somebody's own value */
        session_forget(session);
        return RS_OK;
    }
    if (status != RS_OK || count != 2 || !is_there(session, value, strings[1])) {
        return status;
    }
    hive.file = strings[0];
    return each(context, &hive);
}

int hives_each(struct session *session, int (*each)(void *context, const struct hive *hive),
               void *context)
{
    rs_cursor *cursor;
    rs_value value;
    rs_key list;
    int status = rs_key_open(session->txn, RS_NO_KEY, LIST, &list);

    if (status == RS_ENOTFOUND) {
        session_forget(session);
        return RS_OK;
    }
    if (status == RS_OK) {
        status = rs_values(session->txn, list, &cursor);
    }
    if (status != RS_OK) {
        return status;
    }
    while ((status = rs_next_value(cursor, &value)) == RS_OK) {
        if ((status = tell(session, list, &value, each, context)) != RS_OK) {
            break;
        }
    }
    rs_cursor_close(cursor);
    return status == RS_END ? RS_OK : status;
}

int hives_add(struct session *session, const char *path, const char *file)
{
    char number[24];
    const char *strings[] = {file, number};
    rs_key list;
    rs_key key;
    int status = rs_key_open_n(session->txn, RS_NO_KEY, path, RS_NTS, RS_NOFOLLOW, &key);

    if (status == RS_OK) {
        status = rs_key_create(session->txn, RS_NO_KEY, LIST, &list);
    }
    if (status == RS_OK) {
        snprintf(number, sizeof number, "%" PRIu64, key);
        status = rs_set_multi(session->txn, list, path, strings, 2);
    }
    return status;
}

int hives_remove(struct session *session, const char *path)
{
    rs_key list;
    int status = rs_key_open(session->txn, RS_NO_KEY, LIST, &list);

    return status == RS_OK ? rs_value_delete(session->txn, list, path) : status;
}

/* ---- Files ---- */

struct wanted {
    char full[PATH_MAX]; /* "" if that cannot be told */
    struct stat about;
    bool exists;
    char *path; /* of the hive whose file it is */
};

/* The full path of a file that is not there yet. */
static void name_new_file(const char *file, char full[PATH_MAX])
{
    char *for_dir = strdup(file);
    char *for_name = strdup(file);
    char dir[PATH_MAX];

    full[0] = '\0';
    if (for_dir != NULL && for_name != NULL && realpath(dirname(for_dir), dir) != NULL &&
        snprintf(full, PATH_MAX, "%s/%s", dir, basename(for_name)) >= PATH_MAX) {
        full[0] = '\0';
    }
    free(for_dir);
    free(for_name);
}

static bool is_same_file(const struct wanted *wanted, const char *file)
{
    struct stat about;

    return strcmp(file, wanted->full) == 0 ||
           (wanted->exists && stat(file, &about) == 0 && about.st_dev == wanted->about.st_dev &&
            about.st_ino == wanted->about.st_ino);
}

static int compare_file(void *context, const struct hive *hive)
{
    struct wanted *wanted = context;

    if (wanted->path != NULL || !is_same_file(wanted, hive->file)) {
        return RS_OK;
    }
    wanted->path = strndup(hive->path, hive->path_len);
    return wanted->path != NULL ? RS_OK : RS_ENOMEM;
}

int hives_find_file(struct session *session, const char *file, char **path)
{
    struct wanted wanted = {.path = NULL};
    int status;

    *path = NULL;
    if (strcmp(file, "-") == 0) {
        return RS_OK;
    }
    wanted.exists = stat(file, &wanted.about) == 0;
    if (realpath(file, wanted.full) == NULL) {
        name_new_file(file, wanted.full);
    }
    status = hives_each(session, compare_file, &wanted);
    if (status != RS_OK) {
        free(wanted.path);
        return status;
    }
    *path = wanted.path;
    return RS_OK;
}

/* ---- Listing ---- */

static int print_line(void *context, const struct hive *hive)
{
    fputs(context, stdout);
    show_text(stdout, hive->path, hive->path_len, true);
    fputs("    ", stdout);
    show_text(stdout, hive->file, strlen(hive->file), true);
    putchar('\n');
    return 0;
}

int hives_print(struct session *session, const char *indent)
{
    return hives_each(session, print_line, (void *)indent);
}

struct listing {
    struct json *json;
    bool lines;
};

static int print_object(void *context, const struct hive *hive)
{
    struct listing *listing = context;

    json_open(listing->json, '{');
    json_member(listing->json, "key");
    json_text(listing->json, hive->path, hive->path_len);
    json_member_text(listing->json, "file", hive->file);
    json_close(listing->json, '}');
    if (listing->lines) {
        json_line(listing->json);
    }
    return 0;
}

int hives_json(struct session *session, struct json *json, bool lines)
{
    struct listing listing = {json, lines};

    return hives_each(session, print_object, &listing);
}

static int count_one(void *context, const struct hive *hive)
{
    (void)hive;
    ++*(uint64_t *)context;
    return 0;
}

int hives_count(struct session *session, uint64_t *count)
{
    *count = 0;
    return hives_each(session, count_one, count);
}

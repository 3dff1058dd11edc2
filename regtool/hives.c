/* The hives that are loaded. */
#include "hives.h"

#include <stdio.h>
#include <string.h>

#include "show.h"

#define LIST "HKRS\\Hives"

/* A key that was deleted or renamed since has no hive any more. */
static bool is_there(struct session *session, const rs_value *value)
{
    rs_key key;
    int status =
        rs_key_open_n(session->txn, RS_NO_KEY, value->name, value->name_len, RS_NOFOLLOW, &key);

    session_forget(session);
    return status == RS_OK;
}

static int tell(struct session *session, rs_key list, const rs_value *value,
                int (*each)(void *context, const struct hive *hive), void *context)
{
    struct hive hive = {.path = value->name, .path_len = value->name_len};
    int status =
        rs_get_string_n(session->txn, list, value->name, value->name_len, &hive.file, NULL);

    if (status == RS_ETYPE || status == RS_EDATA) { /* somebody's own value */
        session_forget(session);
        return RS_OK;
    }
    return status == RS_OK ? each(context, &hive) : status;
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
        if (is_there(session, &value) &&
            (status = tell(session, list, &value, each, context)) != RS_OK) {
            break;
        }
    }
    rs_cursor_close(cursor);
    return status == RS_END ? RS_OK : status;
}

int hives_add(struct session *session, const char *path, const char *file)
{
    rs_key list;
    int status = rs_key_create(session->txn, RS_NO_KEY, LIST, &list);

    return status == RS_OK ? rs_set_string(session->txn, list, path, file) : status;
}

int hives_remove(struct session *session, const char *path)
{
    rs_key list;
    int status = rs_key_open(session->txn, RS_NO_KEY, LIST, &list);

    return status == RS_OK ? rs_value_delete(session->txn, list, path) : status;
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

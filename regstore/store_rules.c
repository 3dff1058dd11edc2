/*
 * store_rules.c - a commit is refused when the rules do not allow what it would store.
 *
 * Needs schema. A part of store.
 */
#include "store.h"

#define PATH_SHOWN ((size_t)512)

/* The path, or its end behind dots: what is wrong has to fit behind it. */
static const char *shown(const char *path, size_t len, const char **dots)
{
    const char *end = path + len;
    *dots = "";
    if (len <= PATH_SHOWN) {
        return path;
    }
    const char *cut = memchr(end - PATH_SHOWN, '\\', PATH_SHOWN);
    *dots = "...";
    return cut != NULL ? cut : end - PATH_SHOWN;
}

struct verdict {
    struct rs_txn *txn;
    rs_error *error;
};

static int refuse(void *context, const rs_violation *violation)
{
    struct verdict *verdict = context;
    if (violation->rule != NULL && verdict->txn->forced) {
        verdict->txn->revision_flags |= RS_REVISION_FORCED;
        return 0;
    }
    const char *dots;
    const char *path = shown(violation->path, violation->path_len, &dots);
    const struct value_quoted name = value_quote(violation->name, violation->name_len);
    int status = violation->rule != NULL ? RS_EREFUSED : RS_ERULE;
    return fail(verdict->error, status, "%s%.*s, value \"%.*s%s\": %s", dots,
                (int)(violation->path + violation->path_len - path), path, name.len,
                violation->name, name.dots, violation->text);
}

int store_check_rules(struct rs_txn *txn)
{
    struct schema schema;
    struct verdict verdict = {txn, txn->tree.error};
    struct schema_check check = {.each = refuse, .context = &verdict};
    int status = schema_begin(&schema, &txn->tree, &txn->rules);
    if (status == RS_OK) {
        status = schema_check_changes(&schema, &txn->journal, &txn->undone, &check);
    }
    schema_end(&schema);
    return status == RS_OK ? RS_OK
                           : fail(txn->tree.error, status, "cannot judge by the rules: %s",
                                  rs_strerror(status));
}

/* One side of regtool diff. */
#include "diff_side.h"

#include <stdio.h>
#include <string.h>

#include "report.h"

bool diff_side_is_key(const char *word)
{
    return keypath_is_slashed(word) || keypath_root_length(word) > 0 ||
           strncmp(word, "\\\\", 2) == 0;
}

static int import(struct diff_side *side, const char *mount, rs_error *error)
{
    const rs_import_options options = {.key = mount, .flags = side->flags};
    rs_import_report told = {.format = NULL};
    int status = rs_import(side->scratch.txn, side->asked, &options, &told, error);

    if (status != RS_OK) {
        return status;
    }
    side->imported = true;
    side->patch = told.key == NULL;
    if (!side->patch) {
        status =
            rs_key_open_n(side->scratch.txn, RS_NO_KEY, told.key, RS_NTS, RS_NOFOLLOW, &side->key);
    }
    return status == RS_OK && !side->patch ? keypath_add(&side->path, told.key, strlen(told.key))
                                           : status;
}

int diff_side_import(struct diff_side *side, const char *mount)
{
    rs_error error = RS_ERROR_INIT;
    int status;

    if (side->txn == NULL) {
        if (scratch_begin(&side->scratch) != 0) {
            return 1;
        }
        side->txn = side->scratch.txn;
    }
    status = import(side, mount, &error);
    if (status == RS_EPATH && mount == NULL && strcmp(side->asked, "-") != 0) {
        return 0;
    }
    return status == RS_OK ? 0 : report_status(status, &error, side->asked);
}

int diff_side_open(struct diff_side *side, const char *path, size_t hidden)
{
    rs_error error = RS_ERROR_INIT;
    int status;

    rs_txn_errors(side->txn, &error);
    status = rs_key_open(side->txn, RS_NO_KEY, path, &side->key);
    if (status == RS_OK) {
        status = keypath_spell(side->txn, path, hidden, &side->path);
    }
    rs_txn_errors(side->txn, NULL);
    if (status == RS_OK) {
        return 0;
    }
    return report("%s: %s", side->asked, error.text[0] != '\0' ? error.text : rs_strerror(status));
}

const char *diff_side_place(const struct diff_side *side)
{
    const char *path;
    int status = rs_key_path(side->txn, side->key, &path, NULL);

    if (status != RS_OK) {
        report_status(status, NULL, side->asked);
        return NULL;
    }
    return path;
}

void diff_side_end(struct diff_side *side)
{
    if (side->is_file && side->txn != NULL) {
        scratch_end(&side->scratch);
    }
    keypath_free(&side->path);
}

/*
 * regtool copy: copies a key's values, and with /s all that is below it, to another key. The copy
 * merges. Values that would be overwritten are looked for first, in a snapshot, so that nobody
 * waits for the answer but this process.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "confirm.h"
#include "tool.h"

struct copy {
    struct session session;
    const char *from;
    const char *to;
    bool subtree;
    uint64_t overwritten; /* values that both keys have, and differ */
    char *first;          /* the name of the first one */
};

static int note(void *context, const rs_difference *difference)
{
    struct copy *copy = context;

    if (difference->left == NULL || difference->right == NULL) {
        return RS_OK;
    }
    if (copy->overwritten++ == 0) {
        copy->first = strndup(difference->right->name, difference->right->name_len);
        return copy->first != NULL ? RS_OK : RS_ENOMEM;
    }
    return RS_OK;
}

static int look(struct copy *copy)
{
    const rs_compare_options options = {
        .flags = copy->subtree ? RS_SUBTREE : 0, .each = note, .context = copy};
    rs_txn *txn = copy->session.txn;
    rs_key from;
    rs_key to;
    int status = rs_key_open(txn, RS_NO_KEY, copy->from, &from);

    if (status != RS_OK) {
        return session_report(&copy->session, status, copy->from);
    }
    status = rs_key_open(txn, RS_NO_KEY, copy->to, &to);
    if (status == RS_ENOTFOUND) {
        return 0;
    }
    if (status == RS_OK) {
        status = rs_compare(txn, from, txn, to, &options, NULL);
    }
    return status == RS_OK ? 0 : session_report(&copy->session, status, copy->to);
}

static bool may_overwrite(const struct copy *copy)
{
    if (copy->overwritten > 1) {
        return confirm("f", "overwrite %" PRIu64 " values in %s", copy->overwritten, copy->to);
    }
    if (copy->first[0] == '\0') {
        return confirm("f", "overwrite a default value in %s", copy->to);
    }
    return confirm("f", "overwrite the value \"%s\" in %s", copy->first, copy->to);
}

static int ask_first(const struct tool *tool, struct copy *copy)
{
    int result;

    if (session_begin(tool, RS_READ, &copy->session) != 0) {
        return 1;
    }
    result = look(copy);
    session_end(&copy->session);
    return result == 0 && (copy->overwritten == 0 || may_overwrite(copy)) ? 0 : 1;
}

static int make(struct copy *copy)
{
    rs_txn *txn = copy->session.txn;
    rs_key from;
    int status = rs_key_open(txn, RS_NO_KEY, copy->from, &from);

    if (status != RS_OK) {
        return session_report(&copy->session, status, copy->from);
    }
    status = rs_key_copy(txn, from, RS_NO_KEY, copy->to, copy->subtree ? RS_SUBTREE : 0, NULL);
    if (status != RS_OK) {
        return session_report(&copy->session, status, copy->to);
    }
    return session_commit(&copy->session, NULL);
}

int cmd_copy(struct tool *tool, const struct arguments *arguments)
{
    struct copy copy = {.from = arguments->operands[0],
                        .to = arguments->operands[1],
                        .subtree = has_switch(arguments, SWITCH_RECURSIVE)};
    int result = has_switch(arguments, SWITCH_FORCE) ? 0 : ask_first(tool, &copy);

    if (result == 0) {
        result = session_begin(tool, RS_WRITE, &copy.session);
        if (result == 0) {
            result = make(&copy);
            session_end(&copy.session);
        }
    }
    free(copy.first);
    if (result == 0) {
        puts("The operation completed successfully.");
    }
    return result;
}

/* Judging what is stored. */
#include "rules_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "keypath.h"
#include "names.h"
#include "nearest.h"
#include "report.h"
#include "show.h"
#include "violations.h"

struct checking {
    struct tool *tool;
    struct session session;
    struct keypath path; /* of the key that the walk is at */
    unsigned depth;
    uint64_t violations;
    uint64_t warnings;
    uint64_t typos;   /* values that no rule knows, but nearly */
    uint64_t unknown; /* others that no rule knows */
    bool all;         /* those are listed, too */
};

/* ---- What the rules do not allow ---- */

static int on_violation(void *context, const rs_violation *violation)
{
    struct checking *checking = context;

    checking->violations += violation->warning == 0;
    checking->warnings += violation->warning != 0;
    if (checking->tool->json) {
        return violation_json(stdout, violation);
    }
    fputs(violation->warning ? "warning: " : "", stdout);
    violation_line(stdout, violation);
    return output_lost(checking->tool) ? RS_ECANCELLED : RS_OK;
}

/* ---- What no rule knows ---- */

static int add_name(void *context, const rs_rule *rule)
{
    return names_add(context, rule->name, rule->name_len);
}

static bool knows(const struct names *known, const rs_value *value)
{
    for (size_t i = 0; i < known->count; i++) {
        if (rs_name_compare(known->each[i].text, known->each[i].len, value->name,
                            value->name_len) == 0) {
            return true;
        }
    }
    return false;
}

static void put_unknown_json(const struct keypath *path, const rs_value *value, const char *nearest)
{
    struct json json = {.out = stdout};

    json_open(&json, '{');
    json_member(&json, "key");
    json_text(&json, path->text, path->len);
    json_member(&json, "name");
    json_text(&json, value->name, value->name_len);
    json_member_text(&json, "unknown", "no rule knows it");
    if (nearest != NULL) {
        json_member_text(&json, "nearest", nearest);
    }
    json_close(&json, '}');
    json_line(&json);
}

static void tell_unknown(struct checking *checking, const struct names *known,
                         const rs_value *value)
{
    const struct keypath *path = &checking->path;
    struct nearest nearest;

    nearest_begin_strict(&nearest, value->name);
    for (size_t i = 0; i < known->count; i++) {
        nearest_offer(&nearest, known->each[i].text);
    }
    checking->typos += nearest.best != NULL;
    checking->unknown += nearest.best == NULL;
    if (checking->tool->json) {
        put_unknown_json(path, value, nearest.best);
        return;
    }
    if (nearest.best == NULL && !checking->all) {
        return;
    }
    violation_place(stdout, path->text, path->len, value->name, value->name_len);
    fputs("no rule knows it", stdout);
    if (nearest.best != NULL) {
        fputs(", did you mean \"", stdout);
        show_safely(stdout, nearest.best);
        fputs("\"?", stdout);
    }
    putchar('\n');
}

/* The default value has no name that could be misspelt. */
static int find_unknown(struct checking *checking, rs_key key, const struct names *known)
{
    rs_cursor *cursor;
    rs_value value;
    int status = rs_values(checking->session.txn, key, &cursor);

    if (status != RS_OK) {
        return status;
    }
    while ((status = rs_next_value(cursor, &value)) == RS_OK) {
        if (value.name_len > 0 && !knows(known, &value)) {
            tell_unknown(checking, known, &value);
        }
    }
    rs_cursor_close(cursor);
    return status == RS_END ? RS_OK : status;
}

static int look_at_names(struct checking *checking, const rs_key_info *info)
{
    struct names known = {.each = NULL};
    int status = RS_OK;

    if (info->values > 0) {
        status = rs_rules(checking->session.txn, checking->path.text, checking->path.len, add_name,
                          &known);
    }
    if (status == RS_OK && known.count > 0) {
        status = find_unknown(checking, info->key, &known);
    }
    names_free(&known);
    return status;
}

/* ---- The walk ---- */

static int walk(struct checking *checking, const rs_key_info *info);

static int walk_below(struct checking *checking, const rs_key_info *info)
{
    size_t len = checking->path.len;
    int status;

    if (info->flags & RS_KEY_LINK) {
        return RS_OK;
    }
    status = keypath_add(&checking->path, info->name, info->name_len);
    if (status == RS_OK) {
        status = ++checking->depth <= RS_MAX_DEPTH ? walk(checking, info) : RS_EDAMAGED;
        checking->depth--;
        keypath_cut(&checking->path, len);
    }
    return status;
}

/* Recursion is bounded by RS_MAX_DEPTH. */
static int walk(struct checking *checking, const rs_key_info *info)
{
    rs_cursor *cursor;
    rs_key_info below;
    int status = look_at_names(checking, info);

    if (status != RS_OK || info->subkeys == 0) {
        return status;
    }
    if (output_lost(checking->tool)) {
        return RS_ECANCELLED;
    }
    status = rs_subkeys(checking->session.txn, info->key, &cursor);
    if (status != RS_OK) {
        return status;
    }
    while ((status = rs_next_key(cursor, &below)) == RS_OK) {
        status = walk_below(checking, &below);
        if (status != RS_OK) {
            break;
        }
    }
    rs_cursor_close(cursor);
    return status == RS_END ? RS_OK : status;
}

static int check_key(struct checking *checking, rs_key key)
{
    rs_txn *txn = checking->session.txn;
    rs_key_info info;
    const char *path;
    size_t len;
    int status = rs_key_check(txn, key, RS_SUBTREE, on_violation, checking, NULL);

    if (status == RS_OK) {
        status = rs_key_info_get(txn, key, &info);
    }
    if (status == RS_OK) {
        status = rs_key_path(txn, key, &path, &len);
    }
    if (status == RS_OK) {
        keypath_free(&checking->path);
        status = keypath_add(&checking->path, path, len);
    }
    return status == RS_OK ? walk(checking, &info) : status;
}

static int check_all(struct checking *checking)
{
    static const rs_key roots[] = {RS_HKLM, RS_HKU, RS_HKRS};
    int status = RS_OK;

    for (size_t i = 0; status == RS_OK && i < sizeof(roots) / sizeof(roots[0]); i++) {
        status = check_key(checking, roots[i]);
    }
    return status;
}

static int look_for_rules(struct checking *checking, bool *ruled)
{
    rs_key rules;
    int status = rs_key_open(checking->session.txn, RS_NO_KEY, "HKRS\\Rules", &rules);

    *ruled = status == RS_OK;
    if (status == RS_ENOTFOUND) {
        session_forget(&checking->session);
        status = RS_OK;
    }
    return status;
}

static void print_count(uint64_t count, const char *one, const char *more)
{
    if (count == 0) {
        printf("no %s", more);
    } else {
        printf("%" PRIu64 " %s", count, count == 1 ? one : more);
    }
}

static void print_summary(const struct checking *checking, bool ruled)
{
    if (checking->tool->json) {
        return;
    }
    if (!ruled) {
        puts("the store has no rules");
        return;
    }
    print_count(checking->violations, "value is against the rules", "values are against the rules");
    fputs("; ", stdout);
    print_count(checking->warnings, "warning", "warnings");
    fputs("; ", stdout);
    print_count(checking->typos, "possible typo", "possible typos");
    fputs("; ", stdout);
    print_count(checking->unknown, "other value that no rule knows",
                "other values that no rule knows");
    puts(checking->unknown > 0 && !checking->all ? " (--unknown lists them)" : "");
}

static int check(struct checking *checking, const char *path)
{
    rs_key key;
    bool ruled;
    int status = look_for_rules(checking, &ruled);

    if (status == RS_OK && path != NULL) {
        status = rs_key_open(checking->session.txn, RS_NO_KEY, path, &key);
    }
    if (status == RS_OK && ruled) {
        status = path != NULL ? check_key(checking, key) : check_all(checking);
    }
    if (status == RS_ECANCELLED) {
        return 1;
    }
    if (status != RS_OK) {
        return session_report(&checking->session, status, path != NULL ? path : "the rules");
    }
    print_summary(checking, ruled);
    return checking->violations > 0;
}

int rules_check(struct tool *tool, const char *path, bool all)
{
    struct checking checking = {.tool = tool, .all = all};
    int result;

    if (session_begin(tool, RS_READ, &checking.session) != 0) {
        return 1;
    }
    result = check(&checking, path);
    keypath_free(&checking.path);
    session_end(&checking.session);
    return result;
}

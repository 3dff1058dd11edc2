/*
 * undo_steps.c - see undo_steps.h.
 */
#include "undo_steps.h"

#include <stdio.h>

rs_store *undo_store;

/* ---- Steps ---- */

uint64_t undo_take_back(uint64_t from, uint64_t to)
{
    rs_undo_report report = {0};
    rs_txn *txn = start_writing(undo_store);
    SUCCEEDS(rs_undo(txn, from, to, NULL, &report));
    CU_ASSERT_EQUAL(report.conflicts, 0);
    uint64_t revision = end_writing(txn);
    CU_ASSERT(revision > to);
    must_be_whole(undo_store);
    return revision;
}

uint64_t undo_latest(void)
{
    rs_txn *txn = start_reading(undo_store);
    uint64_t revision = rs_revision(txn);
    rs_abort(txn);
    return revision;
}

uint64_t undo_do_edit(int (*edit)(rs_txn *txn))
{
    rs_txn *txn = start_writing(undo_store);
    rs_error error = RS_ERROR_INIT;
    rs_txn_errors(txn, &error);
    int status = edit(txn);
    if (status != RS_OK) {
        printf("    %s\n", error.text);
    }
    CU_ASSERT_EQUAL_FATAL(status, RS_OK);
    return end_writing(txn);
}

void undo_must_match(const struct buffer *expected)
{
    struct buffer now = records_of(undo_store);
    CU_ASSERT_FATAL(same_records(expected, &now));
    buffer_free(&now);
}

/* ---- Edits, one revision each ---- */

rs_key undo_at(rs_txn *txn, const char *path)
{
    rs_key key = RS_NO_KEY;
    int status = rs_key_open_n(txn, RS_NO_KEY, path, RS_NTS, RS_NOFOLLOW, &key);
    return status == RS_OK ? key : RS_NO_KEY;
}

static int fill(rs_txn *txn)
{
    rs_key key = RS_NO_KEY;
    char name[64];
    int status = rs_key_create(txn, RS_NO_KEY, TOP "\\Sub\\Deep", &key);
    for (int i = 0; status == RS_OK && i < 20; i++) {
        snprintf(name, sizeof name, "Value %d", i * 7 % 20);
        status = rs_value_set(txn, key, name, (uint32_t)i, name, 10);
    }
    for (int i = 0; status == RS_OK && i < 4; i++) {
        snprintf(name, sizeof name, "HKLM\\Top\\%c", "dbac"[i]);
        status = rs_key_create(txn, RS_NO_KEY, name, &key);
    }
    status = status != RS_OK ? status : rs_set_dword(txn, undo_at(txn, TOP), "Number", 1);
    status = status != RS_OK ? status : rs_set_string(txn, undo_at(txn, TOP), "Text", "text");
    status = status != RS_OK ? status : rs_key_set_class(txn, undo_at(txn, TOP "\\Sub"), "Classy");
    status = status != RS_OK
                 ? status
                 : rs_link_create(txn, RS_NO_KEY, TOP "\\Link", "HKLM\\Top\\Sub", 0, &key);
    return status;
}

int undo_set_value(rs_txn *txn)
{
    return rs_set_dword(txn, undo_at(txn, TOP), "NUMBER", 2);
}

int undo_add_value(rs_txn *txn)
{
    return rs_set_string(txn, undo_at(txn, TOP), "New", "new");
}

static int delete_value(rs_txn *txn)
{
    return rs_value_delete(txn, undo_at(txn, TOP), "number");
}

static int delete_last_value(rs_txn *txn)
{
    return rs_value_delete(txn, undo_at(txn, TOP), "Text");
}

/* The same name in another case gets a place at the end. */
static int replace_value(rs_txn *txn)
{
    int status = rs_value_delete(txn, undo_at(txn, TOP), "Number");
    return status != RS_OK ? status : rs_set_dword(txn, undo_at(txn, TOP), "nUMBER", 7);
}

static int delete_many_values(rs_txn *txn)
{
    int status = RS_OK;
    for (int i = 0; status == RS_OK && i < 20; i += 3) {
        char name[32];
        snprintf(name, sizeof name, "value %d", i);
        status = rs_value_delete(txn, undo_at(txn, TOP "\\Sub\\Deep"), name);
    }
    return status;
}

static int large_value(rs_txn *txn)
{
    return rs_set_binary(txn, undo_at(txn, TOP), "Large", repeated("l", 60000), 60000);
}

static int long_names(rs_txn *txn)
{
    int status = rs_value_set(txn, undo_at(txn, TOP), repeated("n", 900), 3, "a", 1);
    return status != RS_OK ? status
                           : rs_value_set(txn, undo_at(txn, TOP), repeated("m", 900), 3, "b", 1);
}

int undo_create_keys(rs_txn *txn)
{
    rs_key key;
    int status = rs_key_create(txn, RS_NO_KEY, TOP "\\New\\Newer\\Newest", &key);
    status = status != RS_OK ? status : rs_set_dword(txn, key, "Value", 1);
    return status != RS_OK ? status : rs_key_set_class(txn, key, "Class");
}

static int create_volatile(rs_txn *txn)
{
    rs_key key;
    return rs_key_create_n(txn, RS_NO_KEY, TOP "\\Volatile", RS_NTS, RS_VOLATILE, &key, NULL);
}

int undo_delete_key(rs_txn *txn)
{
    return rs_key_delete(txn, undo_at(txn, TOP "\\b"), 0);
}

int undo_delete_all(rs_txn *txn)
{
    return rs_key_delete(txn, undo_at(txn, TOP), RS_RECURSIVE);
}

int undo_rename_key(rs_txn *txn)
{
    return rs_key_rename(txn, undo_at(txn, TOP "\\Sub"), "Zzz");
}

static int rename_case(rs_txn *txn)
{
    return rs_key_rename(txn, undo_at(txn, TOP "\\Sub"), "SUB");
}

int undo_set_class(rs_txn *txn)
{
    return rs_key_set_class(txn, undo_at(txn, TOP "\\Sub"), "Other class");
}

static int set_time(rs_txn *txn)
{
    return tree_set_written(&txn->tree, undo_at(txn, TOP "\\Sub"), 12345);
}

static int point_link(rs_txn *txn)
{
    rs_key key;
    return rs_link_create(txn, RS_NO_KEY, TOP "\\Link", "HKLM\\Top\\a", 0, &key);
}

static int break_link(rs_txn *txn)
{
    return rs_value_delete(txn, undo_at(txn, TOP "\\Link"), "SymbolicLinkValue");
}

static int make_link(rs_txn *txn)
{
    rs_key key;
    return rs_link_create(txn, RS_NO_KEY, TOP "\\Link2", "HKLM\\Nowhere", RS_VOLATILE, &key);
}

/* Something of everything, where each step builds on the one before. */
static int everything(rs_txn *txn)
{
    rs_key key;
    int status = undo_set_value(txn);
    status = status != RS_OK ? status : replace_value(txn);
    status = status != RS_OK ? status : undo_rename_key(txn);
    status = status != RS_OK ? status : rs_key_create(txn, RS_NO_KEY, TOP "\\Sub\\Other", &key);
    status = status != RS_OK ? status : rs_set_dword(txn, key, "Value", 1);
    status = status != RS_OK ? status : rs_key_create(txn, RS_NO_KEY, TOP "\\Zzz\\In", &key);
    status = status != RS_OK ? status : rs_key_rename(txn, undo_at(txn, TOP "\\Zzz\\In"), "Inner");
    status = status != RS_OK ? status : rs_key_delete(txn, undo_at(txn, TOP "\\Zzz"), RS_RECURSIVE);
    status = status != RS_OK ? status : rs_key_rename(txn, undo_at(txn, TOP "\\Sub"), "Zzz");
    status = status != RS_OK ? status : undo_add_value(txn);
    return status != RS_OK ? status : rs_key_delete(txn, undo_at(txn, TOP "\\Zzz"), RS_RECURSIVE);
}

const struct undo_edit undo_edits[] = {
    {"set value", undo_set_value},     {"add value", undo_add_value},
    {"delete value", delete_value},    {"delete last value", delete_last_value},
    {"replace value", replace_value},  {"delete many values", delete_many_values},
    {"large value", large_value},      {"long names", long_names},
    {"create keys", undo_create_keys}, {"create volatile", create_volatile},
    {"delete key", undo_delete_key},   {"delete all", undo_delete_all},
    {"rename", undo_rename_key},       {"rename case", rename_case},
    {"set class", undo_set_class},     {"set time", set_time},
    {"point link", point_link},        {"break link", break_link},
    {"make link", make_link},          {"everything", everything},
};
const size_t undo_edit_count = sizeof undo_edits / sizeof *undo_edits;

void undo_begin(void)
{
    undo_store = open_store();
    undo_do_edit(fill);
}

/* ---- Conflicts ---- */

struct conflicts_told {
    char text[1000];
};

static int tell_conflict(void *context, const rs_conflict *conflict)
{
    struct conflicts_told *told = context;
    size_t len = strlen(told->text);
    const rs_change *change = conflict->change;
    const char *last = strrchr(change->path, '\\');
    snprintf(told->text + len, sizeof told->text - len, "%s%llu %s%s%s: %s%s", len > 0 ? "; " : "",
             (unsigned long long)conflict->revision, last + 1, change->name_len > 0 ? ":" : "",
             change->name, conflict->text, conflict->lasting ? "!" : "");
    return 0;
}

const char *undo_attempt(uint64_t from, uint64_t to, unsigned flags, int expected)
{
    static struct conflicts_told told;
    rs_undo_options options = {flags, tell_conflict, &told};
    rs_error error = RS_ERROR_INIT;
    rs_txn *txn = start_writing(undo_store);
    told = (struct conflicts_told){""};
    rs_txn_errors(txn, &error);
    GIVES(expected, rs_undo(txn, from, to, &options, NULL));
    CU_ASSERT_EQUAL(error.status, expected);
    if (expected == RS_OK) {
        end_writing(txn);
        must_be_whole(undo_store);
    } else {
        GIVES(expected, rs_commit(txn, NULL));
    }
    return told.text;
}

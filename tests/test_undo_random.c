/*
 * test_undo_random.c - random revisions, random undos of them with conflicts left out, overruled or
 * neither, and random looks at the past: what comes back is what was, byte by byte.
 *
 * An undo is a revision like any other, whatever it met; so taking it back, with nothing in
 * between, gives exactly what was before it. UNDO_SEED and UNDO_ROUNDS ask for other runs.
 */
#include "undo_steps.h"

#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 6u
#define REVISIONS 60u
#define MOST_EDITS 6u
#define KEPT 40u /* revisions in the journal, so that it is trimmed meanwhile */

static uint64_t random_state;
static unsigned running; /* the seed of the round that has not ended yet; 0: none */
/* The records after each revision, with those of two undos a step. */
static struct buffer states[4 * REVISIONS];

static unsigned below(unsigned limit)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(random_state >> 33) % limit;
}

static unsigned number_from(const char *variable, unsigned otherwise)
{
    const char *text = getenv(variable);
    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

/* ---- Edits ---- */

/* Few names, so that they meet; each in two spellings. */
static const char *random_name(void)
{
    static const char *const names[] = {"a", "A", "b", "B", "c", "C", "long", "LONG"};
    const char *name = names[below(sizeof names / sizeof *names)];
    return strlen(name) > 1 ? repeated(name, 60) : name;
}

static const char *random_path(void)
{
    static char path[1024];
    size_t len = (size_t)snprintf(path, sizeof path, TOP);
    for (unsigned i = below(4); i > 0; i--) {
        len += (size_t)snprintf(path + len, sizeof path - len, "\\%s", random_name());
    }
    return path;
}

static int edit_value(rs_txn *txn, rs_key key)
{
    static const unsigned sizes[] = {0, 1, 4, 300, 5000};
    const char *name = below(8) == 0 ? "" : random_name();
    unsigned size = sizes[below(5)];
    return below(3) == 0 ? rs_value_delete(txn, key, name)
                         : rs_value_set(txn, key, name, below(20), repeated("v", size + 1), size);
}

static int edit_key(rs_txn *txn, rs_key key)
{
    rs_key made;
    switch (below(8)) {
    case 0:
        return rs_key_delete(txn, key, RS_RECURSIVE);
    case 1:
        return rs_key_rename(txn, key, random_name());
    case 2:
        return rs_key_set_class(txn, key, below(2) ? "" : random_name());
    case 3:
        return tree_set_written(&txn->tree, key, 1 + below(1000));
    case 4:
        return rs_key_create_n(txn, key, random_name(), RS_NTS, below(2) ? RS_VOLATILE : 0, &made,
                               NULL);
    default:
        return edit_value(txn, key);
    }
}

/* What is not possible is left out; a key that is not there is made, now and then a link. */
static int edit(rs_txn *txn)
{
    const char *path = random_path();
    rs_key key = undo_at(txn, path);
    if (key == RS_NO_KEY) {
        return below(6) == 0 ? rs_link_create(txn, RS_NO_KEY, path, TOP "\\a", 0, &key)
                             : rs_key_create(txn, RS_NO_KEY, path, &key);
    }
    return edit_key(txn, key);
}

static bool is_possible(int status)
{
    return status == RS_OK || status == RS_ENOTFOUND || status == RS_EEXIST || status == RS_ELINK ||
           status == RS_ELOOP || status == RS_EPATH || status == RS_ETYPE;
}

static void edit_some(void)
{
    rs_txn *txn = start_writing(undo_store);
    for (unsigned i = 1 + below(MOST_EDITS); i > 0; i--) {
        int status = edit(txn);
        CU_ASSERT_FATAL(is_possible(status));
    }
    end_writing(txn);
}

/* ---- What has to hold ---- */

static uint64_t keep_state(void)
{
    uint64_t latest = undo_latest();
    CU_ASSERT_FATAL(latest < sizeof states / sizeof *states);
    buffer_free(&states[latest]);
    states[latest] = records_of(undo_store);
    return latest;
}

static uint64_t first_revision(void)
{
    rs_txn *txn = start_reading(undo_store);
    uint64_t first = stat_of(txn).first_revision;
    rs_abort(txn);
    return first;
}

static uint64_t some_revision(uint64_t from, uint64_t to)
{
    return from + below((unsigned)(to - from + 1));
}

/* ---- What is left out ---- */

#define MOST_CONFLICTS 64u

struct conflicts {
    struct {
        rs_key key;
        enum rs_change_kind kind;
        bool used; /* a key in which others have changed something */
        char name[128];
    } told[MOST_CONFLICTS];
    unsigned count;
};

static int note_conflict(void *context, const rs_conflict *conflict)
{
    struct conflicts *conflicts = context;
    const rs_change *change = conflict->change;
    if (conflicts->count < MOST_CONFLICTS) {
        conflicts->told[conflicts->count].key = change->key;
        conflicts->told[conflicts->count].kind = change->kind;
        conflicts->told[conflicts->count].used = strncmp(conflict->text, "something", 9) == 0;
        snprintf(conflicts->told[conflicts->count].name, 128, "%s", change->name);
        conflicts->count++;
    }
    return 0;
}

static bool same_value(rs_txn *before, rs_txn *after, rs_key key, const char *name)
{
    rs_value one = {NULL, 0, 0, NULL, 0};
    rs_value other = one;
    int status = rs_value_get(before, key, name, &one);
    return rs_value_get(after, key, name, &other) == status && one.type == other.type &&
           one.size == other.size && (one.size == 0 || memcmp(one.data, other.data, one.size) == 0);
}

/* What was in conflict is as it was before the undo. */
static void must_be_left_out(const struct conflicts *conflicts, rs_txn *before)
{
    rs_txn *after = start_reading(undo_store);
    for (unsigned i = 0; i < conflicts->count; i++) {
        rs_key key = conflicts->told[i].key;
        enum rs_change_kind kind = conflicts->told[i].kind;
        rs_key_info info;
        int status = rs_key_info_get(before, key, &info);
        if (kind == RS_KEY_CREATED && (conflicts->told[i].used || status == RS_EDELETED)) {
            CU_ASSERT_EQUAL_FATAL(rs_key_info_get(after, key, &info), status);
        }
        if (status == RS_OK && (kind == RS_VALUE_SET || kind == RS_VALUE_DELETED)) {
            CU_ASSERT_FATAL(same_value(before, after, key, conflicts->told[i].name));
        }
    }
    rs_abort(after);
}

/* ---- Undo ---- */

/* Any range, as it comes; then the undo itself, if there is one. */
static void undo_some(void)
{
    static const unsigned ways[] = {0, RS_UNDO_FORCE, RS_UNDO_SKIP};
    uint64_t latest = keep_state();
    uint64_t from = some_revision(first_revision(), latest);
    uint64_t to = some_revision(from, latest);
    struct conflicts conflicts = {.count = 0};
    rs_undo_options options = {ways[below(3)], note_conflict, &conflicts};
    rs_undo_report report = {0};
    rs_txn *before = start_reading(undo_store);
    rs_txn *txn = start_writing(undo_store);
    int status = rs_undo(txn, from, to, &options, &report);
    CU_ASSERT_EQUAL(status == RS_ECONFLICT, report.conflicts > 0 && status != RS_OK);
    if (status == RS_ECONFLICT) {
        CU_ASSERT_NOT_EQUAL(options.flags, RS_UNDO_SKIP);
        rs_abort(before);
        rs_abort(txn);
        undo_must_match(&states[latest]);
        return;
    }
    CU_ASSERT_EQUAL_FATAL(status, RS_OK);
    uint64_t made = end_writing(txn);
    must_be_whole(undo_store);
    if (options.flags == RS_UNDO_SKIP) {
        must_be_left_out(&conflicts, before);
    }
    rs_abort(before);
    keep_state();
    if (to == latest && report.conflicts == 0 && from > 1 && states[from - 1].size > 0) {
        undo_must_match(&states[from - 1]);
    }
    if (made > latest && below(2)) {
        undo_take_back(made, made);
        keep_state();
        undo_must_match(&states[latest]);
    }
}

static void look_back(void)
{
    rs_store *past = NULL;
    uint64_t revision = some_revision(first_revision() - 1, undo_latest());
    SUCCEEDS(rs_open_past(undo_store, revision, &past, NULL));
    struct buffer then = records_of(past);
    if (states[revision].size > 0) {
        CU_ASSERT_FATAL(same_records(&states[revision], &then));
    }
    must_be_whole(past);
    buffer_free(&then);
    rs_close(past);
}

static void begin_round(unsigned round, unsigned seed)
{
    char name[32];
    snprintf(name, sizeof name, "round %u", round);
    random_state = seed + round;
    running = seed + round;
    SUCCEEDS(rs_open(scratch_path(name), RS_CREATE, &undo_store, NULL));
    rs_txn *txn = start_writing(undo_store);
    rs_key key = RS_NO_KEY;
    SUCCEEDS(rs_key_create(txn, RS_HKRS, "Settings\\Journal", &key));
    SUCCEEDS(rs_set_dword(txn, key, "MaxRevisions", KEPT));
    end_writing(txn);
}

static void end_round(void)
{
    running = 0;
    rs_close(undo_store);
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        buffer_free(&states[i]);
    }
}

static void what_comes_back_is_what_was(void)
{
    unsigned seed = number_from("UNDO_SEED", 416);
    unsigned rounds = number_from("UNDO_ROUNDS", ROUNDS);
    for (unsigned round = 0; round < rounds; round++) {
        begin_round(round, seed);
        for (unsigned i = 0; i < REVISIONS; i++) {
            edit_some();
            keep_state();
            if (below(3) == 0) {
                undo_some();
            }
            if (below(8) == 0) {
                look_back();
            }
        }
        must_be_whole(undo_store);
        end_round();
    }
}

/* A failure ends the test before; here it is said how it comes again. */
static void every_round_has_ended(void)
{
    if (running != 0) {
        printf("    UNDO_SEED=%u UNDO_ROUNDS=1\n", running);
    }
    CU_ASSERT_EQUAL(running, 0);
}

static const struct test_case cases[] = {
    {"what comes back is what was", what_comes_back_is_what_was},
    {"every round has ended", every_round_has_ended},
    {NULL, NULL},
};
const struct test_suite suite_undo_random = {"undo_random", cases};

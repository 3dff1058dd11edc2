/*
 * test_transfer_compare.c - two keys side by side, what makes one into the other, and copies.
 *
 * Trees are built at random from few names, so that they meet: keys, values, links, class names.
 * The seed is fixed and printed by what fails.
 */
#include "../regstore/transfer.h"
#include "stores.h"

#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 60
#define BRANCHES 3
#define DEPTH 3

static uint32_t random_state;

static unsigned random_below(unsigned limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % limit;
}

/* ---- Trees ---- */

static const char *random_name(void)
{
    static const char *const names[] = {"a", "A", "b", "Long name", "\xc3\xa4", "\xc3\x84", "z"};
    return names[random_below(sizeof names / sizeof *names)];
}

static void add_random_value(rs_txn *txn, rs_key key)
{
    static const uint32_t types[] = {REG_NONE, REG_SZ, REG_BINARY, REG_DWORD, 0x20000};
    unsigned size = random_below(3);
    SUCCEEDS(rs_value_set(txn, key, random_below(5) ? random_name() : "", types[random_below(5)],
                          "xyz", size));
}

static void add_random_below(rs_txn *txn, rs_key key, unsigned depth)
{
    for (unsigned i = random_below(4); i > 0; i--) {
        add_random_value(txn, key);
    }
    if (random_below(6) == 0) {
        SUCCEEDS(rs_key_set_class(txn, key, random_below(2) ? "class" : "Class"));
    }
    for (unsigned i = depth > 0 ? random_below(BRANCHES + 1) : 0; i > 0; i--) {
        const char *name = random_name();
        rs_key sub;
        if (rs_key_open_n(txn, key, name, RS_NTS, RS_NOFOLLOW, &sub) == RS_OK) {
            continue; /* it may be a link */
        }
        if (random_below(6) == 0) {
            const char *target = random_below(2) ? "HKLM\\T1" : "HKLM\\T2";
            SUCCEEDS(rs_link_create_n(txn, key, name, RS_NTS, target, RS_NTS, 0, &sub));
            for (unsigned more = random_below(2); more > 0; more--) {
                add_random_value(txn, sub);
            }
        } else {
            SUCCEEDS(rs_key_create(txn, key, name, &sub));
            add_random_below(txn, sub, depth - 1);
        }
    }
}

static void make_random(rs_store *store, const char *path)
{
    rs_txn *txn = start_writing(store);
    add_random_below(txn, add_key(txn, path), DEPTH);
    end_writing(txn);
}

static rs_store *store_called(const char *name)
{
    rs_store *store = NULL;
    SUCCEEDS(rs_open(scratch_path(name), RS_CREATE, &store, NULL));
    return store;
}

/* ---- What a comparison tells, as text ---- */

static const char *told_kind(const rs_difference *difference)
{
    static const char *const kinds[] = {"?", "key", "class", "value", "time"};
    return kinds[difference->kind];
}

static int note(void *context, const rs_difference *difference)
{
    struct buffer *told = context;
    const rs_value *value = difference->left ? difference->left : difference->right;
    bool left = value ? difference->left != NULL : difference->left_key != NULL;
    bool right = value ? difference->right != NULL : difference->right_key != NULL;
    int status = buffer_printf(told, "%s %s %s%s%s; ",
                               difference->same ? "="
                               : left && right  ? "~"
                               : left           ? "-"
                                                : "+",
                               told_kind(difference), difference->path, value ? ":" : "",
                               value ? value->name : "");
    return status == RS_OK ? buffer_terminate(told) : status;
}

/* Compares two keys of a store and gives what was told. The caller frees. */
static struct buffer told_of(rs_store *store, const char *left, const char *right, unsigned flags)
{
    struct buffer told = BUFFER_INIT;
    rs_compare_options options = {.flags = flags, .each = note, .context = &told};
    rs_txn *txn = start_reading(store);
    SUCCEEDS(buffer_append_text(&told, ""));
    SUCCEEDS(buffer_terminate(&told));
    SUCCEEDS(rs_compare(txn, left ? find_key(txn, left) : RS_NO_KEY, txn,
                        right ? find_key(txn, right) : RS_NO_KEY, &options, NULL));
    rs_abort(txn);
    return told;
}

static void expect_told(rs_store *store, const char *left, const char *right, unsigned flags,
                        const char *expected)
{
    struct buffer told = told_of(store, left, right, flags);
    CU_ASSERT_STRING_EQUAL(told.data, expected);
    if (strcmp(told.data, expected) != 0) {
        printf("\ntold: %s\n", told.data);
    }
    buffer_free(&told);
}

/* ---- Comparing ---- */

static void test_kinds(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\L");
    set_number(txn, key, "same", 1);
    set_number(txn, key, "Other", 1);
    set_number(txn, key, "gone", 1);
    SUCCEEDS(rs_value_set(txn, key, "type", REG_BINARY, "\1\0\0\0", 4));
    set_number(txn, add_key(txn, "HKLM\\L\\Both\\Below"), "deep", 1);
    set_number(txn, add_key(txn, "HKLM\\L\\Left\\Below"), "x", 1);
    SUCCEEDS(rs_key_set_class(txn, key, "class"));
    key = add_key(txn, "HKLM\\R");
    set_number(txn, key, "new", 1);
    set_number(txn, key, "type", 1);
    set_number(txn, key, "OTHER", 2);
    set_number(txn, key, "SAME", 1);
    set_number(txn, add_key(txn, "HKLM\\R\\both\\below"), "deep", 2);
    key = add_key(txn, "HKLM\\R\\Right");
    set_number(txn, key, "z", 1);
    set_number(txn, key, "y", 1);
    end_writing(txn);
    expect_told(store, "HKLM\\L", "HKLM\\R", 0,
                "~ class ; - value :gone; + value :new; ~ value :Other; ~ value :type; ");
    expect_told(store, "HKLM\\L", "HKLM\\R", RS_SUBTREE,
                "~ class ; - value :gone; + value :new; ~ value :Other; ~ value :type; "
                "~ value Both\\Below:deep; "
                "- key Left; - key Left\\Below; - value Left\\Below:x; "
                "+ key Right; + value Right:z; + value Right:y; ");
    expect_told(store, "HKLM\\L\\Both", "HKLM\\R\\both", RS_SUBTREE | RS_SAME,
                "= key ; = key Below; ~ value Below:deep; ");
    expect_told(store, "HKLM\\L", "HKLM\\L", RS_SUBTREE | RS_TIMES | RS_VOLATILE, "");
    rs_close(store);
}

static void add_link(rs_txn *txn, const char *path, const char *target, uint32_t flags)
{
    rs_key link;
    SUCCEEDS(rs_link_create(txn, RS_NO_KEY, path, target, flags, &link));
}

/* The keys that are compared may be so different themselves. */
static void test_link_and_key(void)
{
    rs_store *store = open_store();
    struct buffer told = BUFFER_INIT;
    rs_compare_options options = {.flags = RS_SUBTREE, .each = note, .context = &told};
    rs_txn *txn = start_writing(store);
    set_number(txn, add_key(txn, "HKLM\\Key"), "x", 1);
    add_link(txn, "HKLM\\Link", "HKLM\\Key", 0);
    SUCCEEDS(rs_compare(txn, find_link(txn, "HKLM\\Link"), txn, find_key(txn, "HKLM\\Key"),
                        &options, NULL));
    CU_ASSERT_STRING_EQUAL(told.data, "- key ; - value :SymbolicLinkValue; + key ; + value :x; ");
    rs_abort(txn);
    buffer_free(&told);
    rs_close(store);
}

/* A link and another key of one name have nothing in common. */
static void test_links(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    set_number(txn, add_key(txn, "HKLM\\L\\k"), "x", 1);
    set_number(txn, add_key(txn, "HKLM\\L\\k\\sub"), "y", 1);
    add_key(txn, "HKLM\\R");
    add_link(txn, "HKLM\\R\\K", "HKLM\\L", 0);
    add_link(txn, "HKLM\\L\\v", "HKLM\\L", RS_VOLATILE);
    end_writing(txn);
    expect_told(store, "HKLM\\L", "HKLM\\R", RS_SUBTREE,
                "- key k; - value k:x; - key k\\sub; - value k\\sub:y; "
                "+ key K; + value K:SymbolicLinkValue; ");
    expect_told(store, "HKLM\\L", "HKLM\\R", RS_SUBTREE | RS_VOLATILE,
                "- key k; - value k:x; - key k\\sub; - value k\\sub:y; "
                "+ key K; + value K:SymbolicLinkValue; "
                "- key v; - value v:SymbolicLinkValue; ");
    rs_close(store);
}

/* Two stores, one of them in the write transaction that changes it, and all their roots. */
static void test_transactions(void)
{
    rs_store *store = open_store();
    struct buffer told = BUFFER_INIT;
    rs_compare_options options = {.flags = RS_SUBTREE | RS_TIMES, .each = note, .context = &told};
    rs_txn *txn = start_writing(store);
    set_number(txn, add_key(txn, "HKLM\\A"), "x", 1);
    add_key(txn, "HKLM\\A\\sub");
    end_writing(txn);
    rs_txn *after = start_writing(store);
    rs_txn *before = start_reading(store);
    uint64_t count = 0;
    set_number(after, find_key(after, "HKLM\\A"), "x", 2);
    set_number(after, add_key(after, "HKU\\B"), "y", 2);
    SUCCEEDS(tree_set_written(&after->tree, find_key(after, "HKLM\\A\\sub"), 1));
    SUCCEEDS(rs_compare(before, RS_NO_KEY, after, RS_NO_KEY, &options, &count));
    EQUAL_TEXT(told.data, "~ value HKEY_LOCAL_MACHINE\\A:x; ~ time HKEY_LOCAL_MACHINE\\A\\sub; "
                          "+ key HKEY_USERS\\B; + value HKEY_USERS\\B:y; ");
    CU_ASSERT_EQUAL(count, 4);
    buffer_free(&told);
    rs_abort(before);
    rs_abort(after);
    rs_close(store);
}

static int stop(void *context, const rs_difference *difference)
{
    (void)difference;
    ++*(int *)context;
    return 77;
}

static void test_arguments(void)
{
    rs_store *store = open_store();
    int calls = 0;
    rs_compare_options options = {.each = stop, .context = &calls};
    rs_compare_options wrong = {.flags = 64};
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\A");
    rs_key gone = add_key(txn, "HKLM\\B");
    set_number(txn, key, "x", 1);
    set_number(txn, key, "y", 1);
    GIVES(77, rs_compare(txn, key, txn, gone, &options, NULL));
    CU_ASSERT_EQUAL(calls, 1);
    SUCCEEDS(rs_compare(txn, key, txn, gone, NULL, NULL));
    GIVES(RS_EINVAL, rs_compare(txn, key, txn, gone, &wrong, NULL));
    GIVES(RS_EINVAL, rs_compare(txn, key, txn, RS_NO_KEY, NULL, NULL));
    GIVES(RS_EINVAL, rs_compare(NULL, key, txn, key, NULL, NULL));
    GIVES(RS_EINVAL, rs_compare(txn, key, NULL, key, NULL, NULL));
    SUCCEEDS(rs_key_delete(txn, gone, 0));
    GIVES(RS_EDELETED, rs_compare(txn, key, txn, gone, NULL, NULL));
    GIVES(RS_EDELETED, rs_compare(txn, gone, txn, key, NULL, NULL));
    rs_abort(txn);
    rs_close(store);
}

/* ---- What makes one key into another ---- */

/* A sink that makes the edits of a patch in a transaction, in the plainest way. */
struct editor {
    struct format_sink sink; /* the first member */
    rs_txn *txn;
    rs_key key;
    bool link; /* the key is a link, and its target has not been told yet */
};

static int edit_key(struct format_sink *sink, const struct format_key *told)
{
    struct editor *editor = (struct editor *)sink;
    rs_key_info info;
    int status = rs_key_create_n(editor->txn, RS_NO_KEY, told->name, told->name_len, RS_NOFOLLOW,
                                 &editor->key, NULL);
    CU_ASSERT_TRUE(told->absolute);
    if (status == RS_OK) {
        status = rs_key_info_get(editor->txn, editor->key, &info);
    }
    editor->link = status == RS_OK && (info.flags & RS_KEY_LINK);
    return status;
}

static int edit_value(struct format_sink *sink, const rs_value *value)
{
    struct editor *editor = (struct editor *)sink;
    CU_ASSERT_TRUE(!editor->link || value->type == REG_LINK); /* or it would be followed */
    editor->link = false;
    return rs_value_set_n(editor->txn, editor->key, value->name, value->name_len, value->type,
                          value->data, value->size);
}

static int edit_end(struct format_sink *sink)
{
    CU_ASSERT_FALSE(((struct editor *)sink)->link);
    return RS_OK;
}

static int edit_value_delete(struct format_sink *sink, const char *name, size_t len)
{
    struct editor *editor = (struct editor *)sink;
    CU_ASSERT_FALSE(editor->link);
    return rs_value_delete_n(editor->txn, editor->key, name, len);
}

static int edit_key_delete(struct format_sink *sink, const struct format_key *told)
{
    struct editor *editor = (struct editor *)sink;
    rs_key key;
    int status =
        rs_key_open_n(editor->txn, RS_NO_KEY, told->name, told->name_len, RS_NOFOLLOW, &key);
    return status == RS_OK ? rs_key_delete(editor->txn, key, RS_RECURSIVE) : status;
}

static void patch(rs_store *left, rs_store *right, const char *path)
{
    rs_txn *now = start_reading(left);
    rs_txn *wanted = start_reading(right);
    rs_txn *txn = start_writing(left);
    struct editor editor = {
        .sink = {.key_begin = edit_key,
                 .value = edit_value,
                 .key_end = edit_end,
                 .value_delete = edit_value_delete,
                 .key_delete = edit_key_delete},
        .txn = txn,
    };
    struct transfer_progress progress = {0};
    struct format_output output = {0};
    struct transfer_pair pair = {&now->tree, path ? find_key(now, path) : RS_NO_KEY, &wanted->tree,
                                 path ? find_key(wanted, path) : RS_NO_KEY};
    SUCCEEDS(transfer_tell_patch(&pair, &editor.sink, &output, &progress));
    end_writing(txn);
    rs_abort(now);
    rs_abort(wanted);
}

/* Class names are not in a patch. */
static int count_others(void *context, const rs_difference *difference)
{
    *(uint64_t *)context += difference->kind != RS_DIFFERS_CLASS;
    return 0;
}

static uint64_t differences_without_class(rs_store *left, rs_store *right)
{
    uint64_t count = 0;
    rs_compare_options options = {.flags = RS_SUBTREE, .each = count_others, .context = &count};
    rs_txn *left_txn = start_reading(left);
    rs_txn *right_txn = start_reading(right);
    SUCCEEDS(rs_compare(left_txn, RS_NO_KEY, right_txn, RS_NO_KEY, &options, NULL));
    rs_abort(left_txn);
    rs_abort(right_txn);
    return count;
}

static void test_patch(void)
{
    random_state = 20261121;
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t seed = random_state;
        char names[2][32];
        snprintf(names[0], sizeof names[0], "left%d", round);
        snprintf(names[1], sizeof names[1], "right%d", round);
        rs_store *left = store_called(names[0]);
        rs_store *right = store_called(names[1]);
        make_random(left, "HKLM\\T");
        make_random(right, "HKLM\\T");
        patch(left, right, round % 2 ? "HKLM\\T" : NULL);
        uint64_t others = differences_without_class(left, right);
        CU_ASSERT_EQUAL(others, 0);
        if (others != 0) {
            printf("\nseed %u: %u differences\n", (unsigned)seed, (unsigned)others);
        }
        rs_close(left);
        rs_close(right);
    }
}

/* ---- Copying ---- */

static int copy(rs_store *store, const char *from, const char *to, unsigned flags,
                rs_import_report *report)
{
    rs_txn *txn = start_writing(store);
    int status = rs_key_copy(txn, find_key(txn, from), RS_NO_KEY, to, flags, report);
    if (status == RS_OK) {
        end_writing(txn);
        return RS_OK;
    }
    rs_abort(txn);
    return status;
}

/* A copy into another key is the same as what was copied, to its times. */
static void test_copy(void)
{
    rs_store *store = open_store();
    random_state = 7;
    for (int round = 0; round < ROUNDS; round++) {
        char from[32], to[32];
        rs_import_report report;
        snprintf(from, sizeof from, "HKLM\\From%d", round);
        snprintf(to, sizeof to, "HKLM\\To\\%d", round);
        make_random(store, from);
        SUCCEEDS(copy(store, from, to, RS_SUBTREE, &report));
        CU_ASSERT_TRUE(report.keys_added > 0 && report.values_changed == 0);
        expect_told(store, from, to, RS_SUBTREE | RS_TIMES, "");
        SUCCEEDS(copy(store, from, to, RS_SUBTREE, &report));
        CU_ASSERT_EQUAL(report.keys_added + report.values_added + report.values_changed, 0);
    }
    rs_close(store);
}

static void test_copy_merges(void)
{
    rs_store *store = open_store();
    rs_import_report report;
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\From");
    set_number(txn, key, "x", 1);
    set_number(txn, key, "y", 1);
    set_number(txn, add_key(txn, "HKLM\\From\\sub"), "z", 1);
    key = add_key(txn, "HKLM\\To");
    set_number(txn, key, "X", 2);
    set_number(txn, key, "own", 2);
    end_writing(txn);
    SUCCEEDS(copy(store, "HKLM\\From", "HKLM\\To", RS_KEEP, &report));
    CU_ASSERT_EQUAL(report.values_added, 1);
    CU_ASSERT_EQUAL(report.values_kept, 1);
    expect_told(store, "HKLM\\From", "HKLM\\To", RS_SUBTREE,
                "+ value :own; ~ value :x; - key sub; - value sub:z; ");
    SUCCEEDS(copy(store, "HKLM\\From", "HKLM\\To", RS_SUBTREE, &report));
    CU_ASSERT_EQUAL(report.values_changed, 1);
    CU_ASSERT_PTR_NULL(report.format);
    expect_told(store, "HKLM\\From", "HKLM\\To", RS_SUBTREE, "+ value :own; ");
    rs_close(store);
}

/* Nothing is copied into itself, by whatever name, and what is refused makes nothing. */
static void test_copy_into_itself(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    set_number(txn, add_key(txn, "HKLM\\A\\B\\C"), "x", 1);
    add_key(txn, "HKLM\\A\\B\\B\\C");
    add_link(txn, "HKLM\\Link", "HKLM\\A\\B", 0);
    uint64_t revision = end_writing(txn);
    GIVES(RS_EINVAL, copy(store, "HKLM\\A", "HKLM\\A", 0, NULL));
    GIVES(RS_EINVAL, copy(store, "HKLM\\A", "HKLM\\a\\New\\Key", RS_SUBTREE, NULL));
    GIVES(RS_EINVAL, copy(store, "HKLM\\A", "HKLM\\Link\\New", RS_SUBTREE, NULL));
    GIVES(RS_EINVAL, copy(store, "HKLM\\A\\B", "HKLM\\A", RS_SUBTREE, NULL));
    GIVES(RS_EPATH, copy(store, "HKLM\\A", "HKXX\\A", RS_SUBTREE, NULL));
    txn = start_reading(store);
    CU_ASSERT_EQUAL(rs_revision(txn), revision);
    GIVES(RS_EREADONLY, rs_key_copy(txn, find_key(txn, "HKLM\\A"), RS_NO_KEY, "HKLM\\N", 0, NULL));
    GIVES(RS_EINVAL, rs_key_copy(txn, RS_NO_KEY, RS_NO_KEY, "HKLM\\N", 0, NULL));
    GIVES(RS_EINVAL, rs_key_copy(txn, RS_HKLM, RS_NO_KEY, "HKLM\\N", 4, NULL));
    rs_abort(txn);
    SUCCEEDS(copy(store, "HKLM\\A\\B\\B", "HKLM\\A", RS_SUBTREE, NULL)); /* has no B\B */
    expect_told(store, "HKLM\\A\\B\\B", "HKLM\\A", 0, "");
    rs_close(store);
}

const struct test_suite suite_transfer_compare = {
    "transfer_compare",
    (const struct test_case[]){
        {"each kind of difference is told", test_kinds},
        {"a link is not like another key", test_links},
        {"a link and a key", test_link_and_key},
        {"a snapshot and what is being written", test_transactions},
        {"arguments and cancelling", test_arguments},
        {"a patch makes one key into the other", test_patch},
        {"a copy is the same as its source", test_copy},
        {"a copy merges", test_copy_merges},
        {"nothing is copied into itself", test_copy_into_itself},
        {NULL, NULL},
    },
};

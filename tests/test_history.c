/*
 * test_history.c - the revisions that were made: listed, looked into, and found by a key.
 */
#include "stores.h"

#include <stdio.h>

/* ---- What is told, as text ---- */

struct told {
    char text[2000];
    unsigned stop_after; /* entries; 0: never */
    unsigned entries;
};

static int add(struct told *told, const char *entry)
{
    size_t at = strlen(told->text);
    snprintf(told->text + at, sizeof told->text - at, "%s%s", at > 0 ? " " : "", entry);
    return ++told->entries == told->stop_after ? 42 : 0;
}

static int tell_revision(void *context, const rs_revision_info *info)
{
    char entry[64];
    CU_ASSERT(info->time > 0 && info->program[0] != '\0');
    snprintf(entry, sizeof entry, "%llu%s%s", (unsigned long long)info->revision,
             info->message[0] != '\0' ? ":" : "", info->message);
    return add(context, entry);
}

/* The last component of the path is enough; "old>new" where there are both. */
static int tell_change(void *context, const rs_change *change)
{
    static const char *const kinds[] = {"",      "created",  "deleted", "renamed",
                                        "class", "relinked", "set",     "unset"};
    char entry[256];
    const char *last = strrchr(change->path, '\\');
    CU_ASSERT_EQUAL(strlen(change->path), change->path_len);
    snprintf(entry, sizeof entry, "%s%s:%s%s%s%s%s", change->inner ? "+" : "", kinds[change->kind],
             last != NULL ? last + 1 : change->path,
             change->name_len > 0 || change->old_name_len > 0 ? "=" : "", change->old_name,
             change->old_name_len > 0 ? ">" : "", change->name);
    return add(context, entry);
}

static const char *list(rs_store *store, uint64_t newest, uint64_t oldest)
{
    static struct told told;
    rs_txn *txn = start_reading(store);
    told = (struct told){.text = ""};
    SUCCEEDS(rs_history(txn, newest, oldest, tell_revision, &told));
    rs_abort(txn);
    return told.text;
}

static const char *changes_of(rs_store *store, uint64_t revision)
{
    static struct told told;
    rs_txn *txn = start_reading(store);
    told = (struct told){.text = ""};
    SUCCEEDS(rs_history_changes(txn, revision, tell_change, &told));
    rs_abort(txn);
    return told.text;
}

static const char *find(rs_store *store, const char *path, unsigned flags)
{
    static struct told told;
    rs_txn *txn = start_reading(store);
    told = (struct told){.text = ""};
    SUCCEEDS(rs_history_key(txn, path, flags, RS_NOW, 0, tell_revision, &told));
    rs_abort(txn);
    return told.text;
}

/* ---- Edits, a revision each ---- */

static void set_in(rs_store *store, const char *path, uint32_t number)
{
    rs_txn *txn = start_writing(store);
    set_number(txn, add_key(txn, path), "Value", number);
    end_writing(txn);
}

static void remove_key(rs_store *store, const char *path)
{
    rs_txn *txn = start_writing(store);
    SUCCEEDS(rs_key_delete(txn, find_link(txn, path), RS_RECURSIVE));
    end_writing(txn);
}

/* ---- Tests ---- */

static void revisions_come_newest_first(void)
{
    rs_store *store = open_store();
    EQUAL_TEXT(list(store, RS_NOW, 0), "");
    for (uint32_t i = 1; i <= 5; i++) {
        char message[8];
        rs_txn *txn = start_writing(store);
        snprintf(message, sizeof message, "m%u", i);
        SUCCEEDS(rs_txn_message(txn, message));
        set_number(txn, RS_HKLM, "Value", i);
        end_writing(txn);
    }
    EQUAL_TEXT(list(store, RS_NOW, 0), "5:m5 4:m4 3:m3 2:m2 1:m1");
    EQUAL_TEXT(list(store, 4, 3), "4:m4 3:m3");
    EQUAL_TEXT(list(store, 99, 5), "5:m5");
    EQUAL_TEXT(list(store, 1, 2), "");
    EQUAL_TEXT(list(store, 0, 0), "");
    rs_close(store);
}

/* A transaction that began before a revision does not see it in the history either. */
static void history_is_of_the_snapshot(void)
{
    rs_store *store = open_store();
    struct told told = {.text = ""};
    set_in(store, "HKLM\\A", 1);
    rs_txn *txn = start_reading(store);
    set_in(store, "HKLM\\A", 2);
    SUCCEEDS(rs_history(txn, RS_NOW, 0, tell_revision, &told));
    EQUAL_TEXT(told.text, "1");
    GIVES(RS_ENOTFOUND, rs_history_changes(txn, 2, tell_change, &told));
    rs_abort(txn);
    rs_close(store);
}

static void changes_have_whole_paths_and_both_sides(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\Top\\Sub\\Deep");
    set_number(txn, key, "A", 1);
    set_number(txn, info_of(txn, key).parent, "B", 1);
    add_key(txn, "HKLM\\Top\\Zzz");
    end_writing(txn);
    EQUAL_TEXT(changes_of(store, 1), "created:Top");
    txn = start_writing(store);
    key = find_key(txn, "HKLM\\Top");
    SUCCEEDS(rs_key_rename(txn, key, "Head"));
    SUCCEEDS(rs_key_set_class(txn, key, "Klass"));
    set_number(txn, key, "New", 5);
    end_writing(txn);
    EQUAL_TEXT(changes_of(store, 2), "renamed:Top=Top>Head class:Head=Klass set:Head=New");
    remove_key(store, "HKLM\\Head");
    EQUAL_TEXT(changes_of(store, 3), "deleted:Head +unset:Head=New +deleted:Sub +unset:Sub=B "
                                     "+deleted:Deep +unset:Deep=A +deleted:Zzz");
    rs_close(store);
}

static int look_at_lost(void *context, const rs_change *change)
{
    unsigned *lost = context;
    CU_ASSERT(change->lost && change->old_value == NULL && change->new_value == NULL);
    CU_ASSERT(change->kind != RS_VALUE_DELETED || strcmp(change->name, "Value") == 0);
    ++*lost;
    return 0;
}

/* Of what a full disk had no room to keep, there is no old value. */
static void what_is_lost_has_no_old_value(void)
{
    rs_store *store = open_store();
    unsigned lost = 0;
    set_in(store, "HKLM\\Top\\Sub", 1);
    set_in(store, "HKLM\\Top", 1);
    rs_txn *txn = start_writing(store);
    txn->journal.brief = true;
    SUCCEEDS(rs_value_delete(txn, find_key(txn, "HKLM\\Top"), "Value"));
    SUCCEEDS(rs_key_delete(txn, find_key(txn, "HKLM\\Top"), RS_RECURSIVE));
    end_writing(txn);
    txn = start_reading(store);
    SUCCEEDS(rs_history_changes(txn, 3, look_at_lost, &lost));
    CU_ASSERT_EQUAL(lost, 2);
    rs_abort(txn);
    rs_close(store);
}

static void links_have_their_targets(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    add_key(txn, "HKLM\\One");
    end_writing(txn);
    txn = start_writing(store);
    rs_key link;
    SUCCEEDS(rs_link_create(txn, RS_NO_KEY, "HKLM\\One\\Link", "HKLM\\Two", 0, &link));
    end_writing(txn);
    EQUAL_TEXT(changes_of(store, 2), "created:Link");
    txn = start_writing(store);
    SUCCEEDS(rs_link_create(txn, RS_NO_KEY, "HKLM\\One\\Link", "HKLM\\Three", 0, &link));
    end_writing(txn);
    EQUAL_TEXT(changes_of(store, 3), "relinked:Link=SymbolicLinkValue");
    rs_close(store);
}

static void what_is_not_there_is_told(void)
{
    rs_store *store = open_store();
    struct told told = {.text = ""};
    for (uint32_t i = 0; i < 4; i++) {
        set_in(store, "HKLM\\A", i);
    }
    trim_history(store, 2);
    EQUAL_TEXT(list(store, RS_NOW, 0), "4 3");
    rs_txn *txn = start_reading(store);
    GIVES(RS_EBEHIND, rs_history_changes(txn, 2, tell_change, &told));
    GIVES(RS_ENOTFOUND, rs_history_changes(txn, 5, tell_change, &told));
    GIVES(RS_ENOTFOUND, rs_history_changes(txn, 0, tell_change, &told));
    GIVES(RS_EINVAL, rs_history(txn, RS_NOW, 0, NULL, NULL));
    GIVES(RS_EINVAL, rs_history_key(txn, "HKLM", 77, RS_NOW, 0, tell_revision, &told));
    GIVES(RS_EPATH, rs_history_key(txn, "Nowhere\\A", 0, RS_NOW, 0, tell_revision, &told));
    EQUAL_TEXT(told.text, "");
    rs_abort(txn);
    rs_close(store);
}

static void an_answer_ends_the_list(void)
{
    rs_store *store = open_store();
    for (uint32_t i = 0; i < 4; i++) {
        set_in(store, "HKLM\\A", i);
    }
    rs_txn *txn = start_reading(store);
    struct told told = {.stop_after = 2};
    GIVES(42, rs_history(txn, RS_NOW, 0, tell_revision, &told));
    EQUAL_TEXT(told.text, "4 3");
    told = (struct told){.stop_after = 1};
    GIVES(42, rs_history_key(txn, "HKLM\\A", 0, RS_NOW, 0, tell_revision, &told));
    EQUAL_TEXT(told.text, "4");
    told = (struct told){.stop_after = 1};
    GIVES(42, rs_history_changes(txn, 1, tell_change, &told));
    CU_ASSERT_EQUAL(told.entries, 1);
    rs_abort(txn);
    rs_close(store);
}

static void a_key_is_found_in_any_case(void)
{
    rs_store *store = open_store();
    set_in(store, "HKLM\\Alpha\\\xc3\x89t\xc3\xa9\\Deep", 1);
    set_in(store, "HKLM\\Alpine", 1);
    set_in(store, "HKLM\\Alpha\\\xc3\xa9t\xc3\xa9", 2);
    set_in(store, "HKLM\\Alpha\\\xc3\xa9t\xc3\xa9\\deep", 3);
    set_in(store, "HKLM\\Alpha\\\xc3\xa9ta\\Deep", 3);
    EQUAL_TEXT(find(store, "HKLM\\ALPHA\\\xc3\x89T\xc3\x89", 0), "3 1");
    EQUAL_TEXT(find(store, "HKLM\\ALPHA\\\xc3\x89T\xc3\x89", RS_SUBTREE), "4 3 1");
    EQUAL_TEXT(find(store, "HKLM\\Alp", RS_SUBTREE), "");
    EQUAL_TEXT(find(store, "HKLM", 0), "2 1");
    rs_close(store);
}

/* A key goes and comes with those above it, under any name that they have. */
static void what_happens_above_touches_a_key(void)
{
    rs_store *store = open_store();
    set_in(store, "HKLM\\A\\B\\C", 1);
    rs_txn *txn = start_writing(store);
    SUCCEEDS(rs_key_rename(txn, find_key(txn, "HKLM\\A"), "X"));
    end_writing(txn);
    set_in(store, "HKLM\\X\\B\\C", 2);
    remove_key(store, "HKLM\\X\\B");
    set_in(store, "HKLM\\X", 2);
    EQUAL_TEXT(find(store, "HKLM\\X\\B\\C", 0), "4 3 2");
    EQUAL_TEXT(find(store, "HKLM\\A\\B\\C", 0), "2 1");
    rs_close(store);
}

static void a_link_leads_to_the_key(void)
{
    rs_store *store = open_store();
    rs_key link;
    set_in(store, "HKLM\\Real\\Sub", 1);
    rs_txn *txn = start_writing(store);
    SUCCEEDS(rs_link_create(txn, RS_NO_KEY, "HKLM\\Link", "HKLM\\Real", 0, &link));
    end_writing(txn);
    set_in(store, "HKLM\\Other", 1);
    set_in(store, "HKLM\\Link\\Sub", 2);
    EQUAL_TEXT(find(store, "HKLM\\Link\\Sub", 0), "4 2 1");
    EQUAL_TEXT(find(store, "HKLM\\Real\\Sub", 0), "4 1");
    rs_close(store);
}

/* Revisions that fill numbered chunks, between such that do not. */
static void long_revisions_are_searched(void)
{
    rs_store *store = open_store();
    set_in(store, "HKLM\\A", 1);
    for (uint32_t i = 0; i < 3; i++) {
        rs_txn *txn = start_writing(store);
        rs_key key = add_key(txn, "HKLM\\A");
        SUCCEEDS(rs_set_binary(txn, key, "Big", repeated(i % 2 ? "a" : "b", 60000), 60000));
        set_number(txn, RS_HKU, "Value", i);
        end_writing(txn);
        set_in(store, "HKLM\\B", i);
    }
    EQUAL_TEXT(list(store, RS_NOW, 0), "7 6 5 4 3 2 1");
    EQUAL_TEXT(list(store, 5, 3), "5 4 3");
    EQUAL_TEXT(find(store, "HKLM\\A", 0), "6 4 2 1");
    EQUAL_TEXT(find(store, "HKU", 0), "6 4 2");
    EQUAL_TEXT(find(store, "HKLM\\B", 0), "7 5 3");
    rs_close(store);
}

static void damage_in_the_history_is_told(void)
{
    static const char junk[40] = {1, 2, 3};
    unsigned char key[12] = {0};
    struct env_txn txn;
    struct told told = {.text = ""};
    rs_store *store = open_store();
    set_in(store, "HKLM\\A", 1);
    set_in(store, "HKLM\\A", 2);
    key[7] = 1;
    SUCCEEDS(env_begin(store->env, true, &txn, NULL));
    SUCCEEDS(env_put(&txn, TABLE_JOURNAL, (struct slice){key, sizeof key},
                     (struct slice){junk, sizeof junk}));
    SUCCEEDS(env_commit(&txn, NULL));
    rs_txn *reading = start_reading(store);
    GIVES(RS_EDAMAGED, rs_history(reading, RS_NOW, 0, tell_revision, &told));
    EQUAL_TEXT(told.text, "2");
    GIVES(RS_EDAMAGED, rs_history_changes(reading, 1, tell_change, &told));
    GIVES(RS_EDAMAGED, rs_history_key(reading, "HKLM\\A", 0, RS_NOW, 0, tell_revision, &told));
    rs_abort(reading);
    rs_close(store);
}

static const struct test_case cases[] = {
    {"revisions come newest first", revisions_come_newest_first},
    {"history is of the snapshot", history_is_of_the_snapshot},
    {"changes have whole paths and both sides", changes_have_whole_paths_and_both_sides},
    {"what is lost has no old value", what_is_lost_has_no_old_value},
    {"links have their targets", links_have_their_targets},
    {"what is not there is told", what_is_not_there_is_told},
    {"an answer ends the list", an_answer_ends_the_list},
    {"a key is found in any case", a_key_is_found_in_any_case},
    {"what happens above touches a key", what_happens_above_touches_a_key},
    {"a link leads to the key", a_link_leads_to_the_key},
    {"long revisions are searched", long_revisions_are_searched},
    {"damage in the history is told", damage_in_the_history_is_told},
    {NULL, NULL},
};
const struct test_suite suite_history = {"history", cases};

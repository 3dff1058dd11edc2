/*
 * test_tree_paths.c - paths that were walked before lead where they lead now, in each snapshot.
 */
#include "stores.h"
#include "../regstore/tree_paths.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#define SWAPS 300

/* ---- The table itself ---- */

static struct tree_path_query query_of(uint64_t snapshot, rs_key base, const char *path)
{
    return (struct tree_path_query){snapshot, base, path, strlen(path), 0, 0};
}

/* As a walk does: it looks, and then tells what it has found. */
static void ask(struct tree_paths **paths, struct tree_path_query *query, rs_key leads_to)
{
    rs_key key;
    if (!tree_paths_find(*paths, query, &key)) {
        tree_paths_keep(paths, query, leads_to);
    }
}

static void ask_twice(struct tree_paths **paths, struct tree_path_query *query, rs_key leads_to)
{
    ask(paths, query, leads_to);
    ask(paths, query, leads_to);
}

static void only_the_same_question_is_answered(void)
{
    struct tree_paths *paths = NULL;
    struct tree_path_query asked = query_of(7, RS_HKLM, "SYSTEM\\Select");
    struct tree_path_query others[] = {asked, asked, asked, asked, asked};
    others[0].snapshot = 8;
    others[1].base = RS_HKU;
    others[2].flags = RS_NOFOLLOW;
    others[3].path = "SYSTEM\\Selecu";
    others[4].flags = TREE_PATH_STEP;
    rs_key key = 0;
    CU_ASSERT_FALSE(tree_paths_find(paths, &asked, &key));
    ask_twice(&paths, &asked, 99);
    CU_ASSERT_TRUE(tree_paths_find(paths, &asked, &key));
    CU_ASSERT_EQUAL(key, 99);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        CU_ASSERT_FALSE(tree_paths_find(paths, &others[i], &key));
    }
    tree_paths_free(paths);
}

static void what_depends_on_the_user_is_not_kept(void)
{
    struct tree_paths *paths = NULL;
    struct tree_path_query users[] = {query_of(1, RS_HKCU, "Software"),
                                      query_of(1, RS_NO_KEY, "HKCU\\Software")};
    struct tree_path_query machine = query_of(1, RS_NO_KEY, "HKLM\\Software");
    rs_key key;
    ask_twice(&paths, &machine, 5);
    CU_ASSERT_TRUE(tree_paths_find(paths, &machine, &key));
    for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
        ask_twice(&paths, &users[i], 5);
        CU_ASSERT_FALSE(tree_paths_find(paths, &users[i], &key));
    }
    tree_paths_free(paths);
}

static void long_paths_are_not_kept(void)
{
    struct tree_paths *paths = NULL;
    struct tree_path_query query = query_of(1, RS_HKLM, repeated("name\\", 100));
    rs_key key;
    ask_twice(&paths, &query, 5);
    CU_ASSERT_FALSE(tree_paths_find(paths, &query, &key));
    tree_paths_free(paths);
}

/* Of many paths that are asked for once each nothing stays, and the first of them stays kept. */
static void what_is_asked_for_once_is_not_kept(void)
{
    struct tree_paths *paths = NULL;
    struct tree_path_query often = query_of(1, RS_HKLM, "often");
    char path[32];
    rs_key key;
    ask_twice(&paths, &often, 5);
    for (rs_key id = 100; id < 1100; id++) {
        snprintf(path, sizeof path, "k%u", (unsigned)id);
        struct tree_path_query query = query_of(1, RS_HKLM, path);
        ask(&paths, &query, id);
        CU_ASSERT_FALSE(tree_paths_find(paths, &query, &key));
    }
    CU_ASSERT_TRUE(tree_paths_find(paths, &often, &key));
    tree_paths_free(paths);
}

static void a_kept_path_keeps_its_place_in_the_next_snapshot(void)
{
    struct tree_paths *paths = NULL;
    struct tree_path_query before = query_of(1, RS_HKLM, "path");
    struct tree_path_query after = query_of(2, RS_HKLM, "path");
    rs_key key = 0;
    ask_twice(&paths, &before, 5);
    ask(&paths, &after, 6);
    CU_ASSERT_TRUE(tree_paths_find(paths, &after, &key));
    CU_ASSERT_EQUAL(key, 6);
    CU_ASSERT_FALSE(tree_paths_find(paths, &before, &key));
    tree_paths_free(paths);
}

/* More paths than rows: some are forgotten, none is mistaken for another. */
static void full_table_answers_rightly(void)
{
    struct tree_paths *paths = NULL;
    unsigned found = 0;
    char path[32];
    for (rs_key id = 100; id < 1100; id++) {
        snprintf(path, sizeof path, "k%u", (unsigned)id);
        struct tree_path_query query = query_of(1, RS_HKLM, path);
        ask_twice(&paths, &query, id);
    }
    for (rs_key id = 100; id < 1100; id++) {
        snprintf(path, sizeof path, "k%u", (unsigned)id);
        struct tree_path_query query = query_of(1, RS_HKLM, path);
        rs_key key;
        if (tree_paths_find(paths, &query, &key)) {
            found++;
            CU_ASSERT_EQUAL(key, id);
        }
    }
    CU_ASSERT_TRUE(found > 0 && found < 1000);
    tree_paths_free(paths);
}

/* ---- In a store ---- */

static int open_in_latest(rs_store *store, const char *path, rs_key *key)
{
    rs_txn *txn = start_reading(store);
    int status = rs_key_open(txn, RS_HKLM, path, key);
    int again = rs_key_open(txn, RS_HKLM, path, key); /* is kept then */
    rs_abort(txn);
    CU_ASSERT_EQUAL(status, again);
    return again;
}

static void renamed_key_is_not_found_under_its_old_name(void)
{
    rs_store *store = open_store();
    rs_key key;
    rs_txn *txn = start_writing(store);
    rs_key made = add_key(txn, "HKLM\\A\\Below");
    end_writing(txn);
    SUCCEEDS(open_in_latest(store, "A\\Below", &key));
    rs_txn *old = start_reading(store);
    SUCCEEDS(rs_key_open(old, RS_HKLM, "A\\Below", &key));
    txn = start_writing(store);
    SUCCEEDS(rs_key_rename(txn, find_key(txn, "HKLM\\A"), "B"));
    end_writing(txn);
    GIVES(RS_ENOTFOUND, open_in_latest(store, "A\\Below", &key));
    SUCCEEDS(rs_key_open(old, RS_HKLM, "A\\Below", &key));
    CU_ASSERT_EQUAL(key, made);
    rs_abort(old);
    txn = start_writing(store);
    rs_key again = add_key(txn, "HKLM\\A\\Below");
    end_writing(txn);
    SUCCEEDS(open_in_latest(store, "A\\Below", &key));
    CU_ASSERT_EQUAL(key, again);
    rs_close(store);
}

static void link_leads_to_its_new_target(void)
{
    rs_store *store = open_store();
    rs_key key;
    rs_key link;
    rs_txn *txn = start_writing(store);
    rs_key first = add_key(txn, "HKLM\\Set1");
    rs_key second = add_key(txn, "HKLM\\Set2");
    SUCCEEDS(rs_link_create(txn, RS_HKLM, "Current", "HKLM\\Set1", 0, &link));
    end_writing(txn);
    SUCCEEDS(open_in_latest(store, "Current", &key));
    CU_ASSERT_EQUAL(key, first);
    txn = start_writing(store);
    SUCCEEDS(rs_key_delete(txn, link, 0));
    SUCCEEDS(rs_link_create(txn, RS_HKLM, "Current", "HKLM\\Set2", 0, &link));
    end_writing(txn);
    SUCCEEDS(open_in_latest(store, "Current", &key));
    CU_ASSERT_EQUAL(key, second);
    txn = start_reading(store);
    SUCCEEDS(rs_key_open_n(txn, RS_HKLM, "Current", RS_NTS, RS_NOFOLLOW, &key));
    CU_ASSERT_EQUAL(key, link);
    rs_abort(txn);
    rs_close(store);
}

/* ---- While a writer swaps two names ---- */

struct swaps {
    rs_store *store;
    atomic_bool done;
    atomic_uint wrong;
};

static int rename_at(rs_txn *txn, const char *path, const char *name)
{
    rs_key key;
    int status = rs_key_open(txn, RS_HKLM, path, &key);
    if (status == RS_OK) {
        status = rs_set_string(txn, key, "Name", name);
    }
    return status == RS_OK ? rs_key_rename(txn, key, name) : status;
}

static void *swap_names(void *context)
{
    struct swaps *swaps = context;
    rs_txn *txn;
    for (int i = 0; i < SWAPS; i++) {
        if (rs_begin(swaps->store, RS_WRITE, &txn) != RS_OK) {
            atomic_fetch_add(&swaps->wrong, 1);
            continue;
        }
        if (rename_at(txn, "A", "Between") != RS_OK || rename_at(txn, "B", "A") != RS_OK ||
            rename_at(txn, "Between", "B") != RS_OK) {
            atomic_fetch_add(&swaps->wrong, 1);
        }
        if (rs_commit(txn, NULL) != RS_OK) {
            atomic_fetch_add(&swaps->wrong, 1);
        }
    }
    atomic_store(&swaps->done, true);
    return NULL;
}

/* Each key holds its own name, so a path that leads to the other one shows. */
static bool leads_right(rs_txn *txn, const char *path)
{
    rs_key key;
    const char *name = "";
    return rs_key_open(txn, RS_HKLM, path, &key) == RS_OK &&
           rs_get_string(txn, key, "Name", &name) == RS_OK && strcmp(name, path) == 0;
}

static void *read_names(void *context)
{
    struct swaps *swaps = context;
    rs_txn *txn;
    while (!atomic_load(&swaps->done)) {
        if (rs_begin(swaps->store, RS_READ, &txn) != RS_OK) {
            atomic_fetch_add(&swaps->wrong, 1);
            continue;
        }
        if (!leads_right(txn, "A") || !leads_right(txn, "B") || !leads_right(txn, "A")) {
            atomic_fetch_add(&swaps->wrong, 1);
        }
        rs_abort(txn);
        sched_yield();
    }
    return NULL;
}

static void swapped_names_are_never_mixed_up(void)
{
    struct swaps swaps = {.store = open_store()};
    pthread_t threads[3];
    rs_txn *txn = start_writing(swaps.store);
    SUCCEEDS(rs_set_string(txn, add_key(txn, "HKLM\\A"), "Name", "A"));
    SUCCEEDS(rs_set_string(txn, add_key(txn, "HKLM\\B"), "Name", "B"));
    end_writing(txn);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL_FATAL(
            pthread_create(&threads[i], NULL, i == 0 ? swap_names : read_names, &swaps), 0);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    CU_ASSERT_EQUAL(swaps.wrong, 0);
    rs_close(swaps.store);
}

static const struct test_case cases[] = {
    {"only the same question is answered", only_the_same_question_is_answered},
    {"what depends on the user is not kept", what_depends_on_the_user_is_not_kept},
    {"long paths are not kept", long_paths_are_not_kept},
    {"what is asked for once is not kept", what_is_asked_for_once_is_not_kept},
    {"a kept path keeps its place in the next snapshot",
     a_kept_path_keeps_its_place_in_the_next_snapshot},
    {"a full table answers rightly", full_table_answers_rightly},
    {"a renamed key is not found under its old name", renamed_key_is_not_found_under_its_old_name},
    {"a link leads to its new target", link_leads_to_its_new_target},
    {"swapped names are never mixed up", swapped_names_are_never_mixed_up},
    {NULL, NULL},
};

const struct test_suite suite_tree_paths = {"tree_paths", cases};

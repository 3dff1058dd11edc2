/*
 * test_env_order.c - the order in which a table keeps its keys is that of their bytes.
 *
 * The tree's table brings a comparison of its own, which is quicker than LMDB's; a store whose
 * order were another one could not be read by any program that does not have it.
 */
#include "stores.h"
#include "../regstore/env_lmdb.h"

#define KEYS 2000u
#define LONGEST 19u /* bytes of a key: beyond two words */

static int make_nothing(struct env_txn *txn)
{
    (void)txn;
    return RS_OK;
}

/* Keys that begin alike, of bytes at the ends of what a byte can be. */
static struct slice random_key(unsigned char *key, unsigned seed)
{
    static const unsigned char some[] = {0, 1, 0x7f, 0x80, 0xff};
    size_t size = 1 + seed % LONGEST;
    memset(key, 7, size);
    for (size_t i = 0; i < 3; i++) {
        seed = seed * 1103515245u + 12345u;
        key[(seed >> 16) % size] = some[(seed >> 8) % sizeof some];
    }
    return (struct slice){key, size};
}

static int byte_order(struct slice a, struct slice b)
{
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static void put_all(struct env_txn *txn, enum env_table table)
{
    unsigned char key[LONGEST];
    for (unsigned i = 0; i < KEYS; i++) {
        SUCCEEDS(env_put(txn, table, random_key(key, i), (struct slice){"x", 1}));
    }
}

static void find_all(struct env_txn *txn, enum env_table table)
{
    unsigned char key[LONGEST];
    struct slice value;
    for (unsigned i = 0; i < KEYS; i++) {
        SUCCEEDS(env_get(txn, table, random_key(key, i), &value));
    }
}

static void walk(struct env_txn *txn, enum env_table table)
{
    struct slice before = {"", 0};
    struct slice found, value;
    struct env_cursor cursor = {NULL};
    SUCCEEDS(env_cursor_open(txn, table, &cursor));
    int status = env_cursor_first(&cursor, &found, &value);
    for (; status == RS_OK; status = env_cursor_next(&cursor, &found, &value)) {
        CU_ASSERT(byte_order(before, found) < 0);
        before = found;
    }
    CU_ASSERT_EQUAL(status, RS_END);
    env_cursor_close(&cursor);
}

static void keys_are_in_the_order_of_bytes(void)
{
    struct env *env = NULL;
    struct env_txn txn = {0};
    SUCCEEDS(env_open(scratch_path("store"), RS_CREATE, make_nothing, &env, NULL));
    SUCCEEDS(env_begin(env, true, &txn, NULL));
    for (int table = 0; table < TABLE_COUNT; table++) {
        put_all(&txn, (enum env_table)table);
        walk(&txn, (enum env_table)table);
        find_all(&txn, (enum env_table)table);
    }
    env_abort(&txn);
    env_close(env);
}

static const struct test_case cases[] = {
    {"keys are in the order of bytes", keys_are_in_the_order_of_bytes},
    {NULL, NULL},
};
const struct test_suite suite_env_order = {"env_order", cases};

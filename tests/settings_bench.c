/* settings_bench.c - see settings_bench.h. */
#include "harness.h"

#include "settings_bench.h"

const char *const default_list[] = {"one", "two", NULL};

const struct setting bench_table[ROWS] = {
    [RATE] = SETTING_ROW_NUMBER("Rate", 1, 5, 2, "ms", SETTING_LIVE, "Q1"),
    [LEVEL] = SETTING_ROW_NUMBER_OR("Level", 0, 1, 0xffffffffu, 0, NULL, SETTING_RELOAD, "Q2"),
    [SWITCH] = SETTING_ROW_BOOL("Switch", 1, SETTING_LIVE, "Q3"),
    [COMMENT] = SETTING_ROW_STRING("Comment", "none", SETTING_LIVE, "Q4"),
    [SHARES] = SETTING_ROW_MULTI("Shares", default_list, SETTING_LIVE, "Q5"),
    [BUFFERS] = SETTING_ROW_CHOSEN("Buffers", 1, 512, NULL, SETTING_RESTART, "Q6"),
};

rs_store *bench_open(void)
{
    rs_store *store = NULL;
    rs_error error = RS_ERROR_INIT;
    int status = rs_open(scratch_path("store"), RS_CREATE, &store, &error);
    CU_ASSERT_EQUAL_FATAL(status, RS_OK);
    return store;
}

rs_txn *bench_begin(rs_store *store, unsigned mode)
{
    rs_txn *txn = NULL;
    CU_ASSERT_EQUAL_FATAL(rs_begin(store, mode, &txn), RS_OK);
    return txn;
}

uint64_t bench_commit(rs_txn *txn)
{
    uint64_t revision = 0;
    CU_ASSERT_EQUAL_FATAL(rs_commit(txn, &revision), RS_OK);
    return revision;
}

rs_key bench_key(rs_txn *txn)
{
    rs_key key = RS_NO_KEY;
    CU_ASSERT_EQUAL_FATAL(rs_key_create(txn, RS_NO_KEY, BENCH_KEY, &key), RS_OK);
    return key;
}

uint64_t bench_set_dword(rs_store *store, const char *name, uint32_t number)
{
    rs_txn *txn = bench_begin(store, RS_WRITE);
    CU_ASSERT_EQUAL_FATAL(rs_set_dword(txn, bench_key(txn), name, number), RS_OK);
    return bench_commit(txn);
}

uint64_t bench_set_string(rs_store *store, const char *name, const char *text)
{
    rs_txn *txn = bench_begin(store, RS_WRITE);
    CU_ASSERT_EQUAL_FATAL(rs_set_string(txn, bench_key(txn), name, text), RS_OK);
    return bench_commit(txn);
}

uint64_t bench_set_multi(rs_store *store, const char *name, const char *const *strings,
                         size_t count)
{
    rs_txn *txn = bench_begin(store, RS_WRITE);
    CU_ASSERT_EQUAL_FATAL(rs_set_multi(txn, bench_key(txn), name, strings, count), RS_OK);
    return bench_commit(txn);
}

uint64_t bench_set_bytes(rs_store *store, const char *name, uint32_t type, const void *data,
                         size_t size)
{
    rs_txn *txn = bench_begin(store, RS_WRITE);
    CU_ASSERT_EQUAL_FATAL(rs_value_set(txn, bench_key(txn), name, type, data, size), RS_OK);
    return bench_commit(txn);
}

/* settings_bench.c - see settings_bench.h. */
#include "stores.h"

#include "settings_bench.h"

#include "../services/common/rule.h"

const char *const default_list[] = {"one", "two", NULL};

const struct setting bench_table[ROWS] = {
    [RATE] = {"Rate", SETTING_NUMBER},     [LEVEL] = {"Level", SETTING_NUMBER},
    [SWITCH] = {"Switch", SETTING_NUMBER}, [COMMENT] = {"Comment", SETTING_TEXT},
    [SHARES] = {"Shares", SETTING_LIST},   [BUFFERS] = {"Buffers", SETTING_NUMBER},
};

static const char *const bench_fields[ROWS] = {
    [RATE] = "type=REG_DWORD|min=1|max=5|default=2|unit=ms|applies=live|source=Q1",
    [LEVEL] = "type=REG_DWORD|enum=0|enum=1|enum=0xffffffff|default=0|applies=reload|source=Q2",
    [SWITCH] = "type=REG_DWORD|min=0|max=1|default=1|applies=live|source=Q3",
    [COMMENT] = "type=REG_SZ|default=none|applies=live|source=regstore",
    [SHARES] = "type=REG_MULTI_SZ|default=one|default=two|applies=live|source=Q5",
    [BUFFERS] = "type=REG_DWORD|min=1|max=512|applies=restart|source=Q6",
};

static struct shipped_rule bench_rules[ROWS + 1];

const struct service bench_service = {
    .program = "test-service",
    .summary = "is a test",
    .key = BENCH_KEY,
    .table = bench_table,
    .count = ROWS,
    .rules = bench_rules,
};

/* Once for all tests. */
static void make_rules(void)
{
    static struct buffer data[ROWS];
    for (int i = 0; i < ROWS && data[i].data == NULL; i++) {
        data[i] = multi_of(bench_fields[i]);
        bench_rules[i] = (struct shipped_rule){BENCH_KEY, bench_table[i].name,
                                               (const unsigned char *)data[i].data, data[i].size};
    }
}

rs_store *bench_open(void)
{
    rs_store *store = NULL;
    rs_error error = RS_ERROR_INIT;
    make_rules();
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

int bench_load(rs_txn *txn, const struct service *service, struct settings **settings)
{
    struct rules *rules;
    int status = rules_load(txn, service, &rules);
    if (status == RS_OK) {
        status = settings_load(txn, service, rules, settings);
        rules_free(rules);
    }
    return status;
}

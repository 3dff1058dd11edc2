/*
 * test_access - what a null session may reach, and by what names the server is known.
 */
#include "settings_bench.h"
#include "stores.h"

#include "../services/common/access.h"
#include "../services/common/names.h"

#include <stdio.h>

static const char *const server2[] = {"SERVER2", "server2-host", "server2-host.example.org", NULL};

struct row {
    const char *entry;
    const char *asked;
    bool open;
};

static const struct row share_rows[] = {
    {"Printer", "Printer", true},
    {"PRINTER", "printer", true},
    {"dr\xc3\xbc"
     "cken",
     "DR\xc3\x9c"
     "CKEN",
     true},
    {"Printer", "Printe", false},
    {"Printe", "Printer", false},
    {"Printer\\", "Printer", true},
    {"Printer\\\\", "Printer", false},
    {"\\\\SERVER2\\Printer", "Printer", true},
    {"\\\\server2\\pRINTER", "Printer", true},
    {"\\\\server2\\printer\\", "Printer", true},
    {"\\\\SERVER2-HOST\\Printer", "Printer", true},
    {"\\\\server2-host.EXAMPLE.org\\Printer", "Printer", true},
    {"\\\\SERVER3\\Printer", "Printer", false},
    {"\\\\SERVER2.\\Printer", "Printer", false},
    {"\\\\SERVER\\Printer", "Printer", false},
    {"\\\\SERVER22\\Printer", "Printer", false},
    {"\\\\SERVER2\\Printer\\Sub", "Printer", false},
    {"\\\\SERVER2\\Printer\\Sub", "Sub", false},
    {"\\\\SERVER2\\\\Printer", "Printer", false},
    {"\\\\SERVER2\\", "SERVER2", false},
    {"\\\\SERVER2\\", "Printer", false},
    {"\\\\SERVER2", "SERVER2", false},
    {"\\\\\\Printer", "Printer", false},
    {"\\\\", "Printer", false},
    {"\\", "Printer", false},
    {"\\Printer", "Printer", false},
    {"//SERVER2/Printer", "Printer", false},
    {" Printer", "Printer", false},
    {"Printer ", "Printer", false},
    {"*", "Printer", false},
    {"", "Printer", false},
    {"", "", false},
    {"\\\\SERVER2\\", "", false},
    {"DFS$", "dfs$", true},
    {"a\\b", "a\\b", false},
    {"\xff\xfe", "\xff\xfe", true},
    {"\xff\xfe", "Printer", false},
};

static const struct row pipe_rows[] = {
    {"SPOOLSS", "spoolss", true},
    {"SPOOLSS", "\\PIPE\\spoolss", true},
    {"SPOOLSS", "\\pipe\\spoolss", true},
    {"SPOOLSS\\", "spoolss", true},
    {"SQL\\QUERY", "sql\\query", true},
    {"SQL\\QUERY", "\\pipe\\sql\\query", true},
    {"SQL", "sql\\query", false},
    {"QUERY", "sql\\query", false},
    {"\\PIPE\\SPOOLSS", "spoolss", true},
    {"PIPE\\SPOOLSS", "spoolss", false},
    {"\\SPOOLSS", "spoolss", false},
    {"\\\\SERVER2\\PIPE\\SPOOLSS", "spoolss", true},
    {"\\\\SERVER2\\pipe\\sql\\query", "SQL\\QUERY", true},
    {"\\\\SERVER3\\PIPE\\SPOOLSS", "spoolss", false},
    {"\\\\SERVER2\\SPOOLSS", "spoolss", false},
    {"\\\\SERVER2\\PIPE\\", "spoolss", false},
    {"\\PIPE\\", "", false},
    {"SPOOLS", "spoolss", false},
    {"SPOOLSS", "", false},
    {"SPOOLSS", "\\PIPE\\", false},
    {"SPOOLSS", "\\spoolss", false},
    {"", "spoolss", false},
};

static void check_rows(const struct row *rows, size_t count,
                       bool (*decide)(const struct null_sessions *, const char *const *,
                                      const char *))
{
    for (size_t i = 0; i < count; i++) {
        const char *const entries[] = {"COMCFG", rows[i].entry, "last", NULL};
        struct null_sessions allowed = {true, entries};
        bool open = decide(&allowed, server2, rows[i].asked);
        if (open != rows[i].open) {
            printf("\n    entry \"%s\", asked \"%s\"", rows[i].entry, rows[i].asked);
        }
        CU_ASSERT_EQUAL(open, rows[i].open);
    }
}

static void entries_open_shares(void)
{
    check_rows(share_rows, sizeof(share_rows) / sizeof(share_rows[0]), access_share);
}

static void entries_open_pipes(void)
{
    check_rows(pipe_rows, sizeof(pipe_rows) / sizeof(pipe_rows[0]), access_pipe);
}

static void without_restriction_all_is_open(void)
{
    static const char *const none[] = {NULL};
    struct null_sessions allowed = {false, none};
    CU_ASSERT_TRUE(access_share(&allowed, server2, "Printer"));
    CU_ASSERT_TRUE(access_pipe(&allowed, server2, "spoolss"));
    CU_ASSERT_FALSE(access_share(&allowed, server2, ""));
    CU_ASSERT_FALSE(access_share(&allowed, server2, "a\\b"));
    allowed.restricted = true;
    CU_ASSERT_FALSE(access_share(&allowed, server2, "Printer"));
    CU_ASSERT_FALSE(access_pipe(&allowed, server2, "spoolss"));
}

/* ---- Names */

static void expect_names(rs_store *store, const char *host, const char *joined)
{
    struct server_names names;
    char text[1024] = "";
    rs_txn *txn = bench_begin(store, RS_READ);
    SUCCEEDS(names_load(txn, host, &names));
    rs_abort(txn);
    for (size_t i = 0; names.list[i] != NULL; i++) {
        strncat(text, names.list[i], sizeof(text) - strlen(text) - 1);
        strncat(text, ",", sizeof(text) - strlen(text) - 1);
    }
    CU_ASSERT_STRING_EQUAL(text, joined);
}

static void set_text(rs_store *store, const char *path, const char *name, const char *text)
{
    rs_key key;
    rs_txn *txn = bench_begin(store, RS_WRITE);
    SUCCEEDS(rs_key_create(txn, RS_NO_KEY, path, &key));
    SUCCEEDS(rs_set_string(txn, key, name, text));
    (void)bench_commit(txn);
}

static void names_come_from_host_and_store(void)
{
    rs_store *store = bench_open();
    expect_names(store, "server2", "SERVER2,server2,");
    expect_names(store, "server2.example.org", "SERVER2,server2,server2.example.org,");
    expect_names(store, "a-very-long-name-indeed", "A-VERY-LONG-NAM,a-very-long-name-indeed,");
    expect_names(store, "", "");
    set_text(store, "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters", "Domain",
             "corp.example.org");
    expect_names(store, "server2", "SERVER2,server2,server2.corp.example.org,");
    expect_names(store, "server2.example.org", "SERVER2,server2,server2.example.org,");
    set_text(store, "HKLM\\SYSTEM\\CurrentControlSet\\Control\\ComputerName\\ComputerName",
             "ComputerName", "NTSERVER");
    expect_names(store, "server2", "NTSERVER,server2,server2.corp.example.org,");
    set_text(store, "HKLM\\SYSTEM\\CurrentControlSet\\Control\\ComputerName\\ComputerName",
             "ComputerName", "");
    expect_names(store, "server2", "SERVER2,server2,server2.corp.example.org,");
    rs_close(store);
}

static void names_of_another_type_are_passed_over(void)
{
    rs_store *store = bench_open();
    rs_key key;
    rs_txn *txn = bench_begin(store, RS_WRITE);
    SUCCEEDS(rs_key_create(txn, RS_NO_KEY,
                           "HKLM\\SYSTEM\\CurrentControlSet\\Control\\ComputerName\\ComputerName",
                           &key));
    SUCCEEDS(rs_set_dword(txn, key, "ComputerName", 5));
    (void)bench_commit(txn);
    expect_names(store, "server2", "SERVER2,server2,");
    rs_close(store);
}

static void names_too_long_are_left_out(void)
{
    rs_store *store = bench_open();
    set_text(store, "HKLM\\SYSTEM\\CurrentControlSet\\Control\\ComputerName\\ComputerName",
             "ComputerName", repeated("x", NAMES_SIZE));
    expect_names(store, "server2", "SERVER2,server2,");
    rs_close(store);
}

static const struct test_case cases[] = {
    {"entries open shares", entries_open_shares},
    {"entries open pipes", entries_open_pipes},
    {"without restriction all is open", without_restriction_all_is_open},
    {"names come from host and store", names_come_from_host_and_store},
    {"names of another type are passed over", names_of_another_type_are_passed_over},
    {"names too long are left out", names_too_long_are_left_out},
    {NULL, NULL},
};

const struct test_suite suite_access = {"access", cases};

/*
 * test_shares - what smb.conf can hold, and the shares of LanmanServer\Shares.
 */
#include "settings_bench.h"
#include "stores.h"

#include "../services/lanmanserver/conf_text.h"
#include "../services/lanmanserver/shares.h"

#include <stdio.h>

#define MAX_STRINGS 8

/* ---- Texts */

struct text_row {
    const char *text;
    const char *plain; /* NULL: it cannot be written */
};

static const struct text_row text_rows[] = {
    {"", ""},
    {"The data", "The data"},
    {"  two   blanks  ", "two blanks"},
    {" ", ""},
    {"100% pure", "100% pure"},
    {"100%", "100%"},
    {"100% ", "100%"},
    {"50%-off", NULL},
    {"%h", NULL},
    {"%%", NULL},
    {"% %$(HOME)", NULL},
    {"a;b#c=d [e]", "a;b#c=d [e]"},
    {"; a", "; a"},
    {"# a", "# a"},
    {"a\\b", "a\\b"},
    {"tail\\", NULL},
    {"tail\\ ", NULL},
    {"a\nguest ok = yes", NULL},
    {"a\rb", NULL},
    {"a\tb", NULL},
    {"a\x7f", NULL},
    {"\"quoted\"", NULL},
    {"a \"quoted\" word", "a \"quoted\" word"},
    {" \"a", NULL},
    {"dr\xc3\xbc"
     "cken \xf0\x9f\x96\xa8",
     "dr\xc3\xbc"
     "cken \xf0\x9f\x96\xa8"},
    {"\xff", NULL},
    {"\xc3", NULL},
    {"\xc0\xaf", NULL},         /* longer than it need be */
    {"\xed\xa0\x80", NULL},     /* a surrogate */
    {"\xf4\x90\x80\x80", NULL}, /* beyond Unicode */
};

static void texts_are_written_or_not(void)
{
    for (size_t i = 0; i < sizeof(text_rows) / sizeof(text_rows[0]); i++) {
        char plain[CONF_TEXT_MAX + 1] = "?";
        const char *problem = conf_plain_text(text_rows[i].text, plain);
        const char *wanted = text_rows[i].plain;
        if ((problem == NULL) != (wanted != NULL)) {
            printf("\n    \"%s\"", text_rows[i].text);
        }
        CU_ASSERT_EQUAL(problem == NULL, wanted != NULL);
        if (problem == NULL && wanted != NULL) {
            CU_ASSERT_STRING_EQUAL(plain, wanted);
        }
    }
}

static void texts_have_an_end(void)
{
    char plain[CONF_TEXT_MAX + 1];
    CU_ASSERT_PTR_NULL(conf_plain_text(repeated("x", CONF_TEXT_MAX), plain));
    CU_ASSERT_EQUAL(strlen(plain), CONF_TEXT_MAX);
    CU_ASSERT_PTR_NOT_NULL(conf_plain_text(repeated("x", CONF_TEXT_MAX + 1), plain));
    CU_ASSERT_PTR_NULL(conf_name_problem(repeated("x", CONF_NAME_MAX)));
    CU_ASSERT_PTR_NULL(conf_name_problem(repeated("\xc3\xbc", CONF_NAME_MAX)));
    CU_ASSERT_PTR_NOT_NULL(conf_name_problem(repeated("x", CONF_NAME_MAX + 1)));
}

static void paths_are_taken_to_the_letter(void)
{
    static const char *const good[] = {"/",         "/srv/data",  "/srv/the data",
                                       "/srv/a\\b", "/srv/a;b#c", "/srv/d\xc3\xbcr",
                                       "/srv/..",   "/srv/a\"b"};
    static const char *const bad[] = {"",          "srv",         "C:\\data",   "\\\\S\\x",
                                      "/srv/%u",   "/srv/a%",     "/srv/a ",    "/srv/a  b",
                                      "/srv/a\\",  "/srv/a\nb",   "/srv/\xff",  "/srv/\"a\"",
                                      "/srv/a\tb", "./srv/data/", " /srv/data", "~/data"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        CU_ASSERT_PTR_NULL(conf_path_problem(good[i]));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CU_ASSERT_PTR_NOT_NULL(conf_path_problem(bad[i]));
    }
    CU_ASSERT_PTR_NOT_NULL(conf_path_problem(repeated("/x", CONF_TEXT_MAX)));
}

static void names_are_those_of_shares(void)
{
    static const char *const good[] = {"Printer", "DFS$", "print$",     "the data", "a'b", "a.b",
                                       "a(b)",    "x",    "dr\xc3\xbc", "global2",  "a&b", "@a"};
    static const char *const bad[] = {
        "",       "a/b",   "a\\b",     "a]b",  "[a",   "a:b",     "a|b",   "a<b",  "a>b",
        "a+b",    "a=b",   "a;b",      "a,b",  "a*",   "a?",      "%S",    "a%b",  "\"a\"",
        " a",     "a ",    "a  b",     "-a",   "#a",   "a\nb",    "a\x01", "\xff", "global",
        "GLOBAL", "homes", "Printers", "ipc$", "IPC$", "glo bal", "a\x7f"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        CU_ASSERT_PTR_NULL(conf_name_problem(good[i]));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CU_ASSERT_PTR_NOT_NULL(conf_name_problem(bad[i]));
    }
}

/* ---- One share */

struct share_row {
    const char *strings[MAX_STRINGS];
    const char *where; /* the problem is; NULL: there is none */
};

static const struct share_row share_rows[] = {
    {{"Path=/srv/data"}, NULL},
    {{"path=/srv/data", "TYPE=0"}, NULL},
    {{"MaxUses=4294967295", "Path=C:\\WINNT\\system32\\Repl\\Import\\Scripts", "Permissions=1",
      "Remark=Logon server share ", "Type=0"},
     "Path"}, /* of a real NT 4.0 hive */
    {{"Type=0"}, "Path"},
    {{"Path=", "Type=0"}, "Path"},
    {{""}, "Path"},
    {{NULL}, "Path"},
    {{"Path=srv/data"}, "Path"},
    {{"Path=/srv/%u"}, "Path"},
    {{"Path=/srv/data", "Type=3"}, "Type"},
    {{"Path=/srv/data", "Type=2"}, "Type"},
    {{"Path=/srv/data", "Type=2147483648"}, NULL}, /* special: ADMIN$ */
    {{"Path=/srv/data", "Type=-1"}, "Type"},
    {{"Path=/srv/data", "Type=0x0"}, "Type"},
    {{"Path=/srv/data", "Type="}, "Type"},
    {{"Path=/srv/data", "MaxUses=4294967296"}, "MaxUses"},
    {{"Path=/srv/data", "MaxUses=many"}, "MaxUses"},
    {{"Path=/srv/data", "Permissions= 1"}, "Permissions"},
    {{"Path=/srv/data", "CSCFlags=1x"}, "CSCFlags"},
    {{"Path=/srv/data", "ShareName=DATA"}, NULL},
    {{"Path=/srv/data", "ShareName=Other"}, "ShareName"},
    {{"Path=LaserJet,LocalsplOnly", "Type=1"}, NULL},
    {{"Path=LaserJet", "Type=1"}, NULL},
    {{"Path=/var/spool/jobs", "Type=1"}, NULL},
    {{"Path=,LocalsplOnly", "Type=1"}, "Path"},
    {{"Path=Laser  Jet", "Type=1"}, "Path"},
    {{"Path=%S", "Type=1"}, "Path"},
    {{"Path=/srv/data", "CATimeout=0", "Unknown=x"}, NULL},
};

static void rows_are_shares_or_not(void)
{
    for (size_t i = 0; i < sizeof(share_rows) / sizeof(share_rows[0]); i++) {
        struct share share;
        share_read("Data", share_rows[i].strings, &share);
        const char *where = share.problem != NULL ? share.where : "none";
        const char *wanted = share_rows[i].where != NULL ? share_rows[i].where : "none";
        if (strcmp(where, wanted) != 0) {
            printf("\n    row %zu", i);
        }
        CU_ASSERT_STRING_EQUAL(where, wanted);
    }
}

static void fields_are_read(void)
{
    static const char *const disk[] = {"CSCFlags=48",     "MaxUses=10", "Path=/srv/data",
                                       "Permissions=127", "Remark=a=b", NULL};
    static const char *const printer[] = {"Path=LaserJet,LocalsplOnly", "Type=1", NULL};
    struct share share;
    share_read("Data", disk, &share);
    CU_ASSERT_PTR_NULL(share.problem);
    CU_ASSERT_STRING_EQUAL(share.path, "/srv/data");
    CU_ASSERT_STRING_EQUAL(share.remark, "a=b");
    CU_ASSERT_EQUAL(share.max_uses, 10);
    CU_ASSERT_TRUE(share.writable);
    CU_ASSERT_EQUAL(share.caching, 3);
    CU_ASSERT_PTR_NULL(share.printer);
    share_read("LJ", printer, &share);
    CU_ASSERT_PTR_NULL(share.path);
    CU_ASSERT_EQUAL(share.printer_size, strlen("LaserJet"));
    CU_ASSERT_EQUAL(share.max_uses, SHARES_UNLIMITED);
    CU_ASSERT_FALSE(share.writable);
}

/* ---- The key */

static rs_key shares_key(rs_txn *txn, const char *path)
{
    rs_key key;
    SUCCEEDS(rs_key_create(txn, RS_NO_KEY, path, &key));
    return key;
}

static void the_key_is_read_in_order(void)
{
    static const char *const strings[] = {"Path=/srv/data"};
    static const char guard[] = {1, 0, 4};
    struct shares shares;
    rs_store *store = bench_open();
    rs_txn *txn = bench_begin(store, RS_WRITE);
    rs_key key = shares_key(txn, SHARES_KEY);
    SUCCEEDS(rs_set_multi(txn, key, "zeta", strings, 1));
    SUCCEEDS(rs_set_multi(txn, key, "Alpha", strings, 1));
    SUCCEEDS(rs_set_dword(txn, key, "beta", 5));
    key = shares_key(txn, SHARES_KEY "\\Security");
    SUCCEEDS(rs_set_binary(txn, key, "ZETA", guard, sizeof(guard)));
    SUCCEEDS(rs_set_binary(txn, key, "gone", guard, sizeof(guard)));
    (void)bench_commit(txn);
    txn = bench_begin(store, RS_READ);
    SUCCEEDS(shares_load(txn, &shares));
    CU_ASSERT_EQUAL_FATAL(shares.count, 3);
    EQUAL_TEXT(shares.list[0].name, "Alpha");
    EQUAL_TEXT(shares.list[1].name, "beta");
    EQUAL_TEXT(shares.list[2].name, "zeta");
    CU_ASSERT_PTR_NULL(shares.list[0].problem);
    CU_ASSERT_PTR_NOT_NULL(shares.list[1].problem);
    CU_ASSERT_FALSE(shares.list[0].guarded);
    CU_ASSERT_TRUE(shares.list[2].guarded);
    shares_free(&shares);
    rs_abort(txn);
    rs_close(store);
}

static void names_with_nul_are_left_out(void)
{
    static const char *const strings[] = {"Path=/srv/data"};
    struct shares shares;
    rs_store *store = bench_open();
    rs_txn *txn = bench_begin(store, RS_WRITE);
    rs_key key = shares_key(txn, SHARES_KEY);
    SUCCEEDS(rs_set_multi_n(txn, key, "Data\0x", 6, strings, 1));
    (void)bench_commit(txn);
    txn = bench_begin(store, RS_READ);
    SUCCEEDS(shares_load(txn, &shares));
    CU_ASSERT_EQUAL_FATAL(shares.count, 1);
    CU_ASSERT_PTR_NOT_NULL(shares.list[0].problem);
    shares_free(&shares);
    rs_abort(txn);
    rs_close(store);
}

static void no_key_is_no_shares(void)
{
    struct shares shares;
    rs_store *store = bench_open();
    rs_txn *txn = bench_begin(store, RS_READ);
    SUCCEEDS(shares_load(txn, &shares));
    CU_ASSERT_EQUAL(shares.count, 0);
    shares_free(&shares);
    rs_abort(txn);
    rs_close(store);
}

static const struct test_case cases[] = {
    {"texts are written or not", texts_are_written_or_not},
    {"texts have an end", texts_have_an_end},
    {"paths are taken to the letter", paths_are_taken_to_the_letter},
    {"names are those of shares", names_are_those_of_shares},
    {"rows are shares or not", rows_are_shares_or_not},
    {"fields are read", fields_are_read},
    {"the key is read in order", the_key_is_read_in_order},
    {"names with NUL are left out", names_with_nul_are_left_out},
    {"no key is no shares", no_key_is_no_shares},
    {NULL, NULL},
};

const struct test_suite suite_shares = {"shares", cases};

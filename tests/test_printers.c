/*
 * test_printers - the printers of this computer: how they are read from a store, what is announced
 * of them, and how the peers are read that they are announced to.
 */
#include "stores.h"

#include "settings_bench.h"

#include "../services/spooler/own.h"
#include "../services/spooler/peers.h"

#include <stdio.h>
#include <stdlib.h>

#define PRINTERS "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print\\Printers"

static rs_key make_printer(rs_txn *txn, const char *name, const char *share)
{
    char path[512];
    snprintf(path, sizeof(path), PRINTERS "\\%s", name);
    rs_key key;
    SUCCEEDS(rs_key_create(txn, RS_NO_KEY, path, &key));
    if (share != NULL) {
        SUCCEEDS(rs_set_string(txn, key, "Share Name", share));
    }
    return key;
}

static struct printers *load(rs_store *store, struct line *problems)
{
    struct printers *printers;
    rs_txn *txn = bench_begin(store, RS_READ);
    SUCCEEDS(printers_load(txn, PRINTERS, problems, &printers));
    rs_abort(txn);
    return printers;
}

static void values_are_read(void)
{
    struct line problems = LINE_INIT;
    rs_store *store = bench_open();
    rs_txn *txn = bench_begin(store, RS_WRITE);
    rs_key key = make_printer(txn, "Laser", "LASER");
    SUCCEEDS(rs_set_string(txn, key, "Printer Driver", "HP LaserJet 4/4M"));
    SUCCEEDS(rs_set_string(txn, key, "Description", "Second floor"));
    SUCCEEDS(rs_set_string(txn, key, "Location", "Room 2"));
    SUCCEEDS(rs_set_string(txn, key, "Port", "LPT1:"));
    SUCCEEDS(rs_set_dword(txn, key, "Attributes", 0x48));
    SUCCEEDS(rs_set_dword(txn, key, "Status", 2));
    bench_commit(txn);
    struct printers *printers = load(store, &problems);
    CU_ASSERT_EQUAL_FATAL(printers->count, 1);
    const struct printer *printer = printers->rows[0];
    EQUAL_TEXT(printer->texts[PRINTER_NAME], "Laser");
    EQUAL_TEXT(printer->texts[PRINTER_SHARE], "LASER");
    EQUAL_TEXT(printer->texts[PRINTER_DRIVER], "HP LaserJet 4/4M");
    EQUAL_TEXT(printer->texts[PRINTER_COMMENT], "Second floor");
    EQUAL_TEXT(printer->texts[PRINTER_LOCATION], "Room 2");
    EQUAL_TEXT(printer->texts[PRINTER_PORT], "LPT1:");
    EQUAL_TEXT(printer->texts[PRINTER_DATATYPE], "");
    CU_ASSERT_EQUAL(printer->numbers[PRINTER_ATTRIBUTES], 0x48);
    CU_ASSERT_EQUAL(printer->numbers[PRINTER_STATUS], 2);
    CU_ASSERT_TRUE(printer->shared);
    EQUAL_TEXT(problems.text, "");
    printers_free(printers);
    rs_close(store);
}

static void no_key_is_no_printer(void)
{
    struct line problems = LINE_INIT;
    rs_store *store = bench_open();
    struct printers *printers = load(store, &problems);
    CU_ASSERT_EQUAL(printers->count, 0);
    EQUAL_TEXT(problems.text, "");
    printers_free(printers);
    rs_close(store);
}

/* Shared: a share name, and nothing in the attributes that says otherwise. */
static void a_share_name_decides(void)
{
    struct line problems = LINE_INIT;
    rs_store *store = bench_open();
    rs_txn *txn = bench_begin(store, RS_WRITE);
    rs_key key = make_printer(txn, "A no name", NULL);
    SUCCEEDS(rs_set_dword(txn, key, "Attributes", 8));
    key = make_printer(txn, "B empty name", "");
    SUCCEEDS(rs_set_dword(txn, key, "Attributes", 8));
    key = make_printer(txn, "C not shared", "C");
    SUCCEEDS(rs_set_dword(txn, key, "Attributes", 0));
    make_printer(txn, "D", "D");
    bench_commit(txn);
    struct printers *printers = load(store, &problems);
    CU_ASSERT_EQUAL_FATAL(printers->count, 4);
    CU_ASSERT_FALSE(printers->rows[0]->shared);
    CU_ASSERT_EQUAL(printers->rows[0]->numbers[PRINTER_ATTRIBUTES], 0);
    CU_ASSERT_FALSE(printers->rows[1]->shared);
    CU_ASSERT_FALSE(printers->rows[2]->shared);
    CU_ASSERT_TRUE(printers->rows[3]->shared);
    CU_ASSERT_EQUAL(printers->rows[3]->numbers[PRINTER_ATTRIBUTES], PRINTER_ATTRIBUTE_SHARED);
    struct own *own = own_make(printers, "SERVER");
    CU_ASSERT_PTR_NOT_NULL_FATAL(own);
    CU_ASSERT_EQUAL_FATAL(own->count, 1);
    EQUAL_TEXT(own->rows[0].name, "\\\\SERVER\\D");
    own_free(own);
    printers_free(printers);
    rs_close(store);
}

static void a_wrong_printer_is_left_out_alone(void)
{
    struct line problems = LINE_INIT;
    rs_store *store = bench_open();
    rs_txn *txn = bench_begin(store, RS_WRITE);
    rs_key key = make_printer(txn, "A", "A");
    SUCCEEDS(rs_set_string(txn, key, "Attributes", "8"));
    key = make_printer(txn, "B", NULL);
    SUCCEEDS(rs_set_dword(txn, key, "Share Name", 1));
    make_printer(txn, "C", "a\\b");
    make_printer(txn, "D", repeated("d", PRINTER_SHARE_MAX + 1));
    make_printer(txn, "E", repeated("e", PRINTER_SHARE_MAX));
    bench_commit(txn);
    struct printers *printers = load(store, &problems);
    CU_ASSERT_EQUAL_FATAL(printers->count, 1);
    EQUAL_TEXT(printers->rows[0]->texts[PRINTER_NAME], "E");
    EQUAL_TEXT(problems.text,
               "printer \"A\" is left out: \"Attributes\" is no REG_DWORD; "
               "printer \"B\" is left out: \"Share Name\" is no text; "
               "printer \"C\" is left out: \"Share Name\" has a character that no share's name "
               "has; printer \"D\" is left out: \"Share Name\" is too long");
    printers_free(printers);
    rs_close(store);
}

static void there_may_be_a_thousand(void)
{
    struct line problems = LINE_INIT;
    rs_store *store = bench_open();
    rs_txn *txn = bench_begin(store, RS_WRITE);
    for (int i = 0; i < PRINTERS_MAX + 2; i++) {
        char name[16];
        snprintf(name, sizeof(name), "P%04d", i);
        make_printer(txn, name, name);
    }
    bench_commit(txn);
    struct printers *printers = load(store, &problems);
    CU_ASSERT_EQUAL(printers->count, PRINTERS_MAX);
    EQUAL_TEXT(problems.text,
               "there are more than 1000 printers: those from \"P1000\" on are left out");
    printers_free(printers);
    rs_close(store);
}

static void queues_are_described(void)
{
    struct line problems = LINE_INIT;
    rs_store *store = bench_open();
    rs_txn *txn = bench_begin(store, RS_WRITE);
    rs_key key = make_printer(txn, "HPLaser", NULL);
    SUCCEEDS(rs_set_string(txn, key, "Name", "HP Laser"));
    SUCCEEDS(rs_set_dword(txn, key, "Status", 3));
    SUCCEEDS(rs_set_dword(txn, key, "NullSession", 1));
    key = make_printer(txn, "Other", NULL);
    SUCCEEDS(rs_set_dword(txn, key, "Status", 2));
    SUCCEEDS(rs_set_string(txn, key, "CredentialsFile", "/etc/regstore/printing/other"));
    bench_commit(txn);
    struct printers *printers = load(store, &problems);
    CU_ASSERT_EQUAL_FATAL(printers->count, 2);
    EQUAL_TEXT(printers->rows[0]->key, "HPLaser");
    EQUAL_TEXT(printers->rows[0]->texts[PRINTER_NAME], "HP Laser");
    EQUAL_TEXT(printers->rows[0]->texts[PRINTER_CREDENTIALS], "");
    CU_ASSERT_TRUE(printers->rows[0]->paused);
    CU_ASSERT_TRUE(printers->rows[0]->null_session);
    EQUAL_TEXT(printers->rows[1]->texts[PRINTER_NAME], "Other");
    EQUAL_TEXT(printers->rows[1]->texts[PRINTER_CREDENTIALS], "/etc/regstore/printing/other");
    CU_ASSERT_FALSE(printers->rows[1]->paused);
    CU_ASSERT_FALSE(printers->rows[1]->null_session);
    EQUAL_TEXT(problems.text, "");
    printers_free(printers);
    rs_close(store);
}

static const char *found(const struct printers *printers, const char *name)
{
    const struct printer *printer = printers_find(printers, name);
    return printer == NULL ? "none" : printer->key;
}

/* By key before Name, by Name before share, and of several the first. */
static void printers_are_found_by_their_names(void)
{
    struct line problems = LINE_INIT;
    rs_store *store = bench_open();
    rs_txn *txn = bench_begin(store, RS_WRITE);
    SUCCEEDS(rs_set_string(txn, make_printer(txn, "A", "Share"), "Name", "Alpha"));
    SUCCEEDS(rs_set_string(txn, make_printer(txn, "B", "B2"), "Name", "Share"));
    SUCCEEDS(rs_set_string(txn, make_printer(txn, "C", "\xc3\x84"), "Name", "B"));
    SUCCEEDS(rs_set_string(txn, make_printer(txn, "D", "b2"), "Name", "alpha"));
    make_printer(txn, "E", NULL);
    bench_commit(txn);
    struct printers *printers = load(store, &problems);
    EQUAL_TEXT(found(printers, "a"), "A");
    EQUAL_TEXT(found(printers, "ALPHA"), "A");
    EQUAL_TEXT(found(printers, "b"), "B");
    EQUAL_TEXT(found(printers, "share"), "B");
    EQUAL_TEXT(found(printers, "B2"), "B");
    EQUAL_TEXT(found(printers, "\xc3\xa4"), "C");
    EQUAL_TEXT(found(printers, ""), "none");
    EQUAL_TEXT(found(printers, "A "), "none");
    EQUAL_TEXT(found(printers, "..\\Printers\\A"), "none");
    printers_free(printers);
    rs_close(store);
}

static void names_that_no_queue_has_are_left_out(void)
{
    struct line problems = LINE_INIT;
    rs_store *store = bench_open();
    rs_txn *txn = bench_begin(store, RS_WRITE);
    rs_key key, parent;
    make_printer(txn, "Fine", "F");
    SUCCEEDS(rs_key_open(txn, RS_NO_KEY, PRINTERS, &parent));
    SUCCEEDS(rs_key_create(txn, parent, "Needs\u200cit", &key));
    SUCCEEDS(rs_key_create_n(txn, parent, "A\0B", 3, 0, &key, NULL));
    SUCCEEDS(rs_key_create_n(txn, parent, "C\nD", 3, 0, &key, NULL));
    SUCCEEDS(rs_key_create(txn, parent, "E\xc2\x9b", &key));
    SUCCEEDS(rs_key_create(txn, parent, "G\xed\xa0\x80", &key));
    SUCCEEDS(rs_key_create(txn, parent, repeated("\xc3\xa4", 128), &key));
    SUCCEEDS(rs_key_create(txn, parent, repeated("\xe2\x82\xac", 85), &key));
    bench_commit(txn);
    struct printers *printers = load(store, &problems);
    CU_ASSERT_EQUAL_FATAL(printers->count, 3);
    EQUAL_TEXT(printers->rows[0]->key, "Fine");
    EQUAL_TEXT(printers->rows[1]->key, "Needs\u200cit");
    EQUAL_TEXT(printers->rows[2]->key, repeated("\xe2\x82\xac", 85));
    struct line expected = LINE_INIT;
    line_add(&expected, "printer \"A\" is left out: its name has a control character; printer "
                        "\"C\\x0aD\" is left out: its name has a control character; printer "
                        "\"E\\xc2\\x9b\" is left out: its name has a control character; "
                        "printer \"G\\xed\\xa0\\x80\" is left out: its name is no UTF-8; "
                        "printer ");
    line_add_quoted(&expected, repeated("\xc3\xa4", 128));
    line_add(&expected, " is left out: its name is too long");
    EQUAL_TEXT(problems.text, expected.text);
    printers_free(printers);
    rs_close(store);
}

/* ---- Announcements --------------------------------------------------------------------------- */

static void announcements_are_made(void)
{
    struct line problems = LINE_INIT;
    rs_store *store = bench_open();
    rs_txn *txn = bench_begin(store, RS_WRITE);
    rs_key key = make_printer(txn, "A", "Zeta");
    SUCCEEDS(rs_set_string(txn, key, "Printer Driver", "Driver"));
    SUCCEEDS(rs_set_string(txn, key, "Location", "Here"));
    SUCCEEDS(rs_set_string(txn, key, "Description", "Words"));
    key = make_printer(txn, "B", "alpha");
    SUCCEEDS(rs_set_string(txn, key, "Printer Driver", repeated("\xc3\xa4", 120)));
    make_printer(txn, "C", "ALPHA");
    bench_commit(txn);
    struct printers *printers = load(store, &problems);
    struct own *own = own_make(printers, "SERVER");
    CU_ASSERT_PTR_NOT_NULL_FATAL(own);
    CU_ASSERT_EQUAL_FATAL(own->count, 2);
    CU_ASSERT_EQUAL(rs_name_compare(own->rows[0].name, RS_NTS, "\\\\server\\alpha", RS_NTS), 0);
    EQUAL_TEXT(own->rows[1].name, "\\\\SERVER\\Zeta");
    EQUAL_TEXT(own->rows[1].description, "\\\\SERVER\\Zeta,Driver,Here");
    EQUAL_TEXT(own->rows[1].comment, "Words");
    CU_ASSERT_TRUE(own_has(own, "\\\\Server\\ZETA"));
    CU_ASSERT_FALSE(own_has(own, "\\\\Server\\Beta"));
    own_free(own);
    printers_free(printers);
    rs_close(store);
}

static struct own *own_of(rs_store *store)
{
    struct line problems = LINE_INIT;
    struct printers *printers = load(store, &problems);
    struct own *own = own_make(printers, "SERVER");
    CU_ASSERT_PTR_NOT_NULL_FATAL(own);
    printers_free(printers);
    return own;
}

static void a_long_description_is_cut_between_characters(void)
{
    rs_store *store = bench_open();
    rs_txn *txn = bench_begin(store, RS_WRITE);
    rs_key key = make_printer(txn, "A", "A");
    SUCCEEDS(rs_set_string(txn, key, "Printer Driver", repeated("\xc3\xa4", 127)));
    bench_commit(txn);
    struct own *own = own_of(store);
    size_t length = strlen(own->rows[0].description);
    CU_ASSERT_TRUE(length == CACHE_TEXT_MAX || length == CACHE_TEXT_MAX - 1);
    CU_ASSERT_EQUAL((unsigned char)own->rows[0].description[length - 1], 0xa4);
    own_free(own);
    rs_close(store);
}

static void announcements_are_compared(void)
{
    rs_store *store = bench_open();
    rs_txn *txn = bench_begin(store, RS_WRITE);
    make_printer(txn, "A", "A");
    bench_commit(txn);
    struct own *before = own_of(store);
    txn = bench_begin(store, RS_WRITE);
    rs_key key = make_printer(txn, "A", "A");
    SUCCEEDS(rs_set_string(txn, key, "Description", "now with words"));
    bench_commit(txn);
    struct own *words = own_of(store);
    txn = bench_begin(store, RS_WRITE);
    make_printer(txn, "B", "B");
    bench_commit(txn);
    struct own *more = own_of(store);
    CU_ASSERT_TRUE(own_has_more(before, NULL));
    CU_ASSERT_FALSE(own_has_more(words, before));
    CU_ASSERT_TRUE(own_has_more(more, words));
    CU_ASSERT_FALSE(own_has_more(words, more));
    CU_ASSERT_TRUE(own_same(before, before));
    CU_ASSERT_FALSE(own_same(before, words));
    CU_ASSERT_FALSE(own_same(words, more));
    own_free(before);
    own_free(words);
    own_free(more);
    rs_close(store);
}

/* ---- Peers ----------------------------------------------------------------------------------- */

static void peers_are_hosts_with_ports(void)
{
    static const char *const list[] = {
        "alpha",     "Beta.example:1234", "",  "BETA.EXAMPLE:1234", "192.0.2.1:1", "[::1]:2",
        "[fe80::1]", "2001:db8::1",       NULL};
    static const struct peer_address expected[] = {{"alpha", 700},   {"Beta.example", 1234},
                                                   {"192.0.2.1", 1}, {"::1", 2},
                                                   {"fe80::1", 700}, {"2001:db8::1", 700}};
    struct line problem = LINE_INIT;
    struct peer_addresses *addresses;
    CU_ASSERT_TRUE_FATAL(peers_parse(list, 700, &problem, &addresses));
    CU_ASSERT_EQUAL_FATAL(addresses->count, sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < addresses->count; i++) {
        EQUAL_TEXT(addresses->rows[i].host, expected[i].host);
        CU_ASSERT_EQUAL(addresses->rows[i].port, expected[i].port);
    }
    free(addresses);
}

static void expect_no_peer(const char *entry, unsigned standard, const char *why)
{
    const char *const list[] = {entry, NULL};
    struct line problem = LINE_INIT;
    struct peer_addresses *addresses;
    CU_ASSERT_FALSE_FATAL(peers_parse(list, standard, &problem, &addresses));
    EQUAL_TEXT(problem.text, why);
}

static void what_is_no_peer_is_refused(void)
{
    static const char *const entries[] = {"a:",    "a:0",  "a:65536", "a:x",   ":1",   "a b",
                                          "\\\\a", "[::1", "[::1]x",  "[]:1",  "a:-1", "a/b",
                                          "a,b",   "a:+1", "a: 1",    "[::1]:"};
    char why[256];
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        struct line quoted = LINE_INIT;
        line_add_quoted(&quoted, entries[i]);
        snprintf(why, sizeof(why), "BrowseServers: %.64s is neither HOST nor HOST:PORT",
                 quoted.text);
        expect_no_peer(entries[i], 700, why);
    }
    expect_no_peer("alpha", 0,
                   "BrowseServers: \"alpha\" names no port, and ListenPort, which would stand for "
                   "it, is 0");
}

static void peers_are_bounded(void)
{
    static char texts[PEERS_MAX + 1][16];
    static const char *list[PEERS_MAX + 2];
    struct line problem = LINE_INIT;
    struct peer_addresses *addresses;
    for (size_t i = 0; i <= PEERS_MAX; i++) {
        snprintf(texts[i], sizeof(texts[i]), "host%zu", i);
        list[i] = texts[i];
    }
    CU_ASSERT_FALSE_FATAL(peers_parse(list, 1, &problem, &addresses));
    EQUAL_TEXT(problem.text, "BrowseServers: more than 1024 servers");
    list[PEERS_MAX] = NULL;
    CU_ASSERT_TRUE_FATAL(peers_parse(list, 1, &problem, &addresses));
    CU_ASSERT_EQUAL(addresses->count, PEERS_MAX);
    free(addresses);
}

static const struct test_case cases[] = {
    {"values are read", values_are_read},
    {"no key is no printer", no_key_is_no_printer},
    {"a share name decides", a_share_name_decides},
    {"a wrong printer is left out alone", a_wrong_printer_is_left_out_alone},
    {"there may be a thousand", there_may_be_a_thousand},
    {"queues are described", queues_are_described},
    {"printers are found by their names", printers_are_found_by_their_names},
    {"names that no queue has are left out", names_that_no_queue_has_are_left_out},
    {"announcements are made", announcements_are_made},
    {"a long description is cut between characters", a_long_description_is_cut_between_characters},
    {"announcements are compared", announcements_are_compared},
    {"peers are hosts with ports", peers_are_hosts_with_ports},
    {"what is no peer is refused", what_is_no_peer_is_refused},
    {"peers are bounded", peers_are_bounded},
    {NULL, NULL},
};

const struct test_suite suite_printers = {"printers", cases};

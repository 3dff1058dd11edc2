/*
 * test_render - the text that smb.conf includes, what two of them differ in, and what is said of
 * settings without effect.
 */
#include "settings_bench.h"
#include "stores.h"

#include "../services/common/rule.h"
#include "../services/lanmanserver/effects.h"
#include "../services/lanmanserver/render.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define PARAMETERS "HKLM\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Parameters"

static const struct service server = {
    .key = PARAMETERS,
    .table = server_parameters,
    .count = SERVER_PARAMETER_COUNT,
    .rules = shipped_rules,
};

static const char *const server2[] = {"SERVER2", NULL};

/* ---- What is rendered */

static void put_multi(rs_store *store, const char *path, const char *name, const char *joined)
{
    struct buffer data = multi_of(joined);
    rs_key key;
    rs_txn *txn = bench_begin(store, RS_WRITE);
    SUCCEEDS(rs_key_create(txn, RS_NO_KEY, path, &key));
    SUCCEEDS(rs_value_set(txn, key, name, REG_MULTI_SZ, data.data, data.size));
    (void)bench_commit(txn);
    free(data.data);
}

static void put_number(rs_store *store, const char *name, uint32_t given)
{
    rs_key key;
    rs_txn *txn = bench_begin(store, RS_WRITE);
    SUCCEEDS(rs_key_create(txn, RS_NO_KEY, PARAMETERS, &key));
    SUCCEEDS(rs_set_dword(txn, key, name, given));
    (void)bench_commit(txn);
}

static void put_text(rs_store *store, const char *name, const char *text)
{
    rs_key key;
    rs_txn *txn = bench_begin(store, RS_WRITE);
    SUCCEEDS(rs_key_create(txn, RS_NO_KEY, PARAMETERS, &key));
    SUCCEEDS(rs_set_string(txn, key, name, text));
    (void)bench_commit(txn);
}

/* The caller frees. */
static char *rendered(rs_store *store, struct line *said)
{
    struct settings *settings;
    struct shares shares;
    rs_txn *txn = bench_begin(store, RS_READ);
    SUCCEEDS(bench_load(txn, &server, &settings));
    SUCCEEDS(shares_load(txn, &shares));
    struct render_source source = {settings, &shares, server2, "/var/tmp"};
    char *text = render(&source, said);
    shares_free(&shares);
    settings_free(settings);
    rs_abort(txn);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    return text;
}

static void expect_lines(rs_store *store, const char *const *wanted)
{
    struct line said = LINE_INIT;
    char *text = rendered(store, &said);
    for (; *wanted != NULL; wanted++) {
        if (strstr(text, *wanted) == NULL) {
            printf("\n    no \"%s\" in:\n%s", *wanted, text);
        }
        CU_ASSERT_PTR_NOT_NULL(strstr(text, *wanted));
    }
    free(text);
}

static void defaults_are_rendered(void)
{
    static const char text[] =
        "# Made by regstore-lanmanserver from the store's LanmanServer key. Changes made here are "
        "lost.\n"
        "[global]\n"
        "\tserver string =\n"
        "\tbrowse list = yes\n"
        "\tmulticast dns register = yes\n"
        "\tlm announce = no\n"
        "\tlm interval = 240\n"
        "\tdeadtime = 15\n"
        "\toplocks = yes\n"
        "\tlevel2 oplocks = yes\n"
        "\tread raw = yes\n"
        "\twrite raw = yes\n"
        "\tmax mux = 50\n"
        "[global]\n";
    struct line said = LINE_INIT;
    rs_store *store = bench_open();
    char *given = rendered(store, &said);
    CU_ASSERT_STRING_EQUAL(given, text);
    CU_ASSERT_STRING_EQUAL(said.text, "");
    free(given);
    rs_close(store);
}

/* The store's own rule is the one that counts, and it may have no default. */
static void without_a_default_nothing_opens(void)
{
    static const char rules[] = "HKEY_REGSTORE\\Rules\\" PARAMETERS;
    static const char *const numbers[] = {
        "restrictnullsessaccess", "autodisconnect", "Announce", "MaxMpxCt",
        "EnableOplocks",          "EnableRaw",      NULL};
    static const char *const missing[] = {"deadtime", "lm interval",    "max mux", "oplocks",
                                          "raw",      "guest ok = yes", NULL};
    struct line said = LINE_INIT;
    rs_store *store = bench_open();
    put_multi(store, SHARES_KEY, "DATA", "Path=/srv");
    for (size_t i = 0; numbers[i] != NULL; i++) {
        put_multi(store, rules, numbers[i], "type=REG_DWORD");
    }
    char *given = rendered(store, &said);
    CU_ASSERT_PTR_NOT_NULL(strstr(given, "[DATA]\n"));
    for (size_t i = 0; missing[i] != NULL; i++) {
        CU_ASSERT_PTR_NULL(strstr(given, missing[i]));
    }
    free(given);
    rs_close(store);
}

static void settings_are_mapped(void)
{
    static const char *const hidden[] = {"\tserver string = the 1% server\n",
                                         "\tbrowse list = no\n",
                                         "\tmulticast dns register = no\n",
                                         "\tlm announce = no\n",
                                         "\tlm interval = 720\n",
                                         "\tdeadtime = 0\n",
                                         "\toplocks = no\n\tlevel2 oplocks = no\n",
                                         "\tread raw = no\n\twrite raw = no\n",
                                         "\tmax mux = 7\n",
                                         NULL};
    static const char *const seen[] = {"\tlm announce = yes\n", "\tdeadtime = 1\n", NULL};
    rs_store *store = bench_open();
    put_text(store, "srvcomment", " the 1%  server ");
    put_number(store, "Hidden", 1);
    put_number(store, "Lmannounce", 1);
    put_number(store, "Announce", 720);
    put_number(store, "autodisconnect", 0xffffffff);
    put_number(store, "EnableOplocks", 0);
    put_number(store, "EnableRaw", 0);
    put_number(store, "MaxMpxCt", 7);
    expect_lines(store, hidden);
    put_number(store, "Hidden", 0);
    put_number(store, "autodisconnect", 0);
    expect_lines(store, seen);
    rs_close(store);
}

static void shares_are_rendered(void)
{
    static const char *const wanted[] = {
        "[Data]\n\tcomment = The data\n\tpath = /srv/data\n\tread only = no\n\tguest ok = no\n"
        "\tbrowseable = yes\n\tmax connections = 10\n\tcsc policy = disable\n",
        "[Laser]\n\tpath = /var/tmp\n\tprintable = yes\n\tprinter name = Laser Jet\n"
        "\tguest ok = yes\n\tbrowseable = yes\n[",
        "[Closed$]\n\tpath = /srv/closed\n\tread only = yes\n\tguest ok = no\n"
        "\tbrowseable = no\n\tavailable = no\n",
        "[Spool]\n\tpath = /var/spool/x\n\tprintable = yes\n\tprinter name = Spool\n", NULL};
    rs_store *store = bench_open();
    put_multi(store, SHARES_KEY, "Data",
              "CSCFlags=48|MaxUses=10|Path=/srv/data|Permissions=127|Remark=The data|Type=0");
    put_multi(store, SHARES_KEY, "Laser", "MaxUses=4294967295|Path=Laser Jet,LocalsplOnly|Type=1");
    put_multi(store, SHARES_KEY, "Closed$", "MaxUses=0|Path=/srv/closed|Type=0");
    put_multi(store, SHARES_KEY, "Spool", "Path=/var/spool/x|Type=1");
    put_multi(store, PARAMETERS, "NullSessionShares", "COMCFG|\\\\server2\\LASER|\\\\OTHER\\Data");
    expect_lines(store, wanted);
    rs_close(store);
}

static void without_restriction_guests_are_everywhere(void)
{
    static const char *const wanted[] = {"[Data]\n\tpath = /srv/data\n\tread only = yes\n"
                                         "\tguest ok = yes\n",
                                         NULL};
    rs_store *store = bench_open();
    put_multi(store, SHARES_KEY, "Data", "Path=/srv/data");
    put_number(store, "RestrictNullSessAccess", 0);
    expect_lines(store, wanted);
    rs_close(store);
}

static void what_is_left_out_is_told(void)
{
    struct line said = LINE_INIT;
    rs_store *store = bench_open();
    put_text(store, "srvcomment", "%h");
    put_multi(store, SHARES_KEY, "Data", "Path=/srv/data|Remark=%u");
    put_multi(store, SHARES_KEY, "NETLOGON", "Path=C:\\WINNT|Type=0");
    put_multi(store, SHARES_KEY, "a]b", "Path=/srv/data");
    char *text = rendered(store, &said);
    CU_ASSERT_STRING_EQUAL(
        said.text,
        "srvcomment left out: it has a variable of Samba's; share \"a]b\" left out: name: "
        "it has a character that no share's name may have; Remark of share \"Data\" left "
        "out: it has a variable of Samba's; share \"NETLOGON\" left out: Path: it is no "
        "path of Unix");
    CU_ASSERT_PTR_NULL(strstr(text, "NETLOGON"));
    CU_ASSERT_PTR_NULL(strstr(text, "a]b"));
    CU_ASSERT_PTR_NULL(strchr(text, '%'));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "[Data]\n\tpath = /srv/data\n"));
    free(text);
    rs_close(store);
}

static void many_are_counted(void)
{
    struct line said = LINE_INIT;
    rs_store *store = bench_open();
    for (int i = 0; i < 20; i++) {
        char name[16];
        snprintf(name, sizeof(name), "s%02d", i);
        put_multi(store, SHARES_KEY, name, "Path=C:\\x");
    }
    free(rendered(store, &said));
    CU_ASSERT_PTR_NOT_NULL(strstr(said.text, "\"s07\""));
    CU_ASSERT_PTR_NULL(strstr(said.text, "\"s08\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(said.text, "; and 12 more shares"));
    rs_close(store);
}

/* No value of the store makes a line that is not ours. */
static void nothing_is_smuggled_in(void)
{
    struct line said = LINE_INIT;
    rs_store *store = bench_open();
    put_text(store, "srvcomment", "x\n\tguest ok = yes");
    put_multi(store, SHARES_KEY, "Data",
              "Path=/srv/data|Remark=x\n\tguest ok = yes|MaxUses=1\n\tguest ok = yes");
    put_multi(store, SHARES_KEY, "x]\n[global", "Path=/srv/data");
    put_multi(store, SHARES_KEY, "y", "Path=/srv/data\n\tguest ok = yes");
    put_multi(store, SHARES_KEY, "z", "Path=LJ\n\tguest ok = yes|Type=1");
    char *text = rendered(store, &said);
    CU_ASSERT_PTR_NULL(strstr(text, "guest ok = yes"));
    free(text);
    rs_close(store);
}

/* ---- Two texts */

static void expect_closing(const char *before, const char *after, const char *wanted)
{
    char *names = render_closing(before, after);
    CU_ASSERT_PTR_NOT_NULL_FATAL(names);
    CU_ASSERT_STRING_EQUAL(names, wanted);
    free(names);
}

#define GLOBAL "[global]\n\toplocks = yes\n"
#define SHARE_A "[A]\n\tpath = /a\n\tread only = yes\n\tguest ok = no\n"
#define SHARE_B "[B]\n\tcomment = b\n\tpath = /b\n\tread only = no\n\tguest ok = yes\n"

static void less_access_closes(void)
{
    const char *all = GLOBAL SHARE_A SHARE_B "[global]\n";
    expect_closing(all, all, "");
    expect_closing("", all, "");
    expect_closing(all, "", "A\nB\n");
    expect_closing(all, GLOBAL SHARE_A, "B\n");
    expect_closing(all, GLOBAL SHARE_B, "A\n");
    expect_closing(GLOBAL SHARE_A, all, "");
    expect_closing(SHARE_B, "[B]\n\tpath = /b\n\tread only = no\n\tguest ok = no\n", "B\n");
    expect_closing(SHARE_B, "[B]\n\tpath = /b\n\tread only = yes\n\tguest ok = yes\n", "B\n");
    expect_closing(SHARE_B, "[B]\n\tpath = /c\n\tread only = no\n\tguest ok = yes\n", "B\n");
    expect_closing(SHARE_B, SHARE_B "\tavailable = no\n", "B\n");
    expect_closing(SHARE_B "\tavailable = no\n", SHARE_B "\tavailable = no\n", "");
    expect_closing("[P]\n\tpath = /p\n\tprintable = yes\n", "[P]\n\tpath = /p\n", "P\n");
}

static void more_access_closes_nothing(void)
{
    expect_closing(SHARE_A, "[A]\n\tpath = /a\n\tread only = no\n\tguest ok = yes\n", "");
    expect_closing(SHARE_B, "[B]\n\tpath = /b\n\tread only = no\n\tguest ok = yes\n", "");
    expect_closing("[B]\n\tpath = /b\n\tavailable = no\n", "[B]\n\tpath = /b\n", "");
}

/* A file that somebody else has written. */
static void strange_texts_are_read_to_their_end(void)
{
    expect_closing("no section", "", "");
    expect_closing("[A", "", "");
    expect_closing("[]\n[", "", "");
    expect_closing("[A]", "", "A\n");
    expect_closing("\n\n[A]\n\n", "\n[B]", "A\n");
}

static void a_halted_server_shares_nothing(void)
{
    char *text = render_nothing();
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_PTR_NULL(strstr(text, "guest"));
    expect_closing(GLOBAL SHARE_A SHARE_B, text, "A\nB\n");
    free(text);
}

/* ---- Effects */

static void changes_without_effect_are_told(void)
{
    struct effects_told told;
    struct line said = LINE_INIT;
    struct settings *settings;
    rs_store *store = bench_open();
    rs_txn *txn = bench_begin(store, RS_READ);
    SUCCEEDS(bench_load(txn, &server, &settings));
    rs_abort(txn);
    effects_remember(settings, &told);
    settings_free(settings);
    put_number(store, "SizReqBuf", 8192);
    put_number(store, "autodisconnect", 5);
    put_multi(store, PARAMETERS, "NullSessionShares", "x");
    put_multi(store, PARAMETERS, "NullSessionPipes", "x");
    txn = bench_begin(store, RS_READ);
    SUCCEEDS(bench_load(txn, &server, &settings));
    rs_abort(txn);
    effects_add_changes(&said, settings, &told);
    CU_ASSERT_STRING_EQUAL(
        said.text,
        "NullSessionPipes: kept, without effect on Samba: regstore-spooler goes by it for its own "
        "pipe; Samba has no list of pipes; SizReqBuf: kept, without effect on Samba: it takes "
        "requests of any size into buffers of their size");
    effects_remember(settings, &told);
    said = (struct line)LINE_INIT;
    effects_add_changes(&said, settings, &told);
    CU_ASSERT_STRING_EQUAL(said.text, "");
    settings_free(settings);
    rs_close(store);
}

/* The page's text with each line end as a blank. */
static char *read_manual(void)
{
    char path[4096];
    char *text = calloc(1, 65536);
    snprintf(path, sizeof(path), "%s/services/lanmanserver/regstore-lanmanserver.8", top_dir());
    FILE *file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    size_t size = fread(text, 1, 65535, file);
    fclose(file);
    for (size_t i = 0; i < size; i++) {
        text[i] = text[i] == '\n' ? ' ' : text[i];
    }
    return text;
}

static void the_manual_tells_every_effect(void)
{
    char *manual = read_manual();
    const char *table = strstr(manual, ".Sh EFFECT ON SAMBA");
    CU_ASSERT_PTR_NOT_NULL_FATAL(table);
    for (size_t i = 0; i < SERVER_PARAMETER_COUNT; i++) {
        const struct effect *effect = &server_effects[i];
        char entry[1024];
        CU_ASSERT_PTR_NOT_NULL_FATAL(effect->text);
        snprintf(entry, sizeof(entry), " .It Va %s %s%s: %s. .", server_parameters[i].name,
                 effect->options != NULL ? "" : "none",
                 effect->options != NULL ? effect->options : "", effect->text);
        if (strstr(table, entry) == NULL) {
            printf("\n    the manual lacks \"%s\"", entry);
        }
        CU_ASSERT_PTR_NOT_NULL(strstr(table, entry));
    }
    free(manual);
}

static const struct test_case cases[] = {
    {"defaults are rendered", defaults_are_rendered},
    {"without a default nothing opens", without_a_default_nothing_opens},
    {"settings are mapped", settings_are_mapped},
    {"shares are rendered", shares_are_rendered},
    {"without restriction guests are everywhere", without_restriction_guests_are_everywhere},
    {"what is left out is told", what_is_left_out_is_told},
    {"many are counted", many_are_counted},
    {"nothing is smuggled in", nothing_is_smuggled_in},
    {"less access closes", less_access_closes},
    {"more access closes nothing", more_access_closes_nothing},
    {"strange texts are read to their end", strange_texts_are_read_to_their_end},
    {"a halted server shares nothing", a_halted_server_shares_nothing},
    {"changes without effect are told", changes_without_effect_are_told},
    {"the manual tells every effect", the_manual_tells_every_effect},
    {NULL, NULL},
};

const struct test_suite suite_render = {"render", cases};

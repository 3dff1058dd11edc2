/*
 * rows_formats.c - rows: a real hive in and out in each format, searched, and many sibling keys.
 *
 * The hive is that of a Windows 7, which is not part of the project; the contenders are hivex's own
 * programs and raw LMDB's cursor, each a process of its own, as regtool is. What is not there is
 * skipped. Needs tools, jobs and measure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "jobs.h"
#include "measure.h"
#include "readers.h"
#include "rows.h"
#include "tools.h"

#define PACKED "../shared/corpus/hives/win7-system.hive.xz"
#define MINIMAL "../shared/corpus/hives/hivex-minimal.hive.xz"
#define ROOT "HKEY_LOCAL_MACHINE\\SYSTEM"
#define RULED_KEY "HKLM\\SYSTEM\\ControlSet001\\Services\\LanmanServer\\Parameters"
#define RULED_VALUE "autodisconnect"

/* The files of the run; made by the first row that needs them. */
struct formats {
    char regtool[4200];
    char hive[4096];
    char minimal[4096];
    char store[4096]; /* of the hive */
    char raw[4096];   /* the same records for raw LMDB */
    char made[4096];  /* what a contender makes */
    char theirs[4096];
    char text[4096]; /* the hive as .reg text, by hivexregedit */
    size_t keys;
};

/* A row's two contenders: what each does before the clock starts, and at work. */
struct duel {
    void (*prepare)(const struct formats *formats);
    struct tool_time (*ours)(const struct formats *formats);
    struct tool_time (*theirs)(const struct formats *formats);
    void (*check)(const struct formats *formats); /* what both have made */
    const char *program;                          /* that is wanted; NULL: none */
    const char *package;
    unsigned rounds;
};

/* ---- The hive ---- */

static void name_files(struct bench *bench, struct formats *formats)
{
    snprintf(formats->regtool, sizeof formats->regtool, "%s/regtool", program_dir());
    strcpy(formats->hive, bench_path(bench, "win7.hive"));
    strcpy(formats->minimal, bench_path(bench, "minimal.hive"));
    strcpy(formats->store, bench_path(bench, "win7-store"));
    strcpy(formats->raw, bench_path(bench, "win7-raw"));
    strcpy(formats->made, bench_path(bench, "made"));
    strcpy(formats->theirs, bench_path(bench, "made-by-others"));
    strcpy(formats->text, bench_path(bench, "win7.reg"));
}

static struct tool_time regtool(const struct formats *formats, const char *store, int exit_status,
                                const char *verb, const char *first, const char *second,
                                const char *option)
{
    return tool_run(NULL, exit_status, formats->regtool,
                    (const char *[]){"--store", store, verb, first, second, option, NULL});
}

static rs_stat stat_of(const char *dir)
{
    rs_store *store = open_store(dir);
    rs_txn *txn;
    rs_stat stat;
    need(rs_begin(store, RS_READ, &txn), "begin");
    need(rs_stat_get(txn, &stat), "stat");
    rs_abort(txn);
    rs_close(store);
    return stat;
}

static void new_store(const struct formats *formats, const char *dir)
{
    remove_tree(dir);
    regtool(formats, dir, 0, "init", NULL, NULL, NULL);
}

/* False, with the reason in the note, if the row cannot be run here. */
static bool make_hive(struct bench *bench, struct formats *formats, const struct duel *duel,
                      struct result *result)
{
    name_files(bench, formats);
    result->skipped = true;
    if (access(PACKED, R_OK) != 0 || access(MINIMAL, R_OK) != 0) {
        snprintf(result->note, sizeof result->note, "no " PACKED);
        return false;
    }
    /* hivexml also counts the keys of what another program wrote. */
    if (duel->program != NULL && (!tool_exists(duel->program) || !tool_exists("hivexml"))) {
        bool own = tool_exists("hivexml");
        snprintf(result->note, sizeof result->note, "no program %s: Debian package %s",
                 own ? duel->program : "hivexml", own ? duel->package : "libhivex-bin");
        return false;
    }
    if (access(formats->hive, F_OK) != 0 &&
        (!unpack(PACKED, formats->hive) || !unpack(MINIMAL, formats->minimal))) {
        snprintf(result->note, sizeof result->note, "no program xz");
        return false;
    }
    if (access(formats->store, F_OK) != 0) {
        new_store(formats, formats->store);
        regtool(formats, formats->store, 0, "import", formats->hive, ROOT, NULL);
    }
    rs_stat stat = stat_of(formats->store);
    formats->keys = (size_t)stat.keys;
    result->skipped = false;
    return true;
}

/* Both have so many keys: those of the store but its roots, which are not in the hive. */
static void check_keys(const char *who, size_t found, size_t keys)
{
    if (found != keys) {
        die("%s has %zu keys, not %zu", who, found, keys);
    }
}

static size_t hive_keys(const struct formats *formats)
{
    static size_t keys;
    char dump[4200];
    if (keys == 0) {
        snprintf(dump, sizeof dump, "%s.xml", formats->hive);
        tool_run(dump, 0, "hivexml", (const char *[]){formats->hive, NULL});
        keys = COUNT_IN_FILE(dump, "<node ");
        unlink(dump);
    }
    return keys;
}

static void check_same_store(const struct formats *formats)
{
    rs_stat made = stat_of(formats->made);
    rs_stat wanted = stat_of(formats->store);
    if (made.keys != wanted.keys || made.values != wanted.values) {
        die("a store has %llu keys and %llu values, the other %llu and %llu",
            (unsigned long long)made.keys, (unsigned long long)made.values,
            (unsigned long long)wanted.keys, (unsigned long long)wanted.values);
    }
}

/* ---- The contenders ---- */

static struct tool_time dump_with_hivexml(const struct formats *formats)
{
    return tool_run(formats->theirs, 0, "hivexml", (const char *[]){formats->hive, NULL});
}

static void prepare_store(const struct formats *formats)
{
    new_store(formats, formats->made);
}

static struct tool_time import_hive(const struct formats *formats)
{
    return regtool(formats, formats->made, 0, "import", formats->hive, ROOT, NULL);
}

static void check_import(const struct formats *formats)
{
    check_same_store(formats);
    check_keys("hivexml's dump", COUNT_IN_FILE(formats->theirs, "<node "), hive_keys(formats));
}

static struct tool_time export_with_hivexregedit(const struct formats *formats)
{
    return tool_run(formats->theirs, 0, "hivexregedit",
                    (const char *[]){"--export", "--prefix", ROOT, formats->hive, "\\", NULL});
}

/* Both read the text that hivexregedit writes, each into an empty store of its own. */
static void prepare_merge(const struct formats *formats)
{
    prepare_store(formats);
    tool_run(formats->theirs, 0, "cp", (const char *[]){formats->minimal, "/dev/stdout", NULL});
    if (access(formats->text, F_OK) != 0) {
        tool_run(formats->text, 0, "hivexregedit",
                 (const char *[]){"--export", "--prefix", ROOT, formats->hive, "\\", NULL});
    }
}

static struct tool_time import_text(const struct formats *formats)
{
    return regtool(formats, formats->made, 0, "import", formats->text, NULL, NULL);
}

static struct tool_time merge_with_hivexregedit(const struct formats *formats)
{
    return tool_run(
        NULL, 0, "hivexregedit",
        (const char *[]){"--merge", "--prefix", ROOT, formats->theirs, formats->text, NULL});
}

static void check_merge(const struct formats *formats)
{
    char dump[4200];
    check_same_store(formats);
    snprintf(dump, sizeof dump, "%s.xml", formats->theirs);
    tool_run(dump, 0, "hivexml", (const char *[]){formats->theirs, NULL});
    check_keys("hivexregedit's hive", COUNT_IN_FILE(dump, "<node "), hive_keys(formats));
    unlink(dump);
}

static void remove_made(const struct formats *formats)
{
    remove_tree(formats->made);
}

static struct tool_time export_text(const struct formats *formats)
{
    return tool_run(NULL, 0, formats->regtool,
                    (const char *[]){"--store", formats->store, "export", ROOT, formats->made,
                                     "--format", "reg", NULL});
}

static void check_text(const struct formats *formats)
{
    check_keys("hivexregedit's text", COUNT_IN_FILE(formats->theirs, "\n["), hive_keys(formats));
    check_keys("our text", COUNT_IN_FILE(formats->made, "\n\0["), hive_keys(formats));
}

static struct tool_time export_xml(const struct formats *formats)
{
    return tool_run(NULL, 0, formats->regtool,
                    (const char *[]){"--store", formats->store, "export", ROOT, formats->made,
                                     "--format", "xml", NULL});
}

static void check_xml(const struct formats *formats)
{
    check_keys("hivexml's dump", COUNT_IN_FILE(formats->theirs, "<node "), hive_keys(formats));
    check_keys("our dump", COUNT_IN_FILE(formats->made, "<node "), hive_keys(formats));
}

/* A text that is not there, so that all is looked at and nothing is printed. */
static struct tool_time find_nothing(const struct formats *formats)
{
    return regtool(formats, formats->store, 1, "find", "no such text anywhere", NULL, NULL);
}

static void prepare_find(const struct formats *formats)
{
    if (access(formats->raw, F_OK) != 0) {
        store_copy(formats->store, formats->raw);
    }
}

static struct tool_time walk_raw(const struct formats *formats)
{
    return tool_run(NULL, 0, "/proc/self/exe",
                    (const char *[]){"--job", "walk", formats->raw, NULL});
}

/* The search does find what is there; the walk sees each key and value, and more. */
static void check_find(const struct formats *formats)
{
    rs_stat stat = stat_of(formats->store);
    double figures[JOB_FIGURES];
    regtool(formats, formats->store, 0, "find", "BootDriverFlags", NULL, NULL);
    job_run(figures, "walk", formats->raw, NULL);
    if (figures[1] < (double)(stat.keys + stat.values)) {
        die("raw LMDB walks over %.0f records of %llu", figures[1],
            (unsigned long long)(stat.keys + stat.values));
    }
}

/* ---- With rules and without ---- */

static void prepare_trust(const struct formats *formats)
{
    new_store(formats, formats->theirs);
    new_store(formats, formats->made);
    store_import_rules(formats->made);
}

static struct tool_time import_unruled(const struct formats *formats)
{
    return regtool(formats, formats->theirs, 0, "import", formats->hive, ROOT, NULL);
}

static rs_txn *begin_at_root(rs_store *store, rs_key *root)
{
    rs_txn *txn;
    need(rs_begin(store, RS_READ, &txn), "begin");
    need(rs_key_open(txn, RS_HKLM, "SYSTEM", root), ROOT);
    return txn;
}

/* The same below the key, whose values have rules on one side. */
static void check_trust(const struct formats *formats)
{
    rs_store *stores[2] = {open_store(formats->made), open_store(formats->theirs)};
    rs_txn *txns[2];
    rs_key roots[2];
    rs_rule rule;
    uint64_t differences;
    for (int i = 0; i < 2; i++) {
        txns[i] = begin_at_root(stores[i], &roots[i]);
        int status = rs_rule_get(txns[i], RULED_KEY, RULED_VALUE, &rule);
        if (status != (i == 0 ? RS_OK : RS_ENOTFOUND)) {
            die(RULED_KEY ", value " RULED_VALUE ": %s", rs_strerror(status));
        }
    }
    need(rs_compare(txns[0], roots[0], txns[1], roots[1],
                    &(rs_compare_options){.flags = RS_SUBTREE}, &differences),
         "compare");
    if (differences != 0) {
        die("the stores have %llu differences", (unsigned long long)differences);
    }
    for (int i = 0; i < 2; i++) {
        rs_abort(txns[i]);
        rs_close(stores[i]);
    }
}

static const struct duel duels[] = {
    [FORMATS_REGF_IN] = {prepare_store, import_hive, dump_with_hivexml, check_import, "hivexml",
                         "libhivex-bin", 7},
    [FORMATS_REG_IN] = {prepare_merge, import_text, merge_with_hivexregedit, check_merge,
                        "hivexregedit", "libwin-hivex-perl", 3},
    [FORMATS_REG_OUT] = {remove_made, export_text, export_with_hivexregedit, check_text,
                         "hivexregedit", "libwin-hivex-perl", 5},
    [FORMATS_XML_OUT] = {remove_made, export_xml, dump_with_hivexml, check_xml, "hivexml",
                         "libhivex-bin", 11},
    [FORMATS_FIND] = {prepare_find, find_nothing, walk_raw, check_find, NULL, NULL, 25},
    [FORMATS_TRUST] = {prepare_trust, import_hive, import_unruled, check_trust, NULL, NULL, 15},
};

/* ---- The rows ---- */

static void fight(const struct formats *formats, const struct duel *duel, struct times *times,
                  unsigned round)
{
    duel->prepare(formats);
    for (unsigned turn = 0; turn < 2; turn++) {
        unsigned who = round % 2 == 0 ? turn : 1 - turn;
        struct tool_time took = who == 0 ? duel->ours(formats) : duel->theirs(formats);
        times->ns[who][round] = took.ns;
        times->cpu[who][round] = took.cpu;
    }
    if (round == 0) {
        duel->check(formats);
    }
}

/* A goal that is a lower bound is how many times as fast regstore is. */
static void turn_round(struct result *result, const struct times *times)
{
    struct result cpu = {0};
    result_ratio(&cpu, times->cpu[1], times->cpu[0], times->rounds);
    result_ratio(result, times->ns[1], times->ns[0], times->rounds);
    result->cpu = cpu.ratio;
}

void row_formats(struct bench *bench, const struct row *row, struct result *result)
{
    const struct duel *duel = &duels[row->variant];
    struct formats formats;
    struct times times;
    if (!make_hive(bench, &formats, duel, result)) {
        return;
    }
    unsigned rounds = rounds_of(bench, duel->rounds);
    times_new(&times, 2, rounds);
    for (unsigned round = 0; round < rounds; round++) {
        fight(&formats, duel, &times, round);
    }
    result_take(result, &times, 1e6);
    if (row->at_least) {
        turn_round(result, &times);
    }
    snprintf(result->note, sizeof result->note, "%zu keys", formats.keys);
    times_free(&times);
    remove_tree(formats.made);
    remove_tree(formats.theirs);
}

/* ---- Siblings ---- */

#define FEW_SIBLINGS 1000u
#define MANY_SIBLINGS 16000u

/* A text with so many keys in one parent, imported again and again into nothing. */
struct siblings {
    rs_store *store;
    char file[4096];
    unsigned count;
    unsigned times; /* to make as many keys as the other contender */
};

static void write_siblings(const struct siblings *siblings)
{
    FILE *file = fopen(siblings->file, "w");
    if (file == NULL) {
        die("%s: cannot be written", siblings->file);
    }
    fputs("Windows Registry Editor Version 5.00\n\n", file);
    for (unsigned i = 0; i < siblings->count; i++) {
        /* In an order that is not that of the names. */
        fprintf(file, "[" ROOT "\\Parent\\Sibling %05u]\n\"Value\"=dword:%08x\n\n",
                i * 7919 % siblings->count, i);
    }
    if (fclose(file) != 0) {
        die("%s: cannot be written", siblings->file);
    }
}

static void import_siblings(void *context, unsigned long count)
{
    const struct siblings *siblings = context;
    rs_txn *txn;
    rs_import_report report;
    rs_error error = RS_ERROR_INIT;
    for (unsigned long i = 0; i < count * siblings->times; i++) {
        need(rs_begin(siblings->store, RS_WRITE, &txn), "begin");
        if (rs_import(txn, siblings->file, NULL, &report, &error) != RS_OK) {
            die("%s", error.text);
        }
        if (report.values_added != siblings->count) {
            die("%u siblings became %llu", siblings->count,
                (unsigned long long)report.values_added);
        }
        rs_abort(txn);
    }
}

void row_siblings(struct bench *bench, const struct row *row, struct result *result)
{
    struct siblings many = {.count = MANY_SIBLINGS, .times = 1};
    struct siblings few = {.count = FEW_SIBLINGS, .times = MANY_SIBLINGS / FEW_SIBLINGS};
    struct times times;
    char dir[4096];
    rs_error error = RS_ERROR_INIT;
    (void)row;
    strcpy(dir, bench_path(bench, "siblings-store"));
    strcpy(many.file, bench_path(bench, "many.reg"));
    strcpy(few.file, bench_path(bench, "few.reg"));
    if (rs_open(dir, RS_CREATE, &many.store, &error) != RS_OK) {
        die("%s", error.text);
    }
    few.store = many.store;
    write_siblings(&many);
    write_siblings(&few);
    times_new(&times, 2, rounds_of(bench, 15));
    times_measure(&times, (struct contender[]){{import_siblings, &many}, {import_siblings, &few}},
                  50);
    result_take(result, &times, MANY_SIBLINGS);
    snprintf(result->note, sizeof result->note, "from a .reg file, in one transaction");
    times_free(&times);
    rs_close(many.store);
    remove_tree(dir);
    remove_tree(many.file);
    remove_tree(few.file);
}

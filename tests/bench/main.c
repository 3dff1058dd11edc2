/*
 * main.c - the benchmark's program: its rows, its options, its output.
 *
 *     bench [--keys N] [--only ROW] [--rounds N] [--json] [--dir DIR] [--list]
 *
 * Prints a table, or with --json a line of JSON for each row. Exit status 0 if every row was
 * measured, whether its goal was reached or not; 1 if something failed; 2 for wrong arguments.
 */
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <linux/magic.h>

#include "jobs.h"
#include "rows.h"

#define HOT 32
#define MANY 20000

#define RAW "raw LMDB"
static const struct row rows[] = {
    {"held", "read a REG_DWORD of an open key, fresh snapshot", "ns", RAW, 1.2, false, HOT,
     row_held},
    {"path-hot", "open a depth-5 path and read, fresh snapshot, 32 paths", "ns", RAW, 1.1, false,
     HOT, row_path},
    {"path-random", "the same, 20,000 paths", "ns", RAW, 1.1, false, MANY, row_path},
    {"growth-hot", "path-hot in a store of 10,000 times the keys", "ns", "the smaller store", 2,
     false, HOT, row_growth},
    {"growth-random", "the same of path-random", "ns", "the smaller store", 2, false, MANY,
     row_growth},
    {"threads", "two threads read by path", "ns", "one thread", 1.7, true, 0, row_readers},
    {"processes", "two processes read by path", "ns", "one process", 1.7, true, 1, row_readers},
    {"import", "import the XML dump", "ms", "parser alone + raw LMDB", 2, false, 0, row_import},
    {"import-memory", "the import's peak memory", "MiB", "the database", 1.3, false, 0,
     row_import_memory},
    {"import-journal", "bytes of the journal of that import", "KiB", "the database", 0.05, false, 0,
     row_import_journal},
    {"set", "one durable set, with journal and bell", "us", RAW, 1.1, false, 1, row_set},
    {"set-1000", "1,000 sets in one transaction, each", "us", RAW, 2, false, 1000, row_set},
    {"set-trust", "one durable set of a ruled value, three watches waiting", "us", RAW, 1.15, false,
     1, row_trust},
    {"set-1000-trust", "1,000 sets of ruled values in one transaction, each", "us", RAW, 2.5, false,
     1000, row_trust},
    {"wake", "commit returns until another process has read it again", "us", "a bare inotify bell",
     1.5, false, 0, row_wake},
    {"answer", "commit returns until a service has answered it", "us",
     "until the service has read it again", 2, false, 0, row_answer},
    {"bell", "ringing when nobody waits", "us", "raw LMDB's synced commit", 0.01, false, 0,
     row_bell},
    {"list-hive", "list all values of a real hive, each", "ns", RAW, 1.3, false, 0, row_list},
    {"list-data", "the same of the benchmark's data", "ns", RAW, 1.3, false, 1, row_list},
    {"regf-import", "import the SYSTEM hive of a Windows 7", "ms", "hivexml writing its dump", 2,
     false, FORMATS_REGF_IN, row_formats},
    {"import-trust", "import it into a store with rules", "ms", "the same without rules", 1.15,
     false, FORMATS_TRUST, row_formats},
    {"reg-import", "import it from a .reg file", "ms", "hivexregedit --merge (times faster)", 20,
     true, FORMATS_REG_IN, row_formats},
    {"reg-siblings", "import 16,000 keys of one parent, each", "ns", "the same of 1,000", 1.3,
     false, 0, row_siblings},
    {"reg-export", "export it as .reg", "ms", "hivexregedit --export (times faster)", 5, true,
     FORMATS_REG_OUT, row_formats},
    {"xml-export", "export it as XML", "ms", "hivexml", 1.2, false, FORMATS_XML_OUT, row_formats},
    {"find", "find a text in all names and data of it", "ms", "raw LMDB's cursor over all records",
     3, false, FORMATS_FIND, row_formats},
    {"start", "regtool query KEY /v NAME, cold", "us", "an empty program", 2.2, false, 0,
     row_start},
    {"log", "regtool log KEY, cold, one key among 100,000 revisions", "us", "an empty program", 10,
     false, 0, row_log},
    {"undo", "undo of a deletion of 30,000 keys", "ms", "their import", 1.5, false, 0, row_undo},
};
#define ROWS (sizeof rows / sizeof *rows)

static struct bench bench = {.options = {.keys = 100000, .dir = "/var/tmp"}};

/* ---- Failing ---- */

static void remove_scratch(void)
{
    if (bench.dir[0] != '\0') {
        remove_tree(bench.dir);
    }
}

void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("bench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

void need(int status, const char *what)
{
    if (status != RS_OK) {
        die("%s: %s", what, rs_strerror(status));
    }
}

/* ---- Options ---- */

static void usage(void)
{
    fputs("usage: bench [--keys N] [--only ROW] [--rounds N] [--json] [--dir DIR] [--list]\n",
          stderr);
    exit(2);
}

static unsigned long number(const char *text, unsigned long least)
{
    char *end;
    unsigned long found = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || found < least || found > 10000000) {
        usage();
    }
    return found;
}

static void list_rows(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        puts(rows[i].name);
    }
    exit(0);
}

static void read_options(int argc, char **argv, struct options *options)
{
    static const struct option names[] = {
        {"keys", required_argument, NULL, 'k'},
        {"only", required_argument, NULL, 'o'},
        {"rounds", required_argument, NULL, 'r'},
        {"json", no_argument, NULL, 'j'},
        {"dir", required_argument, NULL, 'd'},
        {"list", no_argument, NULL, 'l'},
        {NULL, 0, NULL, 0},
    };
    int found;
    while ((found = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (found) {
        case 'k':
            options->keys = number(optarg, 200);
            break;
        case 'o':
            options->only = optarg;
            break;
        case 'r':
            options->rounds = (unsigned)number(optarg, 1);
            break;
        case 'j':
            options->json = true;
            break;
        case 'd':
            options->dir = optarg;
            break;
        case 'l':
            list_rows();
            break;
        default:
            usage();
        }
    }
    if (optind < argc) {
        usage();
    }
}

static void make_scratch(void)
{
    struct statfs files;
    char path[sizeof bench.dir];
    int len = snprintf(path, sizeof path, "%s/regstore-bench.XXXXXX", bench.options.dir);
    if (len < 0 || (size_t)len >= sizeof path || mkdtemp(path) == NULL) {
        die("%s: no directory can be made there", bench.options.dir);
    }
    strcpy(bench.dir, path);
    atexit(remove_scratch);
    bench.in_memory =
        statfs(path, &files) == 0 && (files.f_type == TMPFS_MAGIC || files.f_type == RAMFS_MAGIC);
    if (bench.in_memory) {
        fprintf(stderr, "bench: %s is in memory: a durable commit costs nothing there\n",
                bench.options.dir);
    }
}

/* ---- Output ---- */

static const char *verdict(const struct row *row, const struct result *result)
{
    if (result->skipped) {
        return "skipped";
    }
    bool reached = row->at_least ? result->ratio >= row->goal : result->ratio <= row->goal;
    return reached ? "reached" : "missed";
}

static const char *figure(double value, char *text, size_t size)
{
    int decimals = fabs(value) < 10 ? 2 : fabs(value) < 1000 ? 1 : 0;
    snprintf(text, size, "%.*f", decimals, value);
    return isnan(value) ? "-" : text;
}

static const char *ratio(double value, char *text, size_t size)
{
    snprintf(text, size, value < 0.1 ? "%.4f" : "%.2f", value);
    return isnan(value) ? "-" : text;
}

static void print_head(void)
{
    printf("%zu keys, %zu values; medians, ratios with quartiles\n\n", bench.options.keys,
           bench_data(&bench)->value_count);
    printf("%-14s %4s %10s %10s %10s %8s %-13s %6s %8s  %s\n", "row", "unit", "regstore", "raw",
           "SQLite", "ratio", "quartiles", "CPU", "goal", "verdict");
}

static void print_row(const struct row *row, const struct result *result)
{
    char cells[5][32];
    char range[64] = "-";
    if (!isnan(result->low)) {
        snprintf(range, sizeof range, "%s-%s", ratio(result->low, cells[0], sizeof cells[0]),
                 ratio(result->high, cells[1], sizeof cells[1]));
    }
    printf("%-14s %4s %10s ", row->name, row->unit,
           figure(result->regstore, cells[0], sizeof cells[0]));
    printf("%10s %10s ", figure(result->raw, cells[1], sizeof cells[1]),
           figure(result->sqlite, cells[2], sizeof cells[2]));
    printf("%8s %-13s %6s ", ratio(result->ratio, cells[3], sizeof cells[3]), range,
           ratio(result->cpu, cells[4], sizeof cells[4]));
    printf("%3s %4g  %s%s%s\n", row->at_least ? ">=" : "<=", row->goal, verdict(row, result),
           result->note[0] != '\0' ? ": " : "", result->note);
}

static void json_number(const char *name, double value)
{
    if (isnan(value)) {
        printf(",\"%s\":null", name);
    } else {
        printf(",\"%s\":%.6g", name, value);
    }
}

static void json_row(const struct row *row, const struct result *result)
{
    printf("{\"row\":\"%s\",\"what\":\"%s\",\"unit\":\"%s\",\"against\":\"%s\",\"keys\":%zu",
           row->name, row->what, row->unit, row->against, bench.options.keys);
    json_number("regstore", result->regstore);
    json_number("raw", result->raw);
    json_number("sqlite", result->sqlite);
    json_number("ratio", result->ratio);
    json_number("low", result->low);
    json_number("high", result->high);
    json_number("cpu", result->cpu);
    printf(",\"rounds\":%u,\"bound\":\"%s\",\"goal\":%g,\"verdict\":\"%s\",\"note\":\"%s\"}\n",
           result->rounds, row->at_least ? "at least" : "at most", row->goal, verdict(row, result),
           result->note);
}

/* ---- The run ---- */

static bool is_wanted(const struct row *row)
{
    const char *only = bench.options.only;
    return only == NULL || strncmp(row->name, only, strlen(only)) == 0;
}

static void run_row(const struct row *row)
{
    struct result result = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, 0, false, ""};
    row->run(&bench, row, &result);
    (bench.options.json ? json_row : print_row)(row, &result);
    fflush(stdout);
}

static bool any_wanted(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (is_wanted(&rows[i])) {
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "--job") == 0) {
        return job_main(argv + 2);
    }
    read_options(argc, argv, &bench.options);
    if (!any_wanted()) {
        fprintf(stderr, "bench: no row \"%s\" (--list tells them)\n", bench.options.only);
        return 2;
    }
    make_scratch();
    if (!bench.options.json) {
        print_head();
    }
    for (size_t i = 0; i < ROWS; i++) {
        if (is_wanted(&rows[i])) {
            run_row(&rows[i]);
        }
    }
    data_free(bench.data);
    return 0;
}

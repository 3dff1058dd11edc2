#include <errno.h>
#include <fcntl.h>
#include <libxml/parser.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jobs.h"
#include "measure.h"
#include "raw.h"
#include "sqlite.h"

#define CHUNK ((size_t)1 << 20) /* as regstore reads */

/* ---- Running one ---- */

const char *program_dir(void)
{
    static char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    char *slash = len > 0 ? strrchr(path, '/') : NULL;
    if (slash == NULL) {
        die("cannot find out where this program is");
    }
    *slash = '\0';
    return path;
}

static pid_t start(char *const *argv, int *output)
{
    int ends[2];
    pid_t pid;
    posix_spawn_file_actions_t actions;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        die("pipe: %s", strerror(errno));
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    int failure = posix_spawn(&pid, "/proc/self/exe", &actions, NULL, argv, environ);
    if (failure != 0) {
        die("cannot start a job: %s", strerror(failure));
    }
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *output = ends[0];
    return pid;
}

void job_run(double figures[JOB_FIGURES], const char *name, ...)
{
    char *argv[8] = {(char[]){"bench"}, (char[]){"--job"}, (char *)(uintptr_t)name};
    int output;
    int status;
    va_list arguments;
    va_start(arguments, name);
    for (int i = 3; i < 7 && (argv[i] = va_arg(arguments, char *)) != NULL; i++) {
        ;
    }
    va_end(arguments);
    pid_t pid = start(argv, &output);
    FILE *answer = fdopen(output, "r");
    for (int i = 0; i < JOB_FIGURES; i++) {
        figures[i] = 0;
        if (fscanf(answer, "%lf", &figures[i]) != 1) {
            break;
        }
    }
    fclose(answer);
    if (waitpid(pid, &status, 0) != pid || status != 0) {
        die("the job %s failed", name);
    }
}

/* ---- The jobs ---- */

static void count_start(void *context, const xmlChar *name, const xmlChar *prefix,
                        const xmlChar *uri, int namespaces, const xmlChar **namespace_list,
                        int attributes, int defaulted, const xmlChar **list)
{
    (void)name, (void)prefix, (void)uri, (void)namespaces, (void)namespace_list;
    (void)attributes, (void)defaulted, (void)list;
    ++*(unsigned long *)context;
}

static void see_text(void *context, const xmlChar *text, int len)
{
    (void)context, (void)text, (void)len;
}

static void push_all(xmlParserCtxtPtr parser, FILE *file, char *chunk)
{
    size_t size;
    while ((size = fread(chunk, 1, CHUNK, file)) > 0) {
        xmlParseChunk(parser, chunk, (int)size, 0);
    }
    if (xmlParseChunk(parser, NULL, 0, 1) != 0) {
        die("the parser alone does not take the dump");
    }
}

static void job_parse(char **arguments)
{
    xmlSAXHandler handler = {
        .initialized = XML_SAX2_MAGIC,
        .startElementNs = count_start,
        .characters = see_text,
        .ignorableWhitespace = see_text,
    };
    unsigned long elements = 0;
    FILE *file = fopen(arguments[0], "r");
    char *chunk = malloc(CHUNK);
    if (file == NULL || chunk == NULL) {
        die("%s: cannot be read", arguments[0]);
    }
    setvbuf(file, NULL, _IONBF, 0);
    double began = clock_ns();
    xmlParserCtxtPtr parser = xmlCreatePushParserCtxt(&handler, &elements, NULL, 0, NULL);
    xmlCtxtUseOptions(parser, XML_PARSE_HUGE | XML_PARSE_NONET);
    push_all(parser, file, chunk);
    xmlFreeParserCtxt(parser);
    printf("%.0f %lu\n", clock_ns() - began, elements);
    free(chunk);
    fclose(file);
}

/* Records in a file, in memory before the clock starts. */
static struct raw_records map_records(const char *path)
{
    struct stat stat;
    struct raw_records records = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &stat) != 0) {
        die("%s: %s", path, strerror(errno));
    }
    records.size = (size_t)stat.st_size;
    records.bytes = mmap(NULL, records.size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (records.bytes == MAP_FAILED) {
        die("%s: %s", path, strerror(errno));
    }
    close(fd);
    for (size_t at = 0; at < records.size; records.count++) {
        struct raw_head head;
        memcpy(&head, records.bytes + at, sizeof head);
        at += sizeof head + head.key_size + head.value_size;
    }
    return records;
}

static void job_load(char **arguments)
{
    struct raw raw;
    struct raw_records records = map_records(arguments[1]);
    double began = clock_ns();
    if (mkdir(arguments[0], 0750) != 0) {
        die("%s: %s", arguments[0], strerror(errno));
    }
    raw_open(&raw, arguments[0], true);
    raw_commit(&raw, &records, 0);
    double took = clock_ns() - began;
    printf("%.0f %zu\n", took, raw_count(&raw));
    raw_close(&raw);
    munmap(records.bytes, records.size);
}

/* The most memory this process ever had: of its own, not what it had as a copy of its parent. */
static unsigned long peak_kib(void)
{
    char line[256];
    unsigned long peak = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "VmHWM: %lu", &peak) == 1) {
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return peak;
}

static void job_import(char **arguments)
{
    rs_store *store;
    rs_txn *txn;
    rs_error error = RS_ERROR_INIT;
    rs_import_options options = {.key = "HKLM\\SOFTWARE"};
    rs_import_report report;
    double began = clock_ns();
    if (rs_open(arguments[0], RS_CREATE, &store, &error) != RS_OK) {
        die("%s", error.text);
    }
    need(rs_begin(store, RS_WRITE, &txn), "begin");
    if (rs_import(txn, arguments[1], &options, &report, &error) != RS_OK) {
        die("%s", error.text);
    }
    double keys = (double)report.keys_added;
    double values = (double)report.values_added;
    need(rs_commit(txn, NULL), "commit");
    double took = clock_ns() - began;
    rs_close(store);
    printf("%.0f %lu %.0f %.0f\n", took, peak_kib(), keys, values);
}

static void job_walk(char **arguments)
{
    struct raw raw;
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    size_t records = 0;
    size_t bytes = 0;
    double began = clock_ns();
    raw_open(&raw, arguments[0], false);
    raw_renew(&raw);
    raw_need(mdb_cursor_open(raw.reader, raw.tables[RAW_TREE], &cursor), "mdb_cursor_open");
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        records++;
        bytes += key.mv_size + value.mv_size;
    }
    mdb_cursor_close(cursor);
    printf("%.0f %zu %zu\n", clock_ns() - began, records, bytes);
    raw_close(&raw);
}

static void job_sqlite(char **arguments)
{
    struct sql sql;
    struct dataset *data = data_make(strtoul(arguments[1], NULL, 10));
    double began = clock_ns();
    sql_open(&sql, arguments[0]);
    sql_load(&sql, data);
    double took = clock_ns() - began;
    printf("%.0f %zu\n", took, sql_count(&sql));
    sql_close(&sql);
    data_free(data);
}

int job_main(char **arguments)
{
    static const struct {
        const char *name;
        void (*run)(char **arguments);
    } jobs[] = {
        {"parse", job_parse},   {"load", job_load}, {"import", job_import},
        {"sqlite", job_sqlite}, {"walk", job_walk},
    };
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        if (strcmp(arguments[0], jobs[i].name) == 0) {
            jobs[i].run(arguments + 1);
            return 0;
        }
    }
    die("no job \"%s\"", arguments[0]);
}

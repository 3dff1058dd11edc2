/*
 * test_settings - the services' common part: settings against their table, their words, and what
 * carries the words away (log, notify, options, check, live). tests/services.py tests the whole
 * programs.
 */
#include "harness.h"

#include "../services/common/check.h"
#include "../services/common/live.h"
#include "../services/common/options.h"
#include "../services/common/settings_text.h"
/* For making a journal that is cut short. */
#include "../regstore/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define KEY "HKLM\\SOFTWARE\\Test"

static const char *const default_list[] = {"one", "two", NULL};

enum { RATE, LEVEL, SWITCH, COMMENT, SHARES, BUFFERS, ROWS };

static const struct setting table[ROWS] = {
    [RATE] = SETTING_ROW_NUMBER("Rate", 1, 5, 2, "ms", SETTING_LIVE, "Q1"),
    [LEVEL] = SETTING_ROW_NUMBER_OR("Level", 0, 1, 0xffffffffu, 0, NULL, SETTING_RELOAD, "Q2"),
    [SWITCH] = SETTING_ROW_BOOL("Switch", 1, SETTING_LIVE, "Q3"),
    [COMMENT] = SETTING_ROW_STRING("Comment", "none", SETTING_LIVE, "Q4"),
    [SHARES] = SETTING_ROW_MULTI("Shares", default_list, SETTING_LIVE, "Q5"),
    [BUFFERS] = SETTING_ROW_CHOSEN("Buffers", 1, 512, NULL, SETTING_RESTART, "Q6"),
};

static const struct service test_service = {
    .program = "test-service",
    .summary = "is a test",
    .key = KEY,
    .table = table,
    .count = ROWS,
};

/* ---- A store to read from */

static rs_store *open_store(void)
{
    rs_store *store = NULL;
    rs_error error = RS_ERROR_INIT;
    int status = rs_open(scratch_path("store"), RS_CREATE, &store, &error);
    CU_ASSERT_EQUAL_FATAL(status, RS_OK);
    return store;
}

static rs_txn *begin(rs_store *store, unsigned mode)
{
    rs_txn *txn = NULL;
    CU_ASSERT_EQUAL_FATAL(rs_begin(store, mode, &txn), RS_OK);
    return txn;
}

static uint64_t commit(rs_txn *txn)
{
    uint64_t revision = 0;
    CU_ASSERT_EQUAL_FATAL(rs_commit(txn, &revision), RS_OK);
    return revision;
}

static rs_key test_key(rs_txn *txn)
{
    rs_key key = RS_NO_KEY;
    CU_ASSERT_EQUAL_FATAL(rs_key_create(txn, RS_NO_KEY, KEY, &key), RS_OK);
    return key;
}

static uint64_t set_dword(rs_store *store, const char *name, uint32_t number)
{
    rs_txn *txn = begin(store, RS_WRITE);
    CU_ASSERT_EQUAL_FATAL(rs_set_dword(txn, test_key(txn), name, number), RS_OK);
    return commit(txn);
}

static void set_string(rs_store *store, const char *name, const char *text)
{
    rs_txn *txn = begin(store, RS_WRITE);
    CU_ASSERT_EQUAL_FATAL(rs_set_string(txn, test_key(txn), name, text), RS_OK);
    commit(txn);
}

static void set_multi(rs_store *store, const char *name, const char *const *strings, size_t count)
{
    rs_txn *txn = begin(store, RS_WRITE);
    CU_ASSERT_EQUAL_FATAL(rs_set_multi(txn, test_key(txn), name, strings, count), RS_OK);
    commit(txn);
}

static void set_bytes(rs_store *store, const char *name, uint32_t type, const void *data,
                      size_t size)
{
    rs_txn *txn = begin(store, RS_WRITE);
    CU_ASSERT_EQUAL_FATAL(rs_value_set(txn, test_key(txn), name, type, data, size), RS_OK);
    commit(txn);
}

static struct settings *load(rs_store *store)
{
    struct settings *settings = NULL;
    rs_txn *txn = begin(store, RS_READ);
    CU_ASSERT_EQUAL_FATAL(settings_load(txn, KEY, table, ROWS, &settings), RS_OK);
    rs_abort(txn);
    return settings;
}

static void expect_list(const char *const *strings, const char *joined)
{
    char text[256] = "";
    for (; *strings != NULL; strings++) {
        strncat(text, *strings, sizeof(text) - strlen(text) - 1);
        strncat(text, ",", sizeof(text) - strlen(text) - 1);
    }
    CU_ASSERT_STRING_EQUAL(text, joined);
}

/* ---- Loading */

static void absent_key_gives_defaults(void)
{
    rs_store *store = open_store();
    struct settings *settings = load(store);
    CU_ASSERT_FALSE(settings->key_exists);
    CU_ASSERT_EQUAL(settings->set, 0);
    CU_ASSERT_EQUAL(settings->refused, 0);
    CU_ASSERT_EQUAL(settings->values[RATE].number, 2);
    CU_ASSERT_EQUAL(settings->values[RATE].origin, SETTING_FROM_DEFAULT);
    CU_ASSERT_EQUAL(settings->values[SWITCH].number, 1);
    CU_ASSERT_STRING_EQUAL(settings->values[COMMENT].text, "none");
    expect_list(settings->values[SHARES].strings, "one,two,");
    CU_ASSERT_FALSE(settings->values[BUFFERS].known);
    settings_free(settings);
    rs_close(store);
}

static void set_values_are_read(void)
{
    static const char *const shares[] = {"A", "", "C"};
    rs_store *store = open_store();
    set_dword(store, "rate", 5); /* names do not depend on case */
    set_dword(store, "Level", 0xffffffffu);
    set_dword(store, "Switch", 0);
    set_dword(store, "Buffers", 512);
    set_string(store, "Comment", "caf\xc3\xa9");
    set_multi(store, "Shares", shares, 3);
    struct settings *settings = load(store);
    CU_ASSERT_TRUE(settings->key_exists);
    CU_ASSERT_EQUAL(settings->set, ROWS);
    CU_ASSERT_EQUAL(settings->values[RATE].number, 5);
    CU_ASSERT_EQUAL(settings->values[RATE].origin, SETTING_FROM_STORE);
    CU_ASSERT_EQUAL(settings->values[LEVEL].number, 0xffffffffu);
    CU_ASSERT_EQUAL(settings->values[SWITCH].number, 0);
    CU_ASSERT_TRUE(settings->values[BUFFERS].known);
    CU_ASSERT_EQUAL(settings->values[BUFFERS].number, 512);
    CU_ASSERT_STRING_EQUAL(settings->values[COMMENT].text, "caf\xc3\xa9");
    expect_list(settings->values[SHARES].strings, "A,,C,");
    settings_free(settings);
    rs_close(store);
}

static void one_snapshot_is_read(void)
{
    struct settings *settings = NULL;
    rs_store *store = open_store();
    uint64_t first = set_dword(store, "Rate", 3);
    rs_txn *txn = begin(store, RS_READ);
    set_dword(store, "Rate", 4);
    CU_ASSERT_EQUAL_FATAL(settings_load(txn, KEY, table, ROWS, &settings), RS_OK);
    rs_abort(txn);
    CU_ASSERT_EQUAL(settings->values[RATE].number, 3);
    CU_ASSERT_EQUAL(settings->revision, first);
    settings_free(settings);
    rs_close(store);
}

/* What is allowed at the bounds and beyond; a refused value leaves the default in its place. */
static void numbers_are_held_to_their_bounds(void)
{
    static const struct {
        int row;
        uint32_t number;
        bool allowed;
    } cases[] = {
        {RATE, 0, false},
        {RATE, 1, true},
        {RATE, 5, true},
        {RATE, 6, false},
        {LEVEL, 0, true},
        {LEVEL, 1, true},
        {LEVEL, 2, false},
        {LEVEL, 0xfffffffeu, false},
        {LEVEL, 0xffffffffu, true},
        {SWITCH, 1, true},
        {SWITCH, 2, false},
        {BUFFERS, 513, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct setting *row = &table[cases[i].row];
        rs_store *store = open_store();
        set_dword(store, row->name, cases[i].number);
        struct settings *settings = load(store);
        const struct setting_value *value = &settings->values[cases[i].row];
        CU_ASSERT_EQUAL(settings->refused, cases[i].allowed ? 0 : 1);
        CU_ASSERT_EQUAL(value->number, cases[i].allowed ? cases[i].number : row->number);
        CU_ASSERT_EQUAL(value->origin, cases[i].allowed ? SETTING_FROM_STORE : SETTING_REFUSED);
        settings_free(settings);
        /* Mended for the next case. */
        rs_txn *txn = begin(store, RS_WRITE);
        CU_ASSERT_EQUAL(rs_value_delete(txn, test_key(txn), row->name), RS_OK);
        commit(txn);
        rs_close(store);
    }
}

static void expect_refusal(rs_store *store, int row, const char *expected)
{
    struct line line = LINE_INIT;
    struct settings *settings = load(store);
    CU_ASSERT_EQUAL(settings->values[row].origin, SETTING_REFUSED);
    settings_add_refusal(&line, &table[row], &settings->values[row]);
    CU_ASSERT_STRING_EQUAL(line.text, expected);
    settings_free(settings);
}

static void refusals_say_why(void)
{
    rs_store *store = open_store();
    set_dword(store, "Rate", 9);
    expect_refusal(store, RATE, "Rate is 9, allowed 1-5 (KB Q1)");
    set_dword(store, "Level", 7);
    expect_refusal(store, LEVEL, "Level is 7, allowed 0-1 and 0xffffffff (KB Q2)");
    set_string(store, "Switch", "1");
    expect_refusal(store, SWITCH, "Switch is a REG_SZ, must be a REG_DWORD (KB Q3)");
    set_dword(store, "Comment", 1);
    expect_refusal(store, COMMENT, "Comment is a REG_DWORD, must be a REG_SZ (KB Q4)");
    set_string(store, "Shares", "A");
    expect_refusal(store, SHARES, "Shares is a REG_SZ, must be a REG_MULTI_SZ (KB Q5)");
    set_bytes(store, "Buffers", REG_DWORD, "\1\0\0", 3);
    expect_refusal(store, BUFFERS, "Buffers holds 3 bytes that are no REG_DWORD (KB Q6)");
    set_bytes(store, "Buffers", 0x20000, "\1\0\0\0", 4);
    expect_refusal(store, BUFFERS,
                   "Buffers is a value of type 0x20000, must be a REG_DWORD (KB Q6)");
    rs_close(store);
}

static void all_refusals_stand_in_one_line(void)
{
    struct line line = LINE_INIT;
    rs_store *store = open_store();
    set_dword(store, "Rate", 0);
    set_dword(store, "Switch", 2);
    struct settings *settings = load(store);
    CU_ASSERT_EQUAL(settings->refused, 2);
    line_add(&line, "no: ");
    settings_add_refusals(&line, settings);
    CU_ASSERT_STRING_EQUAL(line.text,
                           "no: Rate is 0, allowed 1-5 (KB Q1); Switch is 2, allowed 0-1 (KB Q3)");
    settings_free(settings);
    rs_close(store);
}

static void changes_are_described(void)
{
    static const char *const shares[] = {"one", "two", "a \"b\""};
    struct line line = LINE_INIT;
    rs_store *store = open_store();
    set_dword(store, "Level", 1);
    struct settings *before = load(store);
    set_dword(store, "Rate", 5);
    set_dword(store, "Level", 0xffffffffu);
    set_string(store, "Comment", "hello");
    set_multi(store, "Shares", shares, 3);
    set_dword(store, "Buffers", 9);
    struct settings *after = load(store);
    CU_ASSERT_EQUAL(settings_add_changes(&line, before, after), 5);
    CU_ASSERT_STRING_EQUAL(line.text,
                           "Rate 2 -> 5 ms, Level 1 -> 0xffffffff, Comment \"none\" -> \"hello\", "
                           "Shares [\"one\", \"two\"] -> [\"one\", \"two\", \"a \\x22b\\x22\"], "
                           "Buffers chosen by the service -> 9 (from the next start)");
    line = (struct line)LINE_INIT;
    CU_ASSERT_EQUAL(settings_add_changes(&line, after, before), 5);
    CU_ASSERT_PTR_NOT_NULL(strstr(line.text, "Rate 5 -> 2 ms (default), "));
    CU_ASSERT_PTR_NOT_NULL(strstr(line.text, "Buffers 9 -> chosen by the service"));
    settings_free(before);
    settings_free(after);
    rs_close(store);
}

/* Setting a value to its default, and another order of a list. */
static void only_meaning_counts_as_change(void)
{
    static const char *const swapped[] = {"two", "one"};
    struct line line = LINE_INIT;
    rs_store *store = open_store();
    struct settings *before = load(store);
    set_dword(store, "Rate", 2);
    set_multi(store, "Shares", default_list, 2);
    struct settings *same = load(store);
    CU_ASSERT_EQUAL(settings_add_changes(&line, before, same), 0);
    CU_ASSERT_EQUAL(line.length, 0);
    set_multi(store, "Shares", swapped, 2);
    struct settings *other = load(store);
    CU_ASSERT_EQUAL(settings_add_changes(&line, same, other), 1);
    settings_free(before);
    settings_free(same);
    settings_free(other);
    rs_close(store);
}

/* ---- Lines */

static void quoted_text_stays_on_its_line(void)
{
    struct line line = LINE_INIT;
    line_add_quoted(&line, "a\nb\x1b[1m\xc2\x9b\xed\xa0\x80\x7f \xc3\xa9 SQL\\QUERY");
    CU_ASSERT_STRING_EQUAL(line.text, "\"a\\x0ab\\x1b[1m\\xc2\\x9b\\xed\\xa0\\x80\\x7f \xc3\xa9 "
                                      "SQL\\QUERY\"");
}

static void long_text_is_cut_between_characters(void)
{
    char text[3 * LINE_QUOTED_MAX];
    struct line line = LINE_INIT;
    memset(text, 'x', sizeof(text));
    memcpy(text + LINE_QUOTED_MAX - 1, "\xc3\xa9", 2);
    text[sizeof(text) - 1] = '\0';
    line_add_quoted(&line, text);
    CU_ASSERT_EQUAL(line.length, strlen("\"...\"") + LINE_QUOTED_MAX + 1);
    CU_ASSERT_STRING_EQUAL(line.text + LINE_QUOTED_MAX, "\xc3\xa9...\"");
}

static void full_line_ends_in_dots(void)
{
    struct line line = LINE_INIT;
    for (int i = 0; i < LINE_SIZE; i++) {
        line_add(&line, "%s", "word ");
    }
    CU_ASSERT_EQUAL(line.length, LINE_SIZE - 1);
    CU_ASSERT_EQUAL(strlen(line.text), LINE_SIZE - 1);
    CU_ASSERT_STRING_EQUAL(line.text + LINE_SIZE - 4, "...");
}

/* ---- Log and notification */

static void read_pipe(int fd, char *text, size_t size)
{
    ssize_t length = read(fd, text, size - 1);
    CU_ASSERT_FATAL(length >= 0);
    text[length] = '\0';
}

static void log_line_names_priority_only_for_the_journal(void)
{
    int fds[2];
    char text[256];
    char stream[64];
    struct stat status;
    struct log log;
    CU_ASSERT_EQUAL_FATAL(pipe2(fds, O_CLOEXEC), 0);
    CU_ASSERT_EQUAL_FATAL(fstat(fds[1], &status), 0);
    log_open(&log, "prog", fds[1], NULL);
    log_line(&log, LOG_LINE_INFO, "%d things", 3);
    read_pipe(fds[0], text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "prog: 3 things\n");
    snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
    log_open(&log, "prog", fds[1], stream);
    log_line(&log, LOG_LINE_WARNING, "careful");
    read_pipe(fds[0], text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "<4>careful\n");
    /* Inherited, but standard error goes elsewhere now. */
    snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)status.st_dev,
             (uintmax_t)status.st_ino + 1);
    log_open(&log, "prog", fds[1], stream);
    CU_ASSERT_FALSE(log.journal);
    log_open(&log, "prog", fds[1], "nonsense");
    CU_ASSERT_FALSE(log.journal);
    close(fds[0]);
    close(fds[1]);
}

/* A socket as a service manager has one; name begins with '@' for the abstract namespace. */
static int manager_socket(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    CU_ASSERT_FATAL(length < sizeof(address.sun_path));
    memcpy(address.sun_path, name, length);
    if (name[0] == '@') {
        address.sun_path[0] = '\0';
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL_FATAL(bind(fd, (const struct sockaddr *)&address,
                               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
                          0);
    return fd;
}

static void messages_reach_the_manager(void)
{
    char abstract[64];
    char text[256];
    snprintf(abstract, sizeof(abstract), "@regstore-test-%ld", (long)getpid());
    const char *names[] = {scratch_path("socket"), abstract};
    for (size_t i = 0; i < 2; i++) {
        int fd = manager_socket(names[i]);
        CU_ASSERT_EQUAL(notify_send(names[i], "READY=1\nSTATUS=here"), 0);
        read_pipe(fd, text, sizeof(text));
        CU_ASSERT_STRING_EQUAL(text, "READY=1\nSTATUS=here");
        close(fd);
    }
}

static void bad_manager_names_are_errors(void)
{
    char name[200];
    memset(name, 'x', sizeof(name));
    name[0] = '/';
    name[sizeof(name) - 1] = '\0';
    CU_ASSERT_EQUAL(notify_send("", "READY=1"), EINVAL);
    CU_ASSERT_EQUAL(notify_send("/", "READY=1"), EINVAL);
    CU_ASSERT_EQUAL(notify_send("vsock:2:1", "READY=1"), EINVAL);
    CU_ASSERT_EQUAL(notify_send(name, "READY=1"), ENAMETOOLONG);
    CU_ASSERT_EQUAL(notify_send(scratch_path("nobody"), "READY=1"), ENOENT);
}

/* ---- Command line */

/* arguments stand in one text, separated by spaces. */
static bool parse(const char *arguments, struct options *options, struct line *problem)
{
    char text[256] = "service ";
    char *argv[16];
    int argc = 0;
    strncat(text, arguments, sizeof(text) - strlen(text) - 1);
    for (char *word = strtok(text, " "); word != NULL && argc < 15; word = strtok(NULL, " ")) {
        argv[argc++] = word;
    }
    argv[argc] = NULL;
    *problem = (struct line)LINE_INIT;
    bool parsed = options_parse(argc, argv, options, problem);
    options->store = options->store != NULL ? "given" : NULL;
    return parsed;
}

static void options_are_understood(void)
{
    struct options options = {.action = SERVICE_HELP};
    struct line problem;
    CU_ASSERT_TRUE(parse("", &options, &problem));
    CU_ASSERT_EQUAL(options.action, SERVICE_RUN);
    CU_ASSERT_PTR_NULL(options.store);
    CU_ASSERT_TRUE(parse("--store /x --check", &options, &problem));
    CU_ASSERT_EQUAL(options.action, SERVICE_CHECK);
    CU_ASSERT_PTR_NOT_NULL(options.store);
    CU_ASSERT_TRUE(parse("--store=/x", &options, &problem));
    CU_ASSERT_PTR_NOT_NULL(options.store);
    CU_ASSERT_TRUE(parse("--version", &options, &problem));
    CU_ASSERT_EQUAL(options.action, SERVICE_VERSION);
    CU_ASSERT_TRUE(parse("--help", &options, &problem));
    CU_ASSERT_EQUAL(options.action, SERVICE_HELP);
}

static void wrong_command_lines_are_named(void)
{
    static const struct {
        const char *arguments;
        const char *problem;
    } cases[] = {
        {"--stroe x", "unknown option \"--stroe\""},
        {"-s", "unknown option \"-s\""},
        {"--check -xyz", "unknown option \"-x\""},
        {"--check=yes", "option without an argument has one: \"--check=yes\""},
        {"--check --store", "option --store needs an argument"},
        {"--check here", "unexpected argument \"here\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct options options = {.action = SERVICE_RUN};
        struct line problem;
        CU_ASSERT_FALSE(parse(cases[i].arguments, &options, &problem));
        CU_ASSERT_STRING_EQUAL(problem.text, cases[i].problem);
    }
}

/* ---- Check */

static void check_prints_every_setting(void)
{
    char *text = NULL;
    size_t size = 0;
    struct check check;
    rs_store *store = open_store();
    set_dword(store, "Rate", 5);
    set_dword(store, "Switch", 2);
    FILE *stream = open_memstream(&text, &size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
    CU_ASSERT_EQUAL(check_settings(&test_service, store, stream, &check), RS_OK);
    fclose(stream);
    CU_ASSERT_TRUE(check.printed);
    CU_ASSERT_FALSE(check.allowed);
    CU_ASSERT_STRING_EQUAL(check.refusals.text, "Switch is 2, allowed 0-1 (KB Q3)");
    CU_ASSERT_STRING_EQUAL(
        text,
        KEY ", revision 2\n"
            "\n"
            "SETTING  ORIGIN   ALLOWED             APPLIES  SOURCE   VALUE\n"
            "Rate     set      1-5                 live     Q1       5 ms\n"
            "Level    default  0-1 and 0xffffffff  reload   Q2       0\n"
            "Switch   refused  0-1                 live     Q3       1\n"
            "Comment  default  REG_SZ              live     Q4       \"none\"\n"
            "Shares   default  REG_MULTI_SZ        live     Q5       [\"one\", \"two\"]\n"
            "Buffers  default  1-512               restart  Q6       chosen by the service\n");
    free(text);
    rs_close(store);
}

static void check_notices_a_full_disk(void)
{
    struct check check;
    rs_store *store = open_store();
    FILE *stream = fopen("/dev/full", "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
    CU_ASSERT_EQUAL(check_settings(&test_service, store, stream, &check), RS_OK);
    CU_ASSERT_FALSE(check.printed);
    CU_ASSERT_TRUE(check.allowed);
    fclose(stream);
    rs_close(store);
}

/* ---- Following the store */

/* A live service in this process, whose log comes out of a pipe. */
struct bench {
    rs_store *store;
    struct log log;
    struct notifier notifier;
    struct live live;
    int pipe[2];
    char text[4096]; /* the log since it was last read */
};

static void bench_open(struct bench *bench)
{
    bench->store = open_store();
    CU_ASSERT_EQUAL_FATAL(pipe2(bench->pipe, O_CLOEXEC | O_NONBLOCK), 0);
    log_open(&bench->log, "test", bench->pipe[1], NULL);
    bench->notifier = (struct notifier){.socket_name = NULL, .log = &bench->log};
}

static void bench_start(struct bench *bench)
{
    CU_ASSERT_TRUE_FATAL(
        live_open(&bench->live, &test_service, &bench->log, &bench->notifier, bench->store));
}

static const char *bench_log(struct bench *bench)
{
    ssize_t length = read(bench->pipe[0], bench->text, sizeof(bench->text) - 1);
    bench->text[length > 0 ? length : 0] = '\0';
    return bench->text;
}

static void bench_close(struct bench *bench)
{
    live_close(&bench->live);
    close(bench->pipe[0]);
    close(bench->pipe[1]);
    rs_close(bench->store);
}

/* Whether the log since the last look is one line that begins and ends so; what stands between is
 * the time, which no test can know. */
static void expect_line(struct bench *bench, const char *start, const char *end)
{
    const char *text = bench_log(bench);
    size_t length = strlen(text);
    bool one_line = length > 0 && strchr(text, '\n') == text + length - 1;
    bool fits = one_line && strncmp(text, start, strlen(start)) == 0 && length > strlen(end) &&
                strncmp(text + length - 1 - strlen(end), end, strlen(end)) == 0;
    if (!fits) {
        fprintf(stderr, "logged: %s", text);
    }
    CU_ASSERT_TRUE(fits);
}

static void a_change_is_taken(void)
{
    struct bench bench;
    bench_open(&bench);
    bench_start(&bench);
    expect_line(&bench, "test: started with revision 0's settings: ",
                "all default, there is no key " KEY " yet");
    set_dword(bench.store, "Rate", 3);
    live_follow(&bench.live);
    expect_line(&bench, "test: applied revision 1, ",
                " us after its commit: the key exists now, Rate 2 -> 3 ms");
    CU_ASSERT_EQUAL(bench.live.settings->values[RATE].number, 3);
    CU_ASSERT_EQUAL(bench.live.revision, 1);
    live_follow(&bench.live);
    CU_ASSERT_STRING_EQUAL(bench_log(&bench), "");
    bench_close(&bench);
}

static void a_bad_change_is_refused_until_mended(void)
{
    struct bench bench;
    bench_open(&bench);
    set_dword(bench.store, "Rate", 3);
    bench_start(&bench);
    expect_line(&bench,
                "test: started with revision 1's settings: ", "1 set, 0 refused, 5 default");
    set_dword(bench.store, "Rate", 9);
    live_follow(&bench.live);
    expect_line(&bench, "test: refused revision 2: ",
                "Rate is 9, allowed 1-5 (KB Q1); keeping revision 1's settings");
    set_dword(bench.store, "Switch", 0); /* good, but Rate is still bad: nothing is taken */
    live_follow(&bench.live);
    expect_line(&bench, "test: refused revision 3: ",
                "Rate is 9, allowed 1-5 (KB Q1); keeping revision 1's settings");
    CU_ASSERT_EQUAL(bench.live.settings->values[RATE].number, 3);
    CU_ASSERT_EQUAL(bench.live.settings->values[SWITCH].number, 1);
    set_dword(bench.store, "Rate", 4);
    live_follow(&bench.live);
    expect_line(&bench, "test: applied revision 4, ",
                "all values are allowed again, Rate 3 -> 4 ms, Switch 1 -> 0");
    bench_close(&bench);
}

static void a_bad_value_does_not_keep_a_service_down(void)
{
    struct bench bench;
    bench_open(&bench);
    set_dword(bench.store, "Rate", 9);
    bench_start(&bench);
    CU_ASSERT_STRING_EQUAL(
        bench_log(&bench),
        "test: Rate is 9, allowed 1-5 (KB Q1); starting with the default instead: 2 ms\n"
        "test: started with revision 1's settings: 0 set, 1 refused, 5 default\n");
    CU_ASSERT_EQUAL(bench.live.settings->values[RATE].number, 2);
    set_dword(bench.store, "Rate", 2);
    live_follow(&bench.live);
    expect_line(&bench, "test: applied revision 2, ",
                "all values are allowed again, no setting changed");
    bench_close(&bench);
}

static void changes_are_taken_together(void)
{
    struct bench bench;
    bench_open(&bench);
    bench_start(&bench);
    bench_log(&bench);
    for (uint32_t number = 1; number <= 5; number++) {
        set_dword(bench.store, "Rate", number);
    }
    live_follow(&bench.live);
    expect_line(&bench, "test: applied revision 5, ", "the key exists now, Rate 2 -> 5 ms");
    bench_close(&bench);
}

static void what_is_read_on_request_is_said(void)
{
    struct bench bench;
    bench_open(&bench);
    set_dword(bench.store, "Rate", 3);
    bench_start(&bench);
    bench_log(&bench);
    live_read_again(&bench.live);
    expect_line(&bench, "test: applied revision 1, read again on request: ", "no setting changed");
    bench_close(&bench);
}

static void other_keys_and_values_change_nothing(void)
{
    rs_key key;
    struct bench bench;
    bench_open(&bench);
    set_dword(bench.store, "Rate", 3);
    bench_start(&bench);
    bench_log(&bench);
    rs_txn *txn = begin(bench.store, RS_WRITE);
    CU_ASSERT_EQUAL_FATAL(rs_key_create(txn, RS_HKLM, "SOFTWARE\\Other", &key), RS_OK);
    commit(txn);
    live_follow(&bench.live);
    CU_ASSERT_STRING_EQUAL(bench_log(&bench), "");
    set_dword(bench.store, "Raet", 4); /* a slip that the administrator should see */
    live_follow(&bench.live);
    expect_line(&bench, "test: applied revision 3, ", " us after its commit: no setting changed");
    bench_close(&bench);
}

static void a_deleted_key_gives_the_defaults_back(void)
{
    struct bench bench;
    bench_open(&bench);
    set_dword(bench.store, "Rate", 3);
    bench_start(&bench);
    bench_log(&bench);
    rs_txn *txn = begin(bench.store, RS_WRITE);
    CU_ASSERT_EQUAL_FATAL(rs_key_delete(txn, test_key(txn), 0), RS_OK);
    commit(txn);
    live_follow(&bench.live);
    expect_line(&bench, "test: applied revision 2, ",
                ": the key is gone, Rate 3 -> 2 ms (default)");
    set_dword(bench.store, "Rate", 4);
    live_follow(&bench.live);
    expect_line(&bench, "test: applied revision 3, ", ": the key exists now, Rate 2 -> 4 ms");
    bench_close(&bench);
}

static void a_journal_cut_short_is_said(void)
{
    struct bench bench;
    bench_open(&bench);
    bench_start(&bench);
    bench_log(&bench);
    set_dword(bench.store, "Rate", 3);
    set_dword(bench.store, "Rate", 4);
    rs_txn *txn = begin(bench.store, RS_WRITE);
    CU_ASSERT_EQUAL_FATAL(rs_set_dword(txn, test_key(txn), "Rate", 5), RS_OK);
    CU_ASSERT_EQUAL_FATAL(journal_trim(&txn->env, 2, 0, 2), RS_OK);
    commit(txn);
    live_follow(&bench.live);
    expect_line(&bench,
                "test: applied revision 3, read again because the journal no longer reaches back: ",
                "the key exists now, Rate 2 -> 5 ms");
    set_dword(bench.store, "Rate", 1);
    live_follow(&bench.live);
    expect_line(&bench, "test: applied revision 4, ", " us after its commit: Rate 5 -> 1 ms");
    bench_close(&bench);
}

static const struct test_case cases[] = {
    {"an absent key gives the defaults", absent_key_gives_defaults},
    {"set values are read", set_values_are_read},
    {"one snapshot is read", one_snapshot_is_read},
    {"numbers are held to their bounds", numbers_are_held_to_their_bounds},
    {"refusals say why", refusals_say_why},
    {"all refusals stand in one line", all_refusals_stand_in_one_line},
    {"changes are described", changes_are_described},
    {"only meaning counts as change", only_meaning_counts_as_change},
    {"quoted text stays on its line", quoted_text_stays_on_its_line},
    {"long text is cut between characters", long_text_is_cut_between_characters},
    {"a full line ends in dots", full_line_ends_in_dots},
    {"a log line names its priority only for the journal",
     log_line_names_priority_only_for_the_journal},
    {"messages reach the manager", messages_reach_the_manager},
    {"bad manager names are errors", bad_manager_names_are_errors},
    {"options are understood", options_are_understood},
    {"wrong command lines are named", wrong_command_lines_are_named},
    {"check prints every setting", check_prints_every_setting},
    {"check notices a full disk", check_notices_a_full_disk},
    {"a change is taken", a_change_is_taken},
    {"a bad change is refused until mended", a_bad_change_is_refused_until_mended},
    {"a bad value does not keep a service down", a_bad_value_does_not_keep_a_service_down},
    {"changes are taken together", changes_are_taken_together},
    {"what is read on request is said", what_is_read_on_request_is_said},
    {"other keys and values change nothing", other_keys_and_values_change_nothing},
    {"a deleted key gives the defaults back", a_deleted_key_gives_the_defaults_back},
    {"a journal cut short is said", a_journal_cut_short_is_said},
    {NULL, NULL},
};

const struct test_suite suite_settings = {"settings", cases};

/*
 * test_service - what carries a service's settings: its command line, its log, the manager's
 * messages, --check, and live, which keeps the settings as the store has them. tests/services.py
 * tests the whole programs.
 */
#include "stores.h"

#include "settings_bench.h"

#include "../services/common/check.h"
#include "../services/common/live.h"
#include "../services/common/options.h"
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
        {"--check=yes", "option takes no argument: \"--check=yes\""},
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
    rs_store *store = bench_open();
    bench_set_dword(store, "Rate", 5);
    bench_set_dword(store, "Switch", 2);
    FILE *stream = open_memstream(&text, &size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
    CU_ASSERT_EQUAL(check_settings(&bench_service, store, stream, &check), RS_OK);
    fclose(stream);
    CU_ASSERT_TRUE(check.printed);
    CU_ASSERT_FALSE(check.allowed);
    CU_ASSERT_STRING_EQUAL(check.refusals.text, "Switch: 2 is given, the rule says 0 to 1 (Q3)");
    CU_ASSERT_STRING_EQUAL(
        text,
        BENCH_KEY ", revision 2\n"
                  "\n"
                  "SETTING  ORIGIN   ALLOWED           APPLIES  SOURCE   VALUE\n"
                  "Rate     set      1-5               live     Q1       5 ms\n"
                  "Level    default  0, 1, 0xffffffff  reload   Q2       0\n"
                  "Switch   refused  0-1               live     Q3       1\n"
                  "Comment  default  REG_SZ            live     Q4       \"none\"\n"
                  "Shares   default  REG_MULTI_SZ      live     Q5       [\"one\", \"two\"]\n"
                  "Buffers  default  1-512             restart  Q6       chosen by the service\n");
    free(text);
    rs_close(store);
}

static void check_notices_a_full_disk(void)
{
    struct check check;
    rs_store *store = bench_open();
    FILE *stream = fopen("/dev/full", "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
    CU_ASSERT_EQUAL(check_settings(&bench_service, store, stream, &check), RS_OK);
    CU_ASSERT_FALSE(check.printed);
    CU_ASSERT_TRUE(check.allowed);
    fclose(stream);
    rs_close(store);
}

/* ---- Following the store */

/* A live service in this process, whose log comes out of a pipe. */
struct rig {
    rs_store *store;
    struct log log;
    struct notifier notifier;
    struct live live;
    int pipe[2];
    char text[4096]; /* the log since it was last read */
};

static void rig_open(struct rig *rig)
{
    rig->store = bench_open();
    CU_ASSERT_EQUAL_FATAL(pipe2(rig->pipe, O_CLOEXEC | O_NONBLOCK), 0);
    log_open(&rig->log, "test", rig->pipe[1], NULL);
    rig->notifier = (struct notifier){.socket_name = NULL, .log = &rig->log};
}

static void rig_start(struct rig *rig)
{
    const struct options options = {.store = rs_store_dir(rig->store)};
    CU_ASSERT_TRUE_FATAL(
        live_open(&rig->live, &bench_service, &rig->log, &rig->notifier, &options));
}

static const char *rig_log(struct rig *rig)
{
    ssize_t length = read(rig->pipe[0], rig->text, sizeof(rig->text) - 1);
    rig->text[length > 0 ? length : 0] = '\0';
    return rig->text;
}

/* Started with a rate that is set; what was said until then is not looked at. */
static void rig_run(struct rig *rig, uint32_t rate)
{
    rig_open(rig);
    bench_set_dword(rig->store, "Rate", rate);
    rig_start(rig);
    rig_log(rig);
}

static void rig_close(struct rig *rig)
{
    live_close(&rig->live);
    close(rig->pipe[0]);
    close(rig->pipe[1]);
    rs_close(rig->store);
}

/* Whether the log since the last look is one line that begins and ends so; what stands between is
 * the time, which no test can know. */
static void expect_line(struct rig *rig, const char *start, const char *end)
{
    const char *text = rig_log(rig);
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
    struct rig rig;
    rig_open(&rig);
    rig_start(&rig);
    expect_line(&rig, "test: started with revision 0's settings: ",
                "all default, there is no key " BENCH_KEY " yet");
    bench_set_dword(rig.store, "Rate", 3);
    live_follow(&rig.live);
    expect_line(&rig, "test: applied revision 1, ",
                " us after its commit: the key exists now, Rate 2 -> 3 ms");
    CU_ASSERT_EQUAL(rig.live.settings->values[RATE].number, 3);
    CU_ASSERT_EQUAL(rig.live.revision, 1);
    live_follow(&rig.live);
    CU_ASSERT_STRING_EQUAL(rig_log(&rig), "");
    rig_close(&rig);
}

static void a_bad_change_is_refused_until_mended(void)
{
    struct rig rig;
    rig_open(&rig);
    bench_set_dword(rig.store, "Rate", 3);
    rig_start(&rig);
    expect_line(&rig, "test: started with revision 1's settings: ", "1 set, 0 refused, 5 default");
    bench_set_dword(rig.store, "Rate", 9);
    live_follow(&rig.live);
    expect_line(&rig, "test: refused revision 2: ",
                "Rate: 9 is given, the rule says 1 to 5 ms (Q1); keeping revision 1's settings");
    bench_set_dword(rig.store, "Switch", 0); /* good, but Rate is still bad: nothing is taken */
    live_follow(&rig.live);
    expect_line(&rig, "test: refused revision 3: ",
                "Rate: 9 is given, the rule says 1 to 5 ms (Q1); keeping revision 1's settings");
    CU_ASSERT_EQUAL(rig.live.settings->values[RATE].number, 3);
    CU_ASSERT_EQUAL(rig.live.settings->values[SWITCH].number, 1);
    bench_set_dword(rig.store, "Rate", 4);
    live_follow(&rig.live);
    expect_line(&rig, "test: applied revision 4, ",
                "all values are allowed again, Rate 3 -> 4 ms, Switch 1 -> 0");
    rig_close(&rig);
}

static void a_bad_value_does_not_keep_a_service_down(void)
{
    struct rig rig;
    rig_open(&rig);
    bench_set_dword(rig.store, "Rate", 9);
    rig_start(&rig);
    CU_ASSERT_STRING_EQUAL(
        rig_log(&rig), "test: Rate: 9 is given, the rule says 1 to 5 ms (Q1); starting with the "
                       "default instead: 2 ms\n"
                       "test: started with revision 1's settings: 0 set, 1 refused, 5 default\n");
    CU_ASSERT_EQUAL(rig.live.settings->values[RATE].number, 2);
    bench_set_dword(rig.store, "Rate", 2);
    live_follow(&rig.live);
    expect_line(&rig, "test: applied revision 2, ",
                "all values are allowed again, no setting changed");
    rig_close(&rig);
}

static void changes_are_taken_together(void)
{
    struct rig rig;
    rig_open(&rig);
    rig_start(&rig);
    rig_log(&rig);
    for (uint32_t number = 1; number <= 5; number++) {
        bench_set_dword(rig.store, "Rate", number);
    }
    live_follow(&rig.live);
    expect_line(&rig, "test: applied revision 5, ", "the key exists now, Rate 2 -> 5 ms");
    rig_close(&rig);
}

static void what_is_read_on_request_is_said(void)
{
    struct rig rig;
    rig_run(&rig, 3);
    live_read_again(&rig.live);
    expect_line(&rig, "test: applied revision 1, read again on request: ", "no setting changed");
    rig_close(&rig);
}

static void other_keys_and_values_change_nothing(void)
{
    rs_key key;
    struct rig rig;
    rig_run(&rig, 3);
    rs_txn *txn = bench_begin(rig.store, RS_WRITE);
    CU_ASSERT_EQUAL_FATAL(rs_key_create(txn, RS_HKLM, "SOFTWARE\\Other", &key), RS_OK);
    bench_commit(txn);
    live_follow(&rig.live);
    CU_ASSERT_STRING_EQUAL(rig_log(&rig), "");
    bench_set_dword(rig.store, "Raet", 4); /* a slip that the administrator should see */
    live_follow(&rig.live);
    expect_line(&rig, "test: applied revision 3, ", " us after its commit: no setting changed");
    rig_close(&rig);
}

static void change_rule(struct rig *rig, const char *path, const char *name, const char *fields)
{
    rs_txn *txn = bench_begin(rig->store, RS_WRITE);
    set_rule(txn, path, name, fields);
    bench_commit(txn);
    live_follow(&rig->live);
}

/* What means nothing to the service is no line. */
static void other_rules_are_taken(void)
{
    struct rig rig;
    rig_run(&rig, 3);
    change_rule(&rig, BENCH_KEY, "Switch", "type=REG_DWORD|default=0");
    expect_line(&rig, "test: applied revision 2, ",
                " us after its commit: Switch 1 -> 0 (default)");
    change_rule(&rig, "HKLM\\SOFTWARE\\*", "Comment", "type=REG_SZ|default=other");
    expect_line(&rig, "test: applied revision 3, ", ": Comment \"none\" -> \"other\" (default)");
    change_rule(&rig, BENCH_KEY, "Rate", "type=REG_DWORD|default=2|unit=days");
    change_rule(&rig, "HKLM\\SOFTWARE\\Other", "Rate", "type=REG_DWORD|default=7");
    CU_ASSERT_STRING_EQUAL(rig_log(&rig), "");
    EQUAL_TEXT(rig.live.settings->values[RATE].unit, "days");
    change_rule(&rig, BENCH_KEY, "Rate", "type=REG_DWORD|min=4");
    expect_line(&rig, "test: refused revision 6: ",
                "Rate: 3 is given, the rule says at least 4; keeping revision 3's settings");
    change_rule(&rig, BENCH_KEY, "Rate", NULL);
    expect_line(&rig, "test: applied revision 7, ",
                "all values are allowed again, no setting changed");
    rig_close(&rig);
}

/* Where the key is a link, the rules of its target count. */
static void another_key_has_other_rules(void)
{
    rs_key key;
    struct rig rig;
    rig_open(&rig);
    rs_txn *txn = bench_begin(rig.store, RS_WRITE);
    set_rule(txn, "HKLM\\SOFTWARE\\Real", "Rate", "type=REG_DWORD|default=4");
    bench_commit(txn);
    rig_start(&rig);
    rig_log(&rig);
    txn = bench_begin(rig.store, RS_WRITE);
    SUCCEEDS(rs_key_create(txn, RS_HKLM, "SOFTWARE\\Real", &key));
    SUCCEEDS(rs_link_create(txn, RS_NO_KEY, BENCH_KEY, "HKLM\\SOFTWARE\\Real", 0, &key));
    bench_commit(txn);
    live_follow(&rig.live);
    expect_line(&rig, "test: applied revision 2, ", ": the key exists now, Rate 2 -> 4 (default)");
    rig_close(&rig);
}

static void a_deleted_key_gives_the_defaults_back(void)
{
    struct rig rig;
    rig_run(&rig, 3);
    rs_txn *txn = bench_begin(rig.store, RS_WRITE);
    CU_ASSERT_EQUAL_FATAL(rs_key_delete(txn, bench_key(txn), 0), RS_OK);
    bench_commit(txn);
    live_follow(&rig.live);
    expect_line(&rig, "test: applied revision 2, ", ": the key is gone, Rate 3 -> 2 ms (default)");
    bench_set_dword(rig.store, "Rate", 4);
    live_follow(&rig.live);
    expect_line(&rig, "test: applied revision 3, ", ": the key exists now, Rate 2 -> 4 ms");
    rig_close(&rig);
}

static void an_unconfirmed_change_is_taken_back(void)
{
    struct rig rig;
    rig_open(&rig);
    bench_set_dword(rig.store, "Rate", 3);
    rig_start(&rig);
    rig_log(&rig);
    rs_txn *txn = bench_begin(rig.store, RS_WRITE);
    CU_ASSERT_EQUAL_FATAL(rs_set_dword(txn, bench_key(txn), "Rate", 4), RS_OK);
    CU_ASSERT_EQUAL_FATAL(rs_txn_confirm(txn, 0), RS_OK);
    bench_commit(txn);
    live_follow(&rig.live);
    expect_line(&rig, "test: applied revision 3, ", "no setting changed");
    txn = bench_begin(rig.store, RS_READ);
    CU_ASSERT_EQUAL(rs_revision(txn), 3);
    rs_abort(txn);
    rig_close(&rig);
}

static void a_journal_cut_short_is_said(void)
{
    struct rig rig;
    rig_open(&rig);
    rig_start(&rig);
    rig_log(&rig);
    bench_set_dword(rig.store, "Rate", 3);
    bench_set_dword(rig.store, "Rate", 4);
    rs_txn *txn = bench_begin(rig.store, RS_WRITE);
    CU_ASSERT_EQUAL_FATAL(rs_set_dword(txn, bench_key(txn), "Rate", 5), RS_OK);
    CU_ASSERT_EQUAL_FATAL(
        journal_trim(&txn->env, 2, &(struct journal_limits){.revisions = 0, .steps = 2}, NULL),
        RS_OK);
    bench_commit(txn);
    live_follow(&rig.live);
    expect_line(&rig,
                "test: applied revision 3, read again because the journal no longer reaches back: ",
                "the key exists now, Rate 2 -> 5 ms");
    bench_set_dword(rig.store, "Rate", 1);
    live_follow(&rig.live);
    expect_line(&rig, "test: applied revision 4, ", " us after its commit: Rate 5 -> 1 ms");
    rig_close(&rig);
}

static const struct test_case cases[] = {
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
    {"other rules are taken", other_rules_are_taken},
    {"another key has other rules", another_key_has_other_rules},
    {"a deleted key gives the defaults back", a_deleted_key_gives_the_defaults_back},
    {"an unconfirmed change is taken back", an_unconfirmed_change_is_taken_back},
    {"a journal cut short is said", a_journal_cut_short_is_said},
    {NULL, NULL},
};

const struct test_suite suite_service = {"service", cases};

/*
 * test_service - what carries a service's settings: its command line, its log, the manager's
 * messages, and --check. tests/services.py tests the whole programs; test_live.c live.
 */
#include "stores.h"

#include "settings_bench.h"

#include "../services/common/check.h"
#include "../services/common/notify.h"
#include "../services/common/options.h"

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
    bool parsed = options_parse(argc, argv, NULL, options, problem);
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
                  "SETTING  ORIGIN   ALLOWED           APPLIES  SOURCE    VALUE\n"
                  "Rate     set      1-5               live     Q1        5 ms\n"
                  "Level    default  0, 1, 0xffffffff  reload   Q2        0\n"
                  "Switch   refused  0-1               live     Q3        1\n"
                  "Comment  default  REG_SZ            live     regstore  \"none\"\n"
                  "Shares   default  REG_MULTI_SZ      live     Q5        [\"one\", \"two\"]\n"
                  "Buffers  default  1-512             restart  Q6        chosen by the service\n");
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

static const struct test_case cases[] = {
    {"a log line names its priority only for the journal",
     log_line_names_priority_only_for_the_journal},
    {"messages reach the manager", messages_reach_the_manager},
    {"bad manager names are errors", bad_manager_names_are_errors},
    {"options are understood", options_are_understood},
    {"wrong command lines are named", wrong_command_lines_are_named},
    {"check prints every setting", check_prints_every_setting},
    {"check notices a full disk", check_notices_a_full_disk},
    {NULL, NULL},
};

const struct test_suite suite_service = {"service", cases};

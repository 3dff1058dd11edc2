/*
 * fuzz_cli.c - fuzz target: regtool's command lines, in this process.
 *
 * The input is lines: each an argument; "%%" begins another command on the same store; what follows
 * an empty line is standard input. Standard output and error go to memory. No command line may do
 * anything outside of the scratch directory: the build wraps (--wrap) what regtool calls, so that
 * every store is the scratch store, every file the same scratch file, and no command is run.
 * Needs fuzz.h.
 */
#include "fuzz.h"
#include "../../regtool/run_command.h"
#include "../../regtool/scratch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MOST_ARGUMENTS 24
#define MOST_COMMANDS 6

/* regtool's main(), renamed by the build. */
int regtool_main(int argc, char *argv[]);

/* ---- What regtool calls ---- */

int __real_rs_open(const char *dir, unsigned flags, rs_store **store, rs_error *error);
int __wrap_rs_open(const char *dir, unsigned flags, rs_store **store, rs_error *error);
int __wrap_rs_open(const char *dir, unsigned flags, rs_store **store, rs_error *error)
{
    (void)dir;
    return __real_rs_open(fuzz_path("store"), flags, store, error);
}

static const char *harmless(const char *file)
{
    return strcmp(file, "-") == 0 ? file : fuzz_path("file.xml");
}

int __real_rs_import(rs_txn *txn, const char *file, const rs_import_options *options,
                     rs_import_report *report, rs_error *error);
int __wrap_rs_import(rs_txn *txn, const char *file, const rs_import_options *options,
                     rs_import_report *report, rs_error *error);
int __wrap_rs_import(rs_txn *txn, const char *file, const rs_import_options *options,
                     rs_import_report *report, rs_error *error)
{
    return __real_rs_import(txn, harmless(file), options, report, error);
}

int __real_rs_spool_open(const char *file, const rs_import_options *options, rs_spool **spool,
                         rs_error *error);
int __wrap_rs_spool_open(const char *file, const rs_import_options *options, rs_spool **spool,
                         rs_error *error);
int __wrap_rs_spool_open(const char *file, const rs_import_options *options, rs_spool **spool,
                         rs_error *error)
{
    return __real_rs_spool_open(harmless(file), options, spool, error);
}

int __real_rs_export(rs_txn *txn, rs_key key, const char *file, const rs_export_options *options,
                     rs_error *error);
int __wrap_rs_export(rs_txn *txn, rs_key key, const char *file, const rs_export_options *options,
                     rs_error *error);
int __wrap_rs_export(rs_txn *txn, rs_key key, const char *file, const rs_export_options *options,
                     rs_error *error)
{
    return __real_rs_export(txn, key, harmless(file), options, error);
}

int __real_rs_backup(rs_store *store, const char *file, const rs_backup_options *options,
                     rs_backup_report *report, rs_error *error);
int __wrap_rs_backup(rs_store *store, const char *file, const rs_backup_options *options,
                     rs_backup_report *report, rs_error *error);
int __wrap_rs_backup(rs_store *store, const char *file, const rs_backup_options *options,
                     rs_backup_report *report, rs_error *error)
{
    return __real_rs_backup(store, harmless(file), options, report, error);
}

int __real_rs_restore(const char *dir, const char *file, const rs_restore_options *options,
                      rs_backup_report *report, rs_error *error);
int __wrap_rs_restore(const char *dir, const char *file, const rs_restore_options *options,
                      rs_backup_report *report, rs_error *error);
/* Without the check in a child, which would be a process for each input. */
int __wrap_rs_restore(const char *dir, const char *file, const rs_restore_options *options,
                      rs_backup_report *report, rs_error *error)
{
    rs_restore_options own = *options;
    (void)dir;
    own.check = NULL;
    own.flags = 0;
    return __real_rs_restore(fuzz_path("store"), harmless(file), &own, report, error);
}

int __wrap_run_command(const char *command, FILE *input);
int __wrap_run_command(const char *command, FILE *input)
{
    FUZZ_CHECK(command != NULL && fflush(input) == 0);
    fclose(input);
    return 0;
}

int __wrap_run_program(char *const words[], bool quiet);
int __wrap_run_program(char *const words[], bool quiet)
{
    FUZZ_CHECK(words[0] != NULL);
    return quiet ? 1 : 0;
}

/* Nothing is printed. */
int __wrap_run_program_instead(const char *path, char *const words[], int input);
int __wrap_run_program_instead(const char *path, char *const words[], int input)
{
    FUZZ_CHECK(path != NULL && words[0] != NULL && input >= -1);
    return ENOENT;
}

/* An editor is one that cannot be run. */
int __wrap_run_command_start(char *const words[], int input, pid_t *pid);
int __wrap_run_command_start(char *const words[], int input, pid_t *pid)
{
    FUZZ_CHECK(words[0] != NULL && input < 0);
    *pid = -1;
    return ENOENT;
}

/* Every store is the same one, so a second write transaction would wait for ever. */
int __wrap_scratch_begin(struct scratch *scratch);
int __wrap_scratch_begin(struct scratch *scratch)
{
    FUZZ_CHECK(scratch->store == NULL && scratch->txn == NULL);
    return 1;
}

/* No command of the shell runs: it would come back here. */
pid_t __wrap_invoke_fork(void);
pid_t __wrap_invoke_fork(void)
{
    errno = EAGAIN;
    return -1;
}

/* A watch would wait for ever. */
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
    if (timeout < 0) {
        errno = EIO;
        return -1;
    }
    return __real_poll(fds, count, timeout);
}

/* ---- The streams ---- */

/* What the three standard streams are for regtool. */
static int input_fd, output_fd;
static FILE *errors;
static char *errors_text;
static size_t errors_size;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    setenv("NO_COLOR", "1", 1);
    setenv("REGSTORE", fuzz_store(), 1);
    input_fd = memfd_create("input", MFD_CLOEXEC);
    output_fd = memfd_create("output", MFD_CLOEXEC);
    FUZZ_CHECK(input_fd >= 0 && output_fd >= 0);
    FUZZ_CHECK(dup2(input_fd, STDIN_FILENO) >= 0 && dup2(output_fd, STDOUT_FILENO) >= 0);
    return 0;
}

static void set_streams(const char *input, size_t size)
{
    FUZZ_CHECK(ftruncate(input_fd, 0) == 0 && lseek(input_fd, 0, SEEK_SET) == 0);
    FUZZ_CHECK(size == 0 || write(input_fd, input, size) == (ssize_t)size);
    FUZZ_CHECK(lseek(input_fd, 0, SEEK_SET) == 0);
    rewind(stdin);
    clearerr(stdin);
    clearerr(stdout);
    FUZZ_CHECK(ftruncate(output_fd, 0) == 0 && lseek(output_fd, 0, SEEK_SET) == 0);
    errors = open_memstream(&errors_text, &errors_size);
    FUZZ_CHECK(errors != NULL);
}

/* Nothing of an argument may reach a terminal as more than text. */
static void check_errors(void)
{
    fclose(errors);
    for (size_t i = 0; i < errors_size; i++) {
        unsigned char c = (unsigned char)errors_text[i];
        FUZZ_CHECK(c == '\n' || (c >= ' ' && c != 0x7f));
    }
    free(errors_text);
}

/* ---- Command lines ---- */

static void run(int argc, char *argv[])
{
    FILE *before = stderr;
    sigset_t signals;

    argv[argc] = NULL;
    stderr = errors;
    int result = regtool_main(argc, argv);
    stderr = before;
    FUZZ_CHECK(result >= 0 && result <= 255); /* the shell ends with any of them */
    FUZZ_CHECK(fflush(stdout) == 0);
    sigemptyset(&signals); /* a watch blocks some */
    sigprocmask(SIG_SETMASK, &signals, NULL);
}

/* Takes the next line off; NULL after the last or before an empty one. */
static char *next_line(char **text)
{
    char *line = *text;
    size_t len = strcspn(line, "\n");

    if (len == 0) {
        return NULL;
    }
    *text += len + (line[len] != '\0');
    line[len] = '\0';
    return line;
}

static void run_lines(char *text)
{
    char name[] = "regtool";
    char *argv[MOST_ARGUMENTS + 2] = {name};
    int argc = 1;
    int commands = 0;
    char *line;

    while ((line = next_line(&text)) != NULL && commands < MOST_COMMANDS) {
        if (strcmp(line, "%%") == 0) {
            run(argc, argv);
            argc = 1;
            commands++;
        } else if (argc <= MOST_ARGUMENTS) {
            argv[argc++] = line;
        }
    }
    run(argc, argv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    char *text = fuzz_text(&input);
    char *empty = strstr(text, "\n\n");
    const char *rest = empty != NULL ? empty + 2 : text + strlen(text);

    fuzz_store();
    set_streams(rest, strlen(rest));
    if (empty != NULL) {
        empty[1] = '\0';
    }
    run_lines(text);
    check_errors();
    unlink(fuzz_path("file.xml"));
    free(text);
    return 0;
}

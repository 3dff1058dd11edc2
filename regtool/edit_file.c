/* A text in a private file, and the editor that is run on it. */
#include "edit_file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report.h"
#include "run_command.h"

/* The longest value in hexadecimal digits takes 82 MiB. */
#define LONGEST_TEXT ((size_t)128 << 20)

struct file {
    char *dir;
    char *path;
    char *text; /* as it was given to the editor */
    size_t len;
    int signals;     /* descriptor: they are taken in turn with the editor's end */
    int caught;      /* the signal that ends it all; 0: none did */
    sigset_t before; /* the mask of signals of before */
};

/* ---- The directory ---- */

static char *try_directory(const char *parent)
{
    char *dir;

    if (parent == NULL || parent[0] != '/' || asprintf(&dir, "%s/regtool.XXXXXX", parent) < 0) {
        return NULL;
    }
    if (mkdtemp(dir) != NULL) {
        return dir;
    }
    free(dir);
    return NULL;
}

static char *make_directory(void)
{
    const char *const parents[] = {getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR"), "/tmp"};
    char *dir = NULL;

    for (size_t i = 0; dir == NULL && i < sizeof(parents) / sizeof(parents[0]); i++) {
        dir = try_directory(parents[i]);
    }
    return dir;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    remove(path);
    return 0;
}

static void remove_directory(const char *dir)
{
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, text, len);
        if (written < 0 && errno != EINTR) {
            return errno;
        }
        if (written > 0) {
            text += written;
            len -= (size_t)written;
        }
    }
    return 0;
}

static int write_file(const char *path, const char *text, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int error;

    if (fd < 0) {
        return errno;
    }
    error = write_all(fd, text, len);
    if (close(fd) != 0 && error == 0) {
        error = errno;
    }
    return error;
}

static int make_file(struct file *file, const char *name, edit_make *make, void *context)
{
    int error;

    file->dir = make_directory();
    if (file->dir == NULL) {
        return report("no temporary file can be made: %s", strerror(errno));
    }
    if (make(context, file->dir, &file->text, &file->len) != 0) {
        return 1;
    }
    if (asprintf(&file->path, "%s/%s", file->dir, name) < 0) {
        file->path = NULL;
        return report_status(RS_ENOMEM, NULL, file->dir);
    }
    error = write_file(file->path, file->text, file->len);
    return error == 0 ? 0 : report("%s: %s", file->path, strerror(error));
}

/* ---- Signals ---- */

static int hold_signals(struct file *file)
{
    static const int held[] = {SIGCHLD, SIGHUP, SIGTERM, SIGINT, SIGQUIT};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
        sigaddset(&set, held[i]);
    }
    signal(SIGCHLD, SIG_DFL); /* ignored, it would take the editor's exit status away */
    if (sigprocmask(SIG_BLOCK, &set, &file->before) != 0) {
        return report("signals: %s", strerror(errno));
    }
    file->signals = signalfd(-1, &set, SFD_CLOEXEC);
    if (file->signals < 0) {
        sigprocmask(SIG_SETMASK, &file->before, NULL);
        return report("signals: %s", strerror(errno));
    }
    return 0;
}

/* Waits for the next signal; 0 if that cannot be done. */
static int next_signal(const struct file *file)
{
    struct signalfd_siginfo info;
    ssize_t got;

    do {
        got = read(file->signals, &info, sizeof(info));
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof(info) ? (int)info.ssi_signo : 0;
}

/* ---- The editor ---- */

static const char *editor_name(void)
{
    static const char *const variables[] = {"VISUAL", "EDITOR"};

    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        const char *editor = getenv(variables[i]);
        if (editor != NULL && editor[strspn(editor, " \t")] != '\0') {
            return editor;
        }
    }
    return isatty(STDIN_FILENO) ? "vi" : NULL;
}

/* Keys that mean a signal are the editor's while it runs. */
static int wait_for(struct file *file, pid_t pid, int *status)
{
    for (;;) {
        pid_t ended = waitpid(pid, status, WNOHANG);
        int number;

        if (ended == pid) {
            return 0;
        }
        if (ended < 0) {
            return report("the editor: %s", strerror(errno));
        }
        number = next_signal(file);
        if (number == 0 || number == SIGHUP || number == SIGTERM) {
            file->caught = number != 0 ? number : SIGTERM;
            kill(pid, file->caught);
            return 1;
        }
    }
}

static int start_editor(const struct file *file, const char *editor, pid_t *pid)
{
    char *command;
    int error;

    if (asprintf(&command, "trap : INT QUIT; %s \"$@\"", editor) < 0) {
        return ENOMEM;
    }
    char *const words[] = {(char *)"sh", (char *)"-c", command, (char *)editor, file->path, NULL};
    fflush(stdout);
    error = run_command_start(words, -1, pid);
    free(command);
    return error;
}

static int run_editor(struct file *file)
{
    const char *editor = editor_name();
    pid_t pid;
    int status, error;

    if (editor == NULL) {
        return report("neither VISUAL nor EDITOR names an editor, and there is no terminal for vi");
    }
    error = start_editor(file, editor, &pid);
    if (error != 0) {
        return report("%s: %s", editor, strerror(error));
    }
    if (wait_for(file, pid, &status) != 0) {
        return 1;
    }
    if (WIFSIGNALED(status)) {
        return report("the editor \"%s\" was ended by signal %d: nothing was written", editor,
                      WTERMSIG(status));
    }
    if (WEXITSTATUS(status) != 0) {
        return report("the editor \"%s\" failed with exit status %d: nothing was written", editor,
                      WEXITSTATUS(status));
    }
    return 0;
}

/* ---- What the editor left ---- */

static int read_descriptor(int fd, const char *path, char **text, size_t *len)
{
    FILE *input = fdopen(fd, "r");
    char *found = NULL;
    size_t size = 0;
    int result = 0;

    if (input == NULL) {
        close(fd);
        return report("%s: %s", path, strerror(errno));
    }
    for (size_t room = 4096; result == 0; room *= 2) {
        char *grown = realloc(found, room);
        if (grown == NULL) {
            result = report_status(RS_ENOMEM, NULL, path);
            break;
        }
        found = grown;
        size += fread(found + size, 1, room - size, input);
        if (size < room) {
            break;
        }
        result = room < LONGEST_TEXT ? 0 : report("%s: too long for a value", path);
    }
    if (result == 0 && ferror(input)) {
        result = report("%s: %s", path, strerror(errno));
    }
    fclose(input);
    if (result != 0) {
        free(found);
        return 1;
    }
    *text = found;
    *len = size;
    return 0;
}

static int read_file(const struct file *file, char **text, size_t *len)
{
    /* An editor may have put another file in the place, but a pipe would be waited for. */
    int fd = open(file->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat info;

    if (fd < 0 && errno == ENOENT) {
        return report("the editor removed its file: nothing was written");
    }
    if (fd < 0 && errno != ELOOP) {
        return report("%s: %s", file->path, strerror(errno));
    }
    if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        if (fd >= 0) {
            close(fd);
        }
        return report("%s: not a regular file any more: nothing was written", file->path);
    }
    return read_descriptor(fd, file->path, text, len);
}

/* ---- Again ---- */

static bool can_ask(void)
{
    return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* Waits for a line on the terminal; false when a signal is to end it all. */
static bool wait_for_answer(struct file *file)
{
    struct pollfd ready[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                             {.fd = file->signals, .events = POLLIN}};

    for (;;) {
        int number;

        if (poll(ready, 2, -1) < 0 && errno != EINTR) {
            return false;
        }
        if (ready[1].revents == 0 && ready[0].revents != 0) {
            return true;
        }
        number = ready[1].revents != 0 ? next_signal(file) : SIGCHLD;
        if (number != SIGCHLD) {
            file->caught = number;
            return false;
        }
    }
}

static bool ask_again(struct file *file)
{
    char answer[16];

    fputs("edit it again (yes/no)? ", stderr);
    fflush(stderr);
    if (!wait_for_answer(file) || fgets(answer, sizeof(answer), stdin) == NULL) {
        return false;
    }
    return answer[0] == 'y' || answer[0] == 'Y';
}

/* ---- All of it ---- */

enum edit_outcome edit_cancelled(const char *why)
{
    printf("%s: nothing was written\n", why);
    return EDIT_DONE;
}

static bool is_blank(const char *text, size_t len)
{
    size_t i = 0;

    while (i < len && text[i] != '\0' && strchr(" \t\r\n", text[i]) != NULL) {
        i++;
    }
    return i == len;
}

static void keep(struct file *file)
{
    remark("the edited text is kept in %s", file->path);
    free(file->dir);
    file->dir = NULL;
}

/* Edits once; *again where it shall be done again. */
static int edit(struct file *file, edit_take *take, void *context, bool *again)
{
    char *text = NULL;
    size_t len = 0;
    enum edit_outcome outcome;

    *again = false;
    if (run_editor(file) != 0 || read_file(file, &text, &len) != 0) {
        return 1;
    }
    if (len == file->len && memcmp(text, file->text, len) == 0) {
        outcome = edit_cancelled("unchanged");
    } else if (is_blank(text, len)) {
        outcome = edit_cancelled("emptied");
    } else {
        const struct edited edited = {file->dir, file->path, text, len};
        outcome = take(context, &edited);
    }
    free(text);
    if (outcome == EDIT_BAD && can_ask()) {
        *again = ask_again(file);
    } else if (outcome != EDIT_DONE) {
        keep(file);
    }
    return outcome == EDIT_DONE ? 0 : 1;
}

static void end(struct file *file)
{
    if (file->dir != NULL) {
        remove_directory(file->dir);
    }
    if (file->signals >= 0) {
        close(file->signals);
        sigprocmask(SIG_SETMASK, &file->before, NULL);
    }
    free(file->text);
    free(file->path);
    free(file->dir);
    if (file->caught != 0) {
        signal(file->caught, SIG_DFL);
        raise(file->caught);
    }
}

int edit_file(const char *name, edit_make *make, edit_take *take, void *context)
{
    struct file file = {.signals = -1};
    bool again;
    int result = 1;

    if (hold_signals(&file) == 0 && make_file(&file, name, make, context) == 0) {
        do {
            result = edit(&file, take, context, &again);
        } while (again);
    }
    end(&file);
    return result;
}

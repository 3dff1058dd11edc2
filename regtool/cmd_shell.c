/*
 * regtool shell: walks about in the store. Each command runs in a process of its own, which is a
 * copy of this one: what ends it, Ctrl-C or a signal, does not end the shell, and no transaction
 * stays open between two commands. Its own commands are a table here; all others are regtool's.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "arguments.h"
#include "base_key.h"
#include "invoke.h"
#include "keypath.h"
#include "report.h"
#include "shell.h"
#include "show.h"
#include "line_words.h"

/* ---- Running commands ---- */

/* Signals that the keyboard sends are for the command that runs, not for the shell, which holds
 * them back and looks afterwards whether they came. */
static void keyboard_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGQUIT);
}

static void hold_keyboard_signals(int how)
{
    sigset_t set;

    keyboard_signals(&set);
    sigprocmask(how, &set, NULL);
}

/* Whether one came; the terminal showed it in the middle of a line. */
static bool take_keyboard_signals(void)
{
    static const struct timespec at_once = {.tv_sec = 0};
    bool came = false;
    sigset_t set;

    keyboard_signals(&set);
    while (sigtimedwait(&set, NULL, &at_once) > 0) {
        came = true;
    }
    return came;
}

/* A command in a script does not read the rest of the script. */
static void leave_script(void)
{
    int fd = isatty(STDIN_FILENO) ? -1 : open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        dup2(fd, STDIN_FILENO);
        close(fd);
    }
}

static int wait_for(const struct shell *shell, pid_t child)
{
    int status;

    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return report("waiting for the command: %s", strerror(errno));
        }
    }
    if (shell->input.interactive && take_keyboard_signals()) {
        putc('\n', stdout);
    }
    if (WIFEXITED(status)) {
        return WEXITSTATUS(status);
    }
    if (WTERMSIG(status) != SIGINT || !shell->input.interactive) {
        report("the command was ended by signal %d", WTERMSIG(status));
    }
    return 128 + WTERMSIG(status);
}

static int run_words(const struct shell *shell, char *const words[])
{
    pid_t child = invoke_fork();

    if (child < 0) {
        return report("%s: %s", words[0], strerror(errno));
    }
    if (child > 0) {
        return wait_for(shell, child);
    }
    if (shell->input.interactive) {
        hold_keyboard_signals(SIG_UNBLOCK);
    }
    leave_script();
    exit(invoke(words, shell->current, shell->tool));
}

/* ---- The shell's own commands ---- */

static int refuse_more(char *const words[], int most)
{
    for (int i = 0; i <= most; i++) {
        if (words[i] == NULL) {
            return 0;
        }
    }
    return words[most + 1] == NULL
               ? 0
               : report("%s: unexpected argument \"%s\"", words[0], words[most + 1]);
}

/* The spelling of a key that is there; free() it. NULL after a report. */
static char *spell(const struct shell *shell, const char *path)
{
    struct keypath spelled = {.text = NULL};
    struct session session;
    rs_key key;
    int status;

    if (session_begin(shell->tool, RS_READ, &session) != 0) {
        return NULL;
    }
    status = rs_key_open(session.txn, RS_NO_KEY, path, &key);
    if (status == RS_ENOTFOUND && keypath_is_root(path)) {
        session_forget(&session); /* the root of a view is there for its user at any time */
        status = RS_OK;
    }
    if (status == RS_OK) {
        status = keypath_spell(session.txn, path, 0, &spelled);
    }
    if (status == RS_OK && strlen(spelled.text) != spelled.len) {
        status = RS_ENAME; /* it holds a NUL, which no command line can */
    }
    if (status != RS_OK) {
        session_report(&session, status, path);
        keypath_free(&spelled);
    }
    session_end(&session);
    return spelled.text;
}

static int go_to(struct shell *shell, const char *word)
{
    char *path = base_key_join(shell->current, word);
    char *spelled = path;

    if (path == NULL) {
        return report_status(RS_ENOMEM, NULL, word);
    }
    if (path[0] != '\0') {
        spelled = spell(shell, path);
        free(path);
    }
    if (spelled == NULL) {
        return 1;
    }
    free(shell->previous);
    shell->previous = shell->current;
    shell->current = spelled;
    return 0;
}

static int run_cd(struct shell *shell, char *const words[])
{
    const char *word = words[1] != NULL ? words[1] : "\\";

    if (refuse_more(words, 1) != 0 || arguments_refuse_machine(word) != 0) {
        return 1;
    }
    if (strcmp(word, "-") == 0) {
        if (shell->previous == NULL) {
            return report("cd: there is no key before this one");
        }
        word = shell->previous[0] != '\0' ? shell->previous : "\\";
    }
    return go_to(shell, word);
}

static int run_pwd(struct shell *shell, char *const words[])
{
    if (refuse_more(words, 0) != 0) {
        return 1;
    }
    if (shell->current[0] == '\0') {
        puts("\\");
        return 0;
    }
    show_text(stdout, shell->current, strlen(shell->current), isatty(STDOUT_FILENO));
    putchar('\n');
    return 0;
}

static int run_exit(struct shell *shell, char *const words[])
{
    char *end;
    unsigned long status;

    if (refuse_more(words, 1) != 0) {
        return 1;
    }
    if (words[1] == NULL) {
        shell->done = true;
        return shell->status;
    }
    status = strtoul(words[1], &end, 10);
    if (*end != '\0' || end == words[1] || status > 255) {
        return report("exit: \"%s\" is not a number from 0 to 255", words[1]);
    }
    shell->done = true;
    return (int)status;
}

static int run_help(struct shell *shell, char *const words[])
{
    const struct shell_builtin *row = words[1] != NULL ? shell_builtin_find(words[1]) : NULL;

    if (words[1] != NULL && row == NULL) {
        return run_words(shell, words);
    }
    for (const struct shell_builtin *each = shell_builtins; each->name != NULL; each++) {
        if (row == NULL || row == each) {
            printf("  %s%s%s%*s%s\n", each->name, each->operands[0] != '\0' ? " " : "",
                   each->operands,
                   (int)(15 - strlen(each->name) - strlen(each->operands) -
                         (each->operands[0] != '\0')),
                   "", each->summary);
        }
    }
    if (row == NULL) {
        puts("\nKeys may be relative to the current one: NAME\\NAME, .., and . for itself. Where a "
             "key\ncomes first it may be left out. Quotes hold words with spaces together.\n\n"
             "All verbs of regtool are commands; \"help VERB\" tells more:\n");
        fflush(stdout);
        return run_words(shell, words);
    }
    return 0;
}

/* At the top there are the roots; elsewhere it is the verb "list". */
static int run_ls(struct shell *shell, char *const words[])
{
    if (shell->current[0] == '\0' && words[1] == NULL) {
#define ROW(alias, name) puts(#alias "\\");
        RS_ROOT_LIST(ROW)
#undef ROW
        return 0;
    }
    return run_words(shell, words);
}

const struct shell_builtin shell_builtins[] = {
    {"cd", "[KEY]", "go to a key; - is the one before, .. the one above", NULL, OPERAND_KEY,
     run_cd},
    {"ls", "[KEY]", "list subkeys and values (list)", "list", OPERAND_KEY, run_ls},
    {"cat", "[KEY] [NAME]", "print a value (get)", "get", OPERAND_VALUE, NULL},
    {"pwd", "", "print the path of the current key", NULL, OPERAND_WORD, run_pwd},
    {"help", "[VERB]", "show this, or how a verb is used", NULL, OPERAND_VERB, run_help},
    {"exit", "[N]", "leave, with exit status N", NULL, OPERAND_WORD, run_exit},
    {"quit", "", "the same", NULL, OPERAND_WORD, run_exit},
    {.name = NULL},
};

const struct shell_builtin *shell_builtin_find(const char *name)
{
    for (const struct shell_builtin *row = shell_builtins; row->name != NULL; row++) {
        if (strcasecmp(row->name, name) == 0) {
            return row;
        }
    }
    return NULL;
}

/* ---- Lines ---- */

/* Puts the verb in the place of the name that stands for it. "cat NAME" is a value of the current
 * key, where "get KEY" is the default value of another. */
static int use_verb(struct line_words *words, const struct shell_builtin *row)
{
    char *verb = strdup(row->verb);

    if (verb == NULL) {
        return RS_ENOMEM;
    }
    free(words->words[0]);
    words->words[0] = verb;
    if (row->kind == OPERAND_VALUE && words->count == 2 &&
        strchr("/-", words->words[1][0]) == NULL) {
        return line_words_insert(words, 1, ".");
    }
    return RS_OK;
}

static int run_split(struct shell *shell, struct line_words *words)
{
    const struct shell_builtin *row = shell_builtin_find(words->words[0]);

    if (strcasecmp(words->words[0], "shell") == 0) {
        return report("shell: this is the shell");
    }
    if (row != NULL && row->verb != NULL && use_verb(words, row) != RS_OK) {
        return report_status(RS_ENOMEM, NULL, row->name);
    }
    return row != NULL && row->run != NULL ? row->run(shell, words->words)
                                           : run_words(shell, words->words);
}

static int run_line(struct shell *shell, const char *line, size_t len)
{
    struct line_words words;
    int status = line_words_split(&words, line, len, false);
    int result = shell->status;

    if (status != RS_OK) {
        result = report_status(status, NULL, "reading a line");
    } else if (words.count > 0 && strlen(line) != len) {
        result = report("a line cannot hold a NUL");
    } else if (words.count > 0 && words.quote != '\0') {
        result = report("the quote %c is not closed", words.quote);
    } else if (words.count > 0) {
        result = run_split(shell, &words);
    }
    line_words_free(&words);
    return result;
}

static enum shell_read read_line(struct shell *shell, char **line, size_t *len)
{
    char *prompt = shell->input.interactive ? shell_prompt(shell, stdout) : NULL;
    enum shell_read how =
        shell_input_line(&shell->input, prompt != NULL ? prompt : "> ", line, len);

    free(prompt);
    return how;
}

/* Runs line after line; with stop until one fails. */
static void run(struct shell *shell, bool stop)
{
    enum shell_read how;
    char *line;
    size_t len;

    while (!shell->done && (how = read_line(shell, &line, &len)) != SHELL_END) {
        if (how == SHELL_CANCELLED) {
            continue;
        }
        if (how == SHELL_FAILED) {
            shell->status = 1;
            return;
        }
        if (line[0] != '\0' && line[0] != ' ') {
            shell_input_remember(&shell->input, line);
        }
        shell->status = run_line(shell, line, len);
        free(line);
        if (stop && shell->status != 0 && !shell->done) {
            remark("stopped at line %zu", shell->input.number);
            return;
        }
        if (output_flush_lost(shell->tool)) {
            return;
        }
    }
    if (shell->input.interactive && !shell->done) {
        putc('\n', stdout);
    }
}

int cmd_shell(struct tool *tool, const struct arguments *arguments)
{
    struct shell shell = {.tool = tool, .current = strdup("")};

    if (shell.current == NULL) {
        return report_status(RS_ENOMEM, NULL, "shell");
    }
    if (arguments->operands[0] != NULL && go_to(&shell, arguments->operands[0]) != 0) {
        free(shell.current);
        return 1;
    }
    free(shell.previous);
    shell.previous = NULL;
    shell_input_begin(&shell.input, shell_complete_line, &shell);
    if (shell.input.interactive) {
        hold_keyboard_signals(SIG_BLOCK);
    }
    run(&shell, has_switch(arguments, SWITCH_STOP));
    shell_input_end(&shell.input);
    free(shell.current);
    free(shell.previous);
    return shell.status;
}

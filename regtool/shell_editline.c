/*
 * The shell's line editor, on libedit: a loadable module with one symbol. Ctrl-C is an ordinary key
 * while a line is typed, which cancels it, and so is Ctrl-Z, which stops the shell. What is typed
 * is UTF-8, as all that regtool prints; so libedit runs in the locale C.UTF-8, and the process
 * keeps its own.
 */
#include "shell_module.h"

#include <histedit.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define HISTORY_SIZE 1000

struct shell_editor {
    EditLine *line;
    History *history;
    HistEvent event;
    locale_t utf8;
    char *prompt;
    shell_complete *complete;
    void *context;
    bool cancelled;
};

extern const struct shell_module regtool_shell_module;

static struct shell_editor *editor_of(EditLine *line)
{
    void *editor = NULL;

    el_get(line, EL_CLIENTDATA, &editor);
    return editor;
}

static char *prompt_of(EditLine *line)
{
    return editor_of(line)->prompt;
}

/* What is printed next begins where the cursor is, so it goes behind the line's last row first, and
 * the key comes again. */
static unsigned char on_cancel(EditLine *line, int key)
{
    const LineInfo *info = el_line(line);
    const char again[] = {(char)key, '\0'};

    if (info->cursor < info->lastchar) {
        el_cursor(line, (int)(info->lastchar - info->cursor));
        el_push(line, again);
        return CC_CURSOR;
    }
    editor_of(line)->cancelled = true;
    return CC_NEWLINE;
}

/* As the terminal itself does it: all processes in the foreground stop. libedit's own way works
 * only once in a line, and not at all where nobody could continue them, so that they do not stop.
 */
static unsigned char on_suspend(EditLine *line, int key)
{
    const struct sigaction usual = {.sa_handler = SIG_DFL};
    struct sigaction stop, resume;

    (void)key;
    el_set(line, EL_PREP_TERM, 0);
    sigaction(SIGTSTP, &usual, &stop);
    sigaction(SIGCONT, &usual, &resume);
    kill(0, SIGTSTP);
    sigaction(SIGTSTP, &stop, NULL);
    sigaction(SIGCONT, &resume, NULL);
    el_set(line, EL_PREP_TERM, 1);
    el_set(line, EL_REFRESH);
    return CC_NORM;
}

/* The characters of a part of the line, by which libedit deletes. */
static int count_characters(const char *text, size_t len)
{
    int count = 0;

    for (size_t i = 0; i < len; i++) {
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    }
    return count;
}

static unsigned char put_completion(EditLine *line, const struct shell_completion *completion,
                                    const char *replaced, size_t len)
{
    bool same = strlen(completion->insert) == len && memcmp(completion->insert, replaced, len) == 0;

    if (!same) {
        el_deletestr(line, count_characters(replaced, len));
        el_insertstr(line, completion->insert);
    }
    if (completion->shown != NULL) {
        fputs("\n", stdout);
        fputs(completion->shown, stdout);
        fflush(stdout);
        return CC_REDISPLAY;
    }
    return CC_REFRESH;
}

static unsigned char on_complete(EditLine *line, int key)
{
    struct shell_editor *editor = editor_of(line);
    const LineInfo *info = el_line(line);
    struct shell_completion completion = {.insert = NULL};
    size_t len = (size_t)(info->cursor - info->buffer);
    char *before = malloc(len + 1); /* the line's own text moves when it is changed */
    unsigned char result = CC_REFRESH_BEEP;

    (void)key;
    if (before == NULL) {
        return CC_ERROR;
    }
    memcpy(before, info->buffer, len);
    before[len] = '\0';
    editor->complete(editor->context, before, len, &completion);
    if (completion.insert != NULL) {
        result =
            put_completion(line, &completion, before + completion.start, len - completion.start);
    }
    free(completion.insert);
    free(completion.shown);
    free(before);
    return result;
}

static void bind_keys(EditLine *line)
{
    el_set(line, EL_EDITOR, "emacs");
    el_source(line, NULL); /* ~/.editrc, if there is one */
    /* Wide, because libedit copies narrow names and loses the copies. */
    el_wset(line, EL_ADDFN, L"regtool-complete", L"complete a word", on_complete);
    el_wset(line, EL_ADDFN, L"regtool-cancel", L"cancel the line", on_cancel);
    el_wset(line, EL_ADDFN, L"regtool-suspend", L"stop the shell", on_suspend);
    el_set(line, EL_BIND, "^I", "regtool-complete", NULL);
    el_set(line, EL_BIND, "^C", "regtool-cancel", NULL);
    el_set(line, EL_BIND, "^Z", "regtool-suspend", NULL);
    el_set(line, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_set(line, EL_SETTY, "-d", "-isig", NULL);
}

static bool set_up(struct shell_editor *editor)
{
    editor->line = el_init("regtool", stdin, stdout, stderr);
    editor->history = history_init();
    if (editor->line == NULL || editor->history == NULL) {
        return false;
    }
    history(editor->history, &editor->event, H_SETSIZE, HISTORY_SIZE);
    history(editor->history, &editor->event, H_SETUNIQUE, 1);
    el_set(editor->line, EL_CLIENTDATA, editor);
    el_set(editor->line, EL_PROMPT, prompt_of);
    el_set(editor->line, EL_HIST, history, editor->history);
    el_set(editor->line, EL_SIGNAL, 1);
    bind_keys(editor->line);
    return true;
}

static void close_editor(struct shell_editor *editor)
{
    if (editor->line != NULL) {
        el_end(editor->line);
    }
    if (editor->history != NULL) {
        history_end(editor->history);
    }
    if (editor->utf8 != (locale_t)0) {
        freelocale(editor->utf8);
    }
    free(editor->prompt);
    free(editor);
}

static struct shell_editor *open_editor(shell_complete *complete, void *context)
{
    struct shell_editor *editor = calloc(1, sizeof(*editor));
    locale_t before;
    bool ready;

    if (editor == NULL) {
        return NULL;
    }
    editor->complete = complete;
    editor->context = context;
    editor->prompt = strdup("");
    editor->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (editor->utf8 == (locale_t)0 || editor->prompt == NULL) {
        close_editor(editor);
        return NULL;
    }
    before = uselocale(editor->utf8);
    ready = set_up(editor);
    uselocale(before);
    if (ready) {
        return editor;
    }
    close_editor(editor);
    return NULL;
}

static enum shell_read read_line(struct shell_editor *editor, const char *prompt, char **line)
{
    locale_t before = uselocale(editor->utf8);
    char *copy = strdup(prompt);
    const char *typed;
    int count = 0;

    if (copy != NULL) {
        free(editor->prompt);
        editor->prompt = copy;
    }
    editor->cancelled = false;
    /* libedit shows the prompt first, and what is typed in between would be shown twice. */
    el_set(editor->line, EL_PREP_TERM, 1);
    typed = el_gets(editor->line, &count);
    uselocale(before);
    if (editor->cancelled) {
        fputs("^C\n", stdout);
        fflush(stdout);
        return SHELL_CANCELLED;
    }
    if (typed == NULL || count <= 0) {
        return SHELL_END;
    }
    *line = strndup(typed, strcspn(typed, "\n"));
    return *line != NULL ? SHELL_LINE : SHELL_FAILED;
}

static void remember(struct shell_editor *editor, const char *line)
{
    locale_t before = uselocale(editor->utf8);

    history(editor->history, &editor->event, H_ENTER, line);
    uselocale(before);
}

__attribute__((visibility("default")))
const struct shell_module regtool_shell_module = {open_editor, read_line, remember, close_editor};

/* The lines that the shell runs. */
#include "shell_input.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report.h"
#include "shell_history.h"

#define LONGEST_LINE ((size_t)128 << 20)

/* ---- A terminal ---- */

static void recall(void *context, const char *line)
{
    struct shell_input *input = context;

    input->module->remember(input->editor, line);
}

/* The module beside the program, wherever it was installed to. */
static void *load_module(void)
{
    char path[PATH_MAX + sizeof(SHELL_MODULE_FILE)];
    ssize_t len = readlink("/proc/self/exe", path, PATH_MAX);

    while (len > 0 && path[len - 1] != '/') {
        len--;
    }
    if (len <= 0) {
        return NULL;
    }
    memcpy(path + len, SHELL_MODULE_FILE, sizeof(SHELL_MODULE_FILE));
    return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

/* Without its module the shell works, too, only less comfortably. */
static void open_editor(struct shell_input *input, shell_complete *complete, void *context)
{
    void *object = load_module();

    if (object == NULL) {
        const char *why = dlerror();
        remark("lines cannot be edited: %s", why != NULL ? why : "the module is not found");
        return;
    }
    input->module = dlsym(object, SHELL_MODULE_SYMBOL);
    input->editor = input->module != NULL ? input->module->open(complete, context) : NULL;
    if (input->editor == NULL) {
        remark("lines cannot be edited on this terminal");
        return;
    }
    input->history = shell_history_open(recall, input);
}

void shell_input_begin(struct shell_input *input, shell_complete *complete, void *context)
{
    *input = (struct shell_input){.history = -1};
    input->interactive = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    if (input->interactive) {
        open_editor(input, complete, context);
    }
}

void shell_input_remember(struct shell_input *input, const char *line)
{
    if (input->editor != NULL) {
        input->module->remember(input->editor, line);
        shell_history_add(input->history, line);
    }
}

void shell_input_end(struct shell_input *input)
{
    if (input->editor != NULL) {
        input->module->close(input->editor);
    }
    if (input->history >= 0) {
        close(input->history);
    }
    free(input->text);
}

/* ---- A script ---- */

static int make_room(struct shell_input *input)
{
    size_t capacity = input->capacity * 2 + 4096;
    char *grown;

    if (input->at > 0) {
        memmove(input->text, input->text + input->at, input->size - input->at);
        input->size -= input->at;
        input->at = 0;
    }
    if (input->size < input->capacity) {
        return 0;
    }
    if (input->size >= LONGEST_LINE) {
        return report("line %zu: too long", input->number + 1);
    }
    grown = realloc(input->text, capacity);
    if (grown == NULL) {
        return report_status(RS_ENOMEM, NULL, "reading a line");
    }
    input->text = grown;
    input->capacity = capacity;
    return 0;
}

/* Reads what there is. The stream stdin is not used: a child that ends would put the file back to
 * where its copy of the stream is. */
static int read_more(struct shell_input *input)
{
    ssize_t got;

    if (make_room(input) != 0) {
        return 1;
    }
    do {
        got = read(STDIN_FILENO, input->text + input->size, input->capacity - input->size);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return report("standard input: %s", strerror(errno));
    }
    input->ended = got == 0;
    input->size += (size_t)got;
    return 0;
}

static enum shell_read give(struct shell_input *input, size_t len, char **line)
{
    *line = malloc(len + 1);
    if (*line == NULL) {
        report_status(RS_ENOMEM, NULL, "reading a line");
        return SHELL_FAILED;
    }
    memcpy(*line, input->text + input->at, len);
    (*line)[len] = '\0';
    input->at += len;
    return SHELL_LINE;
}

static enum shell_read read_script(struct shell_input *input, char **line, size_t *len)
{
    size_t seen = 0;

    for (;;) {
        size_t left = input->size - input->at;
        const char *end = NULL;

        if (left > seen) {
            end = memchr(input->text + input->at + seen, '\n', left - seen);
        }
        if (end != NULL || (input->ended && left > 0)) {
            *len = end != NULL ? (size_t)(end - (input->text + input->at)) : left;
            if (give(input, *len, line) != SHELL_LINE) {
                return SHELL_FAILED;
            }
            input->at += end != NULL;
            return SHELL_LINE;
        }
        if (input->ended) {
            return SHELL_END;
        }
        if (read_more(input) != 0) {
            return SHELL_FAILED;
        }
        seen = left;
    }
}

/* Takes away the byte order mark that some editors put in front of a text in UTF-8. */
static void cut_mark(char *line, size_t *len)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t mark_len = sizeof(mark) - 1;

    if (*len >= mark_len && memcmp(line, mark, mark_len) == 0) {
        *len -= mark_len;
        memmove(line, line + mark_len, *len + 1);
    }
}

enum shell_read shell_input_line(struct shell_input *input, const char *prompt, char **line,
                                 size_t *len)
{
    enum shell_read how;

    input->number++;
    fflush(stdout);
    if (input->editor != NULL) {
        how = input->module->read(input->editor, prompt, line);
        *len = how == SHELL_LINE ? strlen(*line) : 0;
        return how;
    }
    if (input->interactive) {
        fputs(prompt, stdout);
        fflush(stdout);
    }
    how = read_script(input, line, len);
    if (how == SHELL_LINE && input->number == 1) {
        cut_mark(*line, len);
    }
    return how;
}

/* The shell's prompt. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "columns.h"
#include "shell.h"
#include "show.h"

#define MARK "> "
#define TOP "regtool"
#define USUAL_WIDTH 80

static unsigned terminal_width(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return USUAL_WIDTH;
    }
    return size.ws_col;
}

/* The path under its root's short name, escaped. */
static char *short_path(const char *path)
{
    static const struct {
        const char *alias;
        const char *name;
    } roots[] = {
#define ROW(alias, name) {#alias, name},
        RS_ROOT_LIST(ROW)
#undef ROW
    };
    size_t len = strcspn(path, "\\");
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        if (strlen(roots[i].name) == len && memcmp(roots[i].name, path, len) == 0) {
            fputs(roots[i].alias, out);
        }
    }
    show_text(out, path + len, strlen(path + len), true);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static size_t character_size(const char *at)
{
    size_t size = 1;

    while (((unsigned char)at[size] & 0xc0) == 0x80) {
        size++;
    }
    return size;
}

/* Whether the line editor can count the columns of a text, and there is room for it. */
static bool is_easy(const char *text)
{
    struct columns columns;
    size_t width = 0;
    bool easy = true;

    columns_begin(&columns);
    for (const char *at = text; easy && *at != '\0'; at += character_size(at)) {
        size_t more = columns_of(&columns, at, character_size(at), false);
        easy = more > 0;
        width += more;
    }
    columns_end(&columns);
    return easy && width + strlen(MARK) <= terminal_width() / 2;
}

char *shell_prompt(const struct shell *shell, FILE *out)
{
    char *path = shell->current[0] != '\0' ? short_path(shell->current) : strdup(TOP);
    char *prompt = NULL;

    if (path == NULL) {
        return NULL;
    }
    if (!is_easy(path)) {
        fprintf(out, "%s\n", path);
        path[0] = '\0';
    }
    if (asprintf(&prompt, "%s%s", path, MARK) < 0) {
        prompt = NULL;
    }
    free(path);
    return prompt;
}

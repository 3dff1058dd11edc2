/* conf_text - what can stand in smb.conf and mean what it says there; see conf_text.h. */
#include "conf_text.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* ---- Characters ------------------------------------------------------------------------------ */

/* The length of the character at text, 0 if it is none: no UTF-8, a surrogate, beyond Unicode. */
static size_t character_length(const unsigned char *text)
{
    static const unsigned smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = text[0] < 0x80             ? 1
                    : (text[0] & 0xe0) == 0xc0 ? 2
                    : (text[0] & 0xf0) == 0xe0 ? 3
                    : (text[0] & 0xf8) == 0xf0 ? 4
                                               : 0;
    unsigned code = length < 2 ? text[0] : text[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (text[i] & 0x3fu);
    }
    bool surrogate = code >= 0xd800 && code < 0xe000;
    return length == 0 || surrogate || code > 0x10ffff || code < smallest[length] ? 0 : length;
}

/* Gives the number of characters, or what is wrong with them. */
static const char *count_characters(const char *text, size_t *count)
{
    const unsigned char *at = (const unsigned char *)text;
    *count = 0;
    for (; *at != '\0'; (*count)++) {
        size_t length = character_length(at);
        if (length == 0) {
            return "it is not Unicode";
        }
        if (*at < ' ' || *at == 0x7f) {
            return "it has a control character";
        }
        at += length;
    }
    return NULL;
}

/* What Samba would take for an end of its own. */
static const char *end_problem(const char *text)
{
    size_t size = strlen(text);
    if (size > CONF_TEXT_MAX) {
        return "it is too long";
    }
    if (size > 0 && text[size - 1] == '\\') {
        return "it ends with a backslash";
    }
    if (size > 0 && (text[0] == '"' || text[size - 1] == '"')) {
        return "it begins or ends with a quote";
    }
    return NULL;
}

static bool has_loose_blanks(const char *text)
{
    size_t size = strlen(text);
    return size > 0 && (text[0] == ' ' || text[size - 1] == ' ' || strstr(text, "  ") != NULL);
}

/* ---- Texts ----------------------------------------------------------------------------------- */

static void copy_words(const char *text, char *plain)
{
    size_t length = 0;
    for (; *text != '\0' && length < CONF_TEXT_MAX; text++) {
        if (*text != ' ' || (length > 0 && text[1] != ' ' && text[1] != '\0')) {
            plain[length++] = *text;
        }
    }
    plain[length] = '\0';
}

/* A lone percent sign is itself. */
static bool has_variable(const char *text)
{
    const char *percent = strchr(text, '%');
    while (percent != NULL && (percent[1] == ' ' || percent[1] == '\0')) {
        percent = strchr(percent + 1, '%');
    }
    return percent != NULL;
}

const char *conf_plain_text(const char *text, char *plain)
{
    size_t count;
    const char *problem = count_characters(text, &count);
    if (problem != NULL) {
        return problem;
    }
    if (strlen(text) > CONF_TEXT_MAX) {
        return "it is too long";
    }
    copy_words(text, plain);
    problem = end_problem(plain);
    return problem != NULL ? problem : has_variable(plain) ? "it has a variable of Samba's" : NULL;
}

const char *conf_path_problem(const char *path)
{
    size_t count;
    const char *problem = count_characters(path, &count);
    if (path[0] != '/') {
        return "it is no path of Unix";
    }
    if (problem == NULL) {
        problem = end_problem(path);
    }
    if (problem == NULL && has_loose_blanks(path)) {
        problem = "it has blanks at its end or beside each other";
    }
    return problem == NULL && strchr(path, '%') != NULL ? "it has a percent sign" : problem;
}

/* ---- Names ----------------------------------------------------------------------------------- */

/* Samba compares these names without blanks. */
static bool is_special(const char *name)
{
    static const char *const special[] = {"global", "homes", "printers", "ipc$"};
    char dense[16];
    size_t length = 0;
    for (; *name != '\0' && length < sizeof(dense) - 1; name++) {
        if (*name != ' ') {
            dense[length++] = *name;
        }
    }
    dense[length] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
        if (strcasecmp(dense, special[i]) == 0) {
            return true;
        }
    }
    return false;
}

const char *conf_name_problem(const char *name)
{
    size_t count;
    const char *problem = count_characters(name, &count);
    if (problem != NULL) {
        return problem;
    }
    if (count == 0 || count > CONF_NAME_MAX) {
        return count == 0 ? "it is empty" : "it is too long";
    }
    if (name[strcspn(name, "\"/\\[]:|<>+=;,*?%")] != '\0' || name[0] == '-' || name[0] == '#') {
        return "it has a character that no share's name may have";
    }
    if (has_loose_blanks(name)) {
        return "it has blanks at its end or beside each other";
    }
    return is_special(name) ? "it is a name of Samba's own" : NULL;
}

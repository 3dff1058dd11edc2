/* render - the text of the file that smb.conf includes; see render.h. */
#include "render.h"

#include "../common/access.h"
#include "conf_text.h"
#include "effects.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_DEADTIME 65535 /* minutes; more was never on NT */
#define SAID_SHARES 8          /* left out; of the others the number is told */

/* What is left to be done for the text. */
struct rendering {
    const struct render_source *source;
    struct null_sessions open;
    FILE *out;
    struct line *said;
};

static const char opening[] = "# Made by regstore-lanmanserver from the store's LanmanServer key. "
                              "Changes made here are lost.\n"
                              "[global]\n";

/* ---- [global] -------------------------------------------------------------------------------- */

static const char *yes_or_no(bool yes)
{
    return yes ? "yes" : "no";
}

static uint32_t number(const struct rendering *rendering, enum server_parameter parameter)
{
    return rendering->source->settings->values[parameter].number;
}

static bool is_known(const struct rendering *rendering, enum server_parameter parameter)
{
    return rendering->source->settings->values[parameter].known;
}

static void tell(const struct rendering *rendering, const char *what, const char *where,
                 const char *problem)
{
    line_separate(rendering->said, 0, "; ");
    line_add(rendering->said, "%s left out: ", what);
    line_add(rendering->said, "%s%s%s", where, where[0] != '\0' ? ": " : "", problem);
}

static void write_comment(const struct rendering *rendering)
{
    const char *text = rendering->source->settings->values[SRVCOMMENT].text;
    char plain[CONF_TEXT_MAX + 1];
    const char *problem = conf_plain_text(text, plain);
    if (problem != NULL) {
        tell(rendering, "srvcomment", "", problem);
        plain[0] = '\0';
    }
    fprintf(rendering->out, "\tserver string =%s%s\n", plain[0] != '\0' ? " " : "", plain);
}

static uint32_t deadtime(uint32_t minutes)
{
    return minutes > LONGEST_DEADTIME ? 0 : minutes == 0 ? 1 : minutes;
}

/* What a rule without a default leaves to the service is left to Samba. */
static void write_number(const struct rendering *rendering, const char *option,
                         enum server_parameter parameter, uint32_t given)
{
    if (is_known(rendering, parameter)) {
        fprintf(rendering->out, "\t%s = %" PRIu32 "\n", option, given);
    }
}

static void write_two(const struct rendering *rendering, const char *option, const char *other,
                      enum server_parameter parameter)
{
    const char *text = yes_or_no(number(rendering, parameter) != 0);
    if (is_known(rendering, parameter)) {
        fprintf(rendering->out, "\t%s = %s\n\t%s = %s\n", option, text, other, text);
    }
}

static void write_global(const struct rendering *rendering)
{
    FILE *out = rendering->out;
    bool hidden = number(rendering, HIDDEN) != 0;
    fputs(opening, out);
    write_comment(rendering);
    fprintf(out, "\tbrowse list = %s\n", yes_or_no(!hidden));
    fprintf(out, "\tmulticast dns register = %s\n", yes_or_no(!hidden));
    if (hidden || is_known(rendering, LMANNOUNCE)) {
        fprintf(out, "\tlm announce = %s\n",
                yes_or_no(!hidden && number(rendering, LMANNOUNCE) != 0));
    }
    write_number(rendering, "lm interval", ANNOUNCE, number(rendering, ANNOUNCE));
    write_number(rendering, "deadtime", AUTODISCONNECT,
                 deadtime(number(rendering, AUTODISCONNECT)));
    write_two(rendering, "oplocks", "level2 oplocks", ENABLE_OPLOCKS);
    write_two(rendering, "read raw", "write raw", ENABLE_RAW);
    write_number(rendering, "max mux", MAX_MPX_CT, number(rendering, MAX_MPX_CT));
}

/* ---- Shares ---------------------------------------------------------------------------------- */

static void tell_share(const struct rendering *rendering, const struct share *share,
                       const char *where, const char *problem)
{
    struct line what = LINE_INIT;
    line_add(&what, "share ");
    line_add_quoted(&what, share->name);
    tell(rendering, what.text, where, problem);
}

static void write_remark(const struct rendering *rendering, const struct share *share)
{
    char plain[CONF_TEXT_MAX + 1];
    const char *problem = conf_plain_text(share->remark, plain);
    if (problem != NULL) {
        struct line what = LINE_INIT;
        line_add(&what, "Remark of share ");
        line_add_quoted(&what, share->name);
        tell(rendering, what.text, "", problem);
    } else if (plain[0] != '\0') {
        fprintf(rendering->out, "\tcomment = %s\n", plain);
    }
}

/* What clients may do there. Only lines that give them something count when two texts are compared.
 */
static void write_place(const struct rendering *rendering, const struct share *share)
{
    FILE *out = rendering->out;
    fprintf(out, "\tpath = %s\n", share->path != NULL ? share->path : rendering->source->spool);
    if (share->printer != NULL) {
        fprintf(out, "\tprintable = yes\n\tprinter name = %.*s\n", (int)share->printer_size,
                share->printer);
    } else {
        fprintf(out, "\tread only = %s\n", yes_or_no(!share->writable));
    }
    fprintf(out, "\tguest ok = %s\n",
            yes_or_no(access_share(&rendering->open, rendering->source->names, share->name)));
}

/* A name that ends with a dollar is not shown in lists, as on NT. */
static void write_share(const struct rendering *rendering, const struct share *share)
{
    static const char *const caching[] = {"manual", "documents", "programs", "disable"};
    FILE *out = rendering->out;
    fprintf(out, "[%s]\n", share->name);
    write_remark(rendering, share);
    write_place(rendering, share);
    fprintf(out, "\tbrowseable = %s\n", yes_or_no(share->name[strlen(share->name) - 1] != '$'));
    if (share->max_uses == 0) {
        fputs("\tavailable = no\n", out);
    } else if (share->max_uses <= INT_MAX) {
        fprintf(out, "\tmax connections = %" PRIu32 "\n", share->max_uses);
    }
    if (share->caching != 0) {
        fprintf(out, "\tcsc policy = %s\n", caching[share->caching]);
    }
    if (share->guarded) {
        struct line what = LINE_INIT;
        line_separate(rendering->said, 0, "; ");
        line_add_quoted(&what, share->name);
        line_add(rendering->said, "the security descriptor of share %s has no effect on Samba",
                 what.text);
    }
}

static void write_shares(const struct rendering *rendering)
{
    const struct shares *shares = rendering->source->shares;
    size_t left_out = 0;
    for (size_t i = 0; i < shares->count; i++) {
        const struct share *share = &shares->list[i];
        if (share->problem == NULL) {
            write_share(rendering, share);
        } else if (left_out++ < SAID_SHARES) {
            tell_share(rendering, share, share->where, share->problem);
        }
    }
    if (left_out > SAID_SHARES) {
        line_add(rendering->said, "; and %zu more shares", left_out - SAID_SHARES);
    }
}

/* ---- The whole ------------------------------------------------------------------------------- */

/* Gives the text of a stream that was opened on it, or NULL if it is not whole. */
static char *finish(FILE *out, char **text)
{
    bool whole = ferror(out) == 0;
    whole = fclose(out) == 0 && whole;
    if (!whole) {
        free(*text);
        return NULL;
    }
    return *text;
}

char *render(const struct render_source *source, struct line *said)
{
    char *text = NULL;
    size_t size = 0;
    struct rendering rendering = {.source = source, .said = said};
    rendering.out = open_memstream(&text, &size);
    if (rendering.out == NULL) {
        return NULL;
    }
    /* A rule without a default opens nothing. */
    rendering.open.restricted = !is_known(&rendering, RESTRICT_NULL_SESS_ACCESS) ||
                                number(&rendering, RESTRICT_NULL_SESS_ACCESS) != 0;
    rendering.open.entries = source->settings->values[NULL_SESSION_SHARES].strings;
    write_global(&rendering);
    write_shares(&rendering);
    fputs("[global]\n", rendering.out);
    return finish(rendering.out, &text);
}

char *render_nothing(void)
{
    return strdup(opening);
}

/* ---- Two of them ----------------------------------------------------------------------------- */

/* A line, without its end; the text behind it is *rest. Gives false behind the last. */
static bool next_line(const char **rest, const char **line, size_t *size)
{
    if (**rest == '\0') {
        return false;
    }
    *line = *rest;
    *size = strcspn(*rest, "\n");
    *rest += *size + ((*rest)[*size] == '\n');
    return true;
}

/* The lines of the section that begins with that line; NULL if there is none. */
static const char *find_section(const char *text, const char *head, size_t head_size)
{
    const char *line;
    size_t size;
    while (next_line(&text, &line, &size)) {
        if (size == head_size && memcmp(line, head, size) == 0) {
            return text;
        }
    }
    return NULL;
}

static bool section_has(const char *section, const char *wanted, size_t wanted_size)
{
    const char *line;
    size_t size;
    while (next_line(&section, &line, &size) && line[0] != '[') {
        if (size == wanted_size && memcmp(line, wanted, size) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether the line is one that lets clients do something. */
static bool gives(const char *line, size_t size)
{
    static const char *const giving[] = {"\tpath = ", "\tguest ok = yes", "\tread only = no",
                                         "\tprintable = yes", "\tprinter name = "};
    for (size_t i = 0; i < sizeof(giving) / sizeof(giving[0]); i++) {
        if (size >= strlen(giving[i]) && memcmp(line, giving[i], strlen(giving[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether the section before gives something that the one after does not. */
static bool gives_more(const char *before, const char *after)
{
    static const char unavailable[] = "\tavailable = no";
    const char *line;
    size_t size;
    if (section_has(after, unavailable, strlen(unavailable))) {
        return !section_has(before, unavailable, strlen(unavailable));
    }
    while (next_line(&before, &line, &size) && line[0] != '[') {
        if (gives(line, size) && !section_has(after, line, size)) {
            return true;
        }
    }
    return false;
}

char *render_closing(const char *before, const char *after)
{
    static const char global[] = "[global]";
    char *text = NULL;
    size_t text_size = 0;
    const char *line;
    size_t size;
    FILE *out = open_memstream(&text, &text_size);
    if (out == NULL) {
        return NULL;
    }
    while (next_line(&before, &line, &size)) {
        if (line[0] == '[' && size > 2 && strncmp(line, global, strlen(global)) != 0) {
            const char *section = find_section(after, line, size);
            if (section == NULL || gives_more(before, section)) {
                fprintf(out, "%.*s\n", (int)(size - 2), line + 1);
            }
        }
    }
    return finish(out, &text);
}

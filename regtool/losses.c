/* What a dump had lost before it came here. */
#include "losses.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report.h"
#include "show.h"

/* "PATH: NAME", where a line of a file may stand for the name, and no key have been open. */
static void print_place(FILE *out, const char *path, const char *value, bool escaped)
{
    show_text(out, path, strlen(path), escaped);
    if (value == NULL) {
        return;
    }
    if (path[0] != '\0') {
        fputs(": ", out);
    }
    show_value_name(out, value, strlen(value), escaped);
}

static void list_text(FILE *out, enum rs_loss_kind kind, const char *path, const char *value)
{
    print_place(out, path, value, isatty(STDOUT_FILENO));
    fprintf(out, ": %s\n", rs_loss_text(kind));
}

static void list_json(FILE *out, enum rs_loss_kind kind, const char *path, const char *value)
{
    struct json json = {.out = out};

    json_open(&json, '{');
    json_member_text(&json, "loss", rs_loss_text(kind));
    json_member_text(&json, "key", path);
    if (value != NULL) {
        json_member_text(&json, "name", value);
    }
    json_close(&json, '}');
    json_line(&json);
}

/* An example that memory is lacking for is left out; the count stays right. */
static void keep_example(char **example, const char *path, const char *value)
{
    size_t size;
    FILE *text = open_memstream(example, &size);

    if (text == NULL) {
        *example = NULL;
        return;
    }
    print_place(text, path, value, isatty(STDOUT_FILENO));
    if (fclose(text) != 0) {
        free(*example);
        *example = NULL;
    }
}

void losses_note(struct losses *losses, enum rs_loss_kind kind, const char *path, const char *value)
{
    uint64_t count;

    if ((unsigned)kind >= LOSS_KINDS || rs_loss_text(kind) == NULL) {
        return;
    }
    count = losses->counts[kind]++;
    if (losses->list != NULL && losses->json) {
        list_json(losses->list, kind, path, value);
    } else if (losses->list != NULL) {
        list_text(losses->list, kind, path, value);
    } else if (count < LOSS_EXAMPLES) {
        keep_example(&losses->examples[kind][count], path, value);
    }
}

static void print_kind(const struct losses *losses, enum rs_loss_kind kind)
{
    uint64_t count = losses->counts[kind];

    printf("%8" PRIu64 "  %s\n", count, rs_loss_text(kind));
    if (losses->list != NULL) {
        return;
    }
    for (int i = 0; i < LOSS_EXAMPLES; i++) {
        if (losses->examples[kind][i] != NULL) {
            fputs("          ", stdout);
            show_safely(stdout, losses->examples[kind][i]);
            putchar('\n');
        }
    }
    if (count > LOSS_EXAMPLES) {
        printf("          and %" PRIu64 " more (--verbose lists all)\n", count - LOSS_EXAMPLES);
    }
}

uint64_t losses_count(const struct losses *losses)
{
    uint64_t count = 0;

    for (int kind = 0; kind < LOSS_KINDS; kind++) {
        count += losses->counts[kind];
    }
    return count;
}

static bool was_lost_before(enum rs_loss_kind kind)
{
    return kind <= RS_LOSS_NUMBER || kind == RS_LOSS_STALE;
}

static void print_group(const struct losses *losses, bool before, const char *heading)
{
    bool begun = false;

    for (int kind = 0; kind < LOSS_KINDS; kind++) {
        if (losses->counts[kind] == 0 || was_lost_before((enum rs_loss_kind)kind) != before) {
            continue;
        }
        if (!begun) {
            puts(heading);
        }
        begun = true;
        print_kind(losses, (enum rs_loss_kind)kind);
    }
}

void losses_print(const struct losses *losses)
{
    print_group(losses, true, "lost before the dump came here:");
    print_group(losses, false, "not imported:");
}

void losses_print_written(const struct losses *losses)
{
    print_group(losses, true, "not in the file:");
    print_group(losses, false, "not in the file:");
}

void losses_remark(const struct losses *losses)
{
    for (int kind = 0; kind < LOSS_KINDS; kind++) {
        uint64_t count = losses->counts[kind];
        for (int i = 0; i < LOSS_EXAMPLES; i++) {
            if (losses->examples[kind][i] != NULL) {
                remark("%s: %s", losses->examples[kind][i], rs_loss_text((enum rs_loss_kind)kind));
            }
        }
        if (count > LOSS_EXAMPLES) {
            remark("and %" PRIu64 " more: %s", count - LOSS_EXAMPLES,
                   rs_loss_text((enum rs_loss_kind)kind));
        }
    }
}

void losses_json(const struct losses *losses, struct json *json)
{
    json_open(json, '[');
    for (int kind = 0; kind < LOSS_KINDS; kind++) {
        if (losses->counts[kind] == 0) {
            continue;
        }
        json_open(json, '{');
        json_member_text(json, "loss", rs_loss_text((enum rs_loss_kind)kind));
        json_member_number(json, "count", losses->counts[kind]);
        json_close(json, '}');
    }
    json_close(json, ']');
}

void losses_free(struct losses *losses)
{
    for (int kind = 0; kind < LOSS_KINDS; kind++) {
        for (int i = 0; i < LOSS_EXAMPLES; i++) {
            free(losses->examples[kind][i]);
        }
    }
}

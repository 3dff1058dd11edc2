/* Values that are not as their rules say. */
#include "violations.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "report.h"
#include "show.h"

enum { REFUSED, WARNED, AS_JSON };

/* ---- One ---- */

void violation_place(FILE *out, const char *path, size_t path_len, const char *name,
                     size_t name_len)
{
    show_text(out, path, path_len, true);
    if (name_len == 0) {
        fputs(": default value: ", out);
        return;
    }
    fputs(": value \"", out);
    show_text(out, name, name_len, true);
    fputs("\": ", out);
}

void violation_line(FILE *out, const rs_violation *violation)
{
    violation_place(out, violation->path, violation->path_len, violation->name,
                    violation->name_len);
    show_safely(out, violation->text);
    putc('\n', out);
}

int violation_json(FILE *out, const rs_violation *violation)
{
    struct json json = {.out = out};
    int status;

    json_open(&json, '{');
    json_member(&json, "key");
    json_text(&json, violation->path, violation->path_len);
    json_member(&json, "name");
    json_text(&json, violation->name, violation->name_len);
    status = show_json_side(&json, "given", violation->value);
    json_member_text(&json, violation->warning ? "warning" : "violation", violation->text);
    json_member(&json, "rule");
    if (violation->rule != NULL) {
        json_text(&json, violation->rule->key, strlen(violation->rule->key));
    } else {
        json_null(&json);
    }
    json_close(&json, '}');
    json_line(&json);
    return status;
}

/* ---- Gathering ---- */

static int gather(void *context, const rs_violation *violation)
{
    struct violations *found = context;

    found->warnings += violation->warning != 0;
    found->count += violation->warning == 0;
    found->malformed += violation->warning == 0 && violation->rule == NULL;
    violation_line(found->streams[violation->warning ? WARNED : REFUSED], violation);
    return violation_json(found->streams[AS_JSON], violation);
}

static int begin(struct violations *found)
{
    for (size_t i = 0; i < 3; i++) {
        found->streams[i] = open_memstream(&found->texts[i], &found->sizes[i]);
        if (found->streams[i] == NULL) {
            return RS_ENOMEM;
        }
    }
    return RS_OK;
}

static int end(struct violations *found, int status)
{
    for (size_t i = 0; i < 3; i++) {
        FILE *stream = found->streams[i];
        bool lost = stream != NULL && ferror(stream) != 0;
        if (stream != NULL && (fclose(stream) != 0 || lost) && status == RS_OK) {
            status = RS_ENOMEM;
        }
        found->streams[i] = NULL;
    }
    return status;
}

int violations_of_change(struct violations *found, rs_txn *txn)
{
    int status;

    violations_free(found);
    status = begin(found);
    if (status == RS_OK) {
        status = rs_txn_check(txn, gather, found, NULL);
    }
    return end(found, status);
}

void violations_free(struct violations *found)
{
    for (size_t i = 0; i < 3; i++) {
        free(found->texts[i]);
    }
    *found = (struct violations){.count = 0};
}

/* ---- Telling ---- */

const char *violations_lines(const struct violations *found)
{
    return found->texts[REFUSED] != NULL ? found->texts[REFUSED] : "";
}

static void put_each(const char *text, bool failure, const char *prefix)
{
    while (text != NULL && *text != '\0') {
        int len = (int)strcspn(text, "\n");
        if (failure) {
            report("%s%.*s", prefix, len, text);
        } else {
            remark("%s%.*s", prefix, len, text);
        }
        text += len + (text[len] == '\n');
    }
}

int violations_report(const struct violations *found, bool json, bool force)
{
    const bool one = found->count == 1;

    if (json && found->texts[AS_JSON] != NULL) {
        fputs(found->texts[AS_JSON], stdout);
    } else {
        put_each(found->texts[REFUSED], true, "");
        put_each(found->texts[WARNED], false, "warning: ");
    }
    return report("nothing was changed: %" PRIu64 " value%s not as %s%s", found->count,
                  one ? " is" : "s are", one ? "its rule says" : "their rules say",
                  force && found->malformed == 0 ? " (--force stores all of it)" : "");
}

void violations_remark(const struct violations *found)
{
    put_each(found->texts[REFUSED], false, "forced: ");
    put_each(found->texts[WARNED], false, "warning: ");
}

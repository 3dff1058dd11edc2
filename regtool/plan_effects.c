/* Services that a plan concerns, and values that do not take effect at once. */
#include "plan_effects.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "show.h"
#include "violations.h"

struct plan_service {
    char *name;
    char *path; /* canonical, where the key is there */
    size_t len;
    uint32_t pid;
    bool subtree;
    bool told;
};

/* ---- Services ---- */

/* The key that a watch is on, by its own path: one may be named by a link. */
static char *resolve(rs_txn *txn, const char *asked)
{
    const char *path = asked;
    rs_key key;

    if (rs_key_open(txn, RS_NO_KEY, asked, &key) == RS_OK &&
        rs_key_path(txn, key, &path, NULL) != RS_OK) {
        path = asked;
    }
    return strdup(path);
}

static int on_service(void *context, const rs_service *service)
{
    struct plan_effects *effects = context;
    struct plan_service *grown;

    if (!service->alive) {
        return RS_OK;
    }
    grown = reallocarray(effects->services, effects->count + 1, sizeof(*grown));
    if (grown == NULL) {
        return RS_ENOMEM;
    }
    effects->services = grown;
    grown += effects->count++;
    *grown = (struct plan_service){.name = strdup(service->name),
                                   .path = resolve(effects->session->txn, service->path),
                                   .pid = service->pid,
                                   .subtree = service->subtree != 0};
    if (grown->name == NULL || grown->path == NULL) {
        return RS_ENOMEM;
    }
    grown->len = strlen(grown->path);
    return RS_OK;
}

/* Whether the path is the other one, or that of a key below it. */
static bool is_in(const char *path, size_t len, const char *above, size_t above_len)
{
    return len >= above_len && (len == above_len || path[above_len] == '\\') &&
           rs_name_compare(path, above_len, above, above_len) == 0;
}

/* A key that came or went concerns who watches a key in it, too. */
static bool concerns(const struct plan_service *service, const rs_difference *difference)
{
    const char *path = difference->path;
    size_t len = difference->path_len;

    if (is_in(path, len, service->path, service->len)) {
        return service->subtree || len == service->len;
    }
    return difference->kind == RS_DIFFERS_KEY && is_in(service->path, service->len, path, len);
}

/* ---- Values ---- */

static void put_late(struct plan_effects *effects, const rs_difference *difference,
                     const rs_value *value, bool restart)
{
    FILE *out = effects->late_stream;
    struct json json = {.out = out};

    if (!effects->json) {
        violation_place(out, difference->path, difference->path_len, value->name, value->name_len);
        fprintf(out, "applies when the service %s\n", restart ? "restarts" : "reloads");
        return;
    }
    json_open(&json, '{');
    json_member(&json, "key");
    json_text(&json, difference->path, difference->path_len);
    json_member(&json, "name");
    json_text(&json, value->name, value->name_len);
    json_member_text(&json, "applies", restart ? "restart" : "reload");
    json_close(&json, '}');
    json_line(&json);
}

static void note_value(struct plan_effects *effects, const rs_difference *difference)
{
    const rs_value *value = difference->right != NULL ? difference->right : difference->left;
    rs_rule rule;

    if (rs_rule_get_n(effects->session->txn, difference->path, difference->path_len, value->name,
                      value->name_len, &rule) == RS_OK &&
        rule.applies != RS_APPLIES_LIVE) {
        put_late(effects, difference, value, rule.applies == RS_APPLIES_RESTART);
    }
}

/* ---- All ---- */

int plan_effects_begin(struct plan_effects *effects, struct session *session)
{
    rs_key rules;
    int status;

    *effects =
        (struct plan_effects){.session = session, .out = effects->out, .json = effects->json};
    effects->ruled = rs_key_open(session->txn, RS_NO_KEY, "HKRS\\Rules", &rules) == RS_OK;
    effects->late_stream = open_memstream(&effects->late, &effects->late_size);
    if (effects->late_stream == NULL) {
        return RS_ENOMEM;
    }
    status = rs_services(session->store, on_service, effects);
    session_forget(session);
    return status;
}

void plan_effects_note(struct plan_effects *effects, const rs_difference *difference)
{
    if (difference->kind == RS_DIFFERS_TIME) {
        return;
    }
    for (size_t i = 0; i < effects->count; i++) {
        effects->services[i].told |= concerns(&effects->services[i], difference);
    }
    if (effects->ruled && difference->kind == RS_DIFFERS_VALUE) {
        note_value(effects, difference);
        session_forget(effects->session);
    }
}

static void put_service(const struct plan_effects *effects, const struct plan_service *service)
{
    struct json json = {.out = effects->out};

    if (!effects->json) {
        fputs("told: ", effects->out);
        show_safely(effects->out, service->name);
        fprintf(effects->out, " (pid %" PRIu32 ")\n", service->pid);
        return;
    }
    json_open(&json, '{');
    json_member_text(&json, "service", service->name);
    json_member_number(&json, "pid", service->pid);
    json_close(&json, '}');
    json_line(&json);
}

void plan_effects_end(struct plan_effects *effects)
{
    for (size_t i = 0; i < effects->count; i++) {
        if (effects->services[i].told) {
            put_service(effects, &effects->services[i]);
        }
        free(effects->services[i].name);
        free(effects->services[i].path);
    }
    free(effects->services);
    if (effects->late_stream != NULL && fclose(effects->late_stream) == 0) {
        fputs(effects->late, effects->out);
    }
    free(effects->late);
}

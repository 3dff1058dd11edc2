/* Services that a plan concerns, and values that do not take effect at once. */
#include "plan_effects.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "rule_reach.h"
#include "show.h"
#include "violations.h"

struct plan_service {
    char *name;
    char *asked; /* by the names that the service gave */
    char *path;  /* canonical, where the key is there */
    size_t len;
    uint32_t pid;
    bool subtree;
    bool rules; /* those for its keys, too */
    bool told;
};

/* ---- Services ---- */

/* The key that a watch is on, by its own path: one may be named by a link. */
static char *resolve(struct session *session, const char *asked)
{
    const char *path = asked;
    rs_key key;

    int status = rs_key_open(session->txn, RS_NO_KEY, asked, &key);

    if (status == RS_OK) {
        status = rs_key_path(session->txn, key, &path, NULL);
    } else if (status == RS_ENOTFOUND || status == RS_EPATH) {
        session_forget(session);
        status = RS_OK;
    }
    return status == RS_OK ? strdup(path) : NULL;
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
                                   .asked = strdup(service->path),
                                   .path = resolve(effects->session, service->path),
                                   .pid = service->pid,
                                   .subtree = service->subtree != 0,
                                   .rules = service->rules != 0};
    if (grown->name == NULL || grown->asked == NULL || grown->path == NULL) {
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

/* A rule for the key, or a key on the way to such a rule that came or went. */
static bool concerns_as_rule(const struct plan_service *service, const rs_difference *difference)
{
    switch (rule_reach(difference->path, difference->path_len, service->path, service->len)) {
    case KEYPATH_SAME:
        return true;
    case KEYPATH_BELOW:
        return service->subtree;
    case KEYPATH_ABOVE:
        return difference->kind == RS_DIFFERS_KEY;
    default:
        return false;
    }
}

static bool is_link(const rs_value *value)
{
    return value != NULL && value->type == REG_LINK;
}

/* A link on the way to the key leads elsewhere. */
static bool leads_away(const struct plan_service *service, const rs_difference *difference)
{
    return difference->kind == RS_DIFFERS_VALUE &&
           (is_link(difference->left) || is_link(difference->right)) &&
           is_in(service->asked, strlen(service->asked), difference->path, difference->path_len);
}

/* A key that came or went concerns who watches a key in it, too. */
static bool concerns(const struct plan_service *service, const rs_difference *difference)
{
    const char *path = difference->path;
    size_t len = difference->path_len;

    if (is_in(path, len, service->path, service->len)) {
        return service->subtree || len == service->len;
    }
    if (difference->kind == RS_DIFFERS_KEY && is_in(service->path, service->len, path, len)) {
        return true;
    }
    return leads_away(service, difference) ||
           (service->rules && concerns_as_rule(service, difference));
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

static int note_value(struct plan_effects *effects, const rs_difference *difference)
{
    const rs_value *value = difference->right != NULL ? difference->right : difference->left;
    rs_rule rule;

    int status = rs_rule_get_n(effects->session->txn, difference->path, difference->path_len,
                               value->name, value->name_len, &rule);

    if (status == RS_ENOTFOUND || status == RS_ERULE) {
        session_forget(effects->session);
        return RS_OK;
    }
    if (status == RS_OK && rule.applies != RS_APPLIES_LIVE) {
        put_late(effects, difference, value, rule.applies == RS_APPLIES_RESTART);
    }
    return status == RS_OK && ferror(effects->late_stream) ? RS_ENOMEM : status;
}

/* ---- All ---- */

int plan_effects_begin(struct plan_effects *effects, struct session *session)
{
    rs_key rules;
    int status;

    *effects =
        (struct plan_effects){.session = session, .out = effects->out, .json = effects->json};
    status = rs_key_open(session->txn, RS_NO_KEY, "HKRS\\Rules", &rules);
    effects->ruled = status == RS_OK;
    if (status != RS_OK && status != RS_ENOTFOUND) {
        return status;
    }
    session_forget(session);
    effects->late_stream = open_memstream(&effects->late, &effects->late_size);
    return effects->late_stream != NULL ? RS_OK : RS_ENOMEM;
}

int plan_effects_services(struct plan_effects *effects, rs_store *store)
{
    int status = rs_services(store, on_service, effects);

    effects->unseen = status == RS_EACCESS; /* who may read a store need not be allowed to */
    return effects->unseen ? RS_OK : status;
}

int plan_effects_note(struct plan_effects *effects, const rs_difference *difference)
{
    if (difference->kind == RS_DIFFERS_TIME) {
        return RS_OK;
    }
    for (size_t i = 0; i < effects->count; i++) {
        effects->services[i].told |= concerns(&effects->services[i], difference);
    }
    return effects->ruled && difference->kind == RS_DIFFERS_VALUE ? note_value(effects, difference)
                                                                  : RS_OK;
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

static void free_services(struct plan_effects *effects)
{
    for (size_t i = 0; i < effects->count; i++) {
        free(effects->services[i].name);
        free(effects->services[i].asked);
        free(effects->services[i].path);
    }
    free(effects->services);
}

int plan_effects_end(struct plan_effects *effects)
{
    bool kept = effects->late_stream != NULL && fclose(effects->late_stream) == 0 &&
                effects->late != NULL; /* it can be NULL all the same where memory is out */

    if (effects->unseen && !effects->json) {
        fputs("told: not known, the services may not be seen\n", effects->out);
    }
    for (size_t i = 0; kept && i < effects->count; i++) {
        if (effects->services[i].told) {
            put_service(effects, &effects->services[i]);
        }
    }
    if (kept) {
        fputs(effects->late, effects->out);
    }
    free_services(effects);
    free(effects->late);
    return kept ? RS_OK : RS_ENOMEM;
}

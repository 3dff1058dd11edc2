/* Services that a plan concerns, and values that do not take effect at once. */
#include "plan_effects.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "show.h"
#include "violations.h"

/* ---- Services ---- */

static void put_service(const struct plan_effects *effects, const rs_service *service)
{
    FILE *out = effects->out;
    struct json json = {.out = out};

    if (!effects->json) {
        fputs("told: ", out);
        show_safely(out, service->name);
        fprintf(out, " (pid %" PRIu32 ")\n", service->pid);
        return;
    }
    json_open(&json, '{');
    json_member_text(&json, "service", service->name);
    json_member_number(&json, "pid", service->pid);
    json_close(&json, '}');
    json_line(&json);
}

/* Whether it would be told of what the plan changes, in its own key or in one beside it. */
static int is_concerned(rs_txn *txn, const rs_service *service, int *concerned)
{
    unsigned flags = (service->subtree ? RS_SUBTREE : 0) | (service->rules ? RS_WATCH_RULES : 0);
    const char *key = service->beside;
    int status =
        service->damaged ? RS_EPATH : rs_txn_concerns(txn, service->path, flags, concerned);

    for (; status == RS_OK && !*concerned && *key != '\0'; key += strlen(key) + 1) {
        status = rs_txn_concerns(txn, key, RS_SUBTREE | RS_WATCH_RULES, concerned);
    }
    return status;
}

static int on_service(void *context, const rs_service *service)
{
    struct plan_effects *effects = context;
    int concerned = 0;

    if (!service->alive) {
        return RS_OK;
    }
    int status = is_concerned(effects->session->txn, service, &concerned);
    if (status == RS_EPATH || status == RS_ENAME) { /* nobody knows what it watches */
        session_forget(effects->session);
        concerned = 1;
        status = RS_OK;
    }
    if (status == RS_OK && concerned) {
        put_service(effects, service);
    }
    return status;
}

int plan_effects_services(struct plan_effects *effects, rs_store *store)
{
    int status = rs_services(store, on_service, effects);

    if (status != RS_EACCESS) {
        return status;
    }
    if (!effects->json) { /* who may read a store need not be allowed to see them */
        fputs("told: not known, the services may not be seen\n", effects->out);
    }
    return RS_OK;
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

int plan_effects_note(struct plan_effects *effects, const rs_difference *difference)
{
    return effects->ruled && difference->kind == RS_DIFFERS_VALUE ? note_value(effects, difference)
                                                                  : RS_OK;
}

int plan_effects_end(struct plan_effects *effects)
{
    bool kept = effects->late_stream != NULL && fclose(effects->late_stream) == 0 &&
                effects->late != NULL; /* it can be NULL all the same where memory is out */

    if (kept) {
        fputs(effects->late, effects->out);
    }
    free(effects->late);
    return kept ? RS_OK : RS_ENOMEM;
}

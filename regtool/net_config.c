/* NET CONFIG: the names that it has for a few settings, and all of them below. */
#include "net_config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "answers.h"
#include "json.h"
#include "key_facts.h"
#include "rule_page.h"
#include "show.h"

#define COMPUTER_NAME                                                                              \
    "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\ComputerName\\ComputerName"
#define HOST_SIZE 256
#define LABEL_WIDTH 32

struct config {
    struct session *session;
    const struct net_target *target;
    const char *state;
    struct key_facts known;
    const char *computer; /* of the store, NULL: it has none */
};

/* ---- What there is ---- */

static int read_computer(struct config *config)
{
    rs_txn *txn = config->session->txn;
    rs_key key;
    int status = rs_key_open(txn, RS_NO_KEY, COMPUTER_NAME, &key);

    if (status == RS_OK) {
        status = rs_get_string(txn, key, "ComputerName", &config->computer);
    }
    if (status == RS_ENOTFOUND || status == RS_ETYPE || status == RS_EDATA) {
        session_forget(config->session);
        config->computer = NULL;
        return RS_OK;
    }
    return status;
}

static int read_all(struct config *config)
{
    const char *path = config->target->service->key;
    rs_key key;
    int status = rs_key_open(config->session->txn, RS_NO_KEY, path, &key);

    if (status == RS_ENOTFOUND) {
        session_forget(config->session);
        key = RS_NO_KEY;
        status = RS_OK;
    }
    if (status == RS_OK) {
        status = key_facts_read(config->session, path, key, NULL, &config->known);
    }
    return status == RS_OK ? read_computer(config) : status;
}

static const struct value_facts *find(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->known.count; i++) {
        const struct value_facts *facts = &config->known.facts[i];
        if (rs_name_compare(facts->name, facts->name_len, name, strlen(name)) == 0) {
            return facts;
        }
    }
    return NULL;
}

/* ---- Text ---- */

static void put_computer(const struct config *config)
{
    char host[HOST_SIZE] = "";

    printf("%-*s\\\\", LABEL_WIDTH, "Server Name");
    if (config->computer != NULL && config->computer[0] != '\0') {
        show_safely(stdout, config->computer);
        putchar('\n');
        return;
    }
    (void)gethostname(host, sizeof(host) - 1);
    host[strcspn(host, ".")] = '\0';
    for (char *at = host; *at != '\0'; at++) {
        *at = *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
    }
    show_safely(stdout, host);
    putchar('\n');
}

static void put_yes_no(const rs_value *value)
{
    const unsigned char *bytes = value->data;
    bool yes = false;

    for (size_t i = 0; i < value->size; i++) {
        yes |= bytes[i] != 0;
    }
    fputs(yes ? "Yes" : "No", stdout);
}

/* What NET CONFIG SERVER shows under names of its own. */
static int put_label(const struct config *config, const char *label, const char *name)
{
    const struct value_facts *facts = find(config, name);
    const rs_value *value = facts != NULL ? value_facts_effective(facts) : NULL;
    int status = RS_OK;

    printf("%-*s", LABEL_WIDTH, label);
    if (value == NULL) {
        fputs("not known", stdout);
    } else if (strcmp(name, "Hidden") == 0) {
        put_yes_no(value);
    } else {
        status = rule_page_data(stdout, value, NULL);
    }
    putchar('\n');
    return status;
}

static int put_labels(const struct config *config)
{
    static const struct {
        const char *label;
        const char *name;
    } rows[] = {
        {"Server Comment", "srvcomment"},
        {"Server hidden", "Hidden"},
        {"Idle session time (min)", "autodisconnect"},
    };
    int status = RS_OK;

    put_computer(config);
    for (size_t i = 0; config->target->service == net_services && status == RS_OK &&
                       i < sizeof(rows) / sizeof(rows[0]);
         i++) {
        status = put_label(config, rows[i].label, rows[i].name);
    }
    return status;
}

static void put_state(const struct config *config)
{
    const struct net_target *target = config->target;

    printf("%-*sthe %s service is %s\n", LABEL_WIDTH, "State", target->title, config->state);
    if (target->alive && target->answer != RS_ANSWER_NONE) {
        printf("%-*srevision %" PRIu64 " %s", LABEL_WIDTH, "Answer", target->answered,
               answers_word(target->answer));
        fputs(target->reason[0] != '\0' ? ": " : "", stdout);
        show_safely(stdout, target->reason);
        putchar('\n');
    }
}

static int put_value(const struct value_facts *facts)
{
    const rs_value *value = value_facts_effective(facts);
    int status = RS_OK;

    show_value_name(stdout, facts->name, facts->name_len, true);
    printf("%*s", facts->name_len < LABEL_WIDTH ? (int)(LABEL_WIDTH - facts->name_len) : 1, "");
    if (value != NULL) {
        status = rule_page_data(stdout, value, facts->has_rule ? &facts->rule : NULL);
        fputs(facts->is_set ? " (set)" : " (default)", stdout);
    } else {
        fputs("chosen by the service", stdout);
    }
    if (facts->wrong.text[0] != '\0') {
        fputs(", which its rule does not allow", stdout);
    }
    putchar('\n');
    return status;
}

/* What of them applies, nobody here can tell. */
static void put_others(const struct names *others)
{
    for (size_t i = 0; i < others->count; i++) {
        show_value_name(stdout, others->each[i].text, others->each[i].len, true);
        puts(" is set, and no rule knows it");
    }
}

static int put_text(const struct config *config)
{
    int status = put_labels(config);

    put_state(config);
    printf("\n%s\n\n", config->target->service->key);
    for (size_t i = 0; status == RS_OK && i < config->known.count; i++) {
        status = put_value(&config->known.facts[i]);
    }
    put_others(&config->known.others);
    if (config->known.count == 0) {
        puts("The store has no rules for these settings, so what applies is not known here.");
    }
    return status;
}

/* ---- JSON ---- */

static int put_json(const struct config *config)
{
    struct json json = {.out = stdout};
    const struct net_target *target = config->target;
    int status = RS_OK;

    json_open(&json, '{');
    json_member_text(&json, "service", target->title);
    json_member_text(&json, "name", target->name);
    json_member_text(&json, "state", config->state);
    json_member_text(&json, "answer", answers_word(target->answer));
    json_member_number(&json, "answered", target->answered);
    json_member_text(&json, "reason", target->reason);
    json_close(&json, '}');
    json_line(&json);
    for (size_t i = 0; status == RS_OK && i < config->known.count; i++) {
        json_open(&json, '{');
        json_member_text(&json, "key", target->service->key);
        status = value_facts_json(&json, &config->known.facts[i]);
        json_close(&json, '}');
        json_line(&json);
    }
    return status;
}

int net_config(struct session *session, const struct net_target *target, const char *state)
{
    struct config config = {.session = session, .target = target, .state = state};
    int status = read_all(&config);

    if (status == RS_OK) {
        status = session->json ? put_json(&config) : put_text(&config);
    }
    key_facts_free(&config.known);
    return status == RS_OK ? 0 : session_report(session, status, target->service->key);
}

/* NET USE: the shares that LPT ports are redirected to, in the device map. */
#include "net_use.h"

#include <stdio.h>
#include <string.h>

#include "confirm.h"
#include "device_map.h"
#include "json.h"
#include "report.h"
#include "show.h"

#define NET_FAILED 2 /* exit status of NET */
#define NETWORK "Microsoft Windows Network"
#define RULE "-------------------------------------------------------------------------------"

struct use {
    struct tool *tool;
    const struct arguments *arguments;
    struct session session;
    struct device device;
    bool ended[DEVICE_LAST + 1]; /* by "*", by the number of the port */
};

/* What goes wrong is said in NET's words. Nobody has to wait while it is printed. */
static int fail(struct use *use, const char *sentence)
{
    if (use->session.writing) {
        session_drop(&use->session);
    }
    fprintf(stderr, "%s\n", sentence);
    return NET_FAILED;
}

static int succeed(const struct use *use)
{
    if (!use->tool->json) {
        puts("The command completed successfully.");
    }
    return 0;
}

/* The share of a mapping that is in force; NULL: it is none. */
static const char *share_of(const struct device_entry *entry)
{
    const char *target = device_entry_target(entry);

    return target != NULL && device_is_unc(target) ? target : NULL;
}

/* ---- What there is ---- */

static void put_json(const struct device_entry *entry, uint64_t revision)
{
    struct json json = {.out = stdout};
    const char *credentials = entry->texts[DEVICE_CREDENTIALS];
    const char *share = share_of(entry);
    char name[DEVICE_NAME_SIZE];

    device_name(&entry->device, name);
    json_open(&json, '{');
    json_member_text(&json, "device", name);
    json_member(&json, "share");
    if (share != NULL) {
        json_text(&json, share, strlen(share));
        json_member(&json, "persistent");
        json_truth(&json, entry->texts[DEVICE_BOOT] == NULL);
        json_member(&json, "credentials");
        if (credentials != NULL) {
            json_text(&json, credentials, strlen(credentials));
        } else {
            json_null(&json);
        }
    } else {
        json_null(&json);
    }
    if (revision > 0) {
        json_member_number(&json, "revision", revision);
    }
    json_close(&json, '}');
    json_line(&json);
}

static void put_row(const struct device_entry *entry)
{
    const char *share = share_of(entry);
    char name[DEVICE_NAME_SIZE];

    device_name(&entry->device, name);
    printf("%-12s %s:     ", "OK", name);
    show_safely(stdout, share);
    printf("%*s%s\n", strlen(share) < 26 ? (int)(26 - strlen(share)) : 1, "", NETWORK);
}

static void put_head(void)
{
    printf("%-12s %-9s %-25s %s\n\n%s\n", "Status", "Local", "Remote", "Network", RULE);
}

/* Calls each for the ports that are redirected to a share, until it gives a status that is not
 * RS_OK. */
static int each_share(struct use *use, unsigned *count,
                      int (*each)(struct use *use, struct device_entry *entry, unsigned before))
{
    int status = RS_OK;

    *count = 0;
    for (unsigned i = 1; status == RS_OK && i <= DEVICE_LAST; i++) {
        struct device device = {DEVICE_LPT, i};
        struct device_entry entry;
        status = device_map_read(&use->session, &device, &entry);
        if (status == RS_OK && share_of(&entry) != NULL) {
            status = each(use, &entry, *count);
            ++*count;
        }
        device_entry_free(&entry);
    }
    return status;
}

static int list_one(struct use *use, struct device_entry *entry, unsigned before)
{
    if (use->tool->json) {
        put_json(entry, 0);
        return RS_OK;
    }
    if (before == 0) {
        put_head();
    }
    put_row(entry);
    return RS_OK;
}

static int list(struct use *use)
{
    unsigned count;
    int status;

    if (!use->tool->json) {
        fputs("New connections will be remembered.\n\n", stdout);
    }
    status = each_share(use, &count, list_one);
    if (status != RS_OK) {
        return session_report(&use->session, status, "net use");
    }
    if (count == 0 && !use->tool->json) {
        puts("There are no entries in the list.\n");
        return 0;
    }
    return succeed(use);
}

static void put_details(const struct device_entry *entry)
{
    const char *credentials = entry->texts[DEVICE_CREDENTIALS];
    char name[DEVICE_NAME_SIZE];

    device_name(&entry->device, name);
    printf("%-17s %s:\n%-17s ", "Local name", name, "Remote name");
    show_safely(stdout, share_of(entry));
    printf("\n%-17s Print\n%-17s OK\n", "Resource type", "Status");
    printf("%-17s %s\n%-17s ", "Remembered", entry->texts[DEVICE_BOOT] == NULL ? "Yes" : "No",
           "Credentials");
    show_safely(stdout, credentials != NULL ? credentials : "none, a null session");
    putchar('\n');
}

static int show_one(struct use *use, const struct device_entry *entry)
{
    if (share_of(entry) == NULL) {
        return fail(use, "The network connection could not be found.");
    }
    if (use->tool->json) {
        put_json(entry, 0);
    } else {
        put_details(entry);
    }
    return succeed(use);
}

/* ---- Changes ---- */

static int commit(struct use *use, const struct device_entry *entry, uint64_t *revision)
{
    int status = device_map_write(&use->session, entry);

    return status == RS_OK ? session_commit(&use->session, revision)
                           : session_report(&use->session, status, "net use");
}

static int map(struct use *use, struct device_entry *entry, const char *share)
{
    const char *credentials = use->arguments->switches[SWITCH_CREDENTIALS];
    uint64_t revision;
    int status;

    if (device_entry_target(entry) != NULL) {
        return fail(use, "The local device name is already in use.");
    }
    status = device_entry_reroute(entry, share);
    if (status == RS_OK && credentials != NULL) {
        status = device_entry_set(entry, DEVICE_CREDENTIALS, credentials);
    }
    if (status == RS_OK && has_switch(use->arguments, SWITCH_TRANSIENT)) {
        status = device_entry_bind_to_boot(entry);
    }
    if (status != RS_OK) {
        return session_report(&use->session, status, "net use");
    }
    if (commit(use, entry, &revision) != 0) {
        return 1;
    }
    if (use->tool->json) {
        put_json(entry, revision);
    }
    return succeed(use);
}

static int end(struct use *use, struct device_entry *entry)
{
    char name[DEVICE_NAME_SIZE];
    uint64_t revision;
    int status;

    if (share_of(entry) == NULL) {
        return fail(use, "The network connection could not be found.");
    }
    status = device_entry_reroute(entry, NULL);
    if (status != RS_OK) {
        return session_report(&use->session, status, "net use");
    }
    if (commit(use, entry, &revision) != 0) {
        return 1;
    }
    device_name(&use->device, name);
    if (use->tool->json) {
        put_json(entry, revision);
    } else {
        printf("%s: was deleted successfully.\n", name);
    }
    return 0;
}

/* ---- All of them ---- */

static int say_one(struct use *use, struct device_entry *entry, unsigned before)
{
    char name[DEVICE_NAME_SIZE];

    device_name(&entry->device, name);
    if (!use->tool->json) {
        fputs(before == 0 ? "You have these remote connections:\n\n" : "", stdout);
        printf("    %s:           ", name);
        show_safely(stdout, share_of(entry));
        putchar('\n');
    }
    return RS_OK;
}

static int end_one(struct use *use, struct device_entry *entry, unsigned before)
{
    int status = device_entry_reroute(entry, NULL);

    (void)before;
    use->ended[entry->device.number] = true;
    return status == RS_OK ? device_map_write(&use->session, entry) : status;
}

/* What there is, in a session of its own: nobody has to wait for the answer to the question. */
static int say_all(struct use *use, unsigned *count)
{
    int status;
    int result = 0;

    if (session_begin(use->tool, RS_READ, &use->session) != 0) {
        return 1;
    }
    status = each_share(use, count, say_one);
    if (status != RS_OK) {
        result = session_report(&use->session, status, "net use");
    } else if (*count == 0 && !use->tool->json) {
        puts("There are no entries in the list.\n");
    }
    session_end(&use->session);
    fflush(stdout);
    return result;
}

static void put_ended(const struct use *use, uint64_t revision)
{
    for (unsigned i = 1; use->tool->json && i <= DEVICE_LAST; i++) {
        struct device_entry entry = {.device = {DEVICE_LPT, i}};
        if (use->ended[i]) {
            put_json(&entry, revision);
        }
    }
}

static int end_all(struct use *use)
{
    unsigned count = 0;
    int result = say_all(use, &count);
    uint64_t revision = 0;
    int status;

    if (result != 0 || count == 0) {
        return result;
    }
    if (!has_switch(use->arguments, SWITCH_YES) && !confirm("y", "cancel these connections")) {
        return 1;
    }
    if (session_begin(use->tool, RS_WRITE, &use->session) != 0) {
        return 1;
    }
    status = each_share(use, &count, end_one);
    result = status == RS_OK ? session_commit(&use->session, &revision)
                             : session_report(&use->session, status, "net use");
    session_end(&use->session);
    if (result != 0) {
        return result;
    }
    put_ended(use, revision);
    return succeed(use);
}

/* ---- The command ---- */

/* What is asked about one port; share is NULL, or what it is to be redirected to. */
static int use_one(struct use *use, const char *share)
{
    bool ends = has_switch(use->arguments, SWITCH_END_USE);
    struct device_entry entry;
    int result;
    int status = device_map_read(&use->session, &use->device, &entry);

    if (status != RS_OK) {
        result = session_report(&use->session, status, "net use");
    } else if (ends) {
        result = end(use, &entry);
    } else {
        result = share != NULL ? map(use, &entry, share) : show_one(use, &entry);
    }
    device_entry_free(&entry);
    return result;
}

/* A backslash that a shell took for a quote is a common reason for a name that is none. */
static int check_share(struct use *use, const char *share)
{
    if (device_is_share(share)) {
        return 0;
    }
    return share[0] == '\\' && share[1] != '\\'
               ? fail(use, "The network name cannot be found; a shell wants it in quotes, "
                           "'\\\\server\\share'.")
               : fail(use, "The network name cannot be found.");
}

static bool is_drive(const char *word)
{
    return word[0] != '\0' && word[1] == ':' && word[2] == '\0';
}

/* Returns 0, or the exit status after saying what is wrong. */
static int check_device(struct use *use, const char *word)
{
    if (is_drive(word)) {
        return fail(use, "The specified device name is invalid: drives are not redirected here.");
    }
    if (device_is_unc(word)) {
        return fail(use, "The specified device name is invalid: only LPT1 to LPT9 are redirected "
                         "here.");
    }
    if (!device_parse(word, strlen(word), &use->device) || use->device.kind != DEVICE_LPT) {
        return fail(use, "The specified device name is invalid: the device name is not one of LPT1 "
                         "to LPT9.");
    }
    return 0;
}

static bool makes(const struct arguments *arguments)
{
    return has_switch(arguments, SWITCH_PERSISTENT) || has_switch(arguments, SWITCH_TRANSIENT) ||
           has_switch(arguments, SWITCH_CREDENTIALS);
}

static int check_words(const struct arguments *arguments)
{
    const char *word = arguments->operands[1];
    const char *share = arguments->operands[2];
    const char *credentials = arguments->switches[SWITCH_CREDENTIALS];

    if (has_switch(arguments, SWITCH_END_USE) && (word == NULL || share != NULL)) {
        return report("net use: /delete takes a device and no share");
    }
    if (makes(arguments) && (share == NULL || has_switch(arguments, SWITCH_END_USE))) {
        return report("net use: /persistent and --credentials are for a new connection");
    }
    if (credentials != NULL && credentials[0] != '/') {
        return report("net use: --credentials: \"%s\" is no whole path", credentials);
    }
    return 0;
}

int net_use(struct tool *tool, const struct arguments *arguments)
{
    const char *word = arguments->operands[1];
    const char *share = arguments->operands[2];
    bool ends = has_switch(arguments, SWITCH_END_USE);
    struct use use = {.tool = tool, .arguments = arguments};
    int result = check_words(arguments);

    if (result == 0 && ends && strcmp(word, "*") == 0) {
        return end_all(&use);
    }
    if (result == 0 && word != NULL) {
        result = check_device(&use, word);
    }
    if (result == 0 && share != NULL) {
        result = check_share(&use, share);
    }
    if (result != 0) {
        return result;
    }
    if (session_begin(tool, ends || share != NULL ? RS_WRITE : RS_READ, &use.session) != 0) {
        return 1;
    }
    result = word == NULL ? list(&use) : use_one(&use, share);
    session_end(&use.session);
    return result;
}

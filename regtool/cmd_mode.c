/*
 * regtool mode: what LPT ports are rerouted to and which lines COM ports are, in MODE's words. It
 * changes the device map and nothing else; who prints goes by it.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "arguments.h"
#include "device_map.h"
#include "json.h"
#include "mode_line.h"
#include "report.h"
#include "show.h"
#include "tool.h"

#define PRINT_KEY "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Print"

/* What the command line asks for. */
struct request {
    struct device device;
    const char *target;        /* what follows the '='; NULL: none */
    const char *inner;         /* parameters in the first word; NULL: none */
    const char *const *others; /* parameters behind it; ends with NULL */
};

/* ---- Status ---- */

static void put_lpt(const struct device_entry *entry)
{
    const char *target = device_entry_target(entry);
    struct device port;

    if (target == NULL) {
        puts("    Printer output is not being rerouted.");
        return;
    }
    fputs("    Printer output is being rerouted to ", stdout);
    show_safely(stdout, target);
    puts(device_parse(target, strlen(target), &port) && strlen(target) == 4 ? ":" : "");
}

static void put_com(const struct device_entry *entry)
{
    struct mode_line line;

    fputs("    Device:          ", stdout);
    show_safely(stdout, entry->texts[DEVICE_LINE] != NULL ? entry->texts[DEVICE_LINE] : "none");
    putchar('\n');
    if (entry->texts[DEVICE_MODE] == NULL) {
        fputs(entry->texts[DEVICE_LINE] != NULL ? "    The line is used as it is.\n" : "", stdout);
    } else if (!mode_line_read(entry->texts[DEVICE_MODE], &line)) {
        fputs("    Mode:            ", stdout);
        show_safely(stdout, entry->texts[DEVICE_MODE]);
        putchar('\n');
    } else {
        printf("    Baud:            %s\n", line.baud);
        printf("    Parity:          %s\n", mode_line_parity(&line));
        printf("    Data Bits:       %u\n", line.data);
        printf("    Stop Bits:       %s\n", mode_line_stop(&line));
        if (line.retry) {
            puts("    Retry:           P");
        }
    }
}

static void put_status(const struct device_entry *entry)
{
    static const char dashes[] = "-------------------------------------";
    char name[DEVICE_NAME_SIZE];
    int width;

    device_name(&entry->device, name);
    width = printf("Status for device %s:\n", name);
    printf("%.*s\n", width - 1, dashes);
    if (entry->device.kind == DEVICE_LPT) {
        put_lpt(entry);
    } else {
        put_com(entry);
    }
}

static void member_or_null(struct json *json, const char *member, const char *text)
{
    if (text != NULL) {
        json_member_text(json, member, text);
    } else {
        json_member(json, member);
        json_null(json);
    }
}

/* revision: the one that has made it so; 0: it was asked for only. */
static void put_json(const struct device_entry *entry, uint64_t revision)
{
    struct json json = {.out = stdout};
    const char *target = device_entry_target(entry);
    char name[DEVICE_NAME_SIZE];

    device_name(&entry->device, name);
    json_open(&json, '{');
    json_member_text(&json, "device", name);
    if (entry->device.kind == DEVICE_LPT) {
        member_or_null(&json, "target", target);
        json_member(&json, "persistent");
        json_truth(&json, target != NULL && entry->texts[DEVICE_BOOT] == NULL);
    } else {
        member_or_null(&json, "line", entry->texts[DEVICE_LINE]);
        member_or_null(&json, "mode", entry->texts[DEVICE_MODE]);
    }
    if (revision > 0) {
        json_member_number(&json, "revision", revision);
    }
    json_close(&json, '}');
    json_line(&json);
}

static bool is_in_map(const struct device_entry *entry)
{
    return device_entry_target(entry) != NULL || entry->texts[DEVICE_LINE] != NULL ||
           entry->texts[DEVICE_MODE] != NULL;
}

/* All devices of the map, MODE's way of listing them. */
static int put_all(struct tool *tool, struct session *session)
{
    bool first = true;
    int status = RS_OK;

    for (unsigned i = 0; status == RS_OK && i < DEVICE_KINDS * DEVICE_LAST; i++) {
        struct device device = {(enum device_kind)(i / DEVICE_LAST), i % DEVICE_LAST + 1};
        struct device_entry entry;
        status = device_map_read(session, &device, &entry);
        if (status == RS_OK && is_in_map(&entry)) {
            if (tool->json) {
                put_json(&entry, 0);
            } else {
                fputs(first ? "" : "\n", stdout);
                put_status(&entry);
            }
            first = false;
        }
        device_entry_free(&entry);
    }
    if (status == RS_OK && first && !tool->json) {
        puts("No port is rerouted, and none has a line.");
    }
    return status == RS_OK ? 0 : session_report(session, status, "mode");
}

static int report_no_line(const char *name)
{
    return report("mode: %s: has no line; \"%s mode %s:=/dev/ttyS0\" gives it one", name,
                  program_name(), name);
}

/* What the map has of a device, and its name. */
static int read_device(struct session *session, const struct device *device, char *name,
                       struct device_entry *entry)
{
    int status = device_map_read(session, device, entry);

    device_name(device, name);
    return status == RS_OK ? 0 : session_report(session, status, name);
}

static int put_one(struct tool *tool, struct session *session, const struct device *device)
{
    struct device_entry entry;
    char name[DEVICE_NAME_SIZE];
    int result = read_device(session, device, name, &entry);

    if (result == 0 && tool->json) {
        put_json(&entry, 0);
    } else if (result == 0 && device->kind == DEVICE_COM && !is_in_map(&entry)) {
        result = report_no_line(name);
    } else if (result == 0) {
        put_status(&entry);
    }
    device_entry_free(&entry);
    return result;
}

/* ---- What a port is rerouted to ---- */

/* Whether a text of a printer is this name. */
static int compare_text(struct session *session, rs_key key, const char *value, const char *name,
                        bool *same)
{
    const char *text;
    int status = rs_get_string(session->txn, key, value, &text);

    if (status == RS_ENOTFOUND || status == RS_ETYPE || status == RS_EDATA) {
        session_forget(session);
        return RS_OK;
    }
    if (status == RS_OK) {
        *same = *same || rs_name_compare(text, strlen(text), name, strlen(name)) == 0;
    }
    return status;
}

static int look_for_printer(struct session *session, rs_key printers, const char *name, bool *found)
{
    rs_cursor *cursor;
    rs_key_info info;
    int status = rs_subkeys(session->txn, printers, &cursor);

    if (status != RS_OK) {
        return status;
    }
    while (!*found && status == RS_OK && (status = rs_next_key(cursor, &info)) == RS_OK) {
        *found = rs_name_compare(info.name, info.name_len, name, strlen(name)) == 0;
        status = compare_text(session, info.key, "Name", name, found);
        if (status == RS_OK) {
            status = compare_text(session, info.key, "Share Name", name, found);
        }
    }
    rs_cursor_close(cursor);
    return status == RS_END ? RS_OK : status;
}

static int find_port(struct session *session, const char *monitor, const char *name, bool *found)
{
    rs_key ports, key;
    int status = rs_key_open(session->txn, RS_NO_KEY, monitor, &ports);

    if (status == RS_OK) {
        status = rs_key_open(session->txn, ports, name, &key);
    }
    *found = *found || status == RS_OK;
    if (status == RS_ENOTFOUND) {
        session_forget(session);
        return RS_OK;
    }
    return status;
}

/* Whether one of our printers is called so, its key, its name or its share, or a port of NT's print
 * monitors. */
static int find_printer(struct session *session, const char *name, bool *found)
{
    rs_key printers;
    int status = rs_key_open(session->txn, RS_NO_KEY, PRINT_KEY "\\Printers", &printers);

    *found = false;
    if (status == RS_OK) {
        status = look_for_printer(session, printers, name, found);
    } else if (status == RS_ENOTFOUND) {
        session_forget(session);
        status = RS_OK;
    }
    if (status == RS_OK) {
        status = find_port(session, PRINT_KEY "\\Monitors\\LPR Port\\Ports", name, found);
    }
    if (status == RS_OK) {
        status =
            find_port(session, PRINT_KEY "\\Monitors\\Standard TCP/IP Port\\Ports", name, found);
    }
    return status;
}

/* Only what is obvious: who prints judges it. Returns 0, or 1 after a report. */
static int check_target(const char *name, const char *target)
{
    bool wrong = false;

    if (target[0] == '\0') {
        return report("mode: what %s: is to be rerouted to is missing", name);
    }
    if (strlen(target) > DEVICE_LONGEST_TARGET) {
        return report("mode: what %s: is to be rerouted to is too long", name);
    }
    if (device_has_control(target) || strncmp(target, "//", 2) == 0) {
        wrong = true;
    } else if (device_is_unc(target)) {
        wrong = !device_is_share(target);
    } else if (target[0] == '|') {
        wrong = target[1 + strspn(target + 1, " \t")] == '\0';
    } else if (strstr(target, "://") != NULL && target[0] != '/') {
        wrong = strncasecmp(target, "socket://", 9) != 0 && strncasecmp(target, "lpd://", 6) != 0;
    } else if (target[0] != '/') {
        wrong = strpbrk(target, "\\/") != NULL;
    }
    return wrong ? report("mode: \"%s\" is no share, file, command, raw port, queue or printer",
                          target)
                 : 0;
}

/* Whether a COM port has a line. */
static int check_port(struct session *session, const struct device *port)
{
    struct device_entry entry;
    char name[DEVICE_NAME_SIZE];
    int result = read_device(session, port, name, &entry);

    if (result == 0 && entry.texts[DEVICE_LINE] == NULL) {
        session_drop(session);
        result = report_no_line(name);
    }
    device_entry_free(&entry);
    return result;
}

/* What the port is rerouted to, as it is stored: a device's name has no colon, and the port itself
 * ends it. */
static int reroute(struct session *session, const char *target, struct device_entry *entry,
                   bool *unknown)
{
    struct device to;
    char name[DEVICE_NAME_SIZE];
    bool found = true;
    int status = RS_OK;

    device_name(&entry->device, name);
    if (device_parse(target, strlen(target), &to)) {
        if (to.kind == DEVICE_LPT && to.number != entry->device.number) {
            return report("mode: %s: cannot be rerouted to another LPT port", name);
        }
        if (to.kind == DEVICE_COM && check_port(session, &to) != 0) {
            return 1;
        }
        device_name(&to, name);
        target = to.kind == DEVICE_LPT ? NULL : name;
    } else if (check_target(name, target) != 0) {
        return 1;
    } else if (strpbrk(target, "\\/|") == NULL && strstr(target, "://") == NULL) {
        status = find_printer(session, target, &found);
    }
    if (status == RS_OK) {
        status = device_entry_reroute(entry, target);
    }
    *unknown = !found;
    return status == RS_OK ? 0 : session_report(session, status, "mode");
}

/* ---- Which line a port is ---- */

static int give_line(struct session *session, const char *target, struct device_entry *entry)
{
    struct device to;
    char name[DEVICE_NAME_SIZE];
    bool none = device_parse(target, strlen(target), &to) && to.kind == DEVICE_COM &&
                to.number == entry->device.number;
    int status;

    device_name(&entry->device, name);
    if (!none && target[0] != '/') {
        return report("mode: %s: is a line of this machine, such as /dev/ttyS0, not \"%s\"", name,
                      target);
    }
    status = device_entry_set(entry, DEVICE_LINE, none ? NULL : target);
    if (status == RS_OK && none) {
        status = device_entry_set(entry, DEVICE_MODE, NULL);
    }
    return status == RS_OK ? 0 : session_report(session, status, name);
}

static int set_line(struct session *session, const struct request *request,
                    struct device_entry *entry)
{
    struct mode_line line;
    char text[MODE_LINE_SIZE];
    int status;

    (void)mode_line_read(entry->texts[DEVICE_MODE], &line);
    if (request->inner != NULL && mode_line_take(&line, request->inner) != 0) {
        return 1;
    }
    for (const char *const *word = request->others; *word != NULL; word++) {
        if (mode_line_take(&line, *word) != 0) {
            return 1;
        }
    }
    mode_line_put(&line, text);
    status = device_entry_set(entry, DEVICE_MODE, text);
    return status == RS_OK ? 0 : session_report(session, status, "mode");
}

/* ---- The change ---- */

static int change_entry(struct session *session, const struct request *request,
                        struct device_entry *entry, bool *unknown)
{
    if (request->target == NULL) {
        return set_line(session, request, entry);
    }
    return entry->device.kind == DEVICE_LPT ? reroute(session, request->target, entry, unknown)
                                            : give_line(session, request->target, entry);
}

static int write_entry(struct session *session, const struct request *request,
                       struct device_entry *entry, uint64_t *revision)
{
    bool unknown = false;
    int status = device_map_read(session, &request->device, entry);

    if (status != RS_OK) {
        return session_report(session, status, "mode");
    }
    if (change_entry(session, request, entry, &unknown) != 0) {
        return 1;
    }
    status = device_map_write(session, entry);
    if (status != RS_OK) {
        return session_report(session, status, "mode");
    }
    if (session_commit(session, revision) != 0) {
        return 1;
    }
    if (unknown) {
        remark("mode: there is no printer and no port \"%s\" yet", request->target);
    }
    return 0;
}

static int change(struct tool *tool, const struct request *request)
{
    struct session session;
    struct device_entry entry = {.device = request->device};
    uint64_t revision = 0;
    int result;

    if (session_begin(tool, RS_WRITE, &session) != 0) {
        return 1;
    }
    result = write_entry(&session, request, &entry, &revision);
    if (result == 0 && tool->json) {
        put_json(&entry, revision);
    } else if (result == 0) {
        put_status(&entry);
    }
    device_entry_free(&entry);
    session_end(&session);
    return result;
}

static int show(struct tool *tool, const struct device *device)
{
    struct session session;
    int result;

    if (session_begin(tool, RS_READ, &session) != 0) {
        return 1;
    }
    result = device != NULL ? put_one(tool, &session, device) : put_all(tool, &session);
    session_end(&session);
    return result;
}

/* ---- The command line ---- */

/* The target behind a '='; it may be the next word. */
static void read_target(struct request *request, const char *behind)
{
    request->target = behind;
    if (behind[0] == '\0' && request->others[0] != NULL) {
        request->target = *request->others++;
    }
}

static int check_request(const struct request *request, const char *word)
{
    bool parameters = request->inner != NULL || request->others[0] != NULL;

    if (request->target != NULL && request->others[0] != NULL) {
        return report("mode: unexpected argument \"%s\"", request->others[0]);
    }
    if (parameters && request->target == NULL && request->device.kind == DEVICE_LPT) {
        return report("mode: \"%s\": lines and columns are set by who prints; an LPT port can only "
                      "be rerouted",
                      word);
    }
    return 0;
}

/* LPT1, LPT1:=COM1:, LPT1 = COM1, LPT1: COM1:, COM1:9600,n,8,1 or COM1 baud=9600. */
static int read_request(const struct arguments *arguments, struct request *request)
{
    const char *word = arguments->operands[0];
    size_t len = strcspn(word, ":=");
    const char *rest = word + len + (word[len] == ':');
    struct device to;

    *request = (struct request){.others = arguments->operands + 1};
    if (!device_parse(word, len, &request->device)) {
        return device_report("mode", word, true);
    }
    if (rest[0] == '=') {
        read_target(request, rest + 1);
    } else if (rest[0] != '\0') {
        request->inner = rest;
    } else if (request->others[0] != NULL && request->others[0][0] == '=') {
        rest = *request->others++;
        read_target(request, rest + 1);
    } else if (request->others[0] != NULL && request->device.kind == DEVICE_LPT &&
               device_parse(request->others[0], strlen(request->others[0]), &to)) {
        request->target = *request->others++;
    }
    return check_request(request, request->inner != NULL ? request->inner : word);
}

int cmd_mode(struct tool *tool, const struct arguments *arguments)
{
    struct request request;

    if (arguments->operands[0] == NULL) {
        return show(tool, NULL);
    }
    if (read_request(arguments, &request) != 0) {
        return 1;
    }
    if (request.target == NULL && request.inner == NULL && request.others[0] == NULL) {
        return show(tool, &request.device);
    }
    if (has_switch(arguments, SWITCH_STATUS)) {
        return report("mode: /status changes nothing");
    }
    return change(tool, &request);
}

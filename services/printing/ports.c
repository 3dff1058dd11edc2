/* ports - what the names of ports lead to; see ports.h. */
#include "ports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEVICES 9    /* LPT1 to LPT9, COM1 to COM9 */
#define CHAIN_MAX 16 /* names from a port to its target */
#define NAME_SIZE 768
#define BOOT_SIZE 64
#define BOOT_FILE "/proc/sys/kernel/random/boot_id"
#define LPR_KEY PORTS_PRINT_KEY "\\Monitors\\LPR Port\\Ports"
#define TCP_KEY PORTS_PRINT_KEY "\\Monitors\\Standard TCP/IP Port\\Ports"

enum { TCP_RAW = 1, TCP_LPR = 2 };

/* A value that is not as it should be, for who uses it. */
struct wrong {
    const char *name; /* NULL: all are */
    const char *why;
};

/* DeviceMap\LPTn, as far as it holds in this boot; "" where nothing is set. */
struct mapping {
    char target[TARGET_TEXT];
    char credentials[TARGET_TEXT];
    struct wrong wrong;
};

/* DeviceMap\COMn. */
struct serial {
    char device[TARGET_TEXT];
    char mode[TARGET_LINE];
    struct wrong wrong;
};

/* A port of a print monitor, as a target in words. */
struct monitor_port {
    char name[NAME_SIZE];
    char target[TARGET_TEXT];
    char format; /* 0: none is set */
    struct wrong wrong;
};

struct ports {
    struct mapping lpt[DEVICES];
    struct serial com[DEVICES];
    struct monitor_port *rows;
    size_t count;
    size_t room;
};

/* ---- Values ---------------------------------------------------------------------------------- */

/* The text is "" where there is none. What is wrong with it is no failure to read the store. */
static int read_text(rs_txn *txn, rs_key key, const char *name, char *text, size_t size,
                     struct wrong *wrong)
{
    const char *found = "";
    int status = rs_get_string(txn, key, name, &found);
    text[0] = '\0';
    if (status == RS_ETYPE || status == RS_EDATA) {
        *wrong = (struct wrong){name, "is no text"};
    } else if (status == RS_OK && strlen(found) >= size) {
        *wrong = (struct wrong){name, "is too long"};
    } else if (status == RS_OK) {
        memcpy(text, found, strlen(found) + 1);
    } else if (status != RS_ENOTFOUND) {
        return status;
    }
    return RS_OK;
}

/* *number stays what it is where there is none. */
static int read_number(rs_txn *txn, rs_key key, const char *name, uint32_t *number,
                       struct wrong *wrong)
{
    int status = rs_get_dword(txn, key, name, number);
    if (status == RS_ETYPE || status == RS_EDATA) {
        *wrong = (struct wrong){name, "is no REG_DWORD"};
        return RS_OK;
    }
    return status == RS_ENOTFOUND ? RS_OK : status;
}

/* ---- The device map -------------------------------------------------------------------------- */

static int open_device(rs_txn *txn, const char *kind, size_t index, rs_key *key)
{
    char path[sizeof(PORTS_MAP_KEY) + 16];
    snprintf(path, sizeof(path), PORTS_MAP_KEY "\\%s%zu", kind, index + 1);
    return rs_key_open(txn, RS_NO_KEY, path, key);
}

static int read_mapping(rs_txn *txn, rs_key key, const char *boot, struct mapping *mapping)
{
    char its_boot[BOOT_SIZE];
    int status = read_text(txn, key, "Target", mapping->target, TARGET_TEXT, &mapping->wrong);
    if (status == RS_OK) {
        status = read_text(txn, key, "CredentialsFile", mapping->credentials, TARGET_TEXT,
                           &mapping->wrong);
    }
    if (status == RS_OK) {
        status = read_text(txn, key, "BootId", its_boot, sizeof(its_boot), &mapping->wrong);
    }
    if (status == RS_OK && its_boot[0] != '\0' && strcmp(its_boot, boot) != 0) {
        *mapping = (struct mapping){.target = ""};
    }
    return status;
}

static int read_serial(rs_txn *txn, rs_key key, struct serial *serial)
{
    int status = read_text(txn, key, "Device", serial->device, TARGET_TEXT, &serial->wrong);
    if (status == RS_OK) {
        status = read_text(txn, key, "Mode", serial->mode, TARGET_LINE, &serial->wrong);
    }
    return status;
}

static int read_map(rs_txn *txn, const char *boot, struct ports *ports)
{
    int status = RS_OK;
    for (size_t i = 0; i < DEVICES && status == RS_OK; i++) {
        rs_key key;
        status = open_device(txn, "LPT", i, &key);
        if (status == RS_OK) {
            status = read_mapping(txn, key, boot, &ports->lpt[i]);
        }
        if (status == RS_OK || status == RS_ENOTFOUND) {
            status = open_device(txn, "COM", i, &key);
        }
        if (status == RS_OK) {
            status = read_serial(txn, key, &ports->com[i]);
        }
        status = status == RS_ENOTFOUND ? RS_OK : status;
    }
    return status;
}

/* ---- Monitors -------------------------------------------------------------------------------- */

/* Puts the target into words: what is wrong with a host or a queue, target_parse() finds. */
static void write_target(struct monitor_port *row, const char *scheme, const char *host,
                         uint32_t port, const char *queue)
{
    bool is_ipv6 = strchr(host, ':') != NULL;
    char number[16] = "";
    if (port != 0) {
        snprintf(number, sizeof(number), ":%u", (unsigned)port);
    }
    int size =
        snprintf(row->target, sizeof(row->target), "%s%s%s%s%s%s%s", scheme, is_ipv6 ? "[" : "",
                 host, is_ipv6 ? "]" : "", number, queue[0] == '\0' ? "" : "/", queue);
    if (size < 0 || (size_t)size >= sizeof(row->target)) {
        row->wrong = (struct wrong){"Ports", "has a name that is too long"};
    }
}

/* The first letter of what is set, as Q121786 says. Other letters than these begin another line of
 * a control file. */
static void set_format(struct monitor_port *row, const char *print_switch)
{
    row->format = print_switch[0];
    if (row->format != '\0' && (row->format < 'a' || row->format > 'z')) {
        row->wrong = (struct wrong){"PrintSwitch", "begins with no small letter"};
    }
}

static int read_lpr(rs_txn *txn, rs_key key, struct monitor_port *row)
{
    char host[TARGET_HOST], queue[TARGET_TEXT], print_switch[TARGET_TEXT];
    int status = read_text(txn, key, "Server Name", host, sizeof(host), &row->wrong);
    if (status == RS_OK) {
        status = read_text(txn, key, "Printer Name", queue, sizeof(queue), &row->wrong);
    }
    if (status == RS_OK) {
        status = read_text(txn, key, "PrintSwitch", print_switch, TARGET_TEXT, &row->wrong);
    }
    if (status == RS_OK && row->wrong.name == NULL) {
        set_format(row, print_switch);
        write_target(row, "lpd://", host, 0, queue);
    }
    return status;
}

static void set_tcp_target(struct monitor_port *row, const char *host, uint32_t protocol,
                           uint32_t number, const char *queue)
{
    if (protocol == TCP_LPR) {
        write_target(row, "lpd://", host, number, queue);
    } else if (protocol == TCP_RAW) {
        write_target(row, "socket://", host, number, "");
    } else {
        row->wrong = (struct wrong){"Protocol", "is neither 1, raw, nor 2, LPR"};
    }
}

static int read_tcp(rs_txn *txn, rs_key key, struct monitor_port *row)
{
    char name[TARGET_HOST], address[TARGET_HOST], queue[TARGET_TEXT];
    uint32_t protocol = TCP_RAW;
    uint32_t number = 0;
    int status = read_text(txn, key, "HostName", name, sizeof(name), &row->wrong);
    if (status == RS_OK) {
        status = read_text(txn, key, "IPAddress", address, sizeof(address), &row->wrong);
    }
    if (status == RS_OK) {
        status = read_text(txn, key, "Queue", queue, sizeof(queue), &row->wrong);
    }
    if (status == RS_OK) {
        status = read_number(txn, key, "Protocol", &protocol, &row->wrong);
    }
    if (status == RS_OK) {
        status = read_number(txn, key, "PortNumber", &number, &row->wrong);
    }
    if (status == RS_OK && row->wrong.name == NULL) {
        set_tcp_target(row, name[0] != '\0' ? name : address, protocol, number, queue);
    }
    return status;
}

/* NULL: no memory. */
static struct monitor_port *next_row(struct ports *ports)
{
    if (ports->count == ports->room) {
        size_t room = ports->room == 0 ? 4 : 2 * ports->room;
        struct monitor_port *rows = realloc(ports->rows, room * sizeof(*rows));
        if (rows == NULL) {
            return NULL;
        }
        ports->rows = rows;
        ports->room = room;
    }
    struct monitor_port *row = &ports->rows[ports->count++];
    *row = (struct monitor_port){.format = 0};
    return row;
}

typedef int read_port(rs_txn *txn, rs_key key, struct monitor_port *row);

static int read_ports(rs_txn *txn, rs_key key, read_port *read, struct ports *ports)
{
    rs_cursor *cursor;
    rs_key_info info;
    size_t left = PORTS_MAX;
    int status = rs_subkeys(txn, key, &cursor);
    if (status != RS_OK) {
        return status;
    }
    while (left-- > 0 && (status = rs_next_key(cursor, &info)) == RS_OK) {
        if (info.name_len >= NAME_SIZE || strlen(info.name) != info.name_len) {
            continue; /* no Port can name it */
        }
        struct monitor_port *row = next_row(ports);
        if (row == NULL) {
            status = RS_ENOMEM;
            break;
        }
        memcpy(row->name, info.name, info.name_len + 1);
        status = read(txn, info.key, row);
        if (status != RS_OK) {
            break;
        }
    }
    rs_cursor_close(cursor);
    return status == RS_END ? RS_OK : status;
}

static int read_monitor(rs_txn *txn, const char *path, read_port *read, struct ports *ports)
{
    rs_key key;
    int status = rs_key_open(txn, RS_NO_KEY, path, &key);
    if (status == RS_OK) {
        status = read_ports(txn, key, read, ports);
    }
    return status == RS_ENOTFOUND ? RS_OK : status;
}

/* ---- Loading --------------------------------------------------------------------------------- */

static void read_boot(char boot[BOOT_SIZE])
{
    FILE *file = fopen(BOOT_FILE, "re");
    boot[0] = '\0';
    if (file != NULL) {
        if (fgets(boot, BOOT_SIZE, file) == NULL) {
            boot[0] = '\0';
        }
        boot[strcspn(boot, "\n")] = '\0';
        fclose(file);
    }
}

int ports_load_in_boot(rs_txn *txn, const char *boot, struct ports **ports)
{
    struct ports *read = calloc(1, sizeof(*read));
    if (read == NULL) {
        return RS_ENOMEM;
    }
    int status = read_map(txn, boot, read);
    if (status == RS_OK) {
        status = read_monitor(txn, LPR_KEY, read_lpr, read);
    }
    if (status == RS_OK) {
        status = read_monitor(txn, TCP_KEY, read_tcp, read);
    }
    if (status != RS_OK) {
        ports_free(read);
        return status;
    }
    *ports = read;
    return RS_OK;
}

int ports_load(rs_txn *txn, struct ports **ports)
{
    char boot[BOOT_SIZE];
    read_boot(boot);
    return ports_load_in_boot(txn, boot, ports);
}

void ports_free(struct ports *ports)
{
    if (ports != NULL) {
        free(ports->rows);
        free(ports);
    }
}

/* ---- Following names ------------------------------------------------------------------------- */

enum step { STEP_ON, STEP_ARRIVED, STEP_WRONG };

/* The way from a name to a target. */
struct route {
    const struct ports *ports;
    const struct printers *printers;
    const char *name;            /* that is followed next */
    struct line where;           /* what has named it, for a person */
    const struct printer *giver; /* the first that says how a share is reached; NULL: none does */
    const struct mapping *map;   /* that has named it; NULL: none */
    const void *passed[CHAIN_MAX];
    size_t count;
    struct target *target;
    struct line *problem;
};

/* The number of LPTn or COMn, from 0 on, or DEVICES. */
static size_t device_index(const char *name, const char *kind)
{
    if (strncasecmp(name, kind, 3) != 0 || name[3] < '1' || name[3] > '9' ||
        (name[4] != '\0' && strcmp(name + 4, ":") != 0)) {
        return DEVICES;
    }
    return (size_t)(name[3] - '1');
}

/* Notes what the way leads through; false: it has been there, or the way is too long. */
static bool pass(struct route *route, const void *what)
{
    for (size_t i = 0; i < route->count; i++) {
        if (route->passed[i] == what) {
            line_add(route->problem, "%s: leads in a circle, back to ", route->where.text);
            line_add_quoted(route->problem, route->name);
            return false;
        }
    }
    if (route->count == CHAIN_MAX) {
        line_add(route->problem, "%s: is one name too many on the way to a printer",
                 route->where.text);
        return false;
    }
    route->passed[route->count++] = what;
    return true;
}

static void set_where(struct route *route, const char *what, const char *name)
{
    route->where = (struct line)LINE_INIT;
    line_add(&route->where, "%s ", what);
    line_add_quoted(&route->where, name);
}

static void set_where_device(struct route *route, const char *kind, size_t index)
{
    route->where = (struct line)LINE_INIT;
    line_add(&route->where, "%s%zu", kind, index + 1);
}

/* Tells what is wrong, if anything is. */
static bool is_right(struct route *route, struct wrong wrong)
{
    if (wrong.name != NULL) {
        line_add(route->problem, "%s: \"%s\" %s", route->where.text, wrong.name, wrong.why);
    }
    return wrong.name == NULL;
}

static bool arrive(struct route *route, const char *text)
{
    if (route->where.length > 0) {
        struct line why = LINE_INIT;
        if (!target_parse(text, route->target, &why)) {
            line_add(route->problem, "%s: %s", route->where.text, why.text);
            return false;
        }
        return true;
    }
    return target_parse(text, route->target, route->problem);
}

static enum step through_lpt(struct route *route, size_t index)
{
    const struct mapping *mapping = &route->ports->lpt[index];
    bool first = pass(route, mapping);
    set_where_device(route, "LPT", index);
    if (!first || !is_right(route, mapping->wrong)) {
        return STEP_WRONG;
    }
    if (mapping->target[0] == '\0') {
        line_add(route->problem, "%s: is not rerouted", route->where.text);
        return STEP_WRONG;
    }
    route->name = mapping->target;
    route->map = mapping;
    return STEP_ON;
}

static enum step through_com(struct route *route, size_t index)
{
    const struct serial *serial = &route->ports->com[index];
    set_where_device(route, "COM", index);
    if (!is_right(route, serial->wrong)) {
        return STEP_WRONG;
    }
    if (serial->device[0] == '\0') {
        line_add(route->problem, "%s: has no device", route->where.text);
        return STEP_WRONG;
    }
    const char *why = serial->mode[0] == '\0' ? NULL : target_line_problem(serial->mode);
    if (why != NULL) {
        line_add(route->problem, "%s: \"Mode\" is wrong: %s", route->where.text, why);
        return STEP_WRONG;
    }
    if (!arrive(route, serial->device)) {
        return STEP_WRONG;
    }
    if (route->target->kind != TARGET_FILE) {
        line_add(route->problem, "%s: \"Device\" is no path of a device", route->where.text);
        return STEP_WRONG;
    }
    memcpy(route->target->line, serial->mode, sizeof(serial->mode));
    return STEP_ARRIVED;
}

static enum step through_monitor(struct route *route, const struct monitor_port *row)
{
    set_where(route, "port", row->name);
    if (!is_right(route, row->wrong) || !arrive(route, row->target)) {
        return STEP_WRONG;
    }
    route->target->format = row->format;
    return STEP_ARRIVED;
}

static enum step through_printer(struct route *route, const struct printer *printer)
{
    bool first = pass(route, printer);
    set_where(route, "printer", printer->key);
    if (!first) {
        return STEP_WRONG;
    }
    if (printer->texts[PRINTER_PORT][0] == '\0') {
        line_add(route->problem, "%s: has no port", route->where.text);
        return STEP_WRONG;
    }
    if (route->giver == NULL &&
        (printer->null_session || printer->texts[PRINTER_CREDENTIALS][0] != '\0')) {
        route->giver = printer;
    }
    route->name = printer->texts[PRINTER_PORT];
    route->map = NULL;
    return STEP_ON;
}

static enum step nowhere(struct route *route)
{
    if (route->where.length > 0) {
        line_add(route->problem, "%s: ", route->where.text);
    }
    line_add_quoted(route->problem, route->name);
    line_add(route->problem, " is no port, no printer and no target");
    return STEP_WRONG;
}

static enum step follow(struct route *route)
{
    size_t lpt = device_index(route->name, "LPT");
    size_t com = device_index(route->name, "COM");
    if (lpt < DEVICES) {
        return through_lpt(route, lpt);
    }
    if (com < DEVICES) {
        return through_com(route, com);
    }
    for (size_t i = 0; i < route->ports->count; i++) {
        const struct monitor_port *row = &route->ports->rows[i];
        if (rs_name_compare(row->name, RS_NTS, route->name, RS_NTS) == 0) {
            return through_monitor(route, row);
        }
    }
    const struct printer *printer = printers_find(route->printers, route->name);
    return printer != NULL ? through_printer(route, printer) : nowhere(route);
}

/* A file that names a user and a password is named by its path. */
static bool set_credentials(struct route *route, const char *whose, const char *path)
{
    struct target file;
    struct line why = LINE_INIT;
    if (path[0] != '\0' && (!target_parse(path, &file, &why) || file.kind != TARGET_FILE)) {
        line_add(route->problem, "%s: \"CredentialsFile\" is no path of a file", whose);
        return false;
    }
    memcpy(route->target->credentials, path, strlen(path) + 1);
    return true;
}

static bool set_session(struct route *route)
{
    struct target *target = route->target;
    if (target->kind != TARGET_SHARE) {
        return true;
    }
    if (route->giver != NULL) {
        set_where(route, "printer", route->giver->key);
        target->null_session = route->giver->null_session;
        return target->null_session ||
               set_credentials(route, route->where.text, route->giver->texts[PRINTER_CREDENTIALS]);
    }
    if (route->map != NULL) {
        target->null_session = route->map->credentials[0] == '\0';
        return set_credentials(route, route->where.text, route->map->credentials);
    }
    return true;
}

static bool run(struct route *route)
{
    enum step step = STEP_ON;
    while (step == STEP_ON && !target_is_meant(route->name)) {
        step = follow(route);
    }
    if (step == STEP_ON) {
        step = arrive(route, route->name) ? STEP_ARRIVED : STEP_WRONG;
    }
    return step == STEP_ARRIVED && set_session(route);
}

bool ports_resolve(const struct ports *ports, const struct printers *printers, const char *name,
                   struct target *target, struct line *problem)
{
    struct target found;
    struct route route = {.ports = ports,
                          .printers = printers,
                          .name = name,
                          .where = LINE_INIT,
                          .target = &found,
                          .problem = problem};
    if (!run(&route)) {
        return false;
    }
    *target = found;
    return true;
}

bool ports_resolve_printer(const struct ports *ports, const struct printers *printers,
                           const struct printer *printer, struct target *target,
                           struct line *problem)
{
    struct target found;
    struct route route = {.ports = ports,
                          .printers = printers,
                          .name = "",
                          .where = LINE_INIT,
                          .target = &found,
                          .problem = problem};
    if (through_printer(&route, printer) != STEP_ON || !run(&route)) {
        return false;
    }
    *target = found;
    return true;
}

/* ports - what the names of ports lead to; see ports.h. */
#include "ports_parts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CHAIN_MAX 16 /* names from a port to its target */

enum step { STEP_ON, STEP_ARRIVED, STEP_WRONG };

/* The way from a name to a target. */
struct route {
    const struct ports *ports;
    const struct printers *printers;
    const struct ports_lpd
        *lpd;          /* which printers are queues of; NULL: they stand for their ports */
    const char *name;  /* that is followed next */
    struct line where; /* what has named it, for a person */
    const struct printer *giver; /* the first that says how a share is reached; NULL: none does */
    const struct mapping *map;   /* that has named it; NULL: none */
    const void *passed[CHAIN_MAX];
    size_t count;
    struct target *target;
    struct line *problem;
};

/* The number of LPTn or COMn, from 0 on, or PORTS_DEVICES. */
static size_t device_index(const char *name, const char *kind)
{
    if (strncasecmp(name, kind, 3) != 0 || name[3] < '1' || name[3] > '9' ||
        (name[4] != '\0' && strcmp(name + 4, ":") != 0)) {
        return PORTS_DEVICES;
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

static enum step into_queue(struct route *route, const struct printer *printer)
{
    bool is_six = strchr(route->lpd->host, ':') != NULL;
    struct line text = LINE_INIT;
    line_add(&text, "lpd://%s%s%s:%u/%s", is_six ? "[" : "", route->lpd->host, is_six ? "]" : "",
             route->lpd->port, printer->key);
    return arrive(route, text.text) ? STEP_ARRIVED : STEP_WRONG;
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

static int compare_name(const void *name, const void *row)
{
    return rs_name_compare(name, RS_NTS, ((const struct monitor_port *)row)->name, RS_NTS);
}

/* NULL: no monitor has such a port. There may be a thousand, and as many printers that ask. */
static const struct monitor_port *find_monitor(const struct ports *ports, const char *name)
{
    const struct monitor_port *row = NULL;
    if (ports->lpr > 0) {
        row = bsearch(name, ports->rows, ports->lpr, sizeof(*row), compare_name);
    }
    if (row == NULL && ports->count > ports->lpr) {
        row = bsearch(name, ports->rows + ports->lpr, ports->count - ports->lpr, sizeof(*row),
                      compare_name);
    }
    return row;
}

static enum step follow(struct route *route)
{
    size_t lpt = device_index(route->name, "LPT");
    size_t com = device_index(route->name, "COM");
    if (lpt < PORTS_DEVICES) {
        return through_lpt(route, lpt);
    }
    if (com < PORTS_DEVICES) {
        return through_com(route, com);
    }
    const struct monitor_port *row = find_monitor(route->ports, route->name);
    if (row != NULL) {
        return through_monitor(route, row);
    }
    const struct printer *printer = printers_find(route->printers, route->name);
    if (printer == NULL) {
        return nowhere(route);
    }
    return route->lpd != NULL ? into_queue(route, printer) : through_printer(route, printer);
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

bool ports_resolve_to_queue(const struct ports *ports, const struct printers *printers,
                            const struct ports_lpd *lpd, const char *name, struct target *target,
                            struct line *problem)
{
    struct target found;
    struct route route = {.ports = ports,
                          .printers = printers,
                          .lpd = lpd,
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

bool ports_resolve(const struct ports *ports, const struct printers *printers, const char *name,
                   struct target *target, struct line *problem)
{
    return ports_resolve_to_queue(ports, printers, NULL, name, target, problem);
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

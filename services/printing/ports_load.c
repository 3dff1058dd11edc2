/*
 * ports_load - the device map and the ports of print monitors, read from the store; see ports.h.
 *
 * A value that is wrong is kept as that, for who uses it; only a store that cannot be read is a
 * failure.
 */
#include "ports_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOOT_SIZE 64
#define BOOT_FILE "/proc/sys/kernel/random/boot_id"
#define LPR_KEY PORTS_PRINT_KEY "\\Monitors\\LPR Port\\Ports"
#define TCP_KEY PORTS_PRINT_KEY "\\Monitors\\Standard TCP/IP Port\\Ports"

enum { TCP_RAW = 1, TCP_LPR = 2 };

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
    for (size_t i = 0; i < PORTS_DEVICES && status == RS_OK; i++) {
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
        if (info.name_len >= PORTS_NAME || strlen(info.name) != info.name_len) {
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
        read->lpr = read->count;
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

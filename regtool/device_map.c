/* The device map: its names and its keys. */
#include "device_map.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "report.h"

#define MAP_KEY "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Print\\DeviceMap"
#define PATH_SIZE (sizeof(MAP_KEY) + DEVICE_NAME_SIZE)
#define BOOT_FILE "/proc/sys/kernel/random/boot_id"
#define BOOT_SIZE 64

static const char *const kinds[DEVICE_KINDS] = {[DEVICE_LPT] = "LPT", [DEVICE_COM] = "COM"};

static const char *const value_names[DEVICE_TEXTS] = {
    [DEVICE_TARGET] = "Target", [DEVICE_CREDENTIALS] = "CredentialsFile",
    [DEVICE_BOOT] = "BootId",   [DEVICE_LINE] = "Device",
    [DEVICE_MODE] = "Mode",
};

/* ---- Names ---- */

bool device_parse(const char *text, size_t len, struct device *device)
{
    if (len == 5 && text[4] == ':') {
        len--;
    }
    for (size_t kind = 0; len == 4 && kind < DEVICE_KINDS; kind++) {
        if (strncasecmp(text, kinds[kind], 3) == 0 && text[3] >= '1' &&
            text[3] <= '0' + DEVICE_LAST) {
            *device = (struct device){(enum device_kind)kind, (unsigned)(text[3] - '0')};
            return true;
        }
    }
    return false;
}

void device_name(const struct device *device, char name[DEVICE_NAME_SIZE])
{
    snprintf(name, DEVICE_NAME_SIZE, "%s%u", kinds[device->kind], device->number % 10);
}

int device_report(const char *verb, const char *word, bool com)
{
    return report("%s: \"%s\": the device name is not one of LPT1 to LPT9%s", verb, word,
                  com ? " and COM1 to COM9" : "");
}

bool device_is_unc(const char *target)
{
    return target[0] == '\\' && target[1] == '\\';
}

bool device_has_control(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            return true;
        }
    }
    return false;
}

/* A name or an address, which of IPv6 is in []; @PORT may follow, which who prints judges. */
static bool is_server(const char *server, size_t len)
{
    const char *end = server[0] == '[' ? memchr(server, ']', len) : NULL;

    if (server[0] == '[') {
        return end != NULL && (end + 1 == server + len || end[1] == '@');
    }
    return len > 0 && server[0] != '@' && strcspn(server, "\\/:*?\"<>|, ") == len;
}

bool device_is_share(const char *target)
{
    const char *share;

    if (!device_is_unc(target) || strlen(target) > DEVICE_LONGEST_TARGET ||
        device_has_control(target)) {
        return false;
    }
    share = strchr(target + 2, '\\');
    return share != NULL && is_server(target + 2, (size_t)(share - target - 2)) &&
           share[1] != '\0' && strpbrk(share + 1, "\\/:*?\"<>|,") == NULL &&
           strcmp(share, "\\.") != 0 && strcmp(share, "\\..") != 0;
}

/* ---- Entries ---- */

int device_entry_set(struct device_entry *entry, enum device_text text, const char *value)
{
    char *copy = value != NULL ? strdup(value) : NULL;

    if (value != NULL && copy == NULL) {
        return RS_ENOMEM;
    }
    free(entry->texts[text]);
    entry->texts[text] = copy;
    return RS_OK;
}

int device_entry_reroute(struct device_entry *entry, const char *target)
{
    int status = device_entry_set(entry, DEVICE_TARGET, target);

    if (status == RS_OK) {
        status = device_entry_set(entry, DEVICE_CREDENTIALS, NULL);
    }
    return status == RS_OK ? device_entry_set(entry, DEVICE_BOOT, NULL) : status;
}

/* Of this machine's running kernel; false: it does not say. Without a stream: memory that is out
 * must not end a mapping. */
static bool read_boot(char boot[BOOT_SIZE])
{
    int fd = open(BOOT_FILE, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd >= 0 ? read(fd, boot, BOOT_SIZE - 1) : -1;

    if (fd >= 0) {
        close(fd);
    }
    boot[size > 0 ? size : 0] = '\0';
    boot[strcspn(boot, "\n")] = '\0';
    return boot[0] != '\0';
}

int device_entry_bind_to_boot(struct device_entry *entry)
{
    char boot[BOOT_SIZE];

    return read_boot(boot) ? device_entry_set(entry, DEVICE_BOOT, boot) : RS_EIO;
}

const char *device_entry_target(const struct device_entry *entry)
{
    const char *bound = entry->texts[DEVICE_BOOT];
    char boot[BOOT_SIZE];

    if (bound != NULL && (!read_boot(boot) || strcmp(boot, bound) != 0)) {
        return NULL;
    }
    return entry->texts[DEVICE_TARGET];
}

void device_entry_free(struct device_entry *entry)
{
    for (size_t i = 0; i < DEVICE_TEXTS; i++) {
        free(entry->texts[i]);
        entry->texts[i] = NULL;
    }
}

/* ---- The store ---- */

static void set_path(const struct device *device, char path[PATH_SIZE])
{
    char name[DEVICE_NAME_SIZE];

    device_name(device, name);
    snprintf(path, PATH_SIZE, "%s\\%s", MAP_KEY, name);
}

/* An empty text is none. */
static int read_text(struct session *session, rs_key key, enum device_text text,
                     struct device_entry *entry)
{
    const char *value;
    int status = rs_get_string(session->txn, key, value_names[text], &value);

    if (status == RS_ENOTFOUND || status == RS_ETYPE || status == RS_EDATA) {
        session_forget(session);
        return RS_OK;
    }
    if (status != RS_OK || value[0] == '\0') {
        return status;
    }
    return device_entry_set(entry, text, value);
}

int device_map_read(struct session *session, const struct device *device,
                    struct device_entry *entry)
{
    char path[PATH_SIZE];
    rs_key key;
    int status;

    *entry = (struct device_entry){.device = *device};
    set_path(device, path);
    status = rs_key_open(session->txn, RS_NO_KEY, path, &key);
    if (status == RS_ENOTFOUND) {
        session_forget(session);
        return RS_OK;
    }
    for (int text = 0; status == RS_OK && text < DEVICE_TEXTS; text++) {
        status = read_text(session, key, (enum device_text)text, entry);
    }
    return status;
}

static int write_text(struct session *session, rs_key key, enum device_text text, const char *value)
{
    int status;

    if (value != NULL) {
        return rs_set_string(session->txn, key, value_names[text], value);
    }
    status = rs_value_delete(session->txn, key, value_names[text]);
    if (status == RS_ENOTFOUND) {
        session_forget(session);
        return RS_OK;
    }
    return status;
}

/* What others keep in the key stays. */
static int delete_if_empty(struct session *session, rs_key key)
{
    rs_key_info info;
    int status = rs_key_info_get(session->txn, key, &info);

    if (status == RS_OK && info.subkeys == 0 && info.values == 0) {
        status = rs_key_delete(session->txn, key, 0);
    }
    return status;
}

static bool says_nothing(const struct device_entry *entry)
{
    for (size_t i = 0; i < DEVICE_TEXTS; i++) {
        if (entry->texts[i] != NULL) {
            return false;
        }
    }
    return true;
}

int device_map_write(struct session *session, const struct device_entry *entry)
{
    bool nothing = says_nothing(entry);
    char path[PATH_SIZE];
    rs_key key;
    int status;

    set_path(&entry->device, path);
    status = nothing ? rs_key_open(session->txn, RS_NO_KEY, path, &key)
                     : rs_key_create(session->txn, RS_NO_KEY, path, &key);
    if (nothing && status == RS_ENOTFOUND) {
        session_forget(session);
        return RS_OK;
    }
    for (int text = 0; status == RS_OK && text < DEVICE_TEXTS; text++) {
        status = write_text(session, key, (enum device_text)text, entry->texts[text]);
    }
    return status == RS_OK && nothing ? delete_if_empty(session, key) : status;
}

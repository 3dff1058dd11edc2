/* names - by what names this computer is known; see names.h. */
#include "names.h"

#include <stdio.h>
#include <string.h>

#define NETBIOS_LENGTH 15

/* *text stays "" where there is none, or what is there is no text. */
static int read_text(rs_txn *txn, const char *path, const char *name, const char **text)
{
    rs_key key;
    int status = rs_key_open(txn, RS_NO_KEY, path, &key);
    if (status == RS_OK) {
        status = rs_get_string(txn, key, name, text);
    }
    return status == RS_ENOTFOUND || status == RS_ETYPE || status == RS_EDATA ? RS_OK : status;
}

static void add(struct server_names *names, size_t *count, const char *host, size_t size,
                const char *domain)
{
    char *text = names->texts[*count];
    int length = snprintf(text, NAMES_SIZE, "%.*s%s%s", (int)size, host,
                          domain[0] == '\0' ? "" : ".", domain);
    if (size > 0 && length < NAMES_SIZE) {
        names->list[(*count)++] = text;
    }
}

/* As the host's name is ASCII, cutting and upper case are simple. */
static void make_netbios(char *text)
{
    if (strlen(text) > NETBIOS_LENGTH) {
        text[NETBIOS_LENGTH] = '\0';
    }
    for (; *text != '\0'; text++) {
        if (*text >= 'a' && *text <= 'z') {
            *text = (char)(*text - 'a' + 'A');
        }
    }
}

int names_load(rs_txn *txn, const char *host, struct server_names *names)
{
    const char *computer = "";
    const char *domain = "";
    size_t size = strcspn(host, ".");
    size_t count = 0;
    int status = read_text(txn, NAMES_COMPUTER_KEY "\\ComputerName", "ComputerName", &computer);
    if (status == RS_OK && host[size] == '\0') {
        status = read_text(txn, NAMES_DOMAIN_KEY, "Domain", &domain);
    }
    if (status != RS_OK) {
        return status;
    }
    *names = (struct server_names){.list = {NULL}};
    if (computer[0] != '\0') {
        add(names, &count, computer, strlen(computer), "");
    }
    if (count == 0) {
        add(names, &count, host, size, "");
        make_netbios(names->texts[0]);
    }
    add(names, &count, host, size, "");
    if (host[size] != '\0') {
        add(names, &count, host, strlen(host), "");
    } else if (domain[0] != '\0') {
        add(names, &count, host, size, domain);
    }
    return RS_OK;
}

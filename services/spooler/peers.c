/* peers - the other print servers; see peers.h. */
#include "peers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PORT_MAX 65535

/* 0: it is none. */
static unsigned parse_port(const char *text)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || port > PORT_MAX) {
        return 0;
    }
    return (unsigned)port;
}

static bool is_host(const char *text, size_t size)
{
    if (size == 0 || size >= PEER_HOST_SIZE) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)text[i] <= ' ' || strchr("\\/[]@,;", text[i]) != NULL) {
            return false;
        }
    }
    return true;
}

/* Where the host begins and ends, and what stands for the port: NULL if nothing does. */
static bool split(const char *entry, const char **host, size_t *size, const char **port)
{
    *host = entry;
    *port = NULL;
    if (entry[0] == '[') {
        const char *end = strchr(entry, ']');
        if (end == NULL || (end[1] != '\0' && end[1] != ':')) {
            return false;
        }
        *host = entry + 1;
        *size = (size_t)(end - *host);
        *port = end[1] == ':' ? end + 2 : NULL;
    } else {
        const char *colon = strchr(entry, ':');
        bool many = colon != NULL && strchr(colon + 1, ':') != NULL; /* a bare IPv6 address */
        *size = colon != NULL && !many ? (size_t)(colon - entry) : strlen(entry);
        *port = colon != NULL && !many ? colon + 1 : NULL;
    }
    return is_host(*host, *size);
}

static bool parse(const char *entry, unsigned standard, struct line *problem,
                  struct peer_address *address)
{
    const char *host, *port;
    size_t size;
    bool good = split(entry, &host, &size, &port);
    unsigned number = good && port != NULL ? parse_port(port) : standard;
    if (!good || (port != NULL && number == 0)) {
        line_add(problem, "BrowseServers: ");
        line_add_quoted(problem, entry);
        line_add(problem, " is neither HOST nor HOST:PORT");
        return false;
    }
    if (number == 0) {
        line_add(problem, "BrowseServers: ");
        line_add_quoted(problem, entry);
        line_add(problem, " names no port, and ListenPort, which would stand for it, is 0");
        return false;
    }
    memcpy(address->host, host, size);
    address->host[size] = '\0';
    address->port = number;
    return true;
}

static bool is_known(const struct peer_addresses *addresses, const struct peer_address *address)
{
    for (size_t i = 0; i < addresses->count; i++) {
        if (addresses->rows[i].port == address->port &&
            strcasecmp(addresses->rows[i].host, address->host) == 0) {
            return true;
        }
    }
    return false;
}

static bool parse_all(const char *const *list, unsigned standard, struct line *problem,
                      struct peer_addresses *addresses)
{
    for (; *list != NULL; list++) {
        struct peer_address *next = &addresses->rows[addresses->count];
        if ((*list)[0] == '\0') {
            continue;
        }
        if (addresses->count == PEERS_MAX) {
            line_add(problem, "BrowseServers: more than %d servers", PEERS_MAX);
            return false;
        }
        if (!parse(*list, standard, problem, next)) {
            return false;
        }
        addresses->count += !is_known(addresses, next);
    }
    return true;
}

bool peers_parse(const char *const *list, unsigned standard, struct line *problem,
                 struct peer_addresses **addresses)
{
    size_t count = 0;
    while (list[count] != NULL && count < PEERS_MAX) {
        count++;
    }
    struct peer_addresses *parsed =
        calloc(1, sizeof(*parsed) + (count + 1) * sizeof(parsed->rows[0]));
    if (parsed == NULL) {
        line_add(problem, "out of memory");
        return false;
    }
    if (!parse_all(list, standard, problem, parsed)) {
        free(parsed);
        return false;
    }
    *addresses = parsed;
    return true;
}

/* target - where a job goes in the end; see target.h. */
#include "target.h"

#include "../common/character.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static const char socket_scheme[] = "socket://";
static const char lpd_scheme[] = "lpd://";
static const char share_form[] = "a share is \\\\SERVER\\SHARE";
static const char host_form[] = "its host is no name, no address, and no IPv6 address in []";

/* ---- Texts ----------------------------------------------------------------------------------- */

/* A target stands in logs, in a queue's state, and in the control file of another LPD. */
static const char *text_problem(const char *text)
{
    size_t left = strlen(text);
    if (left >= TARGET_TEXT) {
        return "it is too long";
    }
    while (left > 0) {
        size_t size = character_size(text, left);
        if (size == 0) {
            return "it is no UTF-8";
        }
        if (character_is_control(text, size)) {
            return "it has a control character";
        }
        text += size;
        left -= size;
    }
    return NULL;
}

static bool begins(const char *text, const char *start)
{
    return strncasecmp(text, start, strlen(start)) == 0;
}

/* "x://", whatever x is. */
static bool has_scheme(const char *text)
{
    size_t size = strspn(text, LETTERS DIGITS "+.-");
    return size > 0 && strchr(LETTERS, text[0]) != NULL && strncmp(text + size, "://", 3) == 0;
}

/* ---- Hosts ----------------------------------------------------------------------------------- */

/* A name or an IPv4 address. */
static bool is_name(const char *text, size_t size)
{
    return size > 0 && size < TARGET_HOST && strspn(text, LETTERS DIGITS "._-") >= size &&
           text[0] != '-' && text[0] != '.';
}

/* An IPv6 address, perhaps with the interface that it is at: fe80::1%eth0. */
static bool is_ipv6(const char *text)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr parsed;
    size_t size = strcspn(text, "%");
    if (size >= sizeof(address)) {
        return false;
    }
    memcpy(address, text, size);
    address[size] = '\0';
    const char *zone = text[size] == '%' ? text + size + 1 : "x";
    return inet_pton(AF_INET6, address, &parsed) == 1 && zone[0] != '\0' &&
           zone[strspn(zone, LETTERS DIGITS "._-")] == '\0';
}

static void set_text(char *to, const char *from, size_t size)
{
    memcpy(to, from, size);
    to[size] = '\0';
}

/* Gives the text behind the host, or NULL. */
static const char *take_host(const char *at, char *host)
{
    if (at[0] != '[') {
        size_t size = strspn(at, LETTERS DIGITS "._-");
        if (!is_name(at, size)) {
            return NULL;
        }
        set_text(host, at, size);
        return at + size;
    }
    size_t size = strcspn(at + 1, "]");
    if (at[1 + size] == '\0' || size >= TARGET_HOST) {
        return NULL;
    }
    set_text(host, at + 1, size);
    return is_ipv6(host) ? at + size + 2 : NULL;
}

/* Gives the text behind the port, or NULL. */
static const char *take_port(const char *at, unsigned *port)
{
    size_t size = strspn(at, DIGITS);
    unsigned number = 0;
    for (size_t i = 0; i < size && number <= UINT16_MAX; i++) {
        number = number * 10 + (unsigned)(at[i] - '0');
    }
    if (number == 0 || number > UINT16_MAX) {
        return NULL;
    }
    *port = number;
    return at + size;
}

/* HOST, or HOST, mark and PORT, up to the end of the text or to end. */
static const char *parse_host(const char **at, char mark, char end, struct target *target)
{
    const char *rest = take_host(*at, target->host);
    if (rest == NULL) {
        return host_form;
    }
    if (*rest == mark) {
        rest = take_port(rest + 1, &target->port);
        if (rest == NULL) {
            return "its port is no number from 1 to 65535";
        }
    }
    if (*rest != '\0' && *rest != end) {
        return host_form;
    }
    *at = rest;
    return NULL;
}

/* ---- Kinds ----------------------------------------------------------------------------------- */

/* Each gives NULL, or why the text is no target of its kind. */

static const char *parse_share(const char *text, struct target *target)
{
    const char *at = text + 2;
    target->kind = TARGET_SHARE;
    const char *why = parse_host(&at, '@', '\\', target);
    if (why != NULL) {
        return why;
    }
    const char *share = at[0] == '\\' ? at + 1 : "";
    if (share[0] == '\0') {
        return "it names no share, which is \\\\SERVER\\SHARE";
    }
    if (strchr(share, '\\') != NULL) {
        return "it names more than a share, which is \\\\SERVER\\SHARE";
    }
    if (strpbrk(share, "/,\"<>|:*?") != NULL || strcmp(share, ".") == 0 ||
        strcmp(share, "..") == 0) {
        return "that is no share's name";
    }
    set_text(target->name, share, strlen(share));
    return NULL;
}

static const char *parse_path(const char *text, struct target *target)
{
    size_t size = strlen(text);
    if (text[1] == '/') {
        return share_form;
    }
    target->kind = text[size - 1] == '/' ? TARGET_DIRECTORY : TARGET_FILE;
    set_text(target->name, text, size);
    return NULL;
}

static const char *parse_command(const char *text, struct target *target)
{
    const char *command = text + 1 + strspn(text + 1, " ");
    target->kind = TARGET_COMMAND;
    set_text(target->name, command, strlen(command));
    return command[0] == '\0' ? "it names no command" : NULL;
}

static const char *parse_socket(const char *text, struct target *target)
{
    const char *at = text + strlen(socket_scheme);
    target->kind = TARGET_SOCKET;
    target->port = TARGET_SOCKET_PORT;
    return parse_host(&at, ':', '\0', target);
}

/* The queue ends with the line in which another LPD is asked for it, so it may have blanks. */
static const char *parse_lpd(const char *text, struct target *target)
{
    const char *at = text + strlen(lpd_scheme);
    target->kind = TARGET_LPD;
    target->port = TARGET_LPD_PORT;
    const char *why = parse_host(&at, ':', '/', target);
    if (why != NULL) {
        return why;
    }
    const char *queue = at[0] == '/' ? at + 1 : "";
    if (queue[0] == '\0') {
        return "it names no queue, as lpd://HOST/QUEUE does";
    }
    if (strchr(queue, '/') != NULL) {
        return "a queue's name has no slash";
    }
    set_text(target->name, queue, strlen(queue));
    return NULL;
}

static const char *parse(const char *text, struct target *target)
{
    if (strncmp(text, "\\\\", 2) == 0) {
        return parse_share(text, target);
    }
    if (text[0] == '/') {
        return parse_path(text, target);
    }
    if (text[0] == '|') {
        return parse_command(text, target);
    }
    if (begins(text, socket_scheme)) {
        return parse_socket(text, target);
    }
    if (begins(text, lpd_scheme)) {
        return parse_lpd(text, target);
    }
    return text[0] == '\\' ? share_form : "that is \\\\..., /..., |..., socket://... or lpd://...";
}

bool target_parse(const char *text, struct target *target, struct line *problem)
{
    struct target parsed = {0};
    const char *why = text_problem(text);
    if (why == NULL) {
        why = parse(text, &parsed);
    }
    if (why != NULL) {
        line_add_quoted(problem, text);
        line_add(problem, " is no target: %s", why);
        return false;
    }
    set_text(parsed.text, text, strlen(text));
    *target = parsed;
    return true;
}

bool target_is_meant(const char *text)
{
    return text[0] == '\\' || text[0] == '/' || text[0] == '|' || has_scheme(text);
}

/* ---- Terminal lines -------------------------------------------------------------------------- */

/* A field ends at a comma or at the end. */
static bool field_is(const char *field, size_t size, const char *word)
{
    return strlen(word) == size && strncasecmp(field, word, size) == 0;
}

static const char *read_baud(const char *field, size_t size, struct target_line *line)
{
    static const struct {
        const char *word;
        unsigned baud;
    } rates[] = {{"50", 50},         {"75", 75},         {"110", 110},       {"134", 134},
                 {"150", 150},       {"200", 200},       {"300", 300},       {"600", 600},
                 {"1200", 1200},     {"1800", 1800},     {"2400", 2400},     {"4800", 4800},
                 {"9600", 9600},     {"19200", 19200},   {"38400", 38400},   {"57600", 57600},
                 {"115200", 115200}, {"230400", 230400}, {"460800", 460800}, {"921600", 921600}};
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        if (field_is(field, size, rates[i].word)) {
            line->baud = rates[i].baud;
            line->half_stops = line->baud == 110 ? 4 : 2;
            return NULL;
        }
    }
    return "it begins with no rate that terminal lines have, such as 9600";
}

static const char *read_parity(const char *field, size_t size, struct target_line *line)
{
    static const char letters[] = "neoms";
    for (const char *letter = letters; *letter != '\0'; letter++) {
        if (field_is(field, size, (const char[]){*letter, '\0'})) {
            line->parity = *letter;
            return NULL;
        }
    }
    return "its parity is none of n, e, o, m and s";
}

static const char *read_data_bits(const char *field, size_t size, struct target_line *line)
{
    if (size != 1 || field[0] < '5' || field[0] > '8') {
        return "its data bits are no number from 5 to 8";
    }
    line->data_bits = (unsigned)(field[0] - '0');
    return NULL;
}

static const char *read_stop_bits(const char *field, size_t size, struct target_line *line)
{
    static const char *const words[] = {"1", "1.5", "2"};
    for (unsigned i = 0; i < 3; i++) {
        if (field_is(field, size, words[i])) {
            line->half_stops = i + 2;
            return NULL;
        }
    }
    return "its stop bits are none of 1, 1.5 and 2";
}

static const char *read_retries(const char *field, size_t size, struct target_line *line)
{
    line->retries = field_is(field, size, "p");
    return line->retries ? NULL : "its retries are not p";
}

const char *target_read_line(const char *text, struct target_line *line)
{
    static const char *(*const readers[])(const char *, size_t, struct target_line *) = {
        read_baud, read_parity, read_data_bits, read_stop_bits, read_retries};
    const size_t most = sizeof(readers) / sizeof(readers[0]);
    struct target_line read = {.parity = 'e', .data_bits = 7};
    const char *field = text;
    for (size_t i = 0;; i++) {
        size_t size = strcspn(field, ",");
        if (i == most) {
            return "it has more than five parts";
        }
        const char *why = size > 0 || i == 0 ? readers[i](field, size, &read) : NULL;
        if (why != NULL) {
            return why;
        }
        if (field[size] == '\0') {
            break;
        }
        field += size + 1;
    }
    if (strlen(text) >= TARGET_LINE) {
        return "it is too long";
    }
    *line = read;
    return NULL;
}

const char *target_line_problem(const char *text)
{
    struct target_line line;
    return target_read_line(text, &line);
}

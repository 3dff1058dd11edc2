/*
 * fuzz_target.c - fuzz target: where a job goes, as a text, and a terminal line's parameters.
 *
 * What is taken must say the same when it is put together again from its parts, and none of these
 * may hold what would mean something else to who gets it: a URL, a control file, a shell's
 * argument. What is refused says why in one line. Needs target.
 */
#include "fuzz.h"
#include "../../services/printing/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_one_line(const char *text)
{
    for (; *text != '\0'; text++) {
        FUZZ_CHECK((unsigned char)*text >= ' ' && *text != 0x7f);
    }
}

/* HOST, and its port where it has another than the standard one. */
static void put_host(char *to, size_t size, const struct target *target, char mark)
{
    bool is_ipv6 = strchr(target->host, ':') != NULL;
    int length = snprintf(to, size, "%s%s%s", is_ipv6 ? "[" : "", target->host, is_ipv6 ? "]" : "");
    if (target->port != 0) {
        snprintf(to + length, size - (size_t)length, "%c%u", mark, target->port);
    }
}

static void put_together(char *to, size_t size, const struct target *target)
{
    char host[TARGET_HOST + 16];
    put_host(host, sizeof(host), target, target->kind == TARGET_SHARE ? '@' : ':');
    switch (target->kind) {
    case TARGET_SHARE:
        snprintf(to, size, "\\\\%s\\%s", host, target->name);
        break;
    case TARGET_SOCKET:
        snprintf(to, size, "socket://%s", host);
        break;
    case TARGET_LPD:
        snprintf(to, size, "lpd://%s/%s", host, target->name);
        break;
    case TARGET_COMMAND:
        snprintf(to, size, "|%s", target->name);
        break;
    case TARGET_FILE:
    case TARGET_DIRECTORY:
        snprintf(to, size, "%s", target->name);
        break;
    }
}

static void check_parts(const struct target *target)
{
    bool has_host =
        target->kind == TARGET_SHARE || target->kind == TARGET_SOCKET || target->kind == TARGET_LPD;
    FUZZ_CHECK((target->host[0] != '\0') == has_host);
    FUZZ_CHECK((target->name[0] != '\0') == (target->kind != TARGET_SOCKET));
    FUZZ_CHECK(target->port <= UINT16_MAX && (has_host || target->port == 0));
    FUZZ_CHECK(strpbrk(target->host, "/\\@ []?#\"'$;&|") == NULL && target->host[0] != '-');
    FUZZ_CHECK(target->line[0] == '\0' && target->credentials[0] == '\0');
    FUZZ_CHECK(target->format == 0 && !target->null_session);
    if (target->kind == TARGET_SHARE) {
        FUZZ_CHECK(strpbrk(target->name, "/\\") == NULL && strcmp(target->name, "..") != 0);
    }
    if (target->kind == TARGET_LPD) {
        FUZZ_CHECK(strchr(target->name, '/') == NULL);
    }
}

/* The standard ports are written out, so that a text may become longer than one may be. */
static void check_again(const struct target *target)
{
    char text[TARGET_TEXT + TARGET_HOST + 64];
    struct line problem = LINE_INIT;
    struct target again;
    put_together(text, sizeof(text), target);
    if (strlen(text) < TARGET_TEXT) {
        FUZZ_CHECK(target_parse(text, &again, &problem));
        FUZZ_CHECK(again.kind == target->kind && again.port == target->port);
        FUZZ_CHECK(strcmp(again.host, target->host) == 0);
        FUZZ_CHECK(strcmp(again.name, target->name) == 0);
    }
}

static void check_line(const char *text)
{
    struct target_line line;
    const char *why = target_read_line(text, &line);
    FUZZ_CHECK((why == NULL) == (target_line_problem(text) == NULL));
    if (why == NULL) {
        FUZZ_CHECK(strlen(text) < TARGET_LINE && line.baud >= 50);
        FUZZ_CHECK(line.parity != '\0' && strchr("neoms", line.parity) != NULL);
        FUZZ_CHECK(line.data_bits >= 5 && line.data_bits <= 8);
        FUZZ_CHECK(line.half_stops >= 2 && line.half_stops <= 4);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct line problem = LINE_INIT;
    struct target target;
    char *text = malloc(size + 1);
    FUZZ_CHECK(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    if (target_parse(text, &target, &problem)) {
        FUZZ_CHECK(problem.length == 0 && target_is_meant(text));
        FUZZ_CHECK(strcmp(target.text, text) == 0);
        check_one_line(target.text);
        check_parts(&target);
        check_again(&target);
    } else {
        FUZZ_CHECK(problem.length > 0);
        check_one_line(problem.text);
    }
    check_line(text);
    free(text);
    return 0;
}

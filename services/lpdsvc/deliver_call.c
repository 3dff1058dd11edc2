/* deliver_call - how regstore-deliver is called for jobs; see deliver_call.h. */
#include "deliver_call.h"

#include "../common/program.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define REASON_SIZE 512
#define LONGEST_RETRY 86400000U /* ms, that it takes: a day; the setting may say more */

int deliver_call_find(char *path, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", path, size - sizeof(DELIVER_PROGRAM));
    if (length < 0) {
        return errno;
    }
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return ENOENT;
    }
    memcpy(slash + 1, DELIVER_PROGRAM, sizeof(DELIVER_PROGRAM));
    return 0;
}

#define MOST_ARGUMENTS 16

static void add_pair(const char **arguments, size_t *count, const char *option, const char *value)
{
    if (value[0] != '\0') {
        arguments[(*count)++] = option;
        arguments[(*count)++] = value;
    }
}

int deliver_call_start(const struct deliver_call *call, const char *path, struct worker *worker)
{
    const struct target *target = call->target;
    const char *arguments[MOST_ARGUMENTS] = {DELIVER_PROGRAM};
    char retry[16];
    const char format[2] = {target->format, '\0'};
    size_t count = 1;
    (void)snprintf(retry, sizeof(retry), "%" PRIu32,
                   call->retry < LONGEST_RETRY ? call->retry : LONGEST_RETRY);
    if (target->null_session) {
        arguments[count++] = "--null-session";
    }
    add_pair(arguments, &count, "--credentials", target->credentials);
    add_pair(arguments, &count, "--line", target->line);
    add_pair(arguments, &count, "--format", format);
    add_pair(arguments, &count, "--retry", retry);
    arguments[count++] = "--more";
    arguments[count++] = "--job";
    arguments[count++] = call->spool;
    arguments[count++] = call->job;
    arguments[count++] = target->text;
    return worker_start(worker, path, arguments);
}

/* What a deliverer has said before he ended, without his name before it. */
void deliver_call_reason(const struct worker *worker, struct line *reason)
{
    static const char name[] = DELIVER_PROGRAM ": ";
    const char *text = worker->said;
    if (strncmp(text, name, sizeof(name) - 1) == 0) {
        text += sizeof(name) - 1;
    }
    if (*text != '\0') {
        char line[REASON_SIZE];
        program_take_line(text, line, sizeof(line));
        line_add(reason, "%s%s", worker->status == WORKER_NOT_RUN ? name : "", line);
    } else if (worker->status < 0) {
        line_add(reason, "%s was killed", DELIVER_PROGRAM);
    } else {
        line_add(reason, "%s has ended with status %d", DELIVER_PROGRAM, worker->status);
    }
}

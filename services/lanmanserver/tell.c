/* tell - tells a running smbd that its configuration has changed; see tell.h. */
#include "tell.h"

#include <stdio.h>
#include <string.h>

#define LIMIT_MS 20000 /* for each run */

enum step { STEP_RELOAD, STEP_CLOSE, STEP_PING };

static int run(struct tell *tell, const char *message, const char *argument)
{
    const char *const arguments[] = {"smbcontrol", "--configfile", tell->conf, "--timeout", "10",
                                     "smbd",       message,        argument,   NULL};
    return program_start(&tell->child, arguments, LIMIT_MS);
}

static void end(struct tell *tell, enum tell_result result)
{
    tell->done(tell->owner, result, tell->reason);
}

static void give_up(struct tell *tell, const char *what)
{
    (void)snprintf(tell->reason, sizeof(tell->reason), "cannot run smbcontrol: %s", what);
    end(tell, TELL_FAILED);
}

static size_t count_names(const char *names)
{
    size_t count = 0;
    for (; (names = strchr(names, '\n')) != NULL; names++) {
        count++;
    }
    return count;
}

/* The next share, or what comes after the last. */
static int close_next(struct tell *tell)
{
    size_t size = strcspn(tell->names, "\n");
    tell->step = STEP_CLOSE;
    if (size == 0 || size >= sizeof(tell->name)) {
        tell->step = STEP_PING;
        return run(tell, "ping", NULL);
    }
    memcpy(tell->name, tell->names, size);
    tell->name[size] = '\0';
    tell->names += size + (tell->names[size] == '\n');
    if (tell->all) {
        tell->names = "";
        (void)strcpy(tell->name, "*");
    }
    return run(tell, "close-share", tell->name);
}

/* smbcontrol has no exit status for why it failed, but its texts have been the same for long. */
static enum tell_result judge_failure(const struct tell *tell)
{
    if (strstr(tell->child.text, "Can't find pid") != NULL) {
        return TELL_IDLE;
    }
    return tell->step == STEP_PING ? TELL_SILENT : TELL_FAILED;
}

static void keep_reason(struct tell *tell)
{
    static const char *const skipped[] = {"WARNING", NULL};
    char line[256];
    program_first_line(&tell->child, skipped, line, sizeof(line));
    (void)snprintf(tell->reason, sizeof(tell->reason), "smbcontrol: %s",
                   tell->child.timed_out ? "it took too long"
                   : line[0] != '\0'     ? line
                                         : "it failed");
}

static void go_on(void *owner)
{
    struct tell *tell = owner;
    if (tell->child.status != 0) {
        keep_reason(tell);
        end(tell, judge_failure(tell));
        return;
    }
    if (tell->step == STEP_PING) {
        end(tell, TELL_TOLD);
        return;
    }
    int problem = close_next(tell);
    if (problem != 0) {
        give_up(tell, strerror(problem));
    }
}

void tell_init(struct tell *tell, struct loop *loop, const char *conf,
               void (*done)(void *owner, enum tell_result result, const char *reason), void *owner)
{
    *tell = (struct tell){.conf = conf, .names = "", .done = done, .owner = owner};
    program_init(&tell->child, loop, go_on, tell);
}

int tell_start(struct tell *tell, const char *names)
{
    tell->names = names;
    tell->all = count_names(names) > TELL_MAX_CLOSED;
    tell->step = STEP_RELOAD;
    tell->reason[0] = '\0';
    return run(tell, "reload-config", NULL);
}

void tell_stop(struct tell *tell)
{
    program_stop(&tell->child);
}

/* live_bench - a live service in a test's own process; see live_bench.h. */
#include "live_bench.h"

#include "stores.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void rig_open(struct rig *rig)
{
    rig->store = bench_open();
    rig->commander = NULL;
    CU_ASSERT_EQUAL_FATAL(pipe2(rig->pipe, O_CLOEXEC | O_NONBLOCK), 0);
    log_open(&rig->log, "test", rig->pipe[1], NULL);
    rig->notifier = (struct notifier){.socket_name = NULL, .log = &rig->log};
}

void rig_start_service(struct rig *rig, const struct service *service, void *state)
{
    const struct options options = {.store = rs_store_dir(rig->store)};
    CU_ASSERT_TRUE_FATAL(
        live_open(&rig->live, service, state, &rig->log, &rig->notifier, &options, rig->commander));
}

void rig_start(struct rig *rig)
{
    rig_start_service(rig, &bench_service, NULL);
}

const char *rig_log(struct rig *rig)
{
    ssize_t length = read(rig->pipe[0], rig->text, sizeof(rig->text) - 1);
    rig->text[length > 0 ? length : 0] = '\0';
    return rig->text;
}

void rig_run(struct rig *rig, uint32_t rate)
{
    rig_open(rig);
    bench_set_dword(rig->store, "Rate", rate);
    rig_start(rig);
    rig_log(rig);
}

void rig_close(struct rig *rig)
{
    live_close(&rig->live);
    close(rig->pipe[0]);
    close(rig->pipe[1]);
    rs_close(rig->store);
}

void expect_line(struct rig *rig, const char *start, const char *end)
{
    const char *text = rig_log(rig);
    size_t length = strlen(text);
    bool one_line = length > 0 && strchr(text, '\n') == text + length - 1;
    bool fits = one_line && strncmp(text, start, strlen(start)) == 0 && length > strlen(end) &&
                strncmp(text + length - 1 - strlen(end), end, strlen(end)) == 0;
    if (!fits) {
        fprintf(stderr, "logged: %s", text);
    }
    CU_ASSERT_TRUE(fits);
}

/* What the service says of itself: "ANSWERED ANSWER RESTART: REASON". */
static int note_answer(void *context, const rs_service *service)
{
    static const char *const words[] = {"none", "applied", "restart", "rejected"};
    struct rig *rig = context;
    snprintf(rig->text, sizeof(rig->text), "%d %s %d: %s", (int)service->answered,
             words[service->answer], (int)service->restart_since, service->reason);
    return 0;
}

void expect_answer(struct rig *rig, const char *answer)
{
    CU_ASSERT_EQUAL(rs_services(rig->store, note_answer, rig), RS_OK);
    EQUAL_TEXT(rig->text, answer);
}

/* ---- A work that does as the test says ---- */

static enum work_outcome take(void *state, rs_txn *txn, const struct settings *settings,
                              struct line *said)
{
    struct script *script = state;
    (void)txn;
    script->taken++;
    script->rate = settings->values[RATE].number;
    line_add(said, "%s", script->said);
    return script->outcome;
}

static enum work_outcome halt(void *state, struct line *said)
{
    struct script *script = state;
    script->halted++;
    line_add(said, "%s", script->said);
    return script->outcome;
}

const struct work scripted_work = {.take = take, .halt = halt};

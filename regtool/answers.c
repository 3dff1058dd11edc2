/* Waits for what services say of a change, and takes it back where that is asked for. */
#include "answers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "report.h"
#include "show.h"

#define USUAL_SECONDS 10
#define MOST_SECONDS 86400
#define SETTLE_MS 1000 /* for answers to what was changed before */

const char *answers_word(enum rs_answer answer)
{
    static const char *const words[] = {
        [RS_ANSWER_NONE] = "none",
        [RS_ANSWER_APPLIED] = "applied",
        [RS_ANSWER_RESTART] = "restart",
        [RS_ANSWER_REJECTED] = "rejected",
    };

    return words[answer];
}

int answers_read(const struct arguments *arguments, struct answers *answers)
{
    const char *text = arguments->switches[SWITCH_WAIT];
    char *end = NULL;
    unsigned long seconds = USUAL_SECONDS;

    *answers = (struct answers){
        .awaited = text != NULL,
        .undo = has_switch(arguments, SWITCH_OR_UNDO),
    };
    if (answers->undo && !answers->awaited) {
        return report("--or-undo: only with --wait");
    }
    if (answers->awaited && text[0] != '\0') {
        errno = 0;
        seconds = strtoul(text, &end, 10);
        if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
            seconds > MOST_SECONDS) {
            return report("--wait: \"%s\" is not a number of seconds up to %d", text, MOST_SECONDS);
        }
    }
    answers->milliseconds = (int)seconds * 1000;
    return 0;
}

/* ---- Who is running ---- */

/* A service before the change. */
struct answers_before {
    char *name;
    char *rejection; /* the reason, if it rejects what is stored; else NULL */
};

static int note_live(void *context, const rs_service *service)
{
    struct answers *answers = context;
    struct answers_before *grown;
    bool rejecting = service->answer == RS_ANSWER_REJECTED;

    if (!service->alive) {
        return RS_OK;
    }
    grown = reallocarray(answers->live, answers->live_count + 1, sizeof(*grown));
    if (grown == NULL) {
        return RS_ENOMEM;
    }
    answers->live = grown;
    grown += answers->live_count++;
    grown->name = strdup(service->name);
    grown->rejection = rejecting ? strdup(service->reason) : NULL;
    return grown->name == NULL || (rejecting && grown->rejection == NULL) ? RS_ENOMEM : RS_OK;
}

/* What was changed a moment ago may not be answered yet, and be rejected for its own sake. Whatever
 * comes of waiting, who is running is looked at then. */
static int settle(rs_store *store, const struct answers *answers)
{
    int most = answers->milliseconds < SETTLE_MS ? answers->milliseconds : SETTLE_MS;
    uint64_t latest;
    rs_txn *txn;
    int status = rs_begin(store, RS_READ, &txn);

    if (status == RS_OK) {
        latest = rs_revision(txn);
        rs_abort(txn);
        status = rs_wait(store, latest, most, NULL, NULL);
    }
    return status == RS_ENOMEM ? status : RS_OK;
}

int answers_note(const struct tool *tool, struct answers *answers)
{
    rs_store *store;
    int status;

    if (!answers->awaited || rs_open(tool->dir, RS_READONLY, &store, NULL) != RS_OK) {
        return 0; /* what is wrong with the store, the command itself says */
    }
    status = answers->undo ? settle(store, answers) : RS_OK;
    if (status == RS_OK) {
        status = rs_services(store, note_live, answers);
    }
    if (status != RS_OK) {
        report_status(status, NULL, rs_store_dir(store));
    }
    rs_close(store);
    return status == RS_OK ? 0 : 1;
}

void answers_free(struct answers *answers)
{
    for (size_t i = 0; i < answers->live_count; i++) {
        free(answers->live[i].name);
        free(answers->live[i].rejection);
    }
    free(answers->live);
}

/* ---- Telling ---- */

struct awaiting {
    const struct tool *tool;
    const struct answers *answers;
    uint64_t revision;
    size_t told;    /* services */
    size_t missing; /* those of them that have died before anybody could wait for them */
    size_t fresh;   /* rejections that did not stand before the change */
    char why[RS_ERROR_TEXT_MAX + 128]; /* the first of these */
};

static const struct answers_before *find_before(const struct answers *answers, const char *name)
{
    for (size_t i = 0; i < answers->live_count; i++) {
        if (strcmp(answers->live[i].name, name) == 0) {
            return &answers->live[i];
        }
    }
    return NULL;
}

/* Whether it rejects what was there before the change, so that the change is not the cause. */
static bool stood_before(const struct awaiting *awaiting, const rs_service *service)
{
    const struct answers_before *before = find_before(awaiting->answers, service->name);

    return service->answer == RS_ANSWER_REJECTED && before != NULL && before->rejection != NULL &&
           strcmp(before->rejection, service->reason) == 0;
}

static void put_json(const struct awaiting *awaiting, const rs_service *service)
{
    struct json json = {.out = stdout};

    json_open(&json, '{');
    json_member_text(&json, "service", service->name);
    json_member_number(&json, "revision", awaiting->revision);
    json_member_text(&json, "answer", answers_word(service->answer));
    json_member_text(&json, "reason", service->reason);
    json_member(&json, "before");
    json_truth(&json, stood_before(awaiting, service));
    json_close(&json, '}');
    json_line(&json);
}

static void put_taken(const struct awaiting *awaiting, const rs_service *service)
{
    if (awaiting->tool->json) {
        return;
    }
    if (service->answer == RS_ANSWER_APPLIED) {
        printf("%s applied revision %" PRIu64, service->name, awaiting->revision);
    } else {
        printf("%s needs a restart for revision %" PRIu64, service->name, awaiting->revision);
    }
    if (service->reason[0] != '\0') {
        fputs(": ", stdout);
        show_safely(stdout, service->reason);
    }
    putchar('\n');
}

static void put_rejected(struct awaiting *awaiting, const rs_service *service)
{
    bool before = stood_before(awaiting, service);

    report("%s rejected revision %" PRIu64 "%s: %s", service->name, awaiting->revision,
           before ? ", as it did what was there before" : "", service->reason);
    if (before) {
        return;
    }
    awaiting->fresh++;
    if (awaiting->why[0] == '\0') {
        snprintf(awaiting->why, sizeof(awaiting->why), "rejected by %s: %s", service->name,
                 service->reason);
    }
}

static int on_answer(void *context, const rs_service *service)
{
    struct awaiting *awaiting = context;

    awaiting->told++;
    if (awaiting->tool->json) {
        put_json(awaiting, service);
    }
    if (service->answer == RS_ANSWER_REJECTED) {
        put_rejected(awaiting, service);
    } else if (service->answer == RS_ANSWER_NONE) {
        report("%s has not answered revision %" PRIu64 "%s", service->name, awaiting->revision,
               service->alive ? "" : ": it is gone");
    } else {
        put_taken(awaiting, service);
    }
    fflush(stdout); /* others may take long */
    return 0;
}

/* rs_wait() asks those that live when it is called. One that lived before the change, and is gone
 * now, may have died over it. Whether it was concerned is not looked at: it can answer nobody. */
static int on_dead(void *context, const rs_service *service)
{
    struct awaiting *awaiting = context;
    const struct answers *answers = awaiting->answers;
    rs_service silent = *service;

    if (service->alive || service->ended || service->answered >= awaiting->revision) {
        return RS_OK;
    }
    if (find_before(answers, service->name) == NULL) {
        return RS_OK;
    }
    silent.answer = RS_ANSWER_NONE;
    silent.reason = "";
    awaiting->missing++;
    return on_answer(awaiting, &silent);
}

/* ---- Taking back ---- */

static int take_back(const struct awaiting *awaiting, struct session *session)
{
    uint64_t made;
    int status = rs_undo(session->txn, awaiting->revision, awaiting->revision, NULL, NULL);

    if (status == RS_ECONFLICT) {
        session_drop(session);
        return report("revision %" PRIu64 " is not taken back: something has been changed since",
                      awaiting->revision);
    }
    if (status != RS_OK) {
        return session_report(session, status, "--or-undo");
    }
    if (session_commit(session, &made) != 0) {
        return 1;
    }
    remark("revision %" PRIu64 " is taken back by revision %" PRIu64, awaiting->revision, made);
    return 0;
}

static void undo(const struct tool *tool, const struct awaiting *awaiting)
{
    struct session session;

    if (awaiting->fresh == 0) {
        remark("revision %" PRIu64 " is not taken back: it is not what is rejected",
               awaiting->revision);
        return;
    }
    if (session_begin(tool, RS_WRITE, &session) != 0) {
        return;
    }
    session.change = (struct change){.message = awaiting->why};
    take_back(awaiting, &session);
    session_end(&session);
}

/* ---- Waiting ---- */

static int result_of(int status, const char *dir)
{
    if (status == RS_OK) {
        return 0;
    }
    if (status == RS_EREJECTED) {
        return ANSWERS_REJECTED;
    }
    if (status != RS_ETIMEOUT) {
        report_status(status, NULL, dir);
    }
    return ANSWERS_NONE;
}

/* After a wait that everybody has answered. */
static int look_for_dead(struct awaiting *awaiting, rs_store *store)
{
    int status = rs_services(store, on_dead, awaiting);

    if (status == RS_OK && awaiting->missing > 0) {
        status = RS_ETIMEOUT;
    }
    if (status == RS_OK && awaiting->told == 0 && !awaiting->tool->json) {
        printf("no running service answers for what revision %" PRIu64 " changed\n",
               awaiting->revision);
    }
    return status;
}

int answers_await(const struct tool *tool, const struct answers *answers, uint64_t revision)
{
    struct awaiting awaiting = {.tool = tool, .answers = answers, .revision = revision};
    rs_store *store;
    int status;
    int result;

    fflush(stdout);
    if (tool_open(tool, RS_READONLY, &store) != 0) {
        return ANSWERS_NONE;
    }
    status = rs_wait(store, revision, answers->milliseconds, on_answer, &awaiting);
    if (status == RS_OK) {
        status = look_for_dead(&awaiting, store);
    }
    result = result_of(status, rs_store_dir(store));
    rs_close(store);
    if (result == ANSWERS_REJECTED && answers->undo) {
        undo(tool, &awaiting);
    }
    return result;
}

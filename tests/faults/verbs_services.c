/*
 * verbs_services.c - see verbs.h: the verbs of named watches, and their table.
 */
#include "verbs.h"

#include <string.h>

#define FIXTURE "HKLM\\Verbs"

static int judge(int status, bool right)
{
    return status != RS_OK || right ? status : VERB_WRONG;
}

static int open_named(struct verb_place *place, rs_watch **watch)
{
    *watch = NULL;
    return rs_watch_open_named(place->store, "verbs", FIXTURE, RS_SUBTREE, watch, &place->error);
}

static int open_and_close(struct verb_place *place)
{
    rs_watch *watch;
    const rs_batch *batch;
    int status = open_named(place, &watch);
    if (status == RS_OK) {
        status = rs_watch_next(watch, &batch);
        status = status == RS_END ? RS_OK : status;
    }
    rs_watch_close(watch);
    return status;
}

static int give_answer(struct verb_place *place)
{
    rs_watch *watch;
    int status = open_named(place, &watch);
    if (status == RS_OK) {
        status = rs_watch_answer(watch, 5, RS_ANSWER_REJECTED, "why");
    }
    rs_watch_close(watch);
    return status;
}

static int answer_for(struct verb_place *place)
{
    rs_watch *watch;
    int status = open_named(place, &watch);
    if (status == RS_OK) {
        status = rs_watch_answer_for(watch, "HKLM\\Beside", &place->error);
    }
    rs_watch_close(watch);
    return status;
}

static int count_alive(void *context, const rs_service *service)
{
    *(unsigned *)context += service->alive && strcmp(service->name, "verbs") == 0;
    return 0;
}

/* Memory that runs out may leave a service out of a list, but never give a wrong one. */
static int list_services(struct verb_place *place)
{
    rs_watch *watch;
    unsigned count = 0;
    int status = open_named(place, &watch);
    if (status == RS_OK) {
        status = rs_services(place->store, count_alive, &count);
    }
    rs_watch_close(watch);
    return judge(status, count == 1);
}

static int wait_for_answer(struct verb_place *place)
{
    rs_watch *watch;
    unsigned count = 0;
    int status = open_named(place, &watch);
    if (status == RS_OK) {
        status = rs_wait(place->store, 5, 0, count_alive, &count);
        status = status == RS_ETIMEOUT ? judge(RS_OK, count == 1) : judge(status, false);
    }
    if (status == RS_OK) {
        status = rs_watch_answer(watch, 5, RS_ANSWER_APPLIED, NULL);
    }
    if (status == RS_OK) {
        status = rs_wait(place->store, 5, 0, NULL, NULL);
    }
    rs_watch_close(watch);
    return status;
}

static int forget(struct verb_place *place)
{
    rs_watch *watch;
    int status = open_named(place, &watch);
    rs_watch_close(watch);
    return status == RS_OK ? rs_service_forget(place->store, "verbs", &place->error) : status;
}

static int foresee(struct verb_place *place)
{
    rs_key key;
    int concerned = 0;
    int apart = 1;
    int status = rs_key_create(place->txn, RS_NO_KEY, "HKLM\\Verbs\\Foreseen", &key);
    if (status == RS_OK) {
        status = rs_txn_concerns(place->txn, "HKLM\\Verbs", RS_SUBTREE, &concerned);
    }
    if (status == RS_OK) {
        status = rs_txn_concerns(place->txn, "HKLM\\Nobody", RS_SUBTREE, &apart);
    }
    return judge(status, concerned == 1 && apart == 0);
}

const struct verb verb_services[] = {
    {"watch-named", 0, NULL, open_and_close},
    {"watch-answer", 0, NULL, give_answer},
    {"watch-answer-for", 0, NULL, answer_for},
    {"services", 0, NULL, list_services},
    {"wait", 0, NULL, wait_for_answer},
    {"service-forget", 0, NULL, forget},
    {"concerns", VERB_WRITES | VERB_MANY, NULL, foresee},
    {NULL, 0, NULL, NULL},
};

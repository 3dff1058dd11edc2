/*
 * named.h - what the suites of named watches and of answers share: a watch under the name
 * "service", and what is told of all of them as text. Needs stage.
 */
#ifndef NAMED_H
#define NAMED_H

#include "stage.h"

#define NAMED_KEY "HKLM\\Service"

/* With RS_SUBTREE, on NAMED_KEY. */
rs_watch *named_open(rs_store *store);

/* What rs_services() or rs_wait() told: "NAME STATE POSITION ANSWERED ANSWER REASON RESTART|",
 * STATE alive, ended or gone, with a "?" behind it where the file is damaged. */
struct named_told {
    char text[4096];
    unsigned count;
};
int named_note(void *context, const rs_service *service);
/* Lives until the next call. */
const char *named_services(rs_store *store);
int named_await(rs_store *store, uint64_t revision, int timeout, struct named_told *told);

/* Spoils one of the two slots of a watch's file. */
void named_damage(const char *name, unsigned slot);

#endif

/*
 * Asks and commands a running service through its socket. It needs a target; it gives what the
 * service has answered. Nobody is believed who is not the service: anybody may take a name in the
 * abstract namespace before it does.
 */
#ifndef REGTOOL_NET_REACH_H
#define REGTOOL_NET_REACH_H

#include "net_service.h"

#define NET_TEXT_SIZE 1024

enum net_answer {
    NET_NOBODY,  /* there is no such socket: the service does not run, or takes no commands */
    NET_OK,      /* text is the condition that it is in now, "running" or "stopped" */
    NET_ALREADY, /* the same, and it was so before */
    NET_REFUSED  /* text is why */
};

struct net_reply {
    enum net_answer answer;
    char text[NET_TEXT_SIZE];
    char note[NET_TEXT_SIZE]; /* what it cannot do, "": nothing */
};

/* Sends a word, "status", "start" or "stop", and waits for the answer, about a minute at most. */
void net_reach(const struct net_target *target, const char *word, struct net_reply *reply);

#endif

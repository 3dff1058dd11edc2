/*
 * client - one conversation with another's RPC interface over TCP: find the host, connect, bind,
 * one call after another, and hang up.
 *
 * It hangs itself into the service's loop and never blocks, not even for the host's name. Each
 * answer must come within one period, and all of it be over within another. Needs loop, pdu and
 * ndr.
 */
#ifndef RPC_CLIENT_H
#define RPC_CLIENT_H

#include "ndr.h"
#include "pdu.h"

#include "../common/loop.h"

#define RPC_CLIENT_PROBLEM 200 /* bytes of a problem's text, with its NUL */

struct rpc_client;

struct rpc_client_options {
    struct loop *loop;
    const char *host; /* name or address; copied */
    unsigned port;
    struct rpc_syntax interface;
    int64_t limit; /* ms, for what comes before the first call together, and for each answer */
    int64_t whole; /* ms, for all of it */
    void *owner;
    /* Gives the next call: its opnum and its arguments. false: there is none, hang up. */
    bool (*ask)(void *owner, uint16_t *opnum, struct ndr_push *arguments);
    /* What that call gave. false: hang up. */
    bool (*answered)(void *owner, const uint8_t *answer, size_t size);
    /* It is over, the client is gone. problem is NULL if nothing went wrong. A call that is refused
     * by a fault is a problem. Never called before rpc_client_start() has returned. */
    void (*done)(void *owner, const char *problem);
};

/* 0 or an errno number. */
int rpc_client_start(const struct rpc_client_options *options, struct rpc_client **client);
/* Ends it at once, at any time before done, also in ask or answered. No more calls. Takes NULL. */
void rpc_client_cancel(struct rpc_client *client);

#endif

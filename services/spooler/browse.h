/*
 * browse - NT's server thread: tells the other print servers of this computer's shared printers.
 *
 * Not a thread but a state machine in the loop. A round calls every peer once and announces all
 * shared printers to it in one conversation; no more than 3 + n/32 conversations go on at a time,
 * n being the number of peers, which is Q227908's measure. Between the beginnings of two rounds it
 * waits for the larger of ServerThreadTimeout and NetPrinterDecayPeriod divided by
 * RefreshTimesPerDecayPeriod; a printer that is newly shared and a peer that is new are a reason to
 * begin one at once. A peer that is down or silent costs BROWSE_CALL_MS, one that is slow
 * BROWSE_WHOLE_MS at most, and either one line in the log until it is well again. Whose turn it is
 * goes round over rounds and changes, so those who take long never keep the others from theirs.
 * Needs loop, log, client, spoolss, own and peers.
 */
#ifndef SPOOLER_BROWSE_H
#define SPOOLER_BROWSE_H

#include "own.h"
#include "peers.h"

#include "../common/log.h"
#include "../common/loop.h"
#include "../rpc/client.h"

#define BROWSE_CALL_MS 5000   /* until the first call, and for each answer */
#define BROWSE_WHOLE_MS 60000 /* for a conversation */

struct browse;

struct browse_peer {
    struct browse *browse;
    struct peer_address address;
    struct rpc_client *client; /* NULL: no conversation */
    bool due;                  /* still to be called in this round */
    bool overtaken;            /* a round began during its conversation */
    bool telling;              /* it was told of a printer in this conversation */
    bool kept;                 /* it is among the new peers, too */
    bool ailing;               /* which the log was told */
    size_t next;               /* printer to be announced */
    bool has_handle;           /* that a server gave, who made a printer: to be closed */
    struct ndr_handle handle;
    char problem[128]; /* with an answer; "": none */
};

struct browse_times {
    uint32_t timeout; /* ServerThreadTimeout, */
    uint32_t decay;   /* NetPrinterDecayPeriod, both in ms, */
    uint32_t refresh; /* and RefreshTimesPerDecayPeriod */
};

struct browse {
    struct loop *loop;
    const struct log *log;
    const struct own *own; /* is announced */
    bool enabled;
    int64_t wait; /* ms between two rounds */
    int64_t begun;
    bool has_begun; /* there was a round */
    struct loop_timer timer;
    struct browse_peer **peers;
    size_t count;
    size_t turn;   /* whose it is, if he is due */
    size_t active; /* conversations */
};

/* loop and log outlive it. Nothing is announced yet. */
void browse_open(struct browse *browse, struct loop *loop, const struct log *log);
/* What it lives by from now on; own outlives the next call of this. false: no memory, all is as it
 * was. */
bool browse_take(struct browse *browse, const struct own *own,
                 const struct peer_addresses *addresses);
/* Whether these are the ones that it tells, in this order. */
bool browse_has_peers(const struct browse *browse, const struct peer_addresses *addresses);
void browse_time(struct browse *browse, bool enabled, const struct browse_times *times);
void browse_close(struct browse *browse);

/* ms between the beginnings of two rounds. */
int64_t browse_wait(const struct browse_times *times);
/* How many of so many peers are called at a time. */
size_t browse_fan_out(size_t peers);

#endif

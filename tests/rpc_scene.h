/*
 * rpc_scene.h - an association alone, without a server, for the suites that test it.
 */
#ifndef RPC_SCENE_H
#define RPC_SCENE_H

#include "harness.h"
#include "rpc_messages.h"

/* One association, what it gave, and what befell it. */
struct scene {
    unsigned calls;
    bool refuse; /* what admit says */
    struct rpc_caller caller;
    struct rpc_association *association;
    struct ndr_push output;
    struct rpc_fed fed;
};

/* One that has bound nothing. */
void scene_open(struct scene *scene, bool framed);
/* One that is bound to the echo interface. */
void scene_bound(struct scene *scene);
void scene_close(struct scene *scene);

/* Feeds bytes, which stand in memory of their own, so that a sanitizer sees what is read beyond
 * them. */
void feed_some(struct scene *scene, const uint8_t *bytes, size_t size);
/* Gives the first message of what is answered, until the next call; the output has only this. */
const uint8_t *feed(struct scene *scene, const struct wire *wire);

#endif

/* client_lookup - finding a host without waiting; see client_parts.h. */
#include "client_parts.h"

#include "../common/background.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lookup {
    struct loop *loop;
    void (*found)(void *owner, int problem, const struct addrinfo *addresses);
    void *owner;
    struct loop_timer at_once;     /* it needs no thread */
    struct background *background; /* NULL: the same */
    bool looking;                  /* a thread has it, or what it found is on its way */
    int result;
    struct addrinfo *addresses;
    char port[8];
    char host[];
};

static void lookup_free(void *owner)
{
    struct lookup *lookup = owner;
    if (lookup->addresses != NULL) {
        freeaddrinfo(lookup->addresses);
    }
    free(lookup);
}

void lookup_drop(struct lookup *lookup)
{
    if (lookup == NULL) {
        return;
    }
    bool looking = lookup->looking;
    loop_unset(lookup->loop, &lookup->at_once);
    background_let_go(lookup->background, lookup_free);
    if (!looking) {
        lookup_free(lookup);
    }
}

static void tell(void *owner)
{
    struct lookup *lookup = owner;
    lookup->looking = false;
    lookup->found(lookup->owner, lookup->result, lookup->addresses);
}

/* An address in digits needs no one's help. */
static bool is_numeric(struct lookup *lookup)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    return getaddrinfo(lookup->host, lookup->port, &hints, &lookup->addresses) == 0;
}

static void look_up(void *owner)
{
    struct lookup *lookup = owner;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    lookup->result = getaddrinfo(lookup->host, lookup->port, &hints, &lookup->addresses);
}

/* A lookup that hangs keeps no other waiting: each has a pool of its own. */
static int begin(struct lookup *lookup)
{
    if (is_numeric(lookup)) {
        lookup->at_once = (struct loop_timer){.expired = tell, .owner = lookup};
        loop_set(lookup->loop, &lookup->at_once, 0);
        return 0;
    }
    int problem = background_open(lookup->loop, 1, &lookup->background);
    if (problem == 0) {
        problem = background_start(lookup->background, look_up, tell, lookup);
    }
    lookup->looking = problem == 0;
    return problem;
}

int lookup_start(struct loop *loop, const char *host, unsigned port,
                 void (*found)(void *owner, int problem, const struct addrinfo *addresses),
                 void *owner, struct lookup **lookup)
{
    size_t size = strlen(host) + 1;
    struct lookup *made = calloc(1, sizeof(*made) + size);
    if (made == NULL) {
        return ENOMEM;
    }
    made->loop = loop;
    made->found = found;
    made->owner = owner;
    memcpy(made->host, host, size);
    snprintf(made->port, sizeof(made->port), "%u", port);
    int problem = begin(made);
    if (problem != 0) {
        lookup_drop(made);
        return problem;
    }
    *lookup = made;
    return 0;
}

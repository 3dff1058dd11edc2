/* client_lookup - finding a host without waiting; see client_parts.h. */
#include "client_parts.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define STACK (256 * 1024) /* bytes; libc's resolver takes answers of 64 KiB onto it */

struct lookup {
    atomic_int holders; /* who asked, and the thread */
    int fd;
    int result;
    struct addrinfo *addresses;
    char port[8];
    char host[];
};

void lookup_drop(struct lookup *lookup)
{
    if (lookup != NULL && atomic_fetch_sub(&lookup->holders, 1) == 1) {
        if (lookup->addresses != NULL) {
            freeaddrinfo(lookup->addresses);
        }
        close(lookup->fd);
        free(lookup);
    }
}

/* An address in digits needs no one's help. */
static bool is_numeric(struct lookup *lookup)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    return getaddrinfo(lookup->host, lookup->port, &hints, &lookup->addresses) == 0;
}

static void tell(const struct lookup *lookup)
{
    const uint64_t one = 1;
    ssize_t told = write(lookup->fd, &one, sizeof(one));
    (void)told; /* an eventfd takes its first number */
}

static void *look_up(void *argument)
{
    struct lookup *lookup = argument;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    lookup->result = getaddrinfo(lookup->host, lookup->port, &hints, &lookup->addresses);
    tell(lookup);
    lookup_drop(lookup);
    return NULL;
}

/* A thread that nobody joins, and that takes no signal: those are the service's. */
static int start_thread(struct lookup *lookup)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all;
    sigset_t before;
    int problem = pthread_attr_init(&attributes);
    if (problem != 0) {
        return problem;
    }
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attributes, STACK);
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    problem = pthread_create(&thread, &attributes, look_up, lookup);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return problem;
}

int lookup_start(const char *host, unsigned port, struct lookup **lookup, int *fd)
{
    size_t size = strlen(host) + 1;
    struct lookup *made = calloc(1, sizeof(*made) + size);
    if (made == NULL) {
        return ENOMEM;
    }
    atomic_init(&made->holders, 2);
    memcpy(made->host, host, size);
    snprintf(made->port, sizeof(made->port), "%u", port);
    made->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int problem = made->fd < 0 ? errno : 0;
    if (problem == 0 && is_numeric(made)) {
        (void)atomic_fetch_sub(&made->holders, 1);
        tell(made);
    } else if (problem == 0) {
        problem = start_thread(made);
    }
    if (problem != 0) {
        if (made->fd >= 0) {
            close(made->fd);
        }
        free(made);
        return problem;
    }
    *lookup = made;
    *fd = made->fd;
    return 0;
}

int lookup_result(const struct lookup *lookup, const struct addrinfo **addresses)
{
    uint64_t number;
    /* Reading what the thread wrote is what makes the rest of its work seen here. */
    if (read(lookup->fd, &number, sizeof(number)) < 0) {
        return EAI_AGAIN;
    }
    if (lookup->result == 0) {
        *addresses = lookup->addresses;
    }
    return lookup->result;
}

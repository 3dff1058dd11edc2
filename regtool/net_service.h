/*
 * The services that net knows, by NT's names and their own, and how each of them is just now. It
 * needs an open store; it gives what the other parts of net work with.
 */
#ifndef REGTOOL_NET_SERVICE_H
#define REGTOOL_NET_SERVICE_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <regstore.h>

#define NET_NAME_SIZE 65 /* of a watch's name, its end included */
#define NET_TITLE_SIZE 128
#define NET_REASON_SIZE 1024

struct net_service {
    const char *title;    /* "Print Spooler", as NET's sentences have it */
    const char *word;     /* "spooler", as it is given to NET */
    const char *registry; /* "Spooler", its key below Services */
    const char *program;  /* "regstore-spooler": also the name of its watch and of its unit */
    const char *key;      /* where its settings are */
};

/* Ends with a row without a title. */
extern const struct net_service net_services[];

/* A running service, or where one would be. */
struct net_target {
    const struct net_service *service;
    char name[NET_NAME_SIZE]; /* of its watch */
    char
        title[NET_TITLE_SIZE]; /* "Print Spooler"; with the name, where that is not the program's */
    bool alive;                /* its watch is open, by process pid */
    uint32_t pid;
    enum rs_answer answer; /* what its watch said last, about revision answered */
    uint64_t answered;
    char reason[NET_REASON_SIZE];
    bool system;                /* the store is the system's, which units are made for */
    uid_t owner;                /* of the store */
    struct sockaddr_un address; /* of the socket that it takes commands from */
    socklen_t address_size;     /* 0: there can be none */
};

/* What a word names: a service by one of its names in any case, or a watch of one of the programs.
 * RS_ENOTFOUND: nothing. */
int net_target_find(rs_store *store, const char *word, struct net_target *target);
/* Calls each for all services that may run: one for each row of the table, and one for each other
 * watch of one of the programs. Ends early when it returns anything but 0. */
int net_targets(rs_store *store, int (*each)(void *context, const struct net_target *target),
                void *context);

#endif

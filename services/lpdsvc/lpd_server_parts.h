/*
 * lpd_server_parts - what the files of lpd_server share; see lpd_server.h for what it is.
 *
 * A client is in one of three lists: served, committing - his job is being brought to the disk, and
 * nothing is read from him until it is there - and leaving: all is said, and what he still sends is
 * read away, so that the answer reaches him. Those who are served or leaving stand in the order of
 * their latest sign of life, and one timer looks at the first of both.
 */
#ifndef LPDSVC_LPD_SERVER_PARTS_H
#define LPDSVC_LPD_SERVER_PARTS_H

#include "control_file.h"
#include "lpd_request.h"
#include "lpd_server.h"

#include "../common/listener.h"
#include "../common/seldom.h"

#define LPD_INPUT (256 * 1024) /* bytes that are read at once, and in one turn */
#define LPD_PACE 1024          /* bytes that one sends in LPD_SILENCE_MS, if places are scarce */
#define LPD_RECEIPT_MS 3600000 /* that one has for a job, */
#define LPD_RECEIPT_PACE 256   /* and a second for so many bytes that it sends */
#define LPD_LEAVING_MS 5000    /* that a client's last words are read away */
#define LPD_LEAVING_MOST 64    /* clients at a time */

/* RFC 1179's acknowledgements. BSD's clients take 2 as a reason to try again later. */
#define LPD_YES 0
#define LPD_NO 1
#define LPD_NO_ROOM 2

enum lpd_trouble {
    LPD_TROUBLE_PROTOCOL, /* a client that does what it must not */
    LPD_TROUBLE_JOB,      /* a job that is refused */
    LPD_TROUBLE_LEFT,     /* a job that was not sent to its end */
    LPD_TROUBLE_FULL,     /* a client that is turned away, */
    LPD_TROUBLE_SLOW,     /* or cut off for another one, */
    LPD_TROUBLE_PORT,     /* also because of its port */
    LPD_TROUBLE_ACCEPT,   /* connections that cannot be taken */
    LPD_TROUBLES
};

/* ---- Answers --------------------------------------------------------------------------------- */

struct lpd_answer {
    char *text;
    size_t size;
    size_t room;
    size_t sent;
    bool cut;
};

/* false: no memory. */
bool lpd_answer_byte(struct lpd_answer *answer, char byte);
void lpd_answer_free(struct lpd_answer *answer);

/* ---- Clients --------------------------------------------------------------------------------- */

struct lpd_client_list {
    struct lpd_client *first;
    struct lpd_client *last;
    unsigned count;
};

struct lpd_document {
    char name[LPD_FILE_NAME];
    uint64_t size;
};

/* A job that is being received. */
struct lpd_job {
    struct spool_incoming *incoming; /* NULL: no document has come yet */
    size_t count;
    struct lpd_document documents[JOB_DOCUMENTS]; /* in the order of their receipt */
    bool has_control;
    unsigned number;
    struct control_file control;
    struct job_facts facts; /* when it is committed */
    unsigned order[JOB_DOCUMENTS];
};

enum lpd_file { LPD_NO_FILE, LPD_CONTROL, LPD_DATA };

struct lpd_client {
    struct lpd_server *server;
    struct loop_source source;
    uint32_t events; /* that are waited for */
    struct lpd_client_list *list;
    struct lpd_client *before;
    struct lpd_client *after;
    int64_t since;      /* loop_now() of its latest sign of life */
    int64_t slow_since; /* when it had last sent LPD_PACE bytes, or a job */
    size_t paced;       /* bytes since then */
    int64_t begun;      /* when it came, or its latest job was complete */
    uint64_t received;  /* bytes since then */

    char address[INET6_ADDRSTRLEN];
    struct lpd_request request;
    bool ended;   /* it sends no more */
    bool leaving; /* nothing more is said to it */
    struct lpd_answer output;

    char queue[JOB_TEXT]; /* that it sends jobs to */
    struct lpd_job *job;  /* NULL: none is begun */
    char refused;         /* what all of the job is answered; LPD_YES: it is not refused */
    enum lpd_file file;   /* that is being received */
    uint8_t *control;     /* its bytes, of a control file */
    size_t control_size;
};

struct lpd_server {
    struct lpd_server_options options;
    struct listener listener;
    struct listener inherited;
    struct spool *spool;
    unsigned most_clients;
    bool reserved_ports;
    struct lpd_client_list served;
    struct lpd_client_list committing;
    struct lpd_client_list leaving;
    struct loop_timer silence;
    struct seldom troubles[LPD_TROUBLES];
    uint8_t input[LPD_INPUT];
};

/* Takes an accepted socket; closes it if there is no memory. */
void lpd_client_open(struct lpd_server *server, int fd, const char *address);
/* Its job is dropped. */
void lpd_client_close(struct lpd_client *client);
void lpd_client_move(struct lpd_client *client, struct lpd_client_list *list);
/* Whatever has happened to it, it is now sent what there is, read on, or let go. It may be gone
 * after this. */
void lpd_client_go_on(struct lpd_client *client);
/* Whether it has gone and the loop has not come to it yet; then it is dealt with now. */
bool lpd_client_has_gone(struct lpd_client *client);
/* Whether it keeps its place with a byte now and then. */
bool lpd_client_is_slow(const struct lpd_client *client);
/* Bytes that it has sent. */
void lpd_client_keeps_pace(struct lpd_client *client, size_t bytes);
/* A job is complete, and it may begin the next one. */
void lpd_client_begins_anew(struct lpd_client *client);
/* One byte, which is sent by lpd_client_go_on(). */
void lpd_client_acknowledge(struct lpd_client *client, char byte);
/* When all is sent, no more is read. */
void lpd_client_leave(struct lpd_client *client);

/* What a client sends of a job. */
void lpd_job_receive(struct lpd_client *client, const char *queue);
void lpd_job_abort(struct lpd_client *client);
void lpd_job_control_file(struct lpd_client *client, const struct lpd_event *event);
void lpd_job_data_file(struct lpd_client *client, const struct lpd_event *event);
void lpd_job_bytes(struct lpd_client *client, const uint8_t *bytes, size_t count);
/* It may be committed now, and then nothing may be fed until that is done. */
void lpd_job_file_end(struct lpd_client *client);
/* The client has gone, or does not speak the protocol. */
void lpd_job_drop(struct lpd_client *client);
/* Refuses it with this line in the log; the client is told where the protocol has a place for it.
 */
void lpd_job_refuse(struct lpd_client *client, char byte, const char *why);

/* ---- The server ------------------------------------------------------------------------------ */

/* Lets those go who are silent for too long, and sets the timer for the next. */
void lpd_server_look_at_silent(struct lpd_server *server);
/* A line about a stranger, unless there was one of this kind lately: client "ADDRESS" WHAT. */
void lpd_server_trouble(struct lpd_server *server, enum lpd_trouble kind, const char *address,
                        const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif

/*
 * answers - what clients are told of the queues, and what they may do with them.
 *
 * The owner of the line printer daemon's server: it knows the queues and who prints them. A client
 * proves nothing, so who asks to remove a job is judged by the address that he asks from and by the
 * name that he gives. Needs lpd_server, queues, dispatch, report.
 */
#ifndef LPDSVC_ANSWERS_H
#define LPDSVC_ANSWERS_H

#include "dispatch.h"
#include "lpd_server.h"
#include "queues.h"

struct answers {
    const struct log *log;
    struct queues *queues;
    struct dispatch *dispatch;
    bool may_remove; /* AllowJobRemoval */
    bool may_resume; /* AllowPrinterResume */
};

extern const struct lpd_owner answers_calls; /* with a struct answers as owner */

#endif

/*
 * effects - what each parameter of the LanmanServer key does on Samba.
 *
 * One truth: the settings that the service reads, the options that it writes and what it says about
 * those without effect all come from here, and a test compares the manual page with it. NT's
 * parameters tell a file server how to use memory and how to speak protocols of its time; most of
 * them have no meaning elsewhere, and the service says so instead of pretending. Needs settings.
 *
 * To add a parameter, add its rule to hives/rules/server.xml, a line to SERVER_PARAMETERS, a row to
 * the table in effects.c, and its two entries to the manual page.
 */
#ifndef LANMANSERVER_EFFECTS_H
#define LANMANSERVER_EFFECTS_H

#include "../common/line.h"
#include "../common/settings.h"

/* Names as real hives spell them. */
#define SERVER_PARAMETERS(X)                                                                       \
    X(NULL_SESSION_SHARES, "NullSessionShares", SETTING_LIST)                                      \
    X(NULL_SESSION_PIPES, "NullSessionPipes", SETTING_LIST)                                        \
    X(RESTRICT_NULL_SESS_ACCESS, "restrictnullsessaccess", SETTING_NUMBER)                         \
    X(SIZ_REQ_BUF, "SizReqBuf", SETTING_NUMBER)                                                    \
    X(SIZE, "Size", SETTING_NUMBER)                                                                \
    X(LMANNOUNCE, "Lmannounce", SETTING_NUMBER)                                                    \
    X(ANNOUNCE, "Announce", SETTING_NUMBER)                                                        \
    X(ANN_DELTA, "AnnDelta", SETTING_NUMBER)                                                       \
    X(AUTODISCONNECT, "autodisconnect", SETTING_NUMBER)                                            \
    X(SRVCOMMENT, "srvcomment", SETTING_TEXT)                                                      \
    X(HIDDEN, "Hidden", SETTING_NUMBER)                                                            \
    X(ALERT_SCHED, "AlertSched", SETTING_NUMBER)                                                   \
    X(ERROR_THRESHOLD, "ErrorThreshold", SETTING_NUMBER)                                           \
    X(DISK_SPACE_THRESHOLD, "DiskSpaceThreshold", SETTING_NUMBER)                                  \
    X(ENABLE_FCB_OPENS, "EnableFCBopens", SETTING_NUMBER)                                          \
    X(ENABLE_OPLOCKS, "EnableOplocks", SETTING_NUMBER)                                             \
    X(ENABLE_RAW, "EnableRaw", SETTING_NUMBER)                                                     \
    X(ENABLE_SOFT_COMPAT, "EnableSoftCompat", SETTING_NUMBER)                                      \
    X(ENABLE_OPLOCK_FORCE_CLOSE, "EnableOplockForceClose", SETTING_NUMBER)                         \
    X(INIT_CONN_TABLE, "InitConnTable", SETTING_NUMBER)                                            \
    X(INIT_FILE_TABLE, "InitFileTable", SETTING_NUMBER)                                            \
    X(INIT_SEARCH_TABLE, "InitSearchTable", SETTING_NUMBER)                                        \
    X(INIT_SESS_TABLE, "InitSessTable", SETTING_NUMBER)                                            \
    X(IRP_STACK_SIZE, "IrpStackSize", SETTING_NUMBER)                                              \
    X(LINK_INFO_VALID_TIME, "LinkInfoValidTime", SETTING_NUMBER)                                   \
    X(MAX_LINK_DELAY, "MaxLinkDelay", SETTING_NUMBER)                                              \
    X(MAX_KEEP_SEARCH, "MaxKeepSearch", SETTING_NUMBER)                                            \
    X(MAX_MPX_CT, "MaxMpxCt", SETTING_NUMBER)                                                      \
    X(MAX_WORK_ITEMS, "MaxWorkItems", SETTING_NUMBER)                                              \
    X(INIT_WORK_ITEMS, "InitWorkItems", SETTING_NUMBER)                                            \
    X(MAX_WORK_ITEM_IDLE_TIME, "MaxWorkItemIdleTime", SETTING_NUMBER)                              \
    X(MAX_FREE_CONNECTIONS, "MaxFreeConnections", SETTING_NUMBER)

enum server_parameter {
#define SERVER_PARAMETER_NUMBER(number, name, type) number,
    SERVER_PARAMETERS(SERVER_PARAMETER_NUMBER)
#undef SERVER_PARAMETER_NUMBER
        SERVER_PARAMETER_COUNT
};

extern const struct setting server_parameters[SERVER_PARAMETER_COUNT];

struct effect {
    const char *options; /* of smb.conf(5), joined by ", "; NULL: it has no effect */
    const char *text;    /* how, or why not; what an administrator has to know */
    bool partly;         /* it does less than it did on NT, so a change is told about */
};

extern const struct effect server_effects[SERVER_PARAMETER_COUNT];

/* A number for what each setting was, so that a change is seen when the settings themselves are
 * gone.
 */
struct effects_told {
    uint64_t digests[SERVER_PARAMETER_COUNT];
};

/* Remembers the settings as they are. */
void effects_remember(const struct settings *settings, struct effects_told *told);
/* Adds what is to be said of the settings that are others than remembered and have not the effect
 * on Samba that they had on NT: `SizReqBuf: kept, without effect on Samba: why`, joined by "; ". */
void effects_add_changes(struct line *line, const struct settings *settings,
                         const struct effects_told *told);

#endif

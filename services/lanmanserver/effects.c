/* effects - what each parameter of the LanmanServer key does on Samba; see effects.h. */
#include "effects.h"

const struct setting server_parameters[SERVER_PARAMETER_COUNT] = {
#define SERVER_PARAMETER_ROW(number, name, type) [number] = {name, type},
    SERVER_PARAMETERS(SERVER_PARAMETER_ROW)
#undef SERVER_PARAMETER_ROW
};

#define MAPPED(options, text)                                                                      \
    {                                                                                              \
        options, text, false                                                                       \
    }
#define PARTLY(options, text)                                                                      \
    {                                                                                              \
        options, text, true                                                                        \
    }
#define NONE(text)                                                                                 \
    {                                                                                              \
        NULL, text, true                                                                           \
    }

const struct effect server_effects[SERVER_PARAMETER_COUNT] = {
    [NULL_SESSION_SHARES] = MAPPED("guest ok", "of each share; a share that is taken off the list "
                                               "is closed, so that open sessions lose it too"),
    [NULL_SESSION_PIPES] = PARTLY(NULL, "regstore-spooler goes by it for its own pipe; Samba has "
                                        "no list of pipes"),
    [RESTRICT_NULL_SESS_ACCESS] = MAPPED("guest ok", "of all shares that the service writes; those "
                                                     "in smb.conf itself are left alone"),
    [SIZ_REQ_BUF] = NONE("it takes requests of any size into buffers of their size"),
    [SIZE] = NONE("it has a process for each client, which takes the memory that it needs"),
    [LMANNOUNCE] = MAPPED("lm announce", "nmbd(8) announces, and takes it when it reads smb.conf"),
    [ANNOUNCE] = MAPPED("lm interval", "of LAN Manager announcements; the times of others are "
                                       "fixed in nmbd(8)"),
    [ANN_DELTA] = NONE("it announces at fixed times"),
    [AUTODISCONNECT] = MAPPED("deadtime", "in minutes; more than 65535 is never, which is 0 there, "
                                          "and 0 is 1, the shortest that there is"),
    [SRVCOMMENT] = MAPPED("server string", "as far as smb.conf can hold it"),
    [HIDDEN] = MAPPED("lm announce, multicast dns register, browse list",
                      "all off; what else nmbd(8) announces ends only with nmbd"),
    [ALERT_SCHED] = NONE("it looks for nothing to warn of"),
    [ERROR_THRESHOLD] = NONE("its errors are in its log"),
    [DISK_SPACE_THRESHOLD] = NONE("it does not watch the disks"),
    [ENABLE_FCB_OPENS] = NONE("it opens a file each time that a client asks"),
    [ENABLE_OPLOCKS] = MAPPED("oplocks, level2 oplocks", "for files that are opened later"),
    [ENABLE_RAW] = MAPPED("read raw, write raw", "where the protocol is SMB 1, which has them"),
    [ENABLE_SOFT_COMPAT] = NONE("it has no compatibility mode of that kind"),
    [ENABLE_OPLOCK_FORCE_CLOSE] = NONE("its clients lose an oplock that they do not give back"),
    [INIT_CONN_TABLE] = NONE("its tables grow as needed"),
    [INIT_FILE_TABLE] = NONE("its tables grow as needed"),
    [INIT_SEARCH_TABLE] = NONE("its tables grow as needed"),
    [INIT_SESS_TABLE] = NONE("its tables grow as needed"),
    [IRP_STACK_SIZE] = NONE("its requests go to the kernel as system calls"),
    [LINK_INFO_VALID_TIME] = NONE("it does not measure its connections"),
    [MAX_LINK_DELAY] = NONE("it does not measure its connections"),
    [MAX_KEEP_SEARCH] = NONE("it keeps a search until the client closes it"),
    [MAX_MPX_CT] = MAPPED("max mux", "where the protocol is SMB 1; later ones count in credits"),
    [MAX_WORK_ITEMS] = NONE("it has no pool of work items"),
    [INIT_WORK_ITEMS] = NONE("it has no pool of work items"),
    [MAX_WORK_ITEM_IDLE_TIME] = NONE("it has no pool of work items"),
    [MAX_FREE_CONNECTIONS] = NONE("it keeps no free connections"),
};

/* ---- What is said of a change ---------------------------------------------------------------- */

/* FNV-1a, with the NUL at the end. */
static uint64_t digest_text(uint64_t digest, const char *text)
{
    do {
        digest = (digest ^ (unsigned char)*text) * 0x100000001b3u;
    } while (*text++ != '\0');
    return digest;
}

static uint64_t digest_value(const struct setting *row, const struct setting_value *value)
{
    uint64_t digest = 0xcbf29ce484222325u;
    if (!value->known) {
        return 0;
    }
    if (row->type == SETTING_NUMBER) {
        return digest + value->number;
    }
    digest = digest_text(digest, value->text);
    for (size_t i = 0; value->strings[i] != NULL; i++) {
        digest = digest_text(digest, value->strings[i]);
    }
    return digest;
}

void effects_remember(const struct settings *settings, struct effects_told *told)
{
    for (size_t i = 0; i < SERVER_PARAMETER_COUNT; i++) {
        told->digests[i] = digest_value(&settings->table[i], &settings->values[i]);
    }
}

void effects_add_changes(struct line *line, const struct settings *settings,
                         const struct effects_told *told)
{
    for (size_t i = 0; i < SERVER_PARAMETER_COUNT; i++) {
        const struct effect *effect = &server_effects[i];
        if (effect->partly &&
            digest_value(&settings->table[i], &settings->values[i]) != told->digests[i]) {
            line_separate(line, 0, "; ");
            line_add(line, "%s: kept, without effect on Samba: %s", settings->table[i].name,
                     effect->text);
        }
    }
}

/*
 * regstore-lanmanserver - the file server's settings, alive.
 *
 * The table is what Microsoft's Knowledge Base says of
 * HKLM\SYSTEM\CurrentControlSet\Services\LanmanServer\Parameters, in the spelling of real hives.
 * Where two sources disagree the first one's number stands here and the manual page names the
 * other. Needs services/common.
 */
#include "../common/service.h"

#define ANY UINT32_MAX

/* What a Windows NT 4.0 server has set (Q121853, Q307765). */
static const char *const null_session_shares[] = {"COMCFG", "DFS$", NULL};
static const char *const null_session_pipes[] = {"COMNAP", "COMNODE",  "SQL\\QUERY", "SPOOLSS",
                                                 "LLSRPC", "EPMAPPER", "LOCATOR",    NULL};

/* clang-format off */
static const struct setting server_parameters[] = {
    SETTING_ROW_MULTI ("NullSessionShares", null_session_shares, SETTING_LIVE, "Q121853"),
    SETTING_ROW_MULTI ("NullSessionPipes", null_session_pipes, SETTING_LIVE, "Q307765"),
    SETTING_ROW_BOOL  ("restrictnullsessaccess", 1, SETTING_LIVE, "Q121853"),
    SETTING_ROW_NUMBER("SizReqBuf", 512, 65536, 4356, "bytes", SETTING_RELOAD, "Q161734"),
    SETTING_ROW_NUMBER("Size", 1, 3, 3, NULL, SETTING_RESTART, "Q102469"),
    SETTING_ROW_BOOL  ("Lmannounce", 0, SETTING_LIVE, "Q102469"),
    SETTING_ROW_NUMBER("Announce", 1, 65535, 240, "s", SETTING_LIVE, "Q102967"),
    SETTING_ROW_NUMBER("AnnDelta", 0, 65535, 3000, "ms", SETTING_LIVE, "Q102967"),
    SETTING_ROW_NUMBER("autodisconnect", 0, ANY, 15, "min", SETTING_LIVE, "Q102469"),
    SETTING_ROW_STRING("srvcomment", "", SETTING_LIVE, "Q307765"),
    SETTING_ROW_BOOL  ("Hidden", 0, SETTING_LIVE, "Q102967"),
    SETTING_ROW_NUMBER("AlertSched", 1, 65535, 5, "min", SETTING_LIVE, "Q102967"),
    SETTING_ROW_NUMBER("ErrorThreshold", 1, 65535, 10, NULL, SETTING_LIVE, "Q102967"),
    SETTING_ROW_NUMBER("DiskSpaceThreshold", 0, 99, 10, "%", SETTING_LIVE, "Q102967"),
    SETTING_ROW_BOOL  ("EnableFCBopens", 1, SETTING_RELOAD, "Q102967"),
    SETTING_ROW_BOOL  ("EnableOplocks", 1, SETTING_RELOAD, "Q102967"),
    SETTING_ROW_BOOL  ("EnableRaw", 1, SETTING_RELOAD, "Q102967"),
    SETTING_ROW_BOOL  ("EnableSoftCompat", 1, SETTING_RELOAD, "Q102967"),
    SETTING_ROW_BOOL  ("EnableOplockForceClose", 0, SETTING_LIVE, "Q102967"),
    SETTING_ROW_NUMBER("InitConnTable", 1, 128, 8, NULL, SETTING_RESTART, "Q102967"),
    SETTING_ROW_NUMBER("InitFileTable", 1, 256, 16, NULL, SETTING_RESTART, "Q102967"),
    SETTING_ROW_NUMBER("InitSearchTable", 1, 2048, 8, NULL, SETTING_RESTART, "Q102967"),
    SETTING_ROW_NUMBER("InitSessTable", 1, 64, 4, NULL, SETTING_RESTART, "Q102967"),
    SETTING_ROW_NUMBER("IrpStackSize", 1, 50, 4, NULL, SETTING_RESTART, "Q102967"),
    SETTING_ROW_NUMBER("LinkInfoValidTime", 0, 100000, 60, "s", SETTING_LIVE, "Q102967"),
    SETTING_ROW_NUMBER("MaxLinkDelay", 0, 100000, 60, "s", SETTING_LIVE, "Q102967"),
    SETTING_ROW_NUMBER("MaxKeepSearch", 10, 10000, 1800, "s", SETTING_LIVE, "Q102967"),
    SETTING_ROW_NUMBER("MaxMpxCt", 1, 100, 50, NULL, SETTING_RELOAD, "Q102967"),
    SETTING_ROW_CHOSEN("MaxWorkItems", 1, 512, NULL, SETTING_RESTART, "Q102967"),
    SETTING_ROW_CHOSEN("InitWorkItems", 1, 512, NULL, SETTING_RESTART, "Q102967"),
    SETTING_ROW_NUMBER("MaxWorkItemIdleTime", 10, 1800, 300, "s", SETTING_LIVE, "Q102967"),
    SETTING_ROW_CHOSEN("MaxFreeConnections", 2, 8, NULL, SETTING_RESTART, "Q102967"),
};
/* clang-format on */

static const struct service lanmanserver = {
    .program = "regstore-lanmanserver",
    .summary = "keeps the file server's settings as the store has them",
    .key = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Parameters",
    .table = server_parameters,
    .count = sizeof(server_parameters) / sizeof(server_parameters[0]),
};

int main(int argc, char **argv)
{
    return service_main(&lanmanserver, argc, argv);
}

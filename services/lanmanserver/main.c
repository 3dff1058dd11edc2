/*
 * regstore-lanmanserver - the file server's settings, alive.
 *
 * The settings are those that Microsoft's Knowledge Base names in
 * HKLM\SYSTEM\CurrentControlSet\Services\LanmanServer\Parameters, in the spelling of real hives;
 * their rules are in hives/rules/server.xml. Needs services/common.
 */
#include "../common/service.h"

static const struct setting server_parameters[] = {
    {"NullSessionShares", SETTING_LIST},
    {"NullSessionPipes", SETTING_LIST},
    {"restrictnullsessaccess", SETTING_NUMBER},
    {"SizReqBuf", SETTING_NUMBER},
    {"Size", SETTING_NUMBER},
    {"Lmannounce", SETTING_NUMBER},
    {"Announce", SETTING_NUMBER},
    {"AnnDelta", SETTING_NUMBER},
    {"autodisconnect", SETTING_NUMBER},
    {"srvcomment", SETTING_TEXT},
    {"Hidden", SETTING_NUMBER},
    {"AlertSched", SETTING_NUMBER},
    {"ErrorThreshold", SETTING_NUMBER},
    {"DiskSpaceThreshold", SETTING_NUMBER},
    {"EnableFCBopens", SETTING_NUMBER},
    {"EnableOplocks", SETTING_NUMBER},
    {"EnableRaw", SETTING_NUMBER},
    {"EnableSoftCompat", SETTING_NUMBER},
    {"EnableOplockForceClose", SETTING_NUMBER},
    {"InitConnTable", SETTING_NUMBER},
    {"InitFileTable", SETTING_NUMBER},
    {"InitSearchTable", SETTING_NUMBER},
    {"InitSessTable", SETTING_NUMBER},
    {"IrpStackSize", SETTING_NUMBER},
    {"LinkInfoValidTime", SETTING_NUMBER},
    {"MaxLinkDelay", SETTING_NUMBER},
    {"MaxKeepSearch", SETTING_NUMBER},
    {"MaxMpxCt", SETTING_NUMBER},
    {"MaxWorkItems", SETTING_NUMBER},
    {"InitWorkItems", SETTING_NUMBER},
    {"MaxWorkItemIdleTime", SETTING_NUMBER},
    {"MaxFreeConnections", SETTING_NUMBER},
};

static const struct service lanmanserver = {
    .program = "regstore-lanmanserver",
    .summary = "keeps the file server's settings as the store has them",
    .key = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Parameters",
    .table = server_parameters,
    .count = sizeof(server_parameters) / sizeof(server_parameters[0]),
    .rules = shipped_rules,
};

int main(int argc, char **argv)
{
    return service_main(&lanmanserver, argc, argv);
}

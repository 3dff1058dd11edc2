/*
 * regstore-lpdsvc - the line printer daemon: takes jobs of RFC 1179's clients and has them printed
 * where the registry says.
 *
 * The settings are those that Microsoft's Knowledge Base names for NT's TCP/IP Print Server, and
 * some of our own for where it listens; their rules are in hives/rules/lpd.xml. Needs
 * services/common and lpdsvc.
 */
#include "lpdsvc.h"

static const struct setting lpd_settings[LPDSVC_SETTINGS] = {
    [LPDSVC_ALLOW_JOB_REMOVAL] = {"AllowJobRemoval", SETTING_NUMBER},
    [LPDSVC_ALLOW_PRINTER_RESUME] = {"AllowPrinterResume", SETTING_NUMBER},
    [LPDSVC_MAX_CONCURRENT_USERS] = {"MaxConcurrentUsers", SETTING_NUMBER},
    [LPDSVC_LISTEN_ADDRESS] = {"ListenAddress", SETTING_TEXT},
    [LPDSVC_LISTEN_PORT] = {"ListenPort", SETTING_NUMBER},
    [LPDSVC_RESTRICT_SOURCE_PORTS] = {"RestrictSourcePorts", SETTING_NUMBER},
    [LPDSVC_RETRY_PERIOD] = {"RetryPeriod", SETTING_NUMBER},
};

static const struct service_option lpdsvc_options[] = {
    [LPDSVC_OPTION_SPOOL] = {"spool", "DIR", "where jobs wait; " LPDSVC_SPOOL " unless given"},
    {0},
};

static const struct service lpdsvc = {
    .program = "regstore-lpdsvc",
    .summary = "takes jobs of LPD clients and has them printed as the store's settings say",
    .key = LPDSVC_KEY,
    .beside = lpdsvc_beside,
    .table = lpd_settings,
    .count = LPDSVC_SETTINGS,
    .rules = shipped_rules,
    .options = lpdsvc_options,
    .work = &lpdsvc_work,
};

int main(int argc, char **argv)
{
    return service_main(&lpdsvc, argc, argv);
}

/*
 * regstore-spooler - the print spooler's browsing: it announces this computer's shared printers to
 * other print servers, and lists theirs.
 *
 * The settings are those that Microsoft's Knowledge Base names in
 * HKLM\SYSTEM\CurrentControlSet\Control\Print, and some of our own for what NT had the browse list
 * for; their rules are in hives/rules/print.xml. Needs services/common and spooler.
 */
#include "spooler.h"

static const struct setting print_settings[SPOOLER_SETTINGS] = {
    [SPOOLER_DISABLE_SERVER_THREAD] = {"DisableServerThread", SETTING_NUMBER},
    [SPOOLER_SERVER_THREAD_TIMEOUT] = {"ServerThreadTimeout", SETTING_NUMBER},
    [SPOOLER_DECAY_PERIOD] = {"NetPrinterDecayPeriod", SETTING_NUMBER},
    [SPOOLER_REFRESH_TIMES] = {"RefreshTimesPerDecayPeriod", SETTING_NUMBER},
    [SPOOLER_BROWSE_SERVERS] = {"BrowseServers", SETTING_LIST},
    [SPOOLER_LISTEN_ADDRESS] = {"ListenAddress", SETTING_TEXT},
    [SPOOLER_LISTEN_PORT] = {"ListenPort", SETTING_NUMBER},
    [SPOOLER_MOST_NETWORK_PRINTERS] = {"MaxNetworkPrinters", SETTING_NUMBER},
    [SPOOLER_SCHEDULER_PRIORITY] = {"SchedulerThreadPriority", SETTING_NUMBER},
    [SPOOLER_PRIORITY_CLASS] = {"PriorityClass", SETTING_NUMBER},
    [SPOOLER_BEEP] = {"BeepEnabled", SETTING_NUMBER},
    [SPOOLER_FAST_PRINT_WAIT] = {"FastPrintWaitTimeout", SETTING_NUMBER},
    [SPOOLER_FAST_PRINT_THROTTLE] = {"FastPrintThrottleTimeout", SETTING_NUMBER},
};

static const struct service_option spooler_options[] = {
    [SPOOLER_OPTION_PIPE] = {"pipe", "PATH", "the socket where smbd hands over the pipe spoolss"},
    {0},
};

static const struct service spooler = {
    .program = "regstore-spooler",
    .summary = "announces and lists printers as the store's settings say",
    .key = SPOOLER_KEY,
    .subtree = true,
    .beside = spooler_beside,
    .table = print_settings,
    .count = SPOOLER_SETTINGS,
    .rules = shipped_rules,
    .options = spooler_options,
    .work = &spooler_work,
};

int main(int argc, char **argv)
{
    return service_main(&spooler, argc, argv);
}

/*
 * regstore-spooler - the print spooler's settings, alive.
 *
 * The settings are those that Microsoft's Knowledge Base names in
 * HKLM\SYSTEM\CurrentControlSet\Control\Print; their rules are in hives/rules/print.xml. Needs
 * services/common.
 */
#include "../common/service.h"

static const struct setting print_settings[] = {
    {"DisableServerThread", SETTING_NUMBER},
    {"ServerThreadTimeout", SETTING_NUMBER},
    {"NetPrinterDecayPeriod", SETTING_NUMBER},
    {"RefreshTimesPerDecayPeriod", SETTING_NUMBER},
    {"SchedulerThreadPriority", SETTING_NUMBER},
    {"PriorityClass", SETTING_NUMBER},
    {"BeepEnabled", SETTING_NUMBER},
    {"FastPrintWaitTimeout", SETTING_NUMBER},
    {"FastPrintThrottleTimeout", SETTING_NUMBER},
};

static const struct service spooler = {
    .program = "regstore-spooler",
    .summary = "keeps the print spooler's settings as the store has them",
    .key = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print",
    .subtree = true, /* printers, ports and drivers are keys below */
    .table = print_settings,
    .count = sizeof(print_settings) / sizeof(print_settings[0]),
    .rules = shipped_rules,
};

int main(int argc, char **argv)
{
    return service_main(&spooler, argc, argv);
}

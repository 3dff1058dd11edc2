/*
 * regstore-spooler - the print spooler's settings, alive.
 *
 * The table is what Microsoft's Knowledge Base says of HKLM\SYSTEM\CurrentControlSet\Control\Print.
 * Where two sources disagree the first one's number stands here and the manual page names the
 * other. Needs services/common.
 */
#include "../common/service.h"

#define ANY UINT32_MAX
#define BELOW_NORMAL 0xffffffffu /* a thread priority that is lower than 0 */

/* RefreshTimesPerDecayPeriod divides the decay period, so 0 must never come through. */
/* clang-format off */
static const struct setting print_settings[] = {
    SETTING_ROW_BOOL     ("DisableServerThread", 0, SETTING_RELOAD, "Q161734"),
    SETTING_ROW_NUMBER   ("ServerThreadTimeout", 0, ANY, 36000, "ms", SETTING_LIVE, "Q161734"),
    SETTING_ROW_NUMBER   ("NetPrinterDecayPeriod", 0, ANY, 3600000, "ms", SETTING_LIVE, "Q161734"),
    SETTING_ROW_NUMBER   ("RefreshTimesPerDecayPeriod", 1, 5, 2, NULL, SETTING_LIVE, "Q161734"),
    SETTING_ROW_NUMBER_OR("SchedulerThreadPriority", 0, 1, BELOW_NORMAL, 0, NULL, SETTING_RELOAD,
                          "Q185590"),
    SETTING_ROW_NUMBER   ("PriorityClass", 0, 9, 0, NULL, SETTING_RELOAD, "Q125663"),
    SETTING_ROW_BOOL     ("BeepEnabled", 0, SETTING_LIVE, "Q185590"),
    SETTING_ROW_NUMBER   ("FastPrintWaitTimeout", 0, ANY, 24000, "ms", SETTING_LIVE, "Q161734"),
    SETTING_ROW_NUMBER   ("FastPrintThrottleTimeout", 0, ANY, 2000, "ms", SETTING_LIVE, "Q161734"),
};
/* clang-format on */

static const struct service spooler = {
    .program = "regstore-spooler",
    .summary = "keeps the print spooler's settings as the store has them",
    .key = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Print",
    .subtree = true, /* printers, ports and drivers are keys below */
    .table = print_settings,
    .count = sizeof(print_settings) / sizeof(print_settings[0]),
};

int main(int argc, char **argv)
{
    return service_main(&spooler, argc, argv);
}

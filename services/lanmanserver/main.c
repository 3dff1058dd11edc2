/*
 * regstore-lanmanserver - the file server's settings, alive.
 *
 * The settings are those that Microsoft's Knowledge Base names in
 * HKLM\SYSTEM\CurrentControlSet\Services\LanmanServer\Parameters, in the spelling of real hives;
 * their rules are in hives/rules/server.xml. Needs services/common.
 */
#include "../common/service.h"
#include "effects.h"

static const struct service lanmanserver = {
    .program = "regstore-lanmanserver",
    .summary = "keeps the file server's settings as the store has them",
    .key = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Parameters",
    .table = server_parameters,
    .count = SERVER_PARAMETER_COUNT,
    .rules = shipped_rules,
};

int main(int argc, char **argv)
{
    return service_main(&lanmanserver, argc, argv);
}

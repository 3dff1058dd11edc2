/*
 * test_ports - what the names of ports lead to: the device map, the ports of monitors, printers,
 * and chains of all of them; how a share is reached; what is wrong, told to who uses it.
 *
 * A store is described in lines "KEY~VALUE~TEXT" below Control\Print, where a number has # before
 * it; a question is a name, and what is expected one line of all that the target says.
 */
#include "stores.h"

#include "settings_bench.h"

#include "../services/printing/ports.h"

#include <stdio.h>
#include <stdlib.h>

#define BOOT "11111111-2222-3333-4444-555555555555"

static void set_value(rs_txn *txn, const char *description)
{
    char path[512], name[128], text[TARGET_TEXT * 2];
    rs_key key;
    text[0] = '\0';
    CU_ASSERT_TRUE_FATAL(sscanf(description, "%511[^~]~%127[^~]~%2047[^~]", path, name, text) >= 1);
    char whole[1024];
    snprintf(whole, sizeof(whole), PORTS_PRINT_KEY "\\%s", path);
    SUCCEEDS(rs_key_create(txn, RS_NO_KEY, whole, &key));
    if (text[0] == '#') {
        SUCCEEDS(rs_set_dword(txn, key, name, (uint32_t)strtoul(text + 1, NULL, 10)));
    } else if (strchr(description, '~') != NULL) {
        SUCCEEDS(rs_set_string(txn, key, name, text));
    }
}

/* Lines end with NULL. */
static rs_store *store_of(const char *const *lines)
{
    rs_store *store = bench_open();
    rs_txn *txn = bench_begin(store, RS_WRITE);
    for (; *lines != NULL; lines++) {
        set_value(txn, *lines);
    }
    bench_commit(txn);
    return store;
}

struct loaded {
    rs_store *store;
    struct ports *ports;
    struct printers *printers;
};

static struct loaded load(const char *const *lines)
{
    struct line problems = LINE_INIT;
    struct loaded loaded = {.store = store_of(lines)};
    rs_txn *txn = bench_begin(loaded.store, RS_READ);
    SUCCEEDS(ports_load_in_boot(txn, BOOT, &loaded.ports));
    SUCCEEDS(printers_load(txn, PORTS_PRINTERS_KEY, &problems, &loaded.printers));
    rs_abort(txn);
    EQUAL_TEXT(problems.text, "");
    return loaded;
}

static void unload(struct loaded *loaded)
{
    ports_free(loaded->ports);
    printers_free(loaded->printers);
    rs_close(loaded->store);
}

/* All that a target says, or the reason. Belongs to the next call. */
static const char *said(bool good, const struct target *target, const struct line *problem)
{
    static struct line line;
    line = (struct line)LINE_INIT;
    if (!good) {
        line_add(&line, "%s", problem->text);
        return line.text;
    }
    line_add(&line, "%s", target->text);
    if (target->line[0] != '\0') {
        line_add(&line, " line=%s", target->line);
    }
    if (target->format != 0) {
        line_add(&line, " format=%c", target->format);
    }
    if (target->credentials[0] != '\0') {
        line_add(&line, " credentials=%s", target->credentials);
    }
    if (target->null_session) {
        line_add(&line, " null");
    }
    return line.text;
}

static const char *resolved(const struct loaded *loaded, const char *name)
{
    struct line problem = LINE_INIT;
    struct target target;
    bool good = ports_resolve(loaded->ports, loaded->printers, name, &target, &problem);
    return said(good, &target, &problem);
}

static const char *resolved_printer(const struct loaded *loaded, const char *key)
{
    struct line problem = LINE_INIT;
    struct target target;
    const struct printer *printer = printers_find(loaded->printers, key);
    CU_ASSERT_PTR_NOT_NULL_FATAL(printer);
    bool good = ports_resolve_printer(loaded->ports, loaded->printers, printer, &target, &problem);
    return said(good, &target, &problem);
}

/* Question and answer, in turn; NULL ends them. */
static void expect(const char *const *lines, const char *const *answers)
{
    struct loaded loaded = load(lines);
    for (; answers[0] != NULL; answers += 2) {
        EQUAL_TEXT(resolved(&loaded, answers[0]), answers[1]);
    }
    unload(&loaded);
}

/* ---- The device map -------------------------------------------------------------------------- */

static void nothing_is_rerouted_at_first(void)
{
    static const char *const none[] = {NULL};
    static const char *const answers[] = {
        "LPT1",       "LPT1: is not rerouted",
        "lpt9:",      "LPT9: is not rerouted",
        "COM1",       "COM1: has no device",
        "LPT0",       "\"LPT0\" is no port, no printer and no target",
        "LPT10",      "\"LPT10\" is no port, no printer and no target",
        "LPT1::",     "\"LPT1::\" is no port, no printer and no target",
        "LPT",        "\"LPT\" is no port, no printer and no target",
        "",           "\"\" is no port, no printer and no target",
        "LPT1:,LPT2", "\"LPT1:,LPT2\" is no port, no printer and no target",
        NULL};
    expect(none, answers);
}

static void targets_are_themselves(void)
{
    static const char *const lines[] = {"Printers\\/srv/out~Port~LPT1:", NULL};
    static const char *const answers[] = {
        "/srv/out",  "/srv/out",
        "\\\\s\\p",  "\\\\s\\p",
        "lpd://h/q", "lpd://h/q",
        "//s/p",     "\"//s/p\" is no target: a share is \\\\SERVER\\SHARE",
        NULL};
    expect(lines, answers);
}

static void lpt_leads_on(void)
{
    static const char *const lines[] = {"DeviceMap\\LPT1~Target~\\\\server\\printshare",
                                        "DeviceMap\\LPT2~Target~\\\\server\\other",
                                        "DeviceMap\\LPT2~CredentialsFile~/etc/regstore/printing/a",
                                        "DeviceMap\\LPT3~Target~COM2:",
                                        "DeviceMap\\COM2~Device~/dev/ttyS1",
                                        "DeviceMap\\COM2~Mode~9600,n,8,1",
                                        "DeviceMap\\LPT4~Target~lpt1:",
                                        "DeviceMap\\LPT5~Target~|lpr -Pq",
                                        "DeviceMap\\COM1~Device~/dev/ttyS0",
                                        NULL};
    static const char *const answers[] = {
        "LPT1",  "\\\\server\\printshare null",
        "lpt1:", "\\\\server\\printshare null",
        "LPT2:", "\\\\server\\other credentials=/etc/regstore/printing/a",
        "Lpt3",  "/dev/ttyS1 line=9600,n,8,1",
        "com2:", "/dev/ttyS1 line=9600,n,8,1",
        "COM1",  "/dev/ttyS0",
        "LPT4",  "\\\\server\\printshare null",
        "LPT5",  "|lpr -Pq",
        "LPT6",  "LPT6: is not rerouted",
        NULL};
    expect(lines, answers);
}

static void a_mapping_ends_with_its_boot(void)
{
    static const char *const lines[] = {
        "DeviceMap\\LPT1~Target~/tmp/this",    "DeviceMap\\LPT1~BootId~" BOOT,
        "DeviceMap\\LPT2~Target~/tmp/earlier", "DeviceMap\\LPT2~BootId~another",
        "DeviceMap\\LPT3~Target~/tmp/stays",   NULL};
    static const char *const answers[] = {"LPT1", "/tmp/this",  "LPT2", "LPT2: is not rerouted",
                                          "LPT3", "/tmp/stays", NULL};
    expect(lines, answers);
}

/* Where the boot is not known, what was meant for one boot does not hold. */
static void the_boot_is_the_kernel_s(void)
{
    static const char *const lines[] = {"DeviceMap\\LPT1~Target~/tmp/one",
                                        "DeviceMap\\LPT2~Target~/tmp/two",
                                        "DeviceMap\\LPT2~BootId~another", NULL};
    char boot[64] = "";
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file == NULL || fgets(boot, sizeof(boot), file) == NULL) {
        test_skip("there is no boot_id");
    }
    if (file != NULL) {
        fclose(file);
    }
    boot[strcspn(boot, "\n")] = '\0';
    struct loaded loaded = load(lines);
    rs_txn *txn = bench_begin(loaded.store, RS_WRITE);
    char line[256];
    snprintf(line, sizeof(line), "DeviceMap\\LPT1~BootId~%s", boot);
    set_value(txn, line);
    ports_free(loaded.ports);
    SUCCEEDS(ports_load(txn, &loaded.ports));
    EQUAL_TEXT(resolved(&loaded, "LPT1"), "/tmp/one");
    EQUAL_TEXT(resolved(&loaded, "LPT2"), "LPT2: is not rerouted");
    ports_free(loaded.ports);
    SUCCEEDS(ports_load_in_boot(txn, "", &loaded.ports));
    EQUAL_TEXT(resolved(&loaded, "LPT1"), "LPT1: is not rerouted");
    rs_abort(txn);
    unload(&loaded);
}

static void what_is_wrong_is_told_to_who_uses_it(void)
{
    static const char *const lines[] = {"DeviceMap\\LPT1~Target~#1",
                                        "DeviceMap\\LPT2~Target~\\\\server",
                                        "DeviceMap\\LPT3~Target~/tmp/good",
                                        "DeviceMap\\LPT4~Target~nobody",
                                        "DeviceMap\\LPT5~Target~\\\\s\\p",
                                        "DeviceMap\\LPT5~CredentialsFile~here",
                                        "DeviceMap\\LPT6~Target~COM9",
                                        "DeviceMap\\COM1~Device~ttyS0",
                                        "DeviceMap\\COM2~Device~/dev/",
                                        "DeviceMap\\COM3~Device~/dev/ttyS2",
                                        "DeviceMap\\COM3~Mode~9600,x",
                                        "DeviceMap\\COM4~Device~/dev/ttyS3",
                                        "DeviceMap\\COM4~Mode~9600,n,8,1,p and many more words",
                                        "DeviceMap\\COM5~Device~|rm -r /",
                                        NULL};
    static const char *const answers[] = {
        "LPT1",
        "LPT1: \"Target\" is no text",
        "LPT2",
        "LPT2: \"\\\\server\" is no target: it names no share, which is \\\\SERVER\\SHARE",
        "LPT3",
        "/tmp/good",
        "LPT4",
        "LPT4: \"nobody\" is no port, no printer and no target",
        "LPT5",
        "LPT5: \"CredentialsFile\" is no path of a file",
        "LPT6",
        "COM9: has no device",
        "COM1",
        "COM1: \"ttyS0\" is no target: that is \\\\..., /..., |..., socket://... or "
        "lpd://...",
        "COM2",
        "COM2: \"Device\" is no path of a device",
        "COM3",
        "COM3: \"Mode\" is wrong: its parity is none of n, e, o, m and s",
        "COM4",
        "COM4: \"Mode\" is too long",
        "COM5",
        "COM5: \"Device\" is no path of a device",
        NULL};
    expect(lines, answers);
}

/* ---- Monitors -------------------------------------------------------------------------------- */

#define LPR "Monitors\\LPR Port\\Ports\\"
#define TCP "Monitors\\Standard TCP/IP Port\\Ports\\"

static void lpr_ports_lead_to_queues(void)
{
    static const char *const lines[] = {LPR "unix1:laser~Server Name~unix1",
                                        LPR "unix1:laser~Printer Name~laser",
                                        LPR "plain~Server Name~192.0.2.7",
                                        LPR "plain~Printer Name~Two Words",
                                        LPR "plain~PrintSwitch~from",
                                        LPR "six~Server Name~2001:db8::7",
                                        LPR "six~Printer Name~q",
                                        LPR "six~PrintSwitch~",
                                        LPR "none",
                                        LPR "upper~Server Name~h",
                                        LPR "upper~Printer Name~q",
                                        LPR "upper~PrintSwitch~Hroot",
                                        LPR "evil~Server Name~h/../x",
                                        LPR "evil~Printer Name~q",
                                        LPR "number~Server Name~h",
                                        LPR "number~Printer Name~#7",
                                        NULL};
    static const char *const answers[] = {
        "unix1:laser",
        "lpd://unix1/laser",
        "UNIX1:LASER",
        "lpd://unix1/laser",
        "plain",
        "lpd://192.0.2.7/Two Words format=f",
        "six",
        "lpd://[2001:db8::7]/q",
        "none",
        "port \"none\": \"lpd://\" is no target: its host is no name, no address, "
        "and no IPv6 address in []",
        "upper",
        "port \"upper\": \"PrintSwitch\" begins with no small letter",
        "evil",
        "port \"evil\": \"lpd://h/../x/q\" is no target: a queue's name has no "
        "slash",
        "number",
        "port \"number\": \"Printer Name\" is no text",
        NULL};
    expect(lines, answers);
}

static void tcp_ports_lead_to_hosts(void)
{
    static const char *const lines[] = {TCP "IP_10.0.0.1~HostName~",
                                        TCP "IP_10.0.0.1~IPAddress~10.0.0.1",
                                        TCP "IP_10.0.0.1~PortNumber~#9101",
                                        TCP "IP_10.0.0.1~Protocol~#1",
                                        TCP "host~HostName~printer",
                                        TCP "host~IPAddress~10.0.0.2",
                                        TCP "queue~HostName~unix1",
                                        TCP "queue~Protocol~#2",
                                        TCP "queue~Queue~lp",
                                        TCP "queue~PortNumber~#515",
                                        TCP "six~HostName~::1",
                                        TCP "six~PortNumber~#9100",
                                        TCP "nothing",
                                        TCP "noqueue~HostName~h",
                                        TCP "noqueue~Protocol~#2",
                                        TCP "three~HostName~h",
                                        TCP "three~Protocol~#3",
                                        TCP "large~HostName~h",
                                        TCP "large~PortNumber~#65536",
                                        TCP "words~HostName~h",
                                        TCP "words~PortNumber~9100",
                                        TCP "standard~HostName~h",
                                        TCP "standard~Protocol~#2",
                                        TCP "standard~Queue~q",
                                        NULL};
    static const char *const answers[] = {
        "IP_10.0.0.1",
        "socket://10.0.0.1:9101",
        "ip_10.0.0.1",
        "socket://10.0.0.1:9101",
        "host",
        "socket://printer",
        "queue",
        "lpd://unix1:515/lp",
        "six",
        "socket://[::1]:9100",
        "nothing",
        "port \"nothing\": \"socket://\" is no target: its host is no name, no "
        "address, and no IPv6 address in []",
        "noqueue",
        "port \"noqueue\": \"lpd://h\" is no target: it names no queue, as "
        "lpd://HOST/QUEUE does",
        "three",
        "port \"three\": \"Protocol\" is neither 1, raw, nor 2, LPR",
        "large",
        "port \"large\": \"socket://h:65536\" is no target: its port is no number "
        "from 1 to 65535",
        "words",
        "port \"words\": \"PortNumber\" is no REG_DWORD",
        "standard",
        "lpd://h/q",
        NULL};
    expect(lines, answers);
}

/* ---- Printers -------------------------------------------------------------------------------- */

static void printers_stand_for_their_ports(void)
{
    static const char *const lines[] = {
        "Printers\\Laser~Port~LPT1:",      "Printers\\Laser~Share Name~LASER1",
        "DeviceMap\\LPT1~Target~com2",     "DeviceMap\\COM2~Device~/dev/ttyS1",
        "DeviceMap\\COM2~Mode~1200",       "DeviceMap\\LPT2~Target~laser1",
        "Printers\\Copy~Port~Laser",       "Printers\\None",
        "Printers\\Lost~Port~FILE:",       "Printers\\LPT3~Port~/tmp/printer",
        "Printers\\h:q~Port~/tmp/printer", LPR "h:q~Server Name~h",
        LPR "h:q~Printer Name~q",          NULL};
    static const char *const answers[] = {
        "Laser",  "/dev/ttyS1 line=1200",
        "LASER1", "/dev/ttyS1 line=1200",
        "LPT2",   "/dev/ttyS1 line=1200",
        "copy",   "/dev/ttyS1 line=1200",
        "None",   "printer \"None\": has no port",
        "Lost",   "printer \"Lost\": \"FILE:\" is no port, no printer and no target",
        "LPT3",   "LPT3: is not rerouted",
        "h:q",    "lpd://h/q",
        NULL};
    expect(lines, answers);
}

static void a_printer_says_how_its_share_is_reached(void)
{
    static const char *const lines[] = {"Printers\\Null~Port~\\\\s\\p",
                                        "Printers\\Null~NullSession~#1",
                                        "Printers\\User~Port~\\\\s\\p",
                                        "Printers\\User~CredentialsFile~/etc/a",
                                        "Printers\\Both~Port~\\\\s\\p",
                                        "Printers\\Both~CredentialsFile~/etc/a",
                                        "Printers\\Both~NullSession~#1",
                                        "Printers\\Neither~Port~\\\\s\\p",
                                        "Printers\\Neither~NullSession~#0",
                                        "Printers\\File~Port~/tmp/x",
                                        "Printers\\File~NullSession~#1",
                                        "Printers\\File~CredentialsFile~/etc/a",
                                        "Printers\\Wrong~Port~\\\\s\\p",
                                        "Printers\\Wrong~CredentialsFile~|cat",
                                        "DeviceMap\\LPT1~Target~\\\\s\\p",
                                        "DeviceMap\\LPT2~Target~\\\\s\\p",
                                        "DeviceMap\\LPT2~CredentialsFile~/etc/map",
                                        "DeviceMap\\LPT3~Target~Neither",
                                        "DeviceMap\\LPT3~CredentialsFile~/etc/map",
                                        "Printers\\OnLpt1~Port~LPT1:",
                                        "Printers\\OnLpt2~Port~LPT2:",
                                        "Printers\\OwnOnLpt2~Port~LPT2:",
                                        "Printers\\OwnOnLpt2~CredentialsFile~/etc/own",
                                        "Printers\\NullOnLpt2~Port~LPT2:",
                                        "Printers\\NullOnLpt2~NullSession~#1",
                                        "Printers\\OnNull~Port~Null",
                                        "Printers\\OwnOnNull~Port~Null",
                                        "Printers\\OwnOnNull~CredentialsFile~/etc/own",
                                        NULL};
    static const char *const answers[] = {
        "Null",       "\\\\s\\p null",
        "User",       "\\\\s\\p credentials=/etc/a",
        "Both",       "\\\\s\\p null",
        "Neither",    "\\\\s\\p",
        "File",       "/tmp/x",
        "Wrong",      "printer \"Wrong\": \"CredentialsFile\" is no path of a file",
        "LPT3",       "\\\\s\\p",
        "OnLpt1",     "\\\\s\\p null",
        "OnLpt2",     "\\\\s\\p credentials=/etc/map",
        "OwnOnLpt2",  "\\\\s\\p credentials=/etc/own",
        "NullOnLpt2", "\\\\s\\p null",
        "OnNull",     "\\\\s\\p null",
        "OwnOnNull",  "\\\\s\\p credentials=/etc/own",
        NULL};
    struct loaded loaded = load(lines);
    for (const char *const *answer = answers; *answer != NULL; answer += 2) {
        EQUAL_TEXT(resolved(&loaded, answer[0]), answer[1]);
        if (printers_find(loaded.printers, answer[0]) != NULL) {
            EQUAL_TEXT(resolved_printer(&loaded, answer[0]), answer[1]);
        }
    }
    unload(&loaded);
}

/* ---- Chains ---------------------------------------------------------------------------------- */

static void circles_are_told(void)
{
    static const char *const lines[] = {
        "DeviceMap\\LPT1~Target~LPT1",    "DeviceMap\\LPT2~Target~LPT3",
        "DeviceMap\\LPT3~Target~LPT2:",   "DeviceMap\\LPT4~Target~Printer",
        "Printers\\Printer~Port~LPT4:",   "Printers\\Self~Port~Same",
        "Printers\\Self~Share Name~SAME", NULL};
    static const char *const answers[] = {
        "LPT1", "LPT1: leads in a circle, back to \"LPT1\"",
        "LPT2", "LPT3: leads in a circle, back to \"LPT2:\"",
        "LPT4", "printer \"Printer\": leads in a circle, back to \"LPT4:\"",
        "Self", "printer \"Self\": leads in a circle, back to \"Same\"",
        NULL};
    expect(lines, answers);
}

static void chains_are_bounded(void)
{
    rs_store *store = bench_open();
    rs_txn *txn = bench_begin(store, RS_WRITE);
    for (int i = 0; i < 20; i++) {
        char line[128];
        snprintf(line, sizeof(line), "Printers\\P%d~Port~P%d", i, i + 1);
        set_value(txn, line);
    }
    set_value(txn, "Printers\\P20~Port~/tmp/end");
    bench_commit(txn);
    rs_close(store);
    static const char *const none[] = {NULL};
    static const char *const answers[] = {
        "P5", "/tmp/end", "P4", "printer \"P19\": is one name too many on the way to a printer",
        NULL};
    expect(none, answers);
}

/* They are searched for in the order in which the store lists them, whatever letters they have. */
static void ports_of_all_names_are_found(void)
{
    static const char *const names[] = {"a",
                                        "B",
                                        "_c",
                                        "Z",
                                        "zz",
                                        "[d]",
                                        "10.0.0.1",
                                        "10.0.0.9",
                                        "=",
                                        "b:",
                                        "h:Q",
                                        "\xc3\xa4",
                                        "\xc3\x84z",
                                        "\xc3\x9f",
                                        "\xe2\x82\xac",
                                        "A b",
                                        "a-b",
                                        "{1}",
                                        "\xf0\x9f\x96\xa8",
                                        "\xef\xbf\xa5"};
    rs_store *store = bench_open();
    rs_txn *txn = bench_begin(store, RS_WRITE);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char line[128];
        snprintf(line, sizeof(line), "%s%s~%s~host%zu", i % 2 == 0 ? LPR : TCP, names[i],
                 i % 2 == 0 ? "Server Name" : "HostName", i);
        set_value(txn, line);
        snprintf(line, sizeof(line), LPR "%s~Printer Name~q", names[i]);
        if (i % 2 == 0) {
            set_value(txn, line);
        }
    }
    set_value(txn, TCP "a~HostName~hidden");
    bench_commit(txn);
    rs_close(store);
    static const char *const none[] = {NULL};
    struct loaded loaded = load(none);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char expected[64];
        snprintf(expected, sizeof(expected), i % 2 == 0 ? "lpd://host%zu/q" : "socket://host%zu",
                 i);
        EQUAL_TEXT(resolved(&loaded, names[i]), expected);
    }
    unload(&loaded);
}

static void a_thousand_ports_of_a_monitor_are_read(void)
{
    rs_store *store = bench_open();
    rs_txn *txn = bench_begin(store, RS_WRITE);
    for (int i = 0; i <= PORTS_MAX; i++) {
        char line[128];
        snprintf(line, sizeof(line), TCP "P%04d~HostName~h%d", i, i);
        set_value(txn, line);
    }
    set_value(txn, LPR "last~Server Name~h");
    set_value(txn, LPR "last~Printer Name~q");
    bench_commit(txn);
    rs_close(store);
    static const char *const none[] = {NULL};
    static const char *const answers[] = {
        "P0999", "socket://h999", "P1000", "\"P1000\" is no port, no printer and no target",
        "last",  "lpd://h/q",     NULL};
    expect(none, answers);
}

static const struct test_case cases[] = {
    {"nothing is rerouted at first", nothing_is_rerouted_at_first},
    {"targets are themselves", targets_are_themselves},
    {"LPT leads on", lpt_leads_on},
    {"a mapping ends with its boot", a_mapping_ends_with_its_boot},
    {"the boot is the kernel's", the_boot_is_the_kernel_s},
    {"what is wrong is told to who uses it", what_is_wrong_is_told_to_who_uses_it},
    {"LPR ports lead to queues", lpr_ports_lead_to_queues},
    {"TCP ports lead to hosts", tcp_ports_lead_to_hosts},
    {"printers stand for their ports", printers_stand_for_their_ports},
    {"a printer says how its share is reached", a_printer_says_how_its_share_is_reached},
    {"circles are told", circles_are_told},
    {"chains are bounded", chains_are_bounded},
    {"ports of all names are found", ports_of_all_names_are_found},
    {"a thousand ports of a monitor are read", a_thousand_ports_of_a_monitor_are_read},
    {NULL, NULL},
};

const struct test_suite suite_ports = {"ports", cases};

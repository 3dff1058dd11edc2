/* Help from the table of commands. */
#include "help.h"

#include <string.h>

#include "report.h"

#define NAME_COLUMN 30

static bool takes_switches(const struct command *command)
{
    return command->switches->help != NULL;
}

static void put_operands(FILE *out, const struct command *command)
{
    for (const struct operand_row *row = command->operands; row->name != NULL; row++) {
        fprintf(out, row->optional ? " [%s%s]" : " %s%s", row->name,
                row->kind == OPERAND_PARAMETER ? " ..." : "");
    }
}

static void put_short(FILE *out, const struct switch_row *row)
{
    if (row->letters != NULL) {
        fprintf(out, "/%s", row->letters);
    } else {
        fprintf(out, "--%s", row->name);
    }
    if (row->argument != NULL) {
        fprintf(out, "%s%s", switch_takes_word(row) ? " " : "", row->argument);
    }
}

/* Switches of one group stand side by side in the table, and share a bracket here. */
static void put_switches(FILE *out, const struct command *command, const struct switch_row *row)
{
    for (; row->help != NULL; row++) {
        if (row->later || switch_is_hidden(command, row)) {
            continue;
        }
        fputs(" [", out);
        put_short(out, row);
        while (row->group != GROUP_NONE && row[1].help != NULL && row[1].group == row->group &&
               !row[1].later) {
            row++;
            fputs(" | ", out);
            put_short(out, row);
        }
        putc(']', out);
    }
}

static void put_row(FILE *out, const struct switch_row *row)
{
    char names[64];
    const char *argument = row->argument != NULL ? row->argument : "";
    const char *space = switch_takes_word(row) ? " " : "";

    if (row->letters == NULL) {
        snprintf(names, sizeof(names), "--%s%s%s", row->name, space, argument);
    } else if (row->name == NULL) {
        snprintf(names, sizeof(names), "/%s%s%s", row->letters, space, argument);
    } else {
        snprintf(names, sizeof(names), "/%s%s%s, --%s%s%s", row->letters, space, argument,
                 row->name, space, argument);
    }
    fprintf(out, "  %-*s %s%s\n", NAME_COLUMN, names, row->help,
            row->later ? " (not available yet)" : "");
}

static void put_rows(FILE *out, const struct switch_row *rows)
{
    for (; rows->help != NULL; rows++) {
        put_row(out, rows);
    }
}

static void put_changing(FILE *out, const struct command *command)
{
    for (const struct switch_row *row = change_switches; row->help != NULL; row++) {
        if (!switch_is_hidden(command, row)) {
            put_row(out, row);
        }
    }
}

void help_command(FILE *out, const struct command *command)
{
    fprintf(out, "%s %s - %s\n\n", program_name(), command->verb, command->summary);
    fprintf(out, "usage: %s [--store DIR]%s %s", program_name(), command->json ? " [--json]" : "",
            command->verb);
    put_operands(out, command);
    put_switches(out, command, command->switches);
    if (command->writes) {
        put_switches(out, command, change_switches);
    }
    fputs("\n", out);
    if (takes_switches(command)) {
        fputs("\n", out);
        put_rows(out, command->switches);
    }
    if (command->writes) {
        fputs("\nswitches of every change:\n\n", out);
        put_changing(out, command);
    }
    if (command->about[0] != '\0') {
        fprintf(out, "\n%s", command->about);
    }
}

static void put_section(FILE *out, enum command_section section)
{
    static const char *const titles[SECTION_COUNT] = {
        [SECTION_READ] = "look at keys and values:",   [SECTION_CHANGE] = "change them:",
        [SECTION_FILES] = "dumps, hives and patches:", [SECTION_STORE] = "the store as a whole:",
        [SECTION_PORTS] = "LPT and COM ports:",        [SECTION_HELP] = "help:",
    };

    fprintf(out, "%s\n\n", titles[section]);
    for (const struct command *command = commands; command->verb != NULL; command++) {
        if (command->section == section) {
            fprintf(out, "  %-13s %s\n", command->verb, command->summary);
        }
    }
    fputs("\n", out);
}

void help_commands(FILE *out)
{
    fprintf(out,
            "%s - edit and show a configuration store\n\n"
            "usage: %s [--store DIR] [--json] VERB ...\n\n",
            program_name(), program_name());
    for (int section = 0; section < SECTION_COUNT; section++) {
        put_section(out, (enum command_section)section);
    }
    fputs("switches of every command:\n\n", out);
    put_rows(out, global_switches);
    fputs("\nswitches of every change:\n\n", out);
    put_rows(out, change_switches);
    fputs("\nA switch begins with / or -, in any case, or with -- and its long name.\n"
          "A key is HKLM\\SYSTEM\\Select or /HKLM/SYSTEM/Select; the roots are HKLM, HKU, HKCU,\n"
          "HKCR, HKCC and HKRS. \"regtool help VERB\" tells more, and regtool(1) all.\n",
          out);
}

/* The table of commands; see commands.h for how to add one, and switches.c for their switches. */
#include "commands.h"

#include <strings.h>

#include "nearest.h"
#include "switches.h"

#define NO_OPERANDS                                                                                \
    {                                                                                              \
        {                                                                                          \
            NULL, OPERAND_WORD, false                                                              \
        }                                                                                          \
    }

const struct command commands[] = {
    {"init", "make a store", "A store that exists is left as it is.\n", NO_OPERANDS, no_switches,
     false, cmd_init, SECTION_STORE, false, false},
    {"query",
     "show a key with its values and subkeys",
     "Values come in the order in which they were made, subkeys by name. /v with /s, and /t, are\n"
     "searches, as is /f: keys without a match are left out, and a search without a match exits "
     "with\n"
     "1. With /f, /v without NAME searches only in the names of values; in NAME, too, * and ? are\n"
     "wildcards.\n",
     {{"KEY", OPERAND_KEY, false}},
     query_switches,
     true,
     cmd_query,
     SECTION_READ,
     true,
     false},
    {"get",
     "print one value, for scripts",
     "Without NAME the default value. Text comes as it is, a REG_MULTI_SZ one string a line,\n"
     "numbers in decimal, all else in hexadecimal digits. A value that is not set exits with 1.\n",
     {{"KEY", OPERAND_KEY, false}, {"NAME", OPERAND_VALUE, true}},
     get_switches,
     true,
     cmd_get,
     SECTION_READ,
     false,
     false},
    {"describe",
     "show what is known about the values of a key",
     "For each value that a rule knows: what is allowed, what is set, by whom and when, and what "
     "it "
     "is\n"
     "for. The key need not exist.\n",
     {{"KEY", OPERAND_KEY, false}},
     describe_switches,
     true,
     cmd_describe,
     SECTION_READ,
     false,
     false},
    {"why",
     "show where a value comes from",
     "One line: the revision that set it, by whom and when, or the rule whose default it is.\n",
     {{"KEY", OPERAND_KEY, false}},
     describe_switches,
     true,
     cmd_why,
     SECTION_READ,
     false,
     false},
    {"list",
     "list the subkeys and values of a key",
     "Subkeys come first and end with a backslash; both are sorted by name.\n",
     {{"KEY", OPERAND_KEY, false}},
     list_switches,
     true,
     cmd_list,
     SECTION_READ,
     false,
     false},
    {"tree",
     "draw the keys below a key",
     "Symbolic links are shown with what they point to, and not followed.\n",
     {{"KEY", OPERAND_KEY, false}},
     tree_switches,
     true,
     cmd_tree,
     SECTION_READ,
     false,
     false},
    {"find",
     "search for a text in names and data",
     "KEY and all below it is searched, else the whole store. Data is compared as query prints "
     "it.\n"
     "Two of --keys, --names and --data search in both. Without a match the exit status is 1.\n",
     {{"TEXT", OPERAND_WORD, false}, {"KEY", OPERAND_KEY, true}},
     find_switches,
     true,
     cmd_find,
     SECTION_READ,
     false,
     false},
    {"add",
     "make a key, set a value",
     "Without /v the default value is set. A value that exists is overwritten after a question, "
     "or\n"
     "with /f. --append and --remove never ask, and change nothing where nothing is to be done.\n",
     {{"KEY", OPERAND_KEY, false}},
     add_switches,
     false,
     cmd_add,
     SECTION_CHANGE,
     true,
     true},
    {"edit",
     "edit a value, or those of a key, in an editor",
     "The editor is $VISUAL, else $EDITOR, else vi. The strings of a REG_MULTI_SZ stand one a "
     "line,\n"
     "bytes in hexadecimal digits. Without /v the values of the key are a .reg text. A text that "
     "is unchanged or empty writes nothing.\n",
     {{"KEY", OPERAND_KEY, false}},
     edit_switches,
     false,
     cmd_edit,
     SECTION_CHANGE,
     false,
     true},
    {"delete",
     "delete a key with everything below it, or values",
     "A key that is a symbolic link is deleted itself; what it points to stays.\n",
     {{"KEY", OPERAND_KEY, false}},
     delete_switches,
     false,
     cmd_delete,
     SECTION_CHANGE,
     true,
     true},
    {"set",
     "set one value, for scripts",
     "The key is made if it is not there; a value that exists is overwritten without a question "
     "and\n"
     "keeps its type. The default value's name is \"\". Data that begins with / or - and could be\n"
     "a switch stands after --.\n",
     {{"KEY", OPERAND_KEY, false}, {"NAME", OPERAND_VALUE, false}, {"DATA", OPERAND_DATA, false}},
     set_switches,
     true,
     cmd_set,
     SECTION_CHANGE,
     false,
     true},
    {"rename",
     "give a key, or a value of it, another name",
     "A key keeps its place below the same parent. A value becomes the last one of its key.\n",
     {{"KEY", OPERAND_KEY, false}, {"NEW", OPERAND_WORD, false}},
     rename_switches,
     true,
     cmd_rename,
     SECTION_CHANGE,
     false,
     true},
    {"copy",
     "copy a key's values to another key",
     "The copy merges: what KEY2 has and KEY1 has not stays. Values that exist are overwritten "
     "after\n"
     "a question, or with /f. With /s links are copied as links.\n",
     {{"KEY1", OPERAND_KEY, false}, {"KEY2", OPERAND_KEY, false}},
     copy_switches,
     false,
     cmd_copy,
     SECTION_CHANGE,
     true,
     true},
    {"compare",
     "compare the values of two keys",
     "Lines begin with < for KEY1, > for KEY2 and = for both. Exits with 0 if the keys are "
     "identical,\n"
     "2 if they are different, 1 if the comparison failed.\n",
     {{"KEY1", OPERAND_KEY, false}, {"KEY2", OPERAND_KEY, false}},
     compare_switches,
     true,
     cmd_compare,
     SECTION_READ,
     true,
     false},
    {"diff",
     "show what is different between two keys or files",
     "A and B are keys, with everything below them, or files of any format. Lines begin with - "
     "for\n"
     "what A alone has, + for what B alone has, ~ for what is another. Exits with 0 if nothing is\n"
     "different, 2 if something is, 1 if it failed.\n",
     {{"A", OPERAND_EITHER, false}, {"B", OPERAND_EITHER, false}},
     diff_switches,
     true,
     cmd_diff,
     SECTION_READ,
     false,
     false},
    {"undo",
     "take revisions back",
     "REV is a revision, or A..B for several. What they changed becomes what it was, as a new\n"
     "revision. If something was changed since, nothing is done and 1 is the exit status, unless\n"
     "--force or --skip says otherwise.\n",
     {{"REV", OPERAND_REVISION, true}},
     undo_switches,
     true,
     cmd_undo,
     SECTION_CHANGE,
     false,
     true},
    {"redo", "take the latest undo back", "An undo that was taken back is not looked at again.\n",
     NO_OPERANDS, redo_switches, true, cmd_redo, SECTION_CHANGE, false, true},
    {"confirm", "keep a change that was made with --confirm",
     "Without it the change is taken back when its time is over. \"status\" shows what waits.\n",
     NO_OPERANDS, no_switches, true, cmd_confirm, SECTION_CHANGE, false, false},
    {"import",
     "read a dump into the store",
     "The file's format is recognised; \"-\" is standard input. KEY says where a dump is put that\n"
     "does not say so itself. What is not in the dump stays. All of it is imported, or nothing.\n",
     {{"FILE", OPERAND_FILE, false}, {"KEY", OPERAND_KEY, true}},
     import_switches,
     true,
     cmd_import,
     SECTION_FILES,
     true,
     true},
    {"export",
     "write a key and everything below it to a file",
     "\"-\" is standard output. A file that exists is replaced after a question, or with /y.\n",
     {{"KEY", OPERAND_KEY, false}, {"FILE", OPERAND_FILE, false}},
     export_switches,
     false,
     cmd_export,
     SECTION_FILES,
     true,
     false},
    {"save",
     "write a key and everything below it to a hive",
     "A hive is a file as Windows keeps it; \"-\" is standard output. A file that exists is "
     "replaced\nafter a question, or with /y.\n",
     {{"KEY", OPERAND_KEY, false}, {"FILE", OPERAND_FILE, false}},
     save_switches,
     false,
     cmd_save,
     SECTION_FILES,
     true,
     false},
    {"restore",
     "give a key the content of a hive or a dump",
     "What is not in the file is deleted. It never asks. KEY is made if it is not there; a root "
     "and a\nsymbolic link are refused.\n",
     {{"KEY", OPERAND_KEY, false}, {"FILE", OPERAND_FILE, false}},
     restore_switches,
     false,
     cmd_restore,
     SECTION_FILES,
     true,
     true},
    {"load",
     "put a hive below HKLM or HKU, or list those that are",
     "KEY is one name below HKLM or HKU, and must not exist. Its file is remembered, so that "
     "unload\n"
     "can write it back. Without KEY and FILE, the hives that are loaded are listed.\n",
     {{"KEY", OPERAND_KEY, true}, {"FILE", OPERAND_FILE, true}},
     load_switches,
     true,
     cmd_load,
     SECTION_FILES,
     true,
     true},
    {"unload",
     "take a hive out of the store",
     "Its file stays as it was, unless --write says otherwise.\n",
     {{"KEY", OPERAND_KEY, false}},
     unload_switches,
     false,
     cmd_unload,
     SECTION_FILES,
     true,
     true},
    {"watch",
     "show each change as it is made",
     "KEY need not exist yet. CMD is run by /bin/sh; its environment has REGSTORE_REVISION and\n"
     "REGSTORE_KEY, its standard input the changes as JSON Lines.\n",
     {{"KEY", OPERAND_KEY, false}},
     watch_switches,
     true,
     cmd_watch,
     SECTION_READ,
     false,
     false},
    {"log",
     "list the revisions, the newest first",
     "Each has a line: its number, time, user and program, what it changed, and why. With KEY, "
     "those\n"
     "that changed it or anything below it. A MOMENT is a revision (12; -1 is the latest) or a "
     "time\n"
     "(2026-11-21, \"2026-11-21 10:00\", 2026-11-21T10:00:00Z, -2h).\n",
     {{"KEY", OPERAND_KEY, true}},
     log_switches,
     true,
     cmd_log,
     SECTION_READ,
     false,
     false},
    {"show",
     "show what a revision changed",
     "REV is a number, or -1 for the latest, which is usual, -2 for the one before it, and so on.\n"
     "Lines are those of diff: what was before on the left side, what came after on the right.\n",
     {{"REV", OPERAND_REVISION, true}},
     no_switches,
     true,
     cmd_show,
     SECTION_READ,
     false,
     false},
    {"shell",
     "walk about in the store",
     "Begins at KEY, else above the roots. Commands are the verbs of regtool, cd, ls, cat, pwd "
     "and\n"
     "exit; keys may be relative. Standard input that is no terminal is a script.\n",
     {{"KEY", OPERAND_KEY, true}},
     shell_switches,
     false,
     cmd_shell,
     SECTION_READ,
     false,
     false},
    {"services", "show the services, how far they are and what they say",
     "One whose process died without an end is gone. LAG is the revisions that it has not "
     "passed.\n",
     NO_OPERANDS, services_switches, true, cmd_services, SECTION_STORE, false, false},
    {"net",
     "start and stop services as NET does, redirect LPT ports",
     "WHAT is start, stop, config, use or help. start without SERVICE lists the services that are "
     "started.\n"
     "config shows what the store and its rules make of the settings. A service that is stopped "
     "follows\n"
     "its settings; where systemd runs its unit, that is stopped, too. use redirects the port that "
     "stands\n"
     "for SERVICE to the print share that follows it; without them it lists what is redirected. "
     "Exits\n"
     "with 2 for what NET refuses: a service cannot be started or stopped, or is so already; a "
     "port "
     "is\n"
     "in use, or a share is none.\n",
     {{"WHAT", OPERAND_NET, true},
      {"SERVICE", OPERAND_SERVICE, true},
      {"SHARE", OPERAND_WORD, true}},
     net_switches,
     true,
     cmd_net,
     SECTION_STORE,
     false,
     true},
    {"status", "show the store, its readers and its watchers", "", NO_OPERANDS, no_switches, true,
     cmd_status, SECTION_STORE, false, false},
    {"check",
     "look for values that the rules do not allow, or for damage",
     "All values of KEY and below it are judged; without KEY those of the whole store. A value "
     "that\n"
     "no rule knows, beside others, is listed if its name is nearly one that a rule knows. With "
     "--store\n"
     "it is the store's directory that is looked at, which may be named behind it. Exits with 1 "
     "if\n"
     "anything is wrong or damaged. Other bytes inside a value cannot be noticed.\n",
     {{"KEY", OPERAND_EITHER, true}},
     check_switches,
     true,
     cmd_check,
     SECTION_STORE,
     false,
     false},
    {"backup",
     "copy the store to a file while it is used",
     "\"-\" is standard output. The copy is the store as it is at one moment, complete or not made "
     "at\n"
     "all. A file that exists is replaced after a question, or with /y.\n",
     {{"FILE", OPERAND_FILE, false}},
     backup_switches,
     false,
     cmd_backup,
     SECTION_STORE,
     false,
     false},
    {"restore-store",
     "put a backup in the place of the store",
     "FILE is checked first. All that the store holds is replaced, after a question, or with /y.\n"
     "Where there is no store, one is made.\n"
     "Services that have the store open notice, and open it again.\n",
     {{"FILE", OPERAND_FILE, false}},
     restore_store_switches,
     false,
     cmd_restore_store,
     SECTION_STORE,
     false,
     false},
    {"compact", "make the store's file as small as what it holds",
     "Services that have the store open notice, and open it again.\n", NO_OPERANDS, no_switches,
     false, cmd_compact, SECTION_STORE, false, false},
    {"mode",
     "show and set what LPT ports are rerouted to, and COM ports",
     "DEVICE is LPT1: to LPT9: or COM1: to COM9:, whose status is shown; without it that of all "
     "is.\n"
     "LPT1:=TARGET reroutes: to COM1:, a share, a file, a |command, socket://HOST, "
     "lpd://HOST/QUEUE "
     "or\n"
     "one of our printers; LPT1:=LPT1: ends it. COM1:=/dev/ttyS0 says which line COM1: is, and\n"
     "COM1:9600,n,8,1 or COM1: baud=9600 parity=n data=8 stop=1 sets it.\n",
     {{"DEVICE", OPERAND_DEVICE, true}, {"PARAMETER", OPERAND_PARAMETER, true}},
     mode_switches,
     true,
     cmd_mode,
     SECTION_PORTS,
     false,
     true},
    {"lpt",
     "print to an LPT port, wherever it is rerouted to",
     "WHAT is write. DEVICE is LPT1 to LPT9; without FILE, standard input is printed. The exit "
     "status\n"
     "is that of regstore-deliver: 0 if all of it was printed, 1 if nothing was, 3 if a part may "
     "have\n"
     "been.\n",
     {{"WHAT", OPERAND_LPT, false}, {"DEVICE", OPERAND_PORT, false}, {"FILE", OPERAND_FILE, true}},
     no_switches,
     false,
     cmd_lpt,
     SECTION_PORTS,
     false,
     false},
    {"help",
     "show what commands there are, or how one is used",
     "",
     {{"VERB", OPERAND_VERB, true}},
     no_switches,
     false,
     cmd_help,
     SECTION_HELP,
     false,
     false},
    {"completion",
     "print what makes a shell complete regtool's command lines",
     "SHELL is bash or zsh. What is printed is read by the shell: with source <(regtool "
     "completion\n"
     "SHELL), or from where the shell looks for completions.\n",
     {{"SHELL", OPERAND_SHELL, false}},
     no_switches,
     false,
     cmd_completion,
     SECTION_HELP,
     false,
     false},
    {"version", "show the version", "", NO_OPERANDS, no_switches, false, cmd_version, SECTION_HELP,
     false, false},
    {.verb = NULL},
};

const char *const *command_words(enum operand_kind kind, const char *first)
{
    static const char *const shells[] = {"bash", "zsh", NULL};
    static const char *const net[] = {"config", "help", "start", "stop", "use", NULL};
    static const char *const services[] = {"lpdsvc", "server", "spooler", NULL};
    static const char *const devices[] = {
        "LPT1:", "LPT2:", "LPT3:", "LPT4:", "LPT5:", "LPT6:", "LPT7:", "LPT8:", "LPT9:", "COM1:",
        "COM2:", "COM3:", "COM4:", "COM5:", "COM6:", "COM7:", "COM8:", "COM9:", NULL};
    static const char *const ports[] = {"LPT1", "LPT2", "LPT3", "LPT4", "LPT5",
                                        "LPT6", "LPT7", "LPT8", "LPT9", NULL};
    static const char *const lpt[] = {"write", NULL};

    switch (kind) {
    case OPERAND_SHELL:
        return shells;
    case OPERAND_NET:
        return net;
    case OPERAND_SERVICE: /* net uses a port in its place */
        return first != NULL && strcasecmp(first, "use") == 0 ? ports : services;
    case OPERAND_DEVICE:
        return devices;
    case OPERAND_PORT:
        return ports;
    case OPERAND_LPT:
        return lpt;
    default:
        return NULL;
    }
}

const struct operand_row *command_operand(const struct command *command, size_t number)
{
    const struct operand_row *rows = command->operands;
    size_t last = 0;

    while (last < number && rows[last].name != NULL) {
        last++;
    }
    if (last == number && rows[last].name != NULL) {
        return rows + last;
    }
    return last > 0 && rows[last - 1].kind == OPERAND_PARAMETER && number < MAX_OPERANDS - 1
               ? rows + last - 1
               : NULL;
}

const struct command *command_find(const char *verb)
{
    for (const struct command *command = commands; command->verb != NULL; command++) {
        if (strcasecmp(command->verb, verb) == 0) {
            return command;
        }
    }
    return NULL;
}

const char *command_nearest(const char *word)
{
    struct nearest nearest;
    nearest_begin(&nearest, word);
    for (const struct command *command = commands; command->verb != NULL; command++) {
        nearest_offer(&nearest, command->verb);
    }
    return nearest.best;
}

/* The switches of each command. */
#include "switches.h"

#include <string.h>

/* Rows that several commands share. */
#define ROW_END                                                                                    \
    {                                                                                              \
        .help = NULL                                                                               \
    }
#define ROW_VALUE                                                                                  \
    {                                                                                              \
        SWITCH_VALUE, "v", "value", "NAME", "the value of this name", GROUP_WHICH_VALUE, false     \
    }
#define ROW_DEFAULT                                                                                \
    {                                                                                              \
        SWITCH_DEFAULT, "ve", "default", NULL, "the default value", GROUP_WHICH_VALUE, false       \
    }
#define ROW_FORCE                                                                                  \
    {                                                                                              \
        SWITCH_FORCE, "f", "yes", NULL, "do not ask", GROUP_NONE, false                            \
    }
#define ROW_YES                                                                                    \
    {                                                                                              \
        SWITCH_YES, "y", "yes", NULL, "do not ask before a file is replaced", GROUP_NONE, false    \
    }
#define ROWS_VIEW                                                                                  \
    {SWITCH_VIEW_64, "reg:64", NULL, NULL, "the 64-bit view: the store as it is",                  \
     GROUP_VIEW,     false},                                                                       \
    {                                                                                              \
        SWITCH_VIEW_32, "reg:32", NULL, NULL, "the 32-bit view: WOW6432Node", GROUP_VIEW, false    \
    }

#define ROW_AT                                                                                     \
    {                                                                                              \
        SWITCH_PAST, NULL, "at", "MOMENT", "as it was after a revision, or at a time", GROUP_NONE, \
            false                                                                                  \
    }
#define ROWS_CONFLICTS                                                                             \
    {SWITCH_FORCE,    "f",  "force", NULL, "take back what was changed since, too",                \
     GROUP_CONFLICTS, false},                                                                      \
    {                                                                                              \
        SWITCH_SKIP, NULL, "skip", NULL, "leave out what was changed since", GROUP_CONFLICTS,      \
            false                                                                                  \
    }

const struct switch_row global_switches[] = {
    {SWITCH_STORE, NULL, "store", "DIR", "the directory of the store", GROUP_NONE, false},
    {SWITCH_JSON, NULL, "json", NULL, "print JSON Lines", GROUP_NONE, false},
    {SWITCH_HELP, "?", "help", NULL, "show how the command is used", GROUP_NONE, false},
    {SWITCH_HELP, "h", NULL, NULL, "the same", GROUP_NONE, false},
    {SWITCH_VERSION, NULL, "version", NULL, "show the version", GROUP_NONE, false},
    ROW_END,
};

const struct switch_row change_switches[] = {
    {SWITCH_MESSAGE, NULL, "message", "TEXT", "record why, for log and show", GROUP_NONE, false},
    {SWITCH_CONFIRM, NULL, "confirm", "SECONDS", "take it back unless it is confirmed by then",
     GROUP_NONE, false},
    {SWITCH_FORCE_RULES, NULL, "force", NULL, "store what the rules do not allow, too", GROUP_NONE,
     false},
    {SWITCH_WAIT, NULL, "wait", "[=SECONDS]", "wait for what services say of it (10)", GROUP_NONE,
     false},
    {SWITCH_OR_UNDO, NULL, "or-undo", NULL, "take back what one rejects; with --wait", GROUP_NONE,
     false},
    ROW_END,
};

bool switch_is_hidden(const struct command *command, const struct switch_row *row)
{
    if (command == NULL || row->letters != NULL) {
        return false;
    }
    for (const struct switch_row *own = command->switches; own->help != NULL; own++) {
        if (own != row && own->name != NULL && strcmp(own->name, row->name) == 0) {
            return true;
        }
    }
    return false;
}

const struct switch_row no_switches[] = {ROW_END};

const struct switch_row query_switches[] = {
    ROW_VALUE,
    ROW_DEFAULT,
    {SWITCH_RECURSIVE, "s", "recursive", NULL, "the keys below, too", GROUP_NONE, false},
    {SWITCH_SEPARATOR, "se", "separator", "SEP",
     "the character between the strings of a REG_MULTI_SZ (\\0)", GROUP_NONE, false},
    {SWITCH_TYPE, "t", "type", "TYPE", "only values of this type", GROUP_NONE, false},
    {SWITCH_NUMBERS, "z", "numbers", NULL, "the number of each type, too", GROUP_NONE, false},
    {SWITCH_SEARCH, "f", "find", "TEXT", "search for this text; * and ? are wildcards", GROUP_NONE,
     false},
    {SWITCH_SEARCH_KEYS, "k", "find-keys", NULL, "only in the names of keys", GROUP_NONE, false},
    {SWITCH_SEARCH_DATA, "d", "find-data", NULL, "only in data", GROUP_NONE, false},
    {SWITCH_SEARCH_CASE, "c", "find-case", NULL, "case counts", GROUP_NONE, false},
    {SWITCH_SEARCH_EXACT, "e", "find-exact", NULL, "TEXT is all of it, not a part", GROUP_NONE,
     false},
    ROW_AT,
    ROWS_VIEW,
    ROW_END,
};

const struct switch_row find_switches[] = {
    {SWITCH_SEARCH_KEYS, NULL, "keys", NULL, "only in the names of keys", GROUP_NONE, false},
    {SWITCH_SEARCH_NAMES, NULL, "names", NULL, "only in the names of values", GROUP_NONE, false},
    {SWITCH_SEARCH_DATA, NULL, "data", NULL, "only in data", GROUP_NONE, false},
    {SWITCH_REGEX, NULL, "regex", NULL, "TEXT is an extended regular expression", GROUP_NONE,
     false},
    {SWITCH_SEARCH_CASE, NULL, "case", NULL, "case counts", GROUP_NONE, false},
    ROW_AT,
    ROWS_VIEW,
    ROW_END,
};

const struct switch_row add_switches[] = {
    ROW_VALUE,
    ROW_DEFAULT,
    {SWITCH_TYPE, "t", "type", "TYPE", "its type (REG_SZ)", GROUP_NONE, false},
    {SWITCH_SEPARATOR, "s", "separator", "SEP",
     "the character between the strings of a REG_MULTI_SZ (\\0)", GROUP_NONE, false},
    {SWITCH_DATA, "d", "data", "DATA", "its data", GROUP_CONTENT, false},
    {SWITCH_APPEND, NULL, "append", "TEXT", "add a string to a REG_MULTI_SZ, keep all others",
     GROUP_CONTENT, false},
    {SWITCH_REMOVE, NULL, "remove", "TEXT", "take a string out of a REG_MULTI_SZ, keep all others",
     GROUP_CONTENT, false},
    ROW_FORCE,
    ROWS_VIEW,
    ROW_END,
};

const struct switch_row edit_switches[] = {
    ROW_VALUE,
    ROW_DEFAULT,
    {SWITCH_TYPE, "t", "type", "TYPE", "the type of a value that is not set yet (REG_SZ)",
     GROUP_NONE, false},
    ROWS_VIEW,
    ROW_END,
};

const struct switch_row shell_switches[] = {
    {SWITCH_STOP, "e", "stop", NULL, "stop at the first command that fails", GROUP_NONE, false},
    ROW_END,
};

const struct switch_row delete_switches[] = {
    ROW_VALUE,
    ROW_DEFAULT,
    {SWITCH_ALL, "va", "all", NULL, "all values of the key, which stays", GROUP_WHICH_VALUE, false},
    ROW_FORCE,
    ROWS_VIEW,
    ROW_END,
};

const struct switch_row get_switches[] = {
    {SWITCH_RAW, NULL, "raw", NULL, "the bytes as they are stored, and no line end", GROUP_CONTENT,
     false},
    {SWITCH_TYPE, NULL, "type", NULL, "the type instead of the data", GROUP_CONTENT, false},
    {SWITCH_FALLBACK, NULL, "default", "TEXT", "print this where the value is not set", GROUP_NONE,
     false},
    ROW_AT,
    ROWS_VIEW,
    ROW_END,
};

const struct switch_row describe_switches[] = {
    ROW_VALUE,
    ROW_DEFAULT,
    ROWS_VIEW,
    ROW_END,
};

const struct switch_row list_switches[] = {
    {SWITCH_LONG, "l", "long", NULL, "types and data, times and counts, too", GROUP_NONE, false},
    ROW_AT,
    ROWS_VIEW,
    ROW_END,
};

const struct switch_row tree_switches[] = {
    {SWITCH_DEPTH, NULL, "depth", "N", "only so many levels below KEY", GROUP_NONE, false},
    {SWITCH_VALUES, NULL, "values", NULL, "the values, too", GROUP_NONE, false},
    ROW_AT,
    ROWS_VIEW,
    ROW_END,
};

const struct switch_row set_switches[] = {
    {SWITCH_TYPE, "t", "type", "TYPE", "its type (that of the value as it is, or of its rule)",
     GROUP_NONE, false},
    {SWITCH_SEPARATOR, "s", "separator", "SEP",
     "the character between the strings of a REG_MULTI_SZ (\\0)", GROUP_NONE, false},
    ROWS_VIEW,
    ROW_END,
};

const struct switch_row rename_switches[] = {
    {SWITCH_VALUE, "v", "value", "OLD", "the value of this name instead of the key",
     GROUP_WHICH_VALUE, false},
    ROWS_VIEW,
    ROW_END,
};

const struct switch_row copy_switches[] = {
    {SWITCH_RECURSIVE, "s", "recursive", NULL, "the keys below, too", GROUP_NONE, false},
    ROW_FORCE,
    ROWS_VIEW,
    ROW_END,
};

const struct switch_row compare_switches[] = {
    ROW_VALUE,
    ROW_DEFAULT,
    {SWITCH_SHOW_ALL, "oa", "show-all", NULL, "show what differs and what is the same", GROUP_SHOWN,
     false},
    {SWITCH_SHOW_DIFFERENT, "od", "show-different", NULL, "show what differs (that is usual)",
     GROUP_SHOWN, false},
    {SWITCH_SHOW_SAME, "os", "show-same", NULL, "show what is the same", GROUP_SHOWN, false},
    {SWITCH_SHOW_NOTHING, "on", "show-nothing", NULL, "show only the result", GROUP_SHOWN, false},
    {SWITCH_RECURSIVE, "s", "recursive", NULL, "the keys below, too", GROUP_NONE, false},
    ROWS_VIEW,
    ROW_END,
};

const struct switch_row diff_switches[] = {
    {SWITCH_PATCH, NULL, "reg", NULL, "as a .reg file that makes A into B", GROUP_NONE, false},
    {SWITCH_UTF8, NULL, "utf8", NULL, "that file in UTF-8 instead of UTF-16", GROUP_NONE, false},
    {SWITCH_AT, NULL, "at", "KEY", "where a file belongs that does not say so itself", GROUP_NONE,
     false},
    {SWITCH_REVISIONS, NULL, "rev", "M..N", "one key, as it was at two moments", GROUP_NONE, false},
    ROWS_VIEW,
    ROW_END,
};

const struct switch_row import_switches[] = {
    {SWITCH_PLAN, NULL, "plan", NULL, "show what would change, and change nothing", GROUP_NONE,
     false},
    {SWITCH_KEEP, NULL, "keep", NULL, "never overwrite a value that is set", GROUP_NONE, false},
    {SWITCH_VERBOSE, NULL, "verbose", NULL, "list everything that the dump had lost", GROUP_NONE,
     false},
    {SWITCH_YES, "y", "yes", NULL, "accepted for scripts: import never asks", GROUP_NONE, false},
    ROWS_VIEW,
    ROW_END,
};

const struct switch_row export_switches[] = {
    ROW_YES,
    {SWITCH_UTF8, NULL, "utf8", NULL, "a .reg file in UTF-8 that holds every byte", GROUP_CONTENT,
     false},
    {SWITCH_VERBOSE, NULL, "verbose", NULL, "list everything that is not in the file", GROUP_NONE,
     false},
    {SWITCH_FORMAT, NULL, "format", "FORMAT", "xml, reg, regf; else FILE's ending decides",
     GROUP_CONTENT, false},
    ROW_AT,
    ROWS_VIEW,
    ROW_END,
};

const struct switch_row save_switches[] = {
    ROW_YES,
    ROWS_VIEW,
    ROW_END,
};

const struct switch_row restore_switches[] = {
    {SWITCH_VERBOSE, NULL, "verbose", NULL, "list everything that the file had lost", GROUP_NONE,
     false},
    ROWS_VIEW,
    ROW_END,
};

const struct switch_row load_switches[] = {
    ROWS_VIEW,
    ROW_END,
};

const struct switch_row unload_switches[] = {
    {SWITCH_WRITE, NULL, "write", NULL, "write the key back to its file first", GROUP_NONE, false},
    ROWS_VIEW,
    ROW_END,
};

const struct switch_row watch_switches[] = {
    {SWITCH_RECURSIVE, "s", "recursive", NULL, "the keys below, too", GROUP_NONE, false},
    {SWITCH_ONCE, NULL, "once", NULL, "end after the first revision", GROUP_NONE, false},
    {SWITCH_EXEC, NULL, "exec", "CMD", "run a shell command for each revision", GROUP_NONE, false},
    {SWITCH_SINCE, NULL, "since", "REV", "begin with the changes after this revision", GROUP_NONE,
     false},
    ROW_END,
};

/* After the verb it says what is checked; in front of the verb --store names the directory. */
const struct switch_row check_switches[] = {
    {SWITCH_CHECK_STORE, NULL, "store", NULL, "read the whole store and report what is damaged",
     GROUP_CONTENT, false},
    {SWITCH_UNKNOWN, NULL, "unknown", NULL, "list all values that no rule knows beside ruled ones",
     GROUP_CONTENT, false},
    ROW_END,
};

const struct switch_row services_switches[] = {
    {SWITCH_FORGET, NULL, "forget", "NAME", "remove what is kept of one that will not come back",
     GROUP_NONE, false},
    ROW_END,
};

const struct switch_row log_switches[] = {
    {SWITCH_SINCE, NULL, "since", "MOMENT", "only what came after a revision, or since a time",
     GROUP_NONE, false},
    {SWITCH_VALUE, "v", "value", "NAME", "only what changed this value of KEY", GROUP_NONE, false},
    {SWITCH_BY, NULL, "by", "USER", "only what this user did", GROUP_NONE, false},
    ROWS_VIEW,
    ROW_END,
};

const struct switch_row net_switches[] = {
    {SWITCH_PERSISTENT, "persistent:yes", NULL, NULL, "use: also after the machine starts again",
     GROUP_PERSISTENT, false},
    {SWITCH_TRANSIENT, "persistent:no", NULL, NULL, "use: until the machine starts again",
     GROUP_PERSISTENT, false},
    {SWITCH_CREDENTIALS, NULL, "credentials", "FILE", "use: who has user and password", GROUP_NONE,
     false},
    {SWITCH_END_USE, "delete", "delete", NULL, "use: end it; of *, all", GROUP_NONE, false},
    {SWITCH_END_USE, "d", NULL, NULL, "the same", GROUP_NONE, false},
    {SWITCH_YES, "y", "yes", NULL, "use: do not ask before all are ended", GROUP_NONE, false},
    ROW_END,
};

const struct switch_row mode_switches[] = {
    {SWITCH_STATUS, "status", "status", NULL, "show the status, as without", GROUP_NONE, false},
    {SWITCH_STATUS, "sta", NULL, NULL, "the same", GROUP_NONE, false},
    ROW_END,
};

const struct switch_row undo_switches[] = {
    {SWITCH_LAST, NULL, "last", NULL, "the latest revision that is not taken back yet", GROUP_NONE,
     false},
    ROWS_CONFLICTS,
    ROW_END,
};

const struct switch_row redo_switches[] = {ROWS_CONFLICTS, ROW_END};

const struct switch_row backup_switches[] = {ROW_YES, ROW_END};

const struct switch_row restore_store_switches[] = {
    {SWITCH_YES, "y", "yes", NULL, "do not ask before the store is replaced", GROUP_NONE, false},
    ROW_END,
};

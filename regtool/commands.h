/*
 * The table of commands. It needs the functions in cmd_*.c; it gives everything that is known about
 * a command before it runs: the parser of arguments, the help texts and the suggestions all read
 * this table, and a test compares the man page with it.
 *
 * How to add a command:
 *
 *  1. Write regtool/cmd_NAME.c with one function `int cmd_NAME(struct tool *, const struct
 *     arguments *)` that returns the exit status, 0, 1 for a failure, 2 for "something is
 *     different", and declare it below.
 *  2. Add its row to the table in commands.c, and its switches to switches.c. A switch that no
 *     other command has also needs a number in enum switch_id.
 *  3. List the file in SConscript, describe the command in its section of regtool.1, and add a
 *     folder to tests/cli.
 */
#ifndef REGTOOL_COMMANDS_H
#define REGTOOL_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

struct arguments;
struct tool;

enum switch_id {
    SWITCH_STORE,
    SWITCH_JSON,
    SWITCH_HELP,
    SWITCH_VERSION,
    SWITCH_VALUE,
    SWITCH_DEFAULT,
    SWITCH_ALL,
    SWITCH_TYPE,
    SWITCH_DATA,
    SWITCH_SEPARATOR,
    SWITCH_APPEND,
    SWITCH_REMOVE,
    SWITCH_FORCE,
    SWITCH_YES,
    SWITCH_RECURSIVE,
    SWITCH_NUMBERS,
    SWITCH_SEARCH,
    SWITCH_SEARCH_NAMES, /* of query: /v without a name */
    SWITCH_SEARCH_KEYS,
    SWITCH_SEARCH_DATA,
    SWITCH_SEARCH_CASE,
    SWITCH_SEARCH_EXACT,
    SWITCH_REGEX,
    SWITCH_VIEW_64,
    SWITCH_VIEW_32,
    SWITCH_KEEP,
    SWITCH_VERBOSE,
    SWITCH_FORMAT,
    SWITCH_UTF8,
    SWITCH_ONCE,
    SWITCH_EXEC,
    SWITCH_SINCE,
    SWITCH_CHECK_STORE,
    SWITCH_STOP,
    SWITCH_RAW,
    SWITCH_FALLBACK,
    SWITCH_LONG,
    SWITCH_DEPTH,
    SWITCH_VALUES,
    SWITCH_WRITE,
    SWITCH_SHOW_ALL,
    SWITCH_SHOW_DIFFERENT,
    SWITCH_SHOW_SAME,
    SWITCH_SHOW_NOTHING,
    SWITCH_PATCH,
    SWITCH_AT,
    SWITCH_PLAN,
    SWITCH_MESSAGE,
    SWITCH_WAIT,
    SWITCH_OR_UNDO,
    SWITCH_PAST,
    SWITCH_REVISIONS,
    SWITCH_BY,
    SWITCH_LAST,
    SWITCH_SKIP,
    SWITCH_FORCE_RULES,
    SWITCH_CONFIRM,
    SWITCH_FORGET,
    SWITCH_UNKNOWN,
    SWITCH_STATUS,
    SWITCH_PERSISTENT, /* of net use: /persistent:yes */
    SWITCH_TRANSIENT,  /* and /persistent:no */
    SWITCH_CREDENTIALS,
    SWITCH_END_USE,
    SWITCH_COUNT
};

/* Of the switches in one group a command line may hold one. */
enum switch_group {
    GROUP_NONE,
    GROUP_WHICH_VALUE,
    GROUP_CONTENT,
    GROUP_VIEW,
    GROUP_SHOWN,
    GROUP_CONFLICTS,
    GROUP_PERSISTENT,
    GROUP_COUNT
};

struct switch_row {
    enum switch_id id;
    const char *letters; /* "ve" is given as /ve or -ve, in any case; NULL: it has none */
    const char *name;    /* "default" is given as --default; NULL: it has none */
    /* What its argument is called; NULL: it takes none. "[=S]": it may follow a '=', and no other
     * word is taken. */
    const char *argument;
    const char *help; /* one line */
    enum switch_group group;
    bool later; /* part of reg.exe's grammar, not available yet */
};

/* Whether the word after the switch is its argument. */
static inline bool switch_takes_word(const struct switch_row *row)
{
    return row->argument != NULL && row->argument[0] != '[';
}

/* What an operand is: where a word that begins with '/' or '-' is no switch (arguments.h), and what
 * completion offers. */
enum operand_kind {
    OPERAND_KEY,
    OPERAND_FILE,
    OPERAND_EITHER, /* a key if it begins with a root, else a file; a relative key in the shell */
    OPERAND_VALUE,  /* the name of a value of the key before it */
    OPERAND_DATA,
    OPERAND_REVISION, /* or a range of them; -1 is one, too */
    OPERAND_VERB,
    OPERAND_SHELL,     /* that completion is for */
    OPERAND_NET,       /* what net is to do */
    OPERAND_SERVICE,   /* as NET calls it; or a device, for net use */
    OPERAND_DEVICE,    /* that mode knows, with a colon, and what may follow it */
    OPERAND_LPT,       /* what lpt is to do */
    OPERAND_PORT,      /* an LPT port */
    OPERAND_PARAMETER, /* the last one, which may be given several times */
    OPERAND_WORD
};

/* Where help lists a command. */
enum command_section {
    SECTION_READ,
    SECTION_CHANGE,
    SECTION_FILES,
    SECTION_STORE,
    SECTION_PORTS,
    SECTION_HELP,
    SECTION_COUNT
};

#define MAX_OPERANDS 7
struct operand_row {
    const char *name; /* NULL: there are no more */
    enum operand_kind kind;
    bool optional;
};

struct command {
    const char *verb;
    const char *summary; /* one line, a verb first */
    const char *about;   /* what help adds to the summary: lines, or "" */
    struct operand_row operands[MAX_OPERANDS + 1];
    const struct switch_row *switches; /* ends with a row without help */
    bool json;                         /* has output of its own for --json */
    int (*run)(struct tool *tool, const struct arguments *arguments);
    enum command_section section;
    bool reg;    /* reg.exe has it, too: short switches come after the operands */
    bool writes; /* makes a revision, and takes change_switches */
};

/* All commands, in the order of the help within each section; ends with a row without verb. */
extern const struct command commands[];
/* The switches that every command takes, and that may stand before it. */
extern const struct switch_row global_switches[];
/* Those that every command takes that makes a revision: what they ask for is in struct change. */
extern const struct switch_row change_switches[];

/* Whether a switch of every change is another one for this command, which has one of that name:
 * undo's --force is about conflicts. command may be NULL. */
bool switch_is_hidden(const struct command *command, const struct switch_row *row);

/* The words that an operand of this kind is one of, where they are few; ends with NULL. NULL: it
 * may be any word. first is the command's first operand; NULL: it is the one that is asked about.
 */
const char *const *command_words(enum operand_kind kind, const char *first);

/* The row of the operand with that number, from 0 on; NULL: the command takes no so many. */
const struct operand_row *command_operand(const struct command *command, size_t number);

/* The command of that name in any case; NULL if there is none. */
const struct command *command_find(const char *verb);
/* The verb that looks most like word; NULL if none does. */
const char *command_nearest(const char *word);

int cmd_init(struct tool *tool, const struct arguments *arguments);
int cmd_get(struct tool *tool, const struct arguments *arguments);
int cmd_list(struct tool *tool, const struct arguments *arguments);
int cmd_tree(struct tool *tool, const struct arguments *arguments);
int cmd_set(struct tool *tool, const struct arguments *arguments);
int cmd_describe(struct tool *tool, const struct arguments *arguments);
int cmd_why(struct tool *tool, const struct arguments *arguments);
int cmd_rename(struct tool *tool, const struct arguments *arguments);
int cmd_find(struct tool *tool, const struct arguments *arguments);
int cmd_completion(struct tool *tool, const struct arguments *arguments);
int cmd_query(struct tool *tool, const struct arguments *arguments);
int cmd_add(struct tool *tool, const struct arguments *arguments);
int cmd_edit(struct tool *tool, const struct arguments *arguments);
int cmd_shell(struct tool *tool, const struct arguments *arguments);
int cmd_delete(struct tool *tool, const struct arguments *arguments);
int cmd_import(struct tool *tool, const struct arguments *arguments);
int cmd_export(struct tool *tool, const struct arguments *arguments);
int cmd_save(struct tool *tool, const struct arguments *arguments);
int cmd_restore(struct tool *tool, const struct arguments *arguments);
int cmd_load(struct tool *tool, const struct arguments *arguments);
int cmd_unload(struct tool *tool, const struct arguments *arguments);
int cmd_watch(struct tool *tool, const struct arguments *arguments);
int cmd_services(struct tool *tool, const struct arguments *arguments);
int cmd_status(struct tool *tool, const struct arguments *arguments);
int cmd_check(struct tool *tool, const struct arguments *arguments);
int cmd_backup(struct tool *tool, const struct arguments *arguments);
int cmd_restore_store(struct tool *tool, const struct arguments *arguments);
int cmd_compact(struct tool *tool, const struct arguments *arguments);
int cmd_copy(struct tool *tool, const struct arguments *arguments);
int cmd_compare(struct tool *tool, const struct arguments *arguments);
int cmd_diff(struct tool *tool, const struct arguments *arguments);
int cmd_lpt(struct tool *tool, const struct arguments *arguments);
int cmd_mode(struct tool *tool, const struct arguments *arguments);
int cmd_log(struct tool *tool, const struct arguments *arguments);
int cmd_net(struct tool *tool, const struct arguments *arguments);
int cmd_show(struct tool *tool, const struct arguments *arguments);
int cmd_undo(struct tool *tool, const struct arguments *arguments);
int cmd_confirm(struct tool *tool, const struct arguments *arguments);
int cmd_redo(struct tool *tool, const struct arguments *arguments);
int cmd_help(struct tool *tool, const struct arguments *arguments);
int cmd_version(struct tool *tool, const struct arguments *arguments);

#endif

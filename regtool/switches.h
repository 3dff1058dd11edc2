/*
 * The switches of the commands, a table for each that the table of commands points to. It needs the
 * numbers in commands.h; it gives rows, ended by one without help.
 */
#ifndef REGTOOL_SWITCHES_H
#define REGTOOL_SWITCHES_H

#include "commands.h"

extern const struct switch_row no_switches[];
extern const struct switch_row query_switches[];
extern const struct switch_row find_switches[];
extern const struct switch_row add_switches[];
extern const struct switch_row edit_switches[];
extern const struct switch_row shell_switches[];
extern const struct switch_row delete_switches[];
extern const struct switch_row get_switches[];
extern const struct switch_row describe_switches[];
extern const struct switch_row list_switches[];
extern const struct switch_row tree_switches[];
extern const struct switch_row set_switches[];
extern const struct switch_row rename_switches[];
extern const struct switch_row copy_switches[];
extern const struct switch_row compare_switches[];
extern const struct switch_row diff_switches[];
extern const struct switch_row import_switches[];
extern const struct switch_row export_switches[];
extern const struct switch_row save_switches[];
extern const struct switch_row restore_switches[];
extern const struct switch_row load_switches[];
extern const struct switch_row unload_switches[];
extern const struct switch_row watch_switches[];
extern const struct switch_row check_switches[];
extern const struct switch_row log_switches[];
extern const struct switch_row services_switches[];
extern const struct switch_row net_switches[];
extern const struct switch_row mode_switches[];
extern const struct switch_row undo_switches[];
extern const struct switch_row redo_switches[];
extern const struct switch_row backup_switches[];
extern const struct switch_row restore_store_switches[];

#endif

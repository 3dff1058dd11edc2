/*
 * settings_text - settings in words, for log lines and for the table of --check.
 *
 * Needs settings and line. Everything is added to a line that the caller started.
 */
#ifndef SERVICE_SETTINGS_TEXT_H
#define SERVICE_SETTINGS_TEXT_H

#include "line.h"
#include "settings.h"

/* `36000 ms`, `"text"`, `["a", "b"]`, or `chosen by the service`. */
void settings_add_value(struct line *line, const struct setting *row,
                        const struct setting_value *value);
/* Why one value was refused: `X: 9 is given, the rule says 1 to 5 (Q161734)`. */
void settings_add_refusal(struct line *line, const struct setting *row,
                          const struct setting_value *value);
/* The refusals of all rows, joined by "; ". */
void settings_add_refusals(struct line *line, const struct settings *settings);
/* Why one value is not wise: `X: 9 is above "Y", which is 5: reason (Q161734)`. */
void settings_add_warning(struct line *line, const struct setting *row,
                          const struct setting_value *value);
/* Those of all rows that have one, joined by "; ". */
void settings_add_warnings(struct line *line, const struct settings *settings);
/* The rows that differ, joined by ", ": `X 1 -> 2 ms, Y 4 -> 8 (from the next start)`. Both were
 * loaded by the same table. Gives their number. */
size_t settings_add_changes(struct line *line, const struct settings *before,
                            const struct settings *after);
/* The names of the rows that are taken only at a start, are others than those of the start, and
 * differ from before. Gives the number of those that are others than at the start. */
size_t settings_add_waiting(struct line *line, const struct settings *started,
                            const struct settings *before, const struct settings *after);

#endif

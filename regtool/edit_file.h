/*
 * A text in a private file, and the editor that is run on it. It needs a text; it gives the text
 * that the editor left behind, as often as it can be edited again.
 *
 * The file is alone in a directory of its own that nobody else can look into (mkdtemp(3), below
 * $XDG_RUNTIME_DIR, $TMPDIR or /tmp), so that what an editor puts beside it is private, too. All
 * of it is removed at the end, also when a signal ends regtool. Only a text that somebody typed
 * and that was not taken stays, where nobody can be asked.
 */
#ifndef REGTOOL_EDIT_FILE_H
#define REGTOOL_EDIT_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* An edited text. dir is private, too, and goes with the file. */
struct edited {
    const char *dir;
    const char *path; /* of the file */
    const char *text;
    size_t len;
};

/* What becomes of an edited text. */
enum edit_outcome {
    EDIT_DONE,   /* taken, or cancelled */
    EDIT_BAD,    /* reported what is wrong with it: it can be edited again */
    EDIT_FAILED, /* reported why it cannot be taken, whatever it says */
};

typedef enum edit_outcome edit_take(void *context, const struct edited *edited);

/* Makes the text, which is to be free()d; dir is the private directory. Returns 0, or 1 after a
 * report. */
typedef int edit_make(void *context, const char *dir, char **text, size_t *len);

/* Lets $VISUAL, $EDITOR or vi edit a file of that name with the text that make() gives, and take()
 * what it is then; a text that is unchanged or emptied is not taken. Returns 0, or 1 after a
 * report. */
int edit_file(const char *name, edit_make *make, edit_take *take, void *context);

/* Says that nothing was written, and why. */
enum edit_outcome edit_cancelled(const char *why);

#endif

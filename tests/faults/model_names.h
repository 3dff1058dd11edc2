/*
 * model_names.h - names for the model's keys and values, as numbers that stand for spellings.
 *
 * Gives names that fold alike though they are spelled otherwise, names that nearly do, and such as
 * are nearly too long; also those that the store itself has a use for. Needs nothing.
 */
#ifndef MODEL_NAMES_H
#define MODEL_NAMES_H

#include <stdbool.h>
#include <stdint.h>

/* Two names fold alike if class and number are the same; variant is the spelling. */
struct model_name {
    unsigned class;
    unsigned variant;
    unsigned number;
};

enum model_own_name { MODEL_SETTINGS, MODEL_JOURNAL, MODEL_MAX_REVISIONS };

#define MODEL_NAME_SIZE (16300 * 3 + 64) /* bytes that a name takes at most */
#define MODEL_KEY_NAME_SIZE (250 * 3 + 64)

/* The name that a random number stands for; those of values are longer at times. */
struct model_name model_name(uint32_t number, bool of_value);
struct model_name model_own_name(enum model_own_name which);
bool model_folds_alike(const struct model_name *a, const struct model_name *b);
bool model_spelled_alike(const struct model_name *a, const struct model_name *b);
/* Lives until the second call after this one. */
const char *model_text(const struct model_name *name);

#endif

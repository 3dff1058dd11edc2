/*
 * What a dump had lost before it came here, or what is left out of it. It needs each loss as the
 * library tells it; it gives counts by kind and the first few places, or every place at once.
 */
#ifndef REGTOOL_LOSSES_H
#define REGTOOL_LOSSES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <regstore.h>

#include "json.h"

#define LOSS_KINDS 20   /* more than there are */
#define LOSS_EXAMPLES 3 /* places kept of each kind */

struct losses {
    FILE *list; /* gets each when it is told; NULL: a few examples of each kind are kept */
    bool json;
    uint64_t counts[LOSS_KINDS];
    char *examples[LOSS_KINDS][LOSS_EXAMPLES];
};

/* Starts from all zeros and the two switches. value is NULL for a key. */
void losses_note(struct losses *losses, enum rs_loss_kind kind, const char *path,
                 const char *value);
uint64_t losses_count(const struct losses *losses);
/* The lines after the summary of an import. */
void losses_print(const struct losses *losses);
/* The same after an export, of what the file does not hold. */
void losses_print_written(const struct losses *losses);
/* The same on standard error, after a file that standard output has got. */
void losses_remark(const struct losses *losses);
/* The same as the value of a JSON member. */
void losses_json(const struct losses *losses, struct json *json);
void losses_free(struct losses *losses);

#endif

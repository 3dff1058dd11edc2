/*
 * model_history.c - the model's transactions: what they lead to, what is forgotten, what waits for
 * confirmation. A part of model_state.
 */
#include "model_state.h"

#include <string.h>

#define TRIMMED_AT_ONCE 4u
#define UNSURE_COMMITS 16u
#define CHUNK 16000u       /* bytes of the journal that are removed as one, at least */
#define CHUNKS_AT_ONCE 80u /* surely */
#define CHANGE_BYTES 8000u /* most of it for a path */
#define KEPT_UNLESS_SET 10000u

void model_begin(struct model *model)
{
    struct model_record *record = model_record(model, model->latest + 1);
    record->change_count = 0;
    record->copy_count = 0;
    model->before = model->now;
    model->first_new = model->next_id;
    model->overflow = false;
    model->time++;
}

void model_abort(struct model *model)
{
    model->now = model->before;
    model->next_id = model->first_new;
}

uint64_t model_limit(struct model *model)
{
    struct model_name names[] = {model_own_name(MODEL_SETTINGS), model_own_name(MODEL_JOURNAL),
                                 model_own_name(MODEL_MAX_REVISIONS)};
    struct model_key *settings = model_child(&model->now, RS_HKRS, &names[0]);
    struct model_key *journal =
        settings != NULL ? model_child(&model->now, settings->id, &names[1]) : NULL;
    struct model_value *value = journal != NULL ? model_value_of(journal, &names[2]) : NULL;
    return value != NULL ? value->fill : KEPT_UNLESS_SET;
}

static uint64_t bytes_of_value(const struct model_value *value)
{
    return strlen(model_text(&value->name)) + value->size;
}

/* What a revision takes in the journal, at most. */
static uint64_t bytes_of(const struct model_record *record)
{
    uint64_t bytes = (uint64_t)(record->change_count + 1) * CHANGE_BYTES;
    for (unsigned i = 0; i < record->change_count; i++) {
        const struct model_change *change = &record->changes[i];
        bytes += change->had ? bytes_of_value(&change->value_before) : 0;
        bytes += change->has ? bytes_of_value(&change->value_after) : 0;
    }
    for (unsigned i = 0; i < record->copy_count; i++) {
        const struct model_key *copy = &record->copies[i];
        bytes += CHANGE_BYTES;
        for (unsigned j = 0; j < copy->value_count; j++) {
            bytes += bytes_of_value(&copy->values[j]);
        }
    }
    return bytes;
}

/* Large revisions go in pieces; how far they have gone is not foretold for so many commits. */
static unsigned commits_for_pieces(struct model *model)
{
    uint64_t chunks = 0;
    for (unsigned i = 0; i < TRIMMED_AT_ONCE && model->first + i <= model->latest; i++) {
        chunks += bytes_of(model_record(model, model->first + i)) / CHUNK + 1;
    }
    return chunks > CHUNKS_AT_ONCE ? UNSURE_COMMITS + (unsigned)(chunks / CHUNKS_AT_ONCE) : 0;
}

/* pending is the revision that waited when the transaction began. */
static void trim(struct model *model)
{
    uint64_t limit = model_limit(model);
    uint64_t before = model->first;
    unsigned unsure = commits_for_pieces(model);
    model->unsure = unsure > model->unsure ? unsure : model->unsure;
    for (unsigned i = 0; i < TRIMMED_AT_ONCE; i++) {
        bool needed = model->pending != 0 && model->first >= model->pending;
        if (model->latest - model->first < limit || needed) {
            break;
        }
        model->first++;
    }
    model->first_least = model->unsure > 0 ? before : model->first;
    model->unsure -= model->unsure > 0;
}

static bool takes_back_pending(const struct model *model, const struct model_ending *ending)
{
    bool in_part = (ending->flags & RS_REVISION_PARTIAL) != 0;
    bool rollback = (ending->flags & RS_REVISION_ROLLBACK) != 0;
    return ending->from <= model->pending && model->pending <= ending->to && (rollback || !in_part);
}

bool model_commit(struct model *model, const struct model_ending *ending)
{
    struct model_record *record = model_record(model, model->latest + 1);
    RIG_MUST(!model->overflow);
    if (record->change_count == 0 && !ending->recorded) {
        return false;
    }
    record->after = model->now;
    record->flags = ending->flags;
    record->from = ending->from;
    record->to = ending->to;
    model->latest++;
    model->first = model->first > 0 ? model->first : model->latest;
    trim(model);
    if (ending->asks) {
        model->pending = model->latest;
        model->due = ending->due;
    } else if (model->pending != 0 && takes_back_pending(model, ending)) {
        model->pending = 0;
    }
    return true;
}

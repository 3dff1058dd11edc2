/*
 * watch_concern.c - whom a change concerns: a part of watch.
 *
 * The same answer for a revision that was made, whose services are waited for, and for what a
 * transaction has changed so far, whose services a plan foretells.
 */
#include <string.h>

#include "watch.h"

static int begin_changes(struct watch_news *news)
{
    struct journal_head head;
    if (news->revision != 0) {
        return journal_open(&news->reader, &news->txn->env, news->revision, &head);
    }
    journal_close(&news->reader);
    return RS_OK;
}

static int next_change(struct watch_news *news, struct change *change)
{
    return news->revision != 0 ? journal_next(&news->reader, change)
                               : journal_review(&news->txn->journal, &news->reader, change);
}

static int find_change(struct watch_news *news, const struct watch_target *target, unsigned flags,
                       bool *found)
{
    struct change change;
    int status = begin_changes(news);
    while (status == RS_OK && (status = next_change(news, &change)) == RS_OK) {
        enum watch_match match;
        const char *relative;
        if (change.inner) {
            continue;
        }
        status = watch_match(target, flags, &change, &news->scratch, &match, &relative);
        if (status == RS_OK && match != WATCH_NOTHING) {
            *found = true;
            return RS_OK;
        }
    }
    return status == RS_END ? RS_OK : status;
}

int watch_concerns(struct watch_news *news, struct slice path, unsigned flags, bool *concerned)
{
    struct watch_target target = {BUFFER_INIT, BUFFER_INIT, BUFFER_INIT, 0};
    bool found = false;
    int status = watch_resolve(&target, &news->txn->tree, path);
    if (status == RS_OK) {
        status = find_change(news, &target, flags, &found);
    }
    watch_target_free(&target);
    if (status == RS_OK) {
        *concerned = found;
    }
    return status;
}

void watch_news_free(struct watch_news *news)
{
    journal_close(&news->reader);
    buffer_free(&news->scratch);
}

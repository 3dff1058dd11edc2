/*
 * api_services.c - the public calls about named watches and what services answer: see api.c.
 */
#include "api.h"
#include "watch.h"

int rs_watch_open_named_n(rs_store *store, const char *name, const char *path, size_t len,
                          unsigned flags, rs_watch **watch, rs_error *error)
{
    if (store == NULL || name == NULL || path == NULL || watch == NULL ||
        (flags & ~(RS_SUBTREE | RS_WATCH_RULES)) != 0) {
        return fail(error, RS_EINVAL, "invalid argument");
    }
    return watch_open_named(store, name, (struct slice){path, text_length(path, len)}, flags, watch,
                            error);
}

int rs_watch_answer_for_n(rs_watch *watch, const char *path, size_t len, rs_error *error)
{
    if (watch == NULL || path == NULL) {
        return fail(error, RS_EINVAL, "invalid argument");
    }
    return watch_answer_for(watch, (struct slice){path, text_length(path, len)}, error);
}

int rs_watch_answer(rs_watch *watch, uint64_t revision, enum rs_answer answer, const char *reason)
{
    if (watch == NULL || answer < RS_ANSWER_APPLIED || answer > RS_ANSWER_SETTLED) {
        return RS_EINVAL;
    }
    return watch_answer(watch, revision, answer, reason != NULL ? reason : "");
}

int rs_services(rs_store *store, int (*each)(void *context, const rs_service *service),
                void *context)
{
    if (store == NULL || each == NULL) {
        return RS_EINVAL;
    }
    return env_forked(store->env) ? RS_EFORK : watch_services(store, each, context);
}

int rs_service_forget(rs_store *store, const char *name, rs_error *error)
{
    if (store == NULL || name == NULL) {
        return fail(error, RS_EINVAL, "invalid argument");
    }
    if (env_forked(store->env)) {
        return fail(error, RS_EFORK, "%s", rs_strerror(RS_EFORK));
    }
    return watch_named_forget(store->dir, name, error);
}

int rs_wait(rs_store *store, uint64_t revision, int timeout,
            int (*each)(void *context, const rs_service *service), void *context)
{
    if (store == NULL) {
        return RS_EINVAL;
    }
    return env_forked(store->env) ? RS_EFORK : watch_wait(store, revision, timeout, each, context);
}

int rs_txn_concerns_n(rs_txn *txn, const char *path, size_t len, unsigned flags, int *concerned)
{
    bool found;
    int status = api_check(txn, path != NULL && concerned != NULL &&
                                    (flags & ~(RS_SUBTREE | RS_WATCH_RULES)) == 0);
    if (status == RS_OK) {
        status = tree_writable(&txn->tree);
    }
    if (status != RS_OK) {
        return status;
    }
    struct watch_news news = {.txn = txn};
    status = watch_concerns(&news, (struct slice){path, text_length(path, len)}, flags, &found);
    watch_news_free(&news);
    if (status == RS_OK) {
        *concerned = found;
    }
    return status;
}

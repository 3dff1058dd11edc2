/* The key that a command was asked for. */
#include "asked.h"

static int open_key(struct asked *asked, const struct arguments *arguments)
{
    const char *text = arguments->operands[0];
    rs_txn *txn = asked->session.txn;
    rs_key_info info = {.key = RS_NO_KEY};
    rs_key key;
    int status = rs_key_open(txn, RS_NO_KEY, text, &key);

    if (status == RS_OK) {
        status = rs_key_info_get(txn, key, &info);
    } else if (status == RS_ENOTFOUND && keypath_is_root(text)) {
        session_forget(&asked->session);
        status = RS_OK;
    }
    asked->key = info.key;
    asked->written = info.written;
    asked->subkeys = info.subkeys;
    asked->values = info.values;
    if (status != RS_OK) {
        return status;
    }
    return keypath_spell(txn, text, keypath_hidden(arguments->asked[0], text), &asked->path);
}

int asked_begin(struct tool *tool, const struct arguments *arguments, struct asked *asked)
{
    int status;

    asked->path = (struct keypath){.text = NULL};
    if (session_begin(tool, RS_READ, &asked->session) != 0) {
        return 1;
    }
    status = open_key(asked, arguments);
    if (status == RS_OK) {
        return 0;
    }
    session_report(&asked->session, status, arguments->operands[0]);
    asked_end(asked);
    return 1;
}

void asked_end(struct asked *asked)
{
    keypath_free(&asked->path);
    session_end(&asked->session);
}

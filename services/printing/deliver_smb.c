/*
 * deliver_smb - a document to an SMB print share, through libsmbclient.
 *
 * As a null session, or with the user of a credentials file; never with a ticket, a prompt, or what
 * the user's own files say, and never with SMB1. A file server prints a file when it is closed,
 * also when the connection is lost: so what was begun and not ended may come out in part. A file
 * without bytes is none to it. Needs deliver, deliver_credentials, libsmbclient.
 */
#include "deliver.h"
#include "deliver_credentials.h"

#include "../common/character.h"

#include <errno.h>
#include <fcntl.h>
#include <libsmbclient.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SMB_TIMEOUT_MS 20000 /* for each answer */
#define URL_SIZE 8192

struct share {
    struct delivery *delivery;
    SMBCCTX *context;
    SMBCFILE *file;
    struct credentials credentials;
    bool sent;
};

/* ---- Words ----------------------------------------------------------------------------------- */

/* What libsmbclient's errno numbers mean here: it has one for a missing host and a missing share.
 */
static enum outcome tell_error(int error, struct line *why)
{
    switch (error) {
    case EACCES:
    case EPERM:
        line_add(why, "access denied");
        return DELIVER_REFUSED;
    case ENOENT:
    case ENODEV:
    case ENOTDIR:
        line_add(why, "no such share");
        return DELIVER_REFUSED;
    case ENOSPC:
    case EDQUOT:
    case EBUSY:
    case EMFILE:
    case ENFILE:
        deliver_add_error(why, error);
        return DELIVER_REFUSED;
    case EINVAL: /* of a name that nobody knows */
        line_add(why, "the host is not found");
        return DELIVER_AWAY;
    default:
        deliver_add_error(why, error);
        return DELIVER_AWAY;
    }
}

/* ---- The session ----------------------------------------------------------------------------- */

static void copy_text(char *to, int size, const char *from)
{
    if (size > 0) {
        (void)snprintf(to, (size_t)size, "%s", from);
    }
}

/* A null session has neither a user nor a password. */
static void answer_who(SMBCCTX *context, const char *server, const char *share_name,
                       char *workgroup, int workgroup_size, char *user, int user_size,
                       char *password, int password_size)
{
    const struct share *share = smbc_getOptionUserData(context);
    (void)server;
    (void)share_name;
    if (share->credentials.domain[0] != '\0') {
        copy_text(workgroup, workgroup_size, share->credentials.domain);
    }
    copy_text(user, user_size, share->credentials.user);
    copy_text(password, password_size, share->credentials.password);
}

static void drop_output(void *owner, int level, const char *message)
{
    (void)owner;
    (void)level;
    (void)message;
}

/* Without a home the library finds no ~/.smb. */
static SMBCCTX *open_context(struct share *share)
{
    (void)unsetenv("HOME");
    SMBCCTX *context = smbc_new_context();
    if (context == NULL) {
        return NULL;
    }
    smbc_setDebug(context, 0);
    smbc_setLogCallback(context, NULL, drop_output);
    smbc_setTimeout(context, SMB_TIMEOUT_MS);
    smbc_setOptionUserData(context, share);
    smbc_setFunctionAuthDataWithContext(context, answer_who);
    smbc_setOptionUseKerberos(context, 0);
    smbc_setOptionFallbackAfterKerberos(context, 0);
    smbc_setOptionUseCCache(context, 0);
    smbc_setOptionNoAutoAnonymousLogin(context, !share->delivery->target->null_session);
    if (share->delivery->target->port != 0) {
        smbc_setPort(context, (uint16_t)share->delivery->target->port);
    }
    if (smbc_init_context(context) == NULL || !smbc_setOptionProtocols(context, "SMB2_02", NULL)) {
        (void)smbc_free_context(context, 1);
        return NULL;
    }
    return context;
}

/* ---- The file -------------------------------------------------------------------------------- */

static void add_escaped(struct line *url, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        bool plain = (byte >= '0' && byte <= '9') ||
                     ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') || byte == '-' || byte == '.' ||
                     byte == '_';
        line_add(url, plain ? "%c" : "%%%02X", byte);
    }
}

/* SMB has names of Unicode, without some characters; "." and ".." are names of directories. */
static void name_file(const char *name, char *file, size_t size)
{
    bool good = character_all(name);
    (void)snprintf(file, size, "%s", name[0] != '\0' && name[0] != '.' ? name : "document");
    for (char *at = file; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        bool bad = byte < ' ' || (byte >= 0x80 && !good) || strchr("\\/:*?\"<>|", byte) != NULL;
        *at = bad ? '_' : *at;
    }
}

static void make_url(const struct delivery *delivery, struct line *url)
{
    char file[256];
    const struct target *target = delivery->target;
    name_file(delivery->name, file, sizeof(file));
    line_add(url, "smb://");
    add_escaped(url, target->host); /* the library knows no [] */
    line_add(url, "/");
    add_escaped(url, target->name);
    line_add(url, "/");
    add_escaped(url, file);
}

static void close_share(struct share *share)
{
    if (share->context != NULL) {
        (void)smbc_free_context(share->context, 1);
    }
    explicit_bzero(&share->credentials, sizeof(share->credentials));
    free(share);
}

static enum outcome open_share(struct share *share, struct line *why)
{
    const struct target *target = share->delivery->target;
    struct line url = LINE_INIT;
    if (target->credentials[0] != '\0') {
        if (!deliver_credentials(target->credentials, &share->credentials, why)) {
            return DELIVER_REFUSED;
        }
    } else if (!target->null_session) {
        line_add(why, "neither a null session nor a credentials file is set for it");
        return DELIVER_REFUSED;
    }
    share->context = open_context(share);
    if (share->context == NULL) {
        line_add(why, "cannot begin an SMB client: ");
        deliver_add_error(why, errno);
        return DELIVER_REFUSED;
    }
    make_url(share->delivery, &url);
    errno = 0;
    share->file = smbc_getFunctionOpen(share->context)(share->context, url.text,
                                                       O_WRONLY | O_CREAT | O_TRUNC, 0666);
    return share->file != NULL ? DELIVER_DONE : tell_error(errno, why);
}

static enum outcome begin(struct delivery *delivery, void **state, struct line *why)
{
    struct share *share = calloc(1, sizeof(*share));
    if (share == NULL) {
        line_add(why, "out of memory");
        return DELIVER_REFUSED;
    }
    share->delivery = delivery;
    enum outcome outcome = open_share(share, why);
    if (outcome != DELIVER_DONE) {
        close_share(share);
        return outcome;
    }
    *state = share;
    return DELIVER_DONE;
}

static bool write_part(void *state, const char *bytes, size_t size, struct line *why)
{
    struct share *share = state;
    if (!deliver_sending(share->delivery, why)) {
        return false;
    }
    while (size > 0) {
        errno = 0;
        ssize_t written =
            smbc_getFunctionWrite(share->context)(share->context, share->file, bytes, size);
        if (written <= 0) {
            (void)tell_error(errno != 0 ? errno : EIO, why);
            return false;
        }
        share->sent = true;
        bytes += written;
        size -= (size_t)written;
    }
    return true;
}

static enum outcome end(void *state, struct line *why)
{
    struct share *share = state;
    bool sent = share->sent;
    enum outcome outcome = DELIVER_DONE;
    errno = 0;
    if (smbc_getFunctionClose(share->context)(share->context, share->file) != 0) {
        outcome = tell_error(errno != 0 ? errno : EIO, why);
        outcome = sent ? DELIVER_UNKNOWN : outcome;
    }
    close_share(share);
    return outcome;
}

/* The first write may have arrived although its answer did not. */
static enum outcome end_early(void *state)
{
    struct share *share = state;
    bool begun = share->delivery->begun;
    (void)smbc_getFunctionClose(share->context)(share->context, share->file);
    close_share(share);
    return begun ? DELIVER_UNKNOWN : DELIVER_REFUSED;
}

static const struct transport smb = {false, begin, write_part, end, end_early};
const struct transport *const deliver_share = &smb;

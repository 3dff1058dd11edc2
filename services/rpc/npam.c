/* npam - smbd's handshake; see npam.h. */
#include "npam.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LEAST_LEVEL 6
#define MOST_LEVEL 7
#define ANONYMOUS "S-1-5-7"
#define MOST_TEXT 4096    /* bytes of a name */
#define MOST_SIDS 8192    /* in a token; Windows knows at most 1,015 groups */
#define MOST_SUBS 15      /* [MS-DTYP] 2.4.2 */
#define MOST_BLOB 65536   /* bytes of a key or of credentials */
#define MOST_GROUPS 65536 /* that Linux takes */
#define USER_TEXTS 10     /* of what is known of a user */

static const uint8_t magic[4] = {'N', 'P', 'A', 'M'};

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

enum npam_reading npam_head(const uint8_t *bytes, size_t *size, uint32_t *level)
{
    struct ndr_pull pull = ndr_pull_of(bytes, NPAM_HEAD);
    uint32_t length = big_endian(bytes);
    (void)ndr_pull_raw(&pull, 4);
    const uint8_t *name = ndr_pull_raw(&pull, sizeof(magic));
    uint32_t read = ndr_pull_u32(&pull);
    if (name == NULL || memcmp(name, magic, sizeof(magic)) != 0 || length < NPAM_HEAD ||
        length > NPAM_MOST) {
        return NPAM_NOT;
    }
    *size = 4 + (size_t)length;
    *level = read;
    return read >= LEAST_LEVEL && read <= MOST_LEVEL ? NPAM_READ : NPAM_OTHER_LEVEL;
}

/* ---- Parts ----------------------------------------------------------------------------------- */

/* What a pointer points to, if it is not NULL; to may be NULL for what nobody asks for. A name that
 * is too long is cut between two characters. */
static void pull_name(struct ndr_pull *pull, bool present, char *to, size_t size)
{
    if (!present) {
        return;
    }
    struct ndr_bytes text = ndr_pull_text8(pull, MOST_TEXT);
    if (to == NULL || text.data == NULL) {
        return;
    }
    size_t length = text.size < size ? text.size : size - 1;
    while (length < text.size && length > 0 && (text.data[length] & 0xc0) == 0x80) {
        length--;
    }
    memcpy(to, text.data, length);
    to[length] = '\0';
}

/* Bytes with their number before them, right behind it. */
static void skip_blob(struct ndr_pull *pull)
{
    size_t size = ndr_pull_u32(pull);
    if (size > MOST_BLOB) {
        pull->failed = true;
    }
    (void)ndr_pull_raw(pull, pull->failed ? 0 : size);
}

/* Something that must not be there. */
static void pull_null(struct ndr_pull *pull)
{
    if (ndr_pull_pointer(pull)) {
        pull->failed = true;
    }
}

/* A number that stands before an array, and once more in the struct that the array is in. */
static size_t pull_count(struct ndr_pull *pull, size_t count, size_t most)
{
    if (ndr_pull_u32(pull) != count || count > most) {
        pull->failed = true;
    }
    return pull->failed ? 0 : count;
}

/* ---- The token ------------------------------------------------------------------------------- */

struct sid {
    uint64_t authority;
    unsigned count;
    uint32_t subs[MOST_SUBS];
};

static void pull_sid(struct ndr_pull *pull, struct sid *sid)
{
    ndr_pull_align(pull, 4);
    uint8_t revision = ndr_pull_u8(pull);
    sid->count = ndr_pull_u8(pull);
    sid->authority = 0;
    for (unsigned i = 0; i < 6; i++) {
        sid->authority = sid->authority << 8 | ndr_pull_u8(pull);
    }
    if (revision != 1 || sid->count > MOST_SUBS) {
        pull->failed = true;
    }
    for (unsigned i = 0; i < sid->count && ndr_pull_ok(pull); i++) {
        sid->subs[i] = ndr_pull_u32(pull);
    }
}

static void print_sid(const struct sid *sid, char *text, size_t size)
{
    bool large = sid->authority > UINT32_MAX;
    int used = snprintf(text, size, large ? "S-1-0x%012" PRIx64 : "S-1-%" PRIu64, sid->authority);
    for (unsigned i = 0; i < sid->count && used > 0 && (size_t)used < size; i++) {
        used += snprintf(text + used, size - (size_t)used, "-%" PRIu32, sid->subs[i]);
    }
}

/* The first SID is the user's own. Samba aligns the token's array to 8 bytes. */
static void pull_token(struct ndr_pull *pull, struct rpc_caller *caller)
{
    struct sid sid;
    ndr_pull_align(pull, 8);
    size_t count = ndr_pull_u32(pull);
    count = pull_count(pull, count, MOST_SIDS);
    if (count == 0) {
        pull->failed = true;
    }
    for (size_t i = 0; i < count && ndr_pull_ok(pull); i++) {
        pull_sid(pull, &sid);
        if (i == 0 && ndr_pull_ok(pull)) {
            print_sid(&sid, caller->sid, sizeof(caller->sid));
        }
    }
    (void)ndr_pull_u64(pull); /* privileges */
    (void)ndr_pull_u32(pull); /* rights */
}

static void skip_unix_token(struct ndr_pull *pull)
{
    size_t before = ndr_pull_u32(pull);
    (void)ndr_pull_u64(pull); /* uid */
    (void)ndr_pull_u64(pull); /* gid */
    size_t count = pull_count(pull, before, MOST_GROUPS);
    ndr_pull_align(pull, count > 0 ? 8 : 1);
    (void)ndr_pull_raw(pull, 8 * count);
}

/* ---- The user -------------------------------------------------------------------------------- */

/* Pointers to texts, of which a byte stands between the second and the third; then times and
 * numbers; then the texts. */
static void pull_user(struct ndr_pull *pull, struct rpc_caller *caller)
{
    bool present[USER_TEXTS];
    for (size_t i = 0; i < USER_TEXTS; i++) {
        if (i == 2) {
            (void)ndr_pull_u8(pull); /* whether the principal's name is made up */
        }
        present[i] = ndr_pull_pointer(pull);
    }
    (void)ndr_pull_raw(pull, 6 * 8); /* times */
    (void)ndr_pull_u32(pull);        /* logons, wrong passwords */
    (void)ndr_pull_u32(pull);        /* the account's flags */
    (void)ndr_pull_u8(pull);         /* whether he proved who he is */
    for (size_t i = 0; i < USER_TEXTS; i++) {
        char *to = i == 0 ? caller->account : i == 2 ? caller->domain : NULL;
        pull_name(pull, present[i], to, RPC_MOST_NAME);
    }
}

static void skip_unix_names(struct ndr_pull *pull)
{
    bool name = ndr_pull_pointer(pull);
    bool sanitized = ndr_pull_pointer(pull);
    pull_name(pull, name, NULL, 0);
    pull_name(pull, sanitized, NULL, 0);
}

static void pull_session(struct ndr_pull *pull, struct rpc_caller *caller)
{
    bool token = ndr_pull_pointer(pull);
    bool unix_token = ndr_pull_pointer(pull);
    bool user = ndr_pull_pointer(pull);
    bool unix_names = ndr_pull_pointer(pull);
    pull_null(pull); /* what only Samba's own tests have */
    skip_blob(pull); /* the session's key */
    pull_null(pull); /* credentials */
    ndr_pull_align(pull, 4);
    (void)ndr_pull_raw(pull, 16); /* the session's UUID */
    (void)ndr_pull_u16(pull);     /* the kind of ticket */
    if (!token) {
        pull->failed = true;
        return;
    }
    pull_token(pull, caller);
    if (unix_token) {
        skip_unix_token(pull);
    }
    if (user) {
        pull_user(pull, caller);
    }
    if (unix_names) {
        skip_unix_names(pull);
    }
}

/* ---- The request ----------------------------------------------------------------------------- */

static void pull_request(struct ndr_pull *pull, struct rpc_caller *caller)
{
    (void)ndr_pull_u8(pull); /* by which transport the client came to smbd */
    bool client = ndr_pull_pointer(pull);
    bool client_address = ndr_pull_pointer(pull);
    (void)ndr_pull_u16(pull);
    bool server = ndr_pull_pointer(pull);
    bool server_address = ndr_pull_pointer(pull);
    (void)ndr_pull_u16(pull);
    bool session = ndr_pull_pointer(pull);
    pull_name(pull, client, caller->computer, sizeof(caller->computer));
    pull_name(pull, client_address, caller->address, sizeof(caller->address));
    pull_name(pull, server, NULL, 0);
    pull_name(pull, server_address, NULL, 0);
    bool inner = session && ndr_pull_pointer(pull);
    if (!inner) {
        pull->failed = true;
        return;
    }
    skip_blob(pull); /* credentials that were passed on */
    ndr_pull_align(pull, 4);
    pull_session(pull, caller);
}

enum npam_reading npam_read(const uint8_t *bytes, size_t size, struct rpc_caller *caller)
{
    struct rpc_caller read = {.transport = RPC_OVER_PIPE};
    struct ndr_pull pull = ndr_pull_of(bytes, size);
    (void)ndr_pull_raw(&pull, 8);
    uint32_t level = ndr_pull_u32(&pull);
    if (ndr_pull_u32(&pull) != level) {
        return NPAM_BROKEN;
    }
    pull_request(&pull, &read);
    if (!ndr_pull_ok(&pull) || pull.position != size) {
        return NPAM_BROKEN;
    }
    read.anonymous = strcmp(read.sid, ANONYMOUS) == 0;
    *caller = read;
    return NPAM_READ;
}

/* ---- The answer ------------------------------------------------------------------------------ */

#define ANSWER_LENGTH 32     /* bytes behind the length */
#define FILE_TYPE_MESSAGES 2 /* a pipe of messages */
#define DEVICE_STATE 0x05ff  /* as smbd itself has it: messages both ways, any number of clients */
#define ALLOCATION 4096

void npam_write(struct ndr_push *output, uint32_t level, uint32_t status)
{
    const uint8_t length[4] = {0, 0, 0, ANSWER_LENGTH};
    ndr_push_raw(output, length, sizeof(length));
    ndr_push_raw(output, magic, sizeof(magic));
    ndr_push_u32(output, level);
    ndr_push_u32(output, level);
    ndr_push_u16(output, FILE_TYPE_MESSAGES);
    ndr_push_u16(output, DEVICE_STATE);
    ndr_push_u64(output, ALLOCATION);
    ndr_push_u32(output, status);
}

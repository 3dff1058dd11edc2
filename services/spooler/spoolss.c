/* spoolss - the interface of the print system: calls and announcements; see spoolss.h. */
#include "spoolss.h"

#include "spoolss_enum.h"

#include <inttypes.h>
#include <string.h>

#define LEAST_QUIET_MS 60000            /* between two lines of the same kind */
#define TEXT_UNITS (CACHE_TEXT_MAX + 1) /* longer ones do not fit anyway */
#define TEXT_SIZE (3 * TEXT_UNITS + 1)
#define OPNUM_COUNT 30

/* ---- Announcements --------------------------------------------------------------------------- */

struct info1 {
    uint32_t flags;
    bool has_description;
    bool has_name;
    bool has_comment;
    char description[TEXT_SIZE];
    char name[TEXT_SIZE];
    char comment[TEXT_SIZE];
};

static void pull_text(struct ndr_pull *pull, bool present, char *text)
{
    text[0] = '\0';
    if (present && !ndr_text_utf8(ndr_pull_text(pull, TEXT_UNITS), text, TEXT_SIZE)) {
        pull->failed = true;
    }
}

static void pull_info1(struct ndr_pull *pull, struct info1 *info)
{
    info->flags = ndr_pull_u32(pull);
    info->has_description = ndr_pull_pointer(pull);
    info->has_name = ndr_pull_pointer(pull);
    info->has_comment = ndr_pull_pointer(pull);
    pull_text(pull, info->has_description, info->description);
    pull_text(pull, info->has_name, info->name);
    pull_text(pull, info->has_comment, info->comment);
}

/* DEVMODE_CONTAINER and SECURITY_CONTAINER look the same, and mean nothing to an announcement. */
static void skip_container(struct ndr_pull *pull)
{
    uint32_t size = ndr_pull_u32(pull);
    if (ndr_pull_pointer(pull)) {
        struct ndr_bytes bytes = ndr_pull_bytes(pull, RPC_MOST_ARGUMENTS);
        pull->failed |= bytes.size != size;
    }
}

/* Once in a period at most: a server that announces too much does so again and again. A period may
 * be as short as an administrator likes, but strangers do not fill the log. */
static bool is_told_full(const struct spoolss *spoolss, int64_t now)
{
    int64_t quiet = spoolss->period > LEAST_QUIET_MS ? spoolss->period : LEAST_QUIET_MS;
    return spoolss->has_told_full && now - spoolss->told_full < quiet;
}

static void tell_full(struct spoolss *spoolss, const char *name, const struct rpc_caller *caller)
{
    int64_t now = loop_now(spoolss->loop);
    struct line line = LINE_INIT;
    if (spoolss->log == NULL || is_told_full(spoolss, now)) {
        return;
    }
    spoolss->has_told_full = true;
    spoolss->told_full = now;
    line_add_quoted(&line, name);
    line_add(&line, " is not taken into the list, which has %zu printers of the network already",
             spoolss->cache.count);
    if (caller->address[0] != '\0') {
        line_add(&line, "; it was announced from %s", caller->address);
    }
    log_line(spoolss->log, LOG_LINE_WARNING, "%s", line.text);
}

static void set_decay(struct spoolss *spoolss)
{
    int64_t in = cache_patience(&spoolss->cache, loop_now(spoolss->loop), spoolss->period);
    if (in < 0) {
        loop_unset(spoolss->loop, &spoolss->decay);
    } else {
        loop_set(spoolss->loop, &spoolss->decay, in);
    }
}

static enum spoolss_error announce(struct spoolss *spoolss, const struct info1 *info,
                                   const struct rpc_caller *caller)
{
    struct announcement says = {info->name, info->description, info->comment};
    if (!info->has_name || !cache_is_name(info->name)) {
        return SPOOLSS_INVALID_PRINTER_NAME;
    }
    if (strlen(info->description) > CACHE_TEXT_MAX || strlen(info->comment) > CACHE_TEXT_MAX) {
        return SPOOLSS_INVALID_PARAMETER;
    }
    if (own_has(spoolss->own, info->name)) {
        return SPOOLSS_PRINTER_ALREADY_EXISTS;
    }
    spoolss_expire(spoolss);
    switch (cache_put(&spoolss->cache, &says, loop_now(spoolss->loop), &spoolss->most)) {
    case CACHE_FULL:
        tell_full(spoolss, info->name, caller);
        return SPOOLSS_OUT_OF_MEMORY;
    case CACHE_NO_MEMORY:
        return SPOOLSS_OUT_OF_MEMORY;
    default:
        set_decay(spoolss);
        return SPOOLSS_PRINTER_ALREADY_EXISTS;
    }
}

/* A server that only browses makes no printer: its answer has no handle, and says that the printer
 * exists, which is what announcing servers take for success. */
static uint32_t add_printer(struct spoolss *spoolss, const struct rpc_call *call,
                            struct ndr_push *answer)
{
    struct ndr_pull pull = ndr_pull_of(call->arguments, call->size);
    struct ndr_handle none = {{0}};
    struct info1 info = {0};
    enum spoolss_error error = SPOOLSS_INVALID_LEVEL;
    if (ndr_pull_pointer(&pull)) {
        (void)ndr_pull_text(&pull, TEXT_UNITS);
    }
    uint32_t level = ndr_pull_u32(&pull);
    uint32_t shape = ndr_pull_u32(&pull);
    if (!ndr_pull_ok(&pull) || level != shape) {
        return RPC_FAULT_BAD_STUB_DATA;
    }
    if (level == 2) {
        error = SPOOLSS_ACCESS_DENIED; /* that would install one */
    } else if (level == 1) {
        bool present = ndr_pull_pointer(&pull);
        if (present) {
            pull_info1(&pull, &info);
        }
        skip_container(&pull);
        skip_container(&pull);
        if (!ndr_pull_ok(&pull)) {
            return RPC_FAULT_BAD_STUB_DATA;
        }
        error = present ? announce(spoolss, &info, call->caller) : SPOOLSS_INVALID_PARAMETER;
    }
    ndr_push_handle(answer, &none);
    ndr_push_u32(answer, error);
    return 0;
}

static uint32_t close_printer(const struct rpc_call *call, struct ndr_push *answer)
{
    struct ndr_pull pull = ndr_pull_of(call->arguments, call->size);
    struct ndr_handle none = {{0}};
    (void)ndr_pull_handle(&pull);
    if (!ndr_pull_ok(&pull)) {
        return RPC_FAULT_BAD_STUB_DATA;
    }
    ndr_push_handle(answer, &none);
    ndr_push_u32(answer, SPOOLSS_INVALID_HANDLE);
    return 0;
}

/* ---- The interface --------------------------------------------------------------------------- */

static uint32_t call_spoolss(void *owner, const struct rpc_call *call, struct ndr_push *answer)
{
    switch (call->opnum) {
    case SPOOLSS_ENUM_PRINTERS:
        return spoolss_enum_printers(owner, call, answer);
    case SPOOLSS_ADD_PRINTER:
        return add_printer(owner, call, answer);
    case SPOOLSS_CLOSE_PRINTER:
        return close_printer(call, answer);
    default:
        return RPC_FAULT_OPNUM;
    }
}

const struct rpc_interface spoolss_interface = {
    .syntax = {RPC_UUID(0x12345678, 0x1234, 0xabcd, 0xef00, 0x0123456789abu), 1, 0},
    .opnum_count = OPNUM_COUNT,
    .call = call_spoolss,
};

static void decayed(void *owner)
{
    struct spoolss *spoolss = owner;
    spoolss_expire(spoolss);
    set_decay(spoolss);
}

void spoolss_open(struct spoolss *spoolss, struct loop *loop, const struct log *log)
{
    *spoolss = (struct spoolss){.loop = loop, .log = log};
    spoolss->decay = (struct loop_timer){.expired = decayed, .owner = spoolss};
}

void spoolss_expire(struct spoolss *spoolss)
{
    cache_expire(&spoolss->cache, loop_now(spoolss->loop), spoolss->period);
}

void spoolss_take(struct spoolss *spoolss, const struct printers *printers, const struct own *own,
                  const char *server)
{
    spoolss->printers = printers;
    spoolss->own = own;
    spoolss->server = server;
    spoolss->generation++;
    spoolss->most.listed = SPOOLSS_MOST_LISTING - own_listed(own);
    cache_limit(&spoolss->cache, &spoolss->most);
}

void spoolss_limits(struct spoolss *spoolss, int64_t period, size_t most)
{
    spoolss->period = period;
    spoolss->most.printers = most;
    spoolss->has_told_full = false;
    spoolss_expire(spoolss);
    cache_limit(&spoolss->cache, &spoolss->most);
    set_decay(spoolss);
}

void spoolss_close(struct spoolss *spoolss)
{
    loop_unset(spoolss->loop, &spoolss->decay);
    cache_clear(&spoolss->cache);
    listing_free(&spoolss->network.listing);
    listing_free(&spoolss->local.listing);
}

/* ---- The other end --------------------------------------------------------------------------- */

static void push_empty_container(struct ndr_push *push)
{
    ndr_push_u32(push, 0);
    ndr_push_pointer(push, false);
}

void spoolss_push_announcement(struct ndr_push *arguments, const char *server,
                               const struct announcement *announcement)
{
    ndr_push_pointer(arguments, true);
    ndr_push_text(arguments, server);
    ndr_push_u32(arguments, 1); /* the level, */
    ndr_push_u32(arguments, 1); /* and which member of the union */
    ndr_push_pointer(arguments, true);
    ndr_push_u32(arguments, PRINTER_ATTRIBUTE_SHARED | PRINTER_ATTRIBUTE_NETWORK);
    ndr_push_pointer(arguments, true);
    ndr_push_pointer(arguments, true);
    ndr_push_pointer(arguments, true);
    ndr_push_text(arguments, announcement->description);
    ndr_push_text(arguments, announcement->name);
    ndr_push_text(arguments, announcement->comment);
    push_empty_container(arguments);
    push_empty_container(arguments);
}

bool spoolss_pull_announced(const uint8_t *answer, size_t size, struct ndr_handle *handle,
                            uint32_t *error)
{
    struct ndr_pull pull = ndr_pull_of(answer, size);
    struct ndr_handle given = ndr_pull_handle(&pull);
    uint32_t number = ndr_pull_u32(&pull);
    if (!ndr_pull_ok(&pull)) {
        return false;
    }
    *handle = given;
    *error = number;
    return true;
}

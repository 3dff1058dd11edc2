/* browse - tells the other print servers of this computer's shared printers; see browse.h. */
#include "browse.h"

#include "spoolss.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LEAST_WAIT_MS 100 /* whatever the settings say: a round is not begun without a pause */

int64_t browse_wait(const struct browse_times *times)
{
    int64_t refresh = times->refresh > 0 ? times->decay / times->refresh : times->decay;
    int64_t wait = times->timeout > refresh ? times->timeout : refresh;
    return wait > LEAST_WAIT_MS ? wait : LEAST_WAIT_MS;
}

size_t browse_fan_out(size_t peers)
{
    return 3 + peers / 32;
}

/* ---- Words ----------------------------------------------------------------------------------- */

static void add_peer(struct line *line, const struct browse_peer *peer)
{
    line_add_quoted(line, peer->address.host);
    line_add(line, " port %u", peer->address.port);
}

static void tell_ailing(struct browse_peer *peer, const char *problem)
{
    struct line line = LINE_INIT;
    if (!peer->ailing) {
        line_add(&line, "cannot announce printers to ");
        add_peer(&line, peer);
        line_add(&line, ": %s; trying again each round", problem);
        log_line(peer->browse->log, LOG_LINE_WARNING, "%s", line.text);
    }
    peer->ailing = true;
}

static void tell_well(struct browse_peer *peer)
{
    struct line line = LINE_INIT;
    if (peer->ailing) {
        line_add(&line, "printers are announced to ");
        add_peer(&line, peer);
        line_add(&line, " again");
        log_line(peer->browse->log, LOG_LINE_INFO, "%s", line.text);
    }
    peer->ailing = false;
}

/* ---- One conversation ------------------------------------------------------------------------ */

static void go_on(struct browse *browse);

static bool ask(void *owner, uint16_t *opnum, struct ndr_push *arguments)
{
    struct browse_peer *peer = owner;
    const struct own *own = peer->browse->own;
    char server[PEER_HOST_SIZE + 2];
    if (peer->has_handle) {
        *opnum = SPOOLSS_CLOSE_PRINTER;
        ndr_push_handle(arguments, &peer->handle);
        return true;
    }
    if (peer->next >= own->count) {
        return false;
    }
    peer->telling = true;
    *opnum = SPOOLSS_ADD_PRINTER;
    snprintf(server, sizeof(server), "\\\\%s", peer->address.host);
    spoolss_push_announcement(arguments, server, &own->rows[peer->next]);
    return true;
}

/* One printer that is refused does not keep the others from being announced. */
static bool answered(void *owner, const uint8_t *answer, size_t size)
{
    struct browse_peer *peer = owner;
    uint32_t error;
    if (peer->has_handle) {
        peer->has_handle = false;
        return true;
    }
    if (!spoolss_pull_announced(answer, size, &peer->handle, &error)) {
        snprintf(peer->problem, sizeof(peer->problem), "its answer is malformed");
        return false;
    }
    peer->has_handle = !ndr_handle_is_null(&peer->handle);
    if (error != SPOOLSS_OK && error != SPOOLSS_PRINTER_ALREADY_EXISTS &&
        peer->problem[0] == '\0') {
        snprintf(peer->problem, sizeof(peer->problem), "it refuses printers with error %" PRIu32,
                 error);
    }
    peer->next++;
    return true;
}

static void done(void *owner, const char *problem)
{
    struct browse_peer *peer = owner;
    struct browse *browse = peer->browse;
    peer->client = NULL;
    browse->active--;
    if (problem == NULL && peer->problem[0] != '\0') {
        problem = peer->problem;
    }
    if (problem != NULL) {
        tell_ailing(peer, problem);
        peer->due |= peer->overtaken;
    } else {
        tell_well(peer);
    }
    go_on(browse);
}

static void call(struct browse_peer *peer)
{
    struct browse *browse = peer->browse;
    const struct rpc_client_options options = {
        .loop = browse->loop,
        .host = peer->address.host,
        .port = peer->address.port,
        .interface = spoolss_interface.syntax,
        .limit = BROWSE_CALL_MS,
        .whole = BROWSE_WHOLE_MS,
        .owner = peer,
        .ask = ask,
        .answered = answered,
        .done = done,
    };
    peer->due = false;
    peer->overtaken = false;
    peer->telling = false;
    peer->next = 0;
    peer->has_handle = false;
    peer->problem[0] = '\0';
    int error = rpc_client_start(&options, &peer->client);
    if (error != 0) {
        peer->client = NULL;
        tell_ailing(peer, strerror(error));
        return;
    }
    browse->active++;
}

static void cancel(struct browse_peer *peer)
{
    if (peer->client != NULL) {
        rpc_client_cancel(peer->client);
        peer->client = NULL;
        peer->browse->active--;
    }
}

/* ---- Rounds ---------------------------------------------------------------------------------- */

/* Calls those that are due, as many as may be called. */
static void go_on(struct browse *browse)
{
    size_t most = browse_fan_out(browse->count);
    for (size_t i = 0; i < browse->count && browse->active < most; i++) {
        struct browse_peer *peer = browse->peers[browse->turn++ % browse->count];
        if (peer->due && peer->client == NULL) {
            call(peer);
        }
    }
}

static bool has_cause(const struct browse *browse)
{
    return browse->enabled && browse->own != NULL && browse->own->count > 0 && browse->count > 0;
}

static void set_timer(struct browse *browse)
{
    if (!has_cause(browse)) {
        loop_unset(browse->loop, &browse->timer);
        return;
    }
    int64_t passed = loop_now(browse->loop) - browse->begun;
    loop_set(browse->loop, &browse->timer, browse->has_begun ? browse->wait - passed : 0);
}

/* A peer whose call is still under way is being told already, unless something has changed or the
 * call comes to nothing. */
static void begin_round(struct browse *browse)
{
    browse->begun = loop_now(browse->loop);
    browse->has_begun = true;
    for (size_t i = 0; i < browse->count; i++) {
        browse->peers[i]->due |= browse->peers[i]->client == NULL;
        browse->peers[i]->overtaken = browse->peers[i]->client != NULL;
    }
    go_on(browse);
    set_timer(browse);
}

static void waited(void *owner)
{
    begin_round(owner);
}

/* The next look at the timer begins a round. */
static void want_round(struct browse *browse)
{
    browse->has_begun = false;
}

static void stop(struct browse *browse)
{
    for (size_t i = 0; i < browse->count; i++) {
        cancel(browse->peers[i]);
        browse->peers[i]->due = false;
    }
}

/* ---- What it lives by ------------------------------------------------------------------------ */

void browse_open(struct browse *browse, struct loop *loop, const struct log *log)
{
    *browse = (struct browse){.loop = loop, .log = log};
    browse->timer = (struct loop_timer){.expired = waited, .owner = browse};
}

static bool is_at(const struct browse_peer *peer, const struct peer_address *address)
{
    return peer->address.port == address->port &&
           strcasecmp(peer->address.host, address->host) == 0;
}

static struct browse_peer *find(const struct browse *browse, const struct peer_address *address)
{
    for (size_t i = 0; i < browse->count; i++) {
        if (is_at(browse->peers[i], address)) {
            return browse->peers[i];
        }
    }
    return NULL;
}

static struct browse_peer *make_peer(struct browse *browse, const struct peer_address *address)
{
    struct browse_peer *peer = calloc(1, sizeof(*peer));
    if (peer != NULL) {
        peer->browse = browse;
        peer->address = *address;
    }
    return peer;
}

/* Those at these addresses: the old ones that are there, and new ones. NULL: no memory. */
static struct browse_peer **gather(struct browse *browse, const struct peer_addresses *addresses,
                                   size_t *fresh)
{
    struct browse_peer **peers = calloc(addresses->count + 1, sizeof(struct browse_peer *));
    bool good = peers != NULL;
    *fresh = 0;
    for (size_t i = 0; good && i < addresses->count; i++) {
        struct browse_peer *known = find(browse, &addresses->rows[i]);
        peers[i] = known != NULL ? known : make_peer(browse, &addresses->rows[i]);
        *fresh += known == NULL;
        good = peers[i] != NULL;
    }
    for (size_t i = 0; peers != NULL && !good && i < addresses->count; i++) {
        if (find(browse, &addresses->rows[i]) == NULL) {
            free(peers[i]);
        }
    }
    if (!good) {
        free(peers);
    }
    return good ? peers : NULL;
}

/* Lets go of the old peers that are not among the new ones. */
static void replace(struct browse *browse, struct browse_peer **peers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        peers[i]->kept = true;
    }
    for (size_t i = 0; i < browse->count; i++) {
        if (!browse->peers[i]->kept) {
            cancel(browse->peers[i]);
            free(browse->peers[i]);
        }
    }
    for (size_t i = 0; i < count; i++) {
        peers[i]->kept = false;
    }
    free(browse->peers);
    browse->peers = peers;
    browse->count = count;
}

/* Who was told of printers as they were is called again, after the others. */
static void tell_again(struct browse *browse)
{
    for (size_t i = 0; i < browse->count; i++) {
        struct browse_peer *peer = browse->peers[i];
        peer->due |= peer->client != NULL && peer->telling;
    }
}

/* Conversations with those who stay go on: so changes that come one after another neither keep a
 * round from its end nor look for a host again and again. */
bool browse_take(struct browse *browse, const struct own *own,
                 const struct peer_addresses *addresses)
{
    size_t fresh;
    struct browse_peer **peers = gather(browse, addresses, &fresh);
    if (peers == NULL) {
        return false;
    }
    if (fresh > 0 || browse->own == NULL || own_has_more(own, browse->own)) {
        want_round(browse);
    }
    replace(browse, peers, addresses->count);
    if (browse->own != NULL && !own_same(own, browse->own)) {
        tell_again(browse);
    }
    browse->own = own;
    if (!has_cause(browse)) {
        stop(browse);
    }
    go_on(browse);
    set_timer(browse);
    return true;
}

bool browse_has_peers(const struct browse *browse, const struct peer_addresses *addresses)
{
    for (size_t i = 0; i < browse->count && i < addresses->count; i++) {
        if (!is_at(browse->peers[i], &addresses->rows[i])) {
            return false;
        }
    }
    return browse->count == addresses->count;
}

void browse_time(struct browse *browse, bool enabled, const struct browse_times *times)
{
    browse->wait = browse_wait(times);
    if (enabled && !browse->enabled) {
        want_round(browse);
    }
    browse->enabled = enabled;
    if (!enabled) {
        stop(browse);
    }
    set_timer(browse);
}

void browse_close(struct browse *browse)
{
    stop(browse);
    loop_unset(browse->loop, &browse->timer);
    for (size_t i = 0; i < browse->count; i++) {
        free(browse->peers[i]);
    }
    free(browse->peers);
    *browse = (struct browse){.loop = browse->loop};
}

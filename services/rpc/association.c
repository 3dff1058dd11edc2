/* association - a server and one client; see association.h. */
#include "association.h"

#include <stdlib.h>
#include <string.h>

struct context {
    uint16_t id;
    const struct rpc_interface *interface;
};

/* The call whose fragments come in. */
struct incoming {
    bool under_way;
    bool maybe;
    uint32_t call;
    uint16_t context;
    uint16_t opnum;
    struct ndr_push arguments;
};

struct rpc_association {
    struct rpc_association_options options;
    bool agreed; /* a bind_ack was sent */
    uint8_t minor;
    uint16_t most_sent; /* bytes of a fragment */
    struct context contexts[RPC_MOST_CONTEXTS];
    unsigned context_count;
    struct incoming incoming;
    struct ndr_push partial; /* a message that is not all there yet */
};

/* One message and what becomes of it. */
struct step {
    struct rpc_association *association;
    struct pdu_header header;
    const uint8_t *message;
    struct pdu_writer to;
    struct rpc_fed *fed;
};

struct rpc_association *rpc_association_open(const struct rpc_association_options *options)
{
    struct rpc_association *association = calloc(1, sizeof(*association));
    if (association != NULL) {
        association->options = *options;
        association->most_sent = PDU_LEAST_FRAGMENT;
        association->incoming.arguments = ndr_push_up_to(RPC_MOST_ARGUMENTS);
        association->partial = ndr_push_up_to(PDU_MOST_FRAGMENT);
    }
    return association;
}

void rpc_association_close(struct rpc_association *association)
{
    if (association != NULL) {
        ndr_push_free(&association->incoming.arguments);
        ndr_push_free(&association->partial);
        free(association);
    }
}

bool rpc_association_bound(const struct rpc_association *association)
{
    return association->context_count > 0;
}

size_t rpc_association_held(const struct rpc_association *association)
{
    return association->incoming.arguments.capacity + association->partial.capacity;
}

static void refuse(struct step *step, const char *why)
{
    step->fed->ended = true;
    step->fed->why = why;
}

/* ---- Contexts -------------------------------------------------------------------------------- */

/* An interface serves clients of its own minor version and of older ones. */
static const struct rpc_interface *find_interface(const struct rpc_association *association,
                                                  const struct rpc_syntax *wanted)
{
    for (size_t i = 0; i < association->options.interface_count; i++) {
        const struct rpc_interface *each = &association->options.interfaces[i];
        if (rpc_uuid_equal(&each->syntax.uuid, &wanted->uuid) &&
            each->syntax.major == wanted->major && each->syntax.minor >= wanted->minor) {
            return each;
        }
    }
    return NULL;
}

static struct context *find_context(struct rpc_association *association, uint16_t id)
{
    for (unsigned i = 0; i < association->context_count; i++) {
        if (association->contexts[i].id == id) {
            return &association->contexts[i];
        }
    }
    return NULL;
}

/* Accepts a context, or gives the reason why not. One whose number is taken is accepted if it is
 * the same. */
static enum pdu_reason agree_on(struct rpc_association *association,
                                const struct pdu_context *wanted, enum pdu_result *result)
{
    const struct rpc_interface *interface = find_interface(association, &wanted->interface);
    const struct context *same = find_context(association, wanted->id);
    *result = PDU_PROVIDER_REJECTED;
    if (interface == NULL) {
        return PDU_UNKNOWN_INTERFACE;
    }
    if (!wanted->ndr32) {
        return PDU_UNKNOWN_TRANSFER;
    }
    if (same == NULL && association->context_count == RPC_MOST_CONTEXTS) {
        return PDU_TOO_MANY;
    }
    if (same != NULL && same->interface != interface) {
        return PDU_NO_REASON;
    }
    if (same == NULL) {
        association->contexts[association->context_count++] =
            (struct context){wanted->id, interface};
    }
    *result = PDU_ACCEPTED;
    return PDU_NO_REASON;
}

/* No feature of those that can be asked for is offered. */
static bool judge_contexts(struct step *step, struct pdu_bind *bind, struct pdu_results *results)
{
    results->count = bind->contexts;
    for (unsigned i = 0; i < results->count; i++) {
        struct pdu_context wanted;
        enum pdu_result result = PDU_NEGOTIATED;
        enum pdu_reason reason = PDU_NO_REASON;
        if (!pdu_next_context(bind, &wanted)) {
            return false;
        }
        if (!wanted.negotiates) {
            reason = agree_on(step->association, &wanted, &result);
        }
        results->rows[i].result = (uint16_t)result;
        results->rows[i].reason = (uint16_t)reason;
    }
    return true;
}

static uint16_t fragment_size(uint16_t wanted)
{
    return wanted > PDU_MOST_FRAGMENT    ? PDU_MOST_FRAGMENT
           : wanted < PDU_LEAST_FRAGMENT ? PDU_LEAST_FRAGMENT
                                         : wanted;
}

/* ---- Messages -------------------------------------------------------------------------------- */

static void refuse_bind(struct step *step, enum pdu_refusal refusal, const char *why)
{
    pdu_write_bind_nak(&step->to, step->header.call, refusal);
    refuse(step, why);
}

/* A fault after which the connection ends. */
static void end_with_fault(struct step *step, uint32_t status, const char *why)
{
    pdu_write_fault(&step->to, step->header.call, 0, status);
    refuse(step, why);
}

/* None of its contexts counts, also of those that could be read. */
static void refuse_contexts(struct step *step, enum pdu_type answer)
{
    step->association->context_count = 0;
    if (answer == PDU_BIND_ACK) {
        refuse_bind(step, PDU_REFUSED, "a bind that cannot be read");
    } else {
        end_with_fault(step, RPC_FAULT_PROTOCOL, "an alter_context that cannot be read");
    }
}

static void take_contexts(struct step *step, enum pdu_type answer)
{
    struct rpc_association *association = step->association;
    struct pdu_bind bind;
    struct pdu_results results;
    if (!pdu_read_bind(step->message, step->header.size, &bind) || bind.contexts == 0 ||
        bind.contexts > PDU_MOST_RESULTS || !judge_contexts(step, &bind, &results)) {
        refuse_contexts(step, answer);
        return;
    }
    if (answer == PDU_BIND_ACK) {
        association->most_sent = fragment_size(bind.most_taken);
        association->agreed = true;
    }
    struct pdu_agreement agreement = {
        .most_sent = association->most_sent,
        .most_taken = fragment_size(bind.most_sent),
        .group = association->options.group,
        .address = answer == PDU_BIND_ACK ? association->options.address : NULL};
    pdu_write_bind_ack(&step->to, answer, step->header.call, &agreement, &results);
}

static void take_bind(struct step *step)
{
    const unsigned whole = PDU_FIRST | PDU_LAST;
    if (step->header.auth != 0) {
        refuse_bind(step, PDU_REFUSED_AUTHENTICATION, "a bind with authentication");
    } else if (step->association->agreed || (step->header.flags & whole) != whole) {
        refuse_bind(step, PDU_REFUSED, "a second bind, or a part of one");
    } else {
        take_contexts(step, PDU_BIND_ACK);
    }
}

static void take_alter(struct step *step)
{
    if (step->header.auth != 0) {
        end_with_fault(step, RPC_FAULT_ACCESS_DENIED, "an alter_context with authentication");
    } else if (!step->association->agreed) {
        end_with_fault(step, RPC_FAULT_PROTOCOL, "an alter_context before a bind");
    } else {
        take_contexts(step, PDU_ALTER_RESPONSE);
    }
}

/* ---- Calls ----------------------------------------------------------------------------------- */

static uint32_t make_call(struct rpc_association *association, struct ndr_push *answer)
{
    const struct rpc_association_options *options = &association->options;
    const struct incoming *incoming = &association->incoming;
    const struct context *context = find_context(association, incoming->context);
    if (context == NULL) {
        return RPC_FAULT_NO_INTERFACE;
    }
    if (options->admit != NULL && !options->admit(options->owner, options->caller)) {
        return RPC_FAULT_ACCESS_DENIED;
    }
    if (incoming->opnum >= context->interface->opnum_count) {
        return RPC_FAULT_OPNUM;
    }
    struct rpc_call call = {options->caller, incoming->opnum, incoming->arguments.data,
                            incoming->arguments.size};
    uint32_t fault = context->interface->call(options->owner, &call, answer);
    return fault == 0 && !ndr_push_ok(answer) ? RPC_FAULT_NO_MEMORY : fault;
}

/* Large arguments are rare, so their memory is not kept for the next call. */
static void forget_call(struct incoming *incoming)
{
    ndr_push_free(&incoming->arguments);
    incoming->under_way = false;
}

static void answer_call(struct step *step)
{
    struct rpc_association *association = step->association;
    struct incoming *incoming = &association->incoming;
    struct ndr_push answer = ndr_push_up_to(RPC_MOST_ANSWER);
    uint32_t fault = make_call(association, &answer);
    if (incoming->maybe) {
        fault = 0;
    } else if (fault != 0) {
        pdu_write_fault(&step->to, incoming->call, incoming->context, fault);
    } else {
        pdu_write_response(&step->to, incoming->call, incoming->context, &answer,
                           association->most_sent);
    }
    ndr_push_free(&answer);
    forget_call(incoming);
}

/* Fragments of a call come one after another: several calls at a time are not agreed upon. */
static bool is_next(const struct incoming *incoming, const struct step *step,
                    const struct pdu_request *request)
{
    bool first = (step->header.flags & PDU_FIRST) != 0;
    if (first || !incoming->under_way) {
        return first && !incoming->under_way;
    }
    return incoming->call == step->header.call && incoming->context == request->context &&
           incoming->opnum == request->opnum;
}

static void add_fragment(struct step *step, const struct pdu_request *request)
{
    struct incoming *incoming = &step->association->incoming;
    if (!incoming->under_way) {
        incoming->under_way = true;
        incoming->maybe = (step->header.flags & PDU_MAYBE) != 0;
        incoming->call = step->header.call;
        incoming->context = request->context;
        incoming->opnum = request->opnum;
    }
    ndr_push_raw(&incoming->arguments, request->stub, request->size);
    if (!ndr_push_ok(&incoming->arguments)) {
        end_with_fault(step, RPC_FAULT_NO_MEMORY, "a call with too many arguments");
    } else if ((step->header.flags & PDU_LAST) != 0) {
        answer_call(step);
    }
}

static void take_request(struct step *step)
{
    struct rpc_association *association = step->association;
    struct pdu_request request;
    if (step->header.auth != 0) {
        end_with_fault(step, RPC_FAULT_ACCESS_DENIED, "a call with authentication");
    } else if (!association->agreed) {
        end_with_fault(step, RPC_FAULT_PROTOCOL, "a call before a bind");
    } else if (!pdu_read_request(step->message, step->header.size, &request) ||
               !is_next(&association->incoming, step, &request)) {
        end_with_fault(step, RPC_FAULT_PROTOCOL, "a fragment out of order");
    } else {
        add_fragment(step, &request);
    }
}

/* The client does not want its call any more. Answers are made at once, so there is nothing to
 * cancel but what has not come in yet. */
static void take_orphaned(struct step *step)
{
    struct incoming *incoming = &step->association->incoming;
    if (incoming->under_way && incoming->call == step->header.call) {
        forget_call(incoming);
    }
}

static void take_message(struct step *step)
{
    switch (step->header.type) {
    case PDU_BIND:
        take_bind(step);
        break;
    case PDU_ALTER:
        take_alter(step);
        break;
    case PDU_REQUEST:
        take_request(step);
        break;
    case PDU_ORPHANED:
        take_orphaned(step);
        break;
    case PDU_CANCEL:
    case PDU_SHUTDOWN:
        break;
    default:
        end_with_fault(step, RPC_FAULT_PROTOCOL, "a message that no client sends");
    }
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

/* Whether a message with this header can be taken. */
static bool is_spoken(struct step *step)
{
    const struct pdu_header *header = &step->header;
    bool spoken = header->major == 5 && header->minor <= 1;
    if (spoken && header->readable && header->size >= PDU_HEADER &&
        header->size <= PDU_MOST_FRAGMENT) {
        return true;
    }
    if (header->readable && header->type == PDU_BIND) {
        refuse_bind(step, spoken ? PDU_REFUSED : PDU_REFUSED_VERSION,
                    "a bind of another protocol or too large");
    } else {
        refuse(step, "bytes that are no message");
    }
    return false;
}

/* Looks at the header in at least PDU_HEADER bytes; gives the message's size, or 0 if it ends the
 * connection. */
static size_t begin_message(struct step *step, const uint8_t *bytes)
{
    step->header = pdu_read_header(bytes);
    step->message = bytes;
    step->to.minor = step->header.minor <= 1 ? step->header.minor : 0;
    return is_spoken(step) ? step->header.size : 0;
}

/* Goes on with the message that has begun, or begins one from too few bytes for all of it. */
static size_t take_part(struct step *step, const uint8_t *bytes, size_t size)
{
    struct ndr_push *partial = &step->association->partial;
    size_t taken = ndr_push_fill(partial, PDU_HEADER, bytes, size);
    if (partial->size >= PDU_HEADER && ndr_push_ok(partial)) {
        size_t wanted = begin_message(step, partial->data);
        taken += ndr_push_fill(partial, wanted, bytes + taken, size - taken);
        step->message = partial->data;
        if (wanted > 0 && partial->size == wanted && ndr_push_ok(partial)) {
            take_message(step);
            ndr_push_free(partial);
        }
    }
    if (!ndr_push_ok(partial)) {
        refuse(step, "a message for which there is no memory");
    }
    return taken;
}

/* Takes one message, or what there is of it. */
static size_t take_next(struct step *step, const uint8_t *bytes, size_t size)
{
    if (step->association->partial.size > 0 || size < PDU_HEADER) {
        return take_part(step, bytes, size);
    }
    size_t wanted = begin_message(step, bytes);
    if (wanted == 0) {
        return 0;
    }
    if (wanted > size) {
        return take_part(step, bytes, size);
    }
    take_message(step);
    return wanted;
}

struct rpc_fed rpc_association_feed(struct rpc_association *association, const uint8_t *bytes,
                                    size_t size, struct ndr_push *output)
{
    const struct rpc_association_options *options = &association->options;
    struct rpc_fed fed = {0};
    struct step step = {.association = association,
                        .to = {.output = output, .framed = options->framed},
                        .fed = &fed};
    while (fed.taken < size && !fed.ended && output->size < options->most_output) {
        fed.taken += take_next(&step, bytes + fed.taken, size - fed.taken);
    }
    if (!ndr_push_ok(output)) {
        refuse(&step, "an answer for which there is no memory");
    }
    return fed;
}

/*
 * fuzz_pdu.c - fuzz target: messages, and the arguments in them.
 *
 * An input is taken as a message by every reader there is, then as arguments: its first byte says
 * how many, the next ones of which kinds. What is read lies within the bytes, and text that is read
 * has a way back. Needs pdu and ndr.
 */
#include "fuzz.h"
#include "../../services/rpc/pdu.h"

#include <stdlib.h>
#include <string.h>

static bool within(const uint8_t *part, size_t part_size, const uint8_t *whole, size_t size)
{
    return part_size == 0 ||
           (part >= whole && part_size <= size && (size_t)(part - whole) <= size - part_size);
}

/* ---- Messages -------------------------------------------------------------------------------- */

static void check_contexts(struct pdu_bind *bind, size_t size)
{
    struct pdu_context context;
    unsigned count = 0;
    while (count < bind->contexts && pdu_next_context(bind, &context)) {
        FUZZ_CHECK(bind->rest.position <= size);
        count++;
    }
    FUZZ_CHECK(count <= size / 24);
}

static void check_message(const uint8_t *bytes, size_t size)
{
    struct pdu_bind bind;
    struct pdu_request request;
    struct pdu_response response;
    struct pdu_bind_ack ack;
    uint16_t reason;
    uint32_t status;
    (void)pdu_read_header(bytes);
    if (pdu_read_bind(bytes, size, &bind)) {
        check_contexts(&bind, size);
    }
    if (pdu_read_request(bytes, size, &request)) {
        FUZZ_CHECK(within(request.stub, request.size, bytes, size));
    }
    if (pdu_read_response(bytes, size, &response)) {
        FUZZ_CHECK(within(response.stub, response.size, bytes, size));
    }
    FUZZ_CHECK(!pdu_read_bind_ack(bytes, size, &ack) || size >= PDU_HEADER + 36);
    FUZZ_CHECK(!pdu_read_bind_nak(bytes, size, &reason) || size >= PDU_HEADER + 2);
    FUZZ_CHECK(!pdu_read_fault(bytes, size, &status) || size >= PDU_HEADER + 12);
}

/* ---- Arguments ------------------------------------------------------------------------------- */

/* The text in UTF-8, pushed and pulled again, is the same. */
static void check_text(struct ndr_text text)
{
    size_t room = 3 * text.units + 1;
    char *utf8 = malloc(room);
    struct ndr_push push = ndr_push_up_to(2 * room + 16);
    FUZZ_CHECK(utf8 != NULL && ndr_text_utf8(text, utf8, room));
    size_t exact = strlen(utf8) + 1;
    FUZZ_CHECK(!ndr_text_utf8(text, utf8, exact - 1));
    FUZZ_CHECK(ndr_text_utf8(text, utf8, exact));
    ndr_push_text(&push, utf8);
    FUZZ_CHECK(ndr_push_ok(&push));
    struct ndr_pull pull = ndr_pull_of(push.data, push.size);
    struct ndr_text again = ndr_pull_text(&pull, text.units);
    FUZZ_CHECK(ndr_pull_ok(&pull) && again.units == text.units);
    FUZZ_CHECK(text.units == 0 || memcmp(again.data, text.data, 2 * text.units) == 0);
    ndr_push_free(&push);
    free(utf8);
}

static void pull_one(struct ndr_pull *pull, unsigned kind, size_t most)
{
    struct ndr_bytes bytes = {NULL, 0};
    struct ndr_text text;
    switch (kind) {
    case 0:
        (void)ndr_pull_u8(pull);
        break;
    case 1:
        (void)ndr_pull_u16(pull);
        break;
    case 2:
        (void)ndr_pull_pointer(pull);
        break;
    case 3:
        (void)ndr_pull_u64(pull);
        break;
    case 4:
        bytes = ndr_pull_bytes(pull, most);
        break;
    case 5:
        bytes = ndr_pull_text8(pull, most);
        break;
    case 6:
        (void)ndr_pull_handle(pull);
        break;
    default:
        text = ndr_pull_text(pull, most);
        FUZZ_CHECK(text.units <= most && (text.data != NULL || text.units == 0));
        FUZZ_CHECK(within(text.data, 2 * text.units, pull->data, pull->size));
        if (text.data != NULL) {
            check_text(text);
        }
    }
    FUZZ_CHECK(bytes.size <= most && within(bytes.data, bytes.size, pull->data, pull->size));
}

static void check_arguments(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    unsigned kinds[16];
    unsigned count = fuzz_u8(&input) % 16;
    for (unsigned i = 0; i < count; i++) {
        kinds[i] = fuzz_u8(&input);
    }
    size_t got;
    char *bytes = fuzz_bytes(&input, input.left, &got);
    struct ndr_pull pull = ndr_pull_of(bytes, got);
    for (unsigned i = 0; i < count; i++) {
        bool before = ndr_pull_ok(&pull);
        pull_one(&pull, kinds[i] % 8, kinds[i] < 128 ? 64 : SIZE_MAX);
        FUZZ_CHECK(pull.position <= pull.size && (before || !ndr_pull_ok(&pull)));
    }
    free(bytes);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    size_t got;
    char *copy = fuzz_bytes(&input, size, &got);
    if (size >= PDU_HEADER) {
        check_message((const uint8_t *)copy, size);
    }
    check_arguments(data, size);
    free(copy);
    return 0;
}

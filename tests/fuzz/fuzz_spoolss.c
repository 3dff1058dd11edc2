/*
 * fuzz_spoolss.c - fuzz target: calls of the print system's interface, one after another, with any
 * arguments.
 *
 * An input is a row of calls: a byte for the opnum, two for the length of the arguments, these, and
 * a byte for the time that passes. Whatever is asked, an answer has the form of its call, a listing
 * lies in its buffer, and the cache stays in order and within its bounds. Needs spoolss.
 */
#include "fuzz.h"

#include "../../services/spooler/spoolss.h"

#include <stdlib.h>
#include <string.h>

#define MOST 8
#define PERIOD 100
#define MOST_CALLS 64
#define LEVEL1_SIZE 16
#define LEVEL2_SIZE 84
#define HANDLE_ANSWER 24

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

static void add_printer(struct printers *printers, const char *name, const char *share)
{
    struct printer *printer = calloc(1, sizeof(*printer));
    FUZZ_CHECK(printer != NULL);
    for (size_t i = 0; i < PRINTER_TEXTS; i++) {
        printer->texts[i] = "text";
    }
    printer->texts[PRINTER_NAME] = name;
    printer->texts[PRINTER_SHARE] = share;
    printer->shared = share[0] != '\0';
    printers->rows[printers->count++] = printer;
}

static void check_cache(const struct cache *cache)
{
    size_t chained = 0;
    FUZZ_CHECK(cache->count <= MOST);
    for (size_t i = 0; i < cache->count; i++) {
        const struct announcement *says = &cache->sorted[i]->says;
        FUZZ_CHECK(cache_is_name(says->name) && strlen(says->description) <= CACHE_TEXT_MAX);
        FUZZ_CHECK(i == 0 || rs_name_compare(cache->sorted[i - 1]->says.name, RS_NTS, says->name,
                                             RS_NTS) < 0);
    }
    for (const struct network_printer *each = cache->oldest; each != NULL; each = each->newer) {
        chained++;
    }
    FUZZ_CHECK(chained == cache->count);
}

/* A text begins in the buffer, behind the structures, and ends in it. */
static void check_text(struct ndr_bytes buffer, size_t fixed, size_t at)
{
    FUZZ_CHECK(at >= fixed && at + 2 <= buffer.size);
    while (buffer.data[at] != 0 || buffer.data[at + 1] != 0) {
        at += 2;
        FUZZ_CHECK(at + 2 <= buffer.size);
    }
}

static uint32_t number_at(struct ndr_bytes buffer, size_t at)
{
    struct ndr_pull pull = ndr_pull_of(buffer.data + at, 4);
    return ndr_pull_u32(&pull);
}

/* At level 1 all but the first field are texts, at level 2 the first twelve but one. */
static void check_rows(struct ndr_bytes buffer, uint32_t count, unsigned level)
{
    size_t stride = level == 1 ? LEVEL1_SIZE : LEVEL2_SIZE;
    size_t first = level == 1 ? 1 : 0;
    size_t last = level == 1 ? 3 : 11;
    for (size_t row = 0; row < count; row++) {
        for (size_t field = first; field <= last; field++) {
            uint32_t offset = number_at(buffer, row * stride + field * 4);
            if (offset != 0) {
                check_text(buffer, count * stride, row * stride + offset);
            }
        }
    }
}

static void check_listing(const struct rpc_call *call, const struct ndr_push *answer)
{
    struct ndr_pull pull = ndr_pull_of(answer->data, answer->size);
    struct ndr_bytes buffer = {0};
    if (ndr_pull_pointer(&pull)) {
        buffer = ndr_pull_bytes(&pull, RPC_MOST_ANSWER);
    }
    uint32_t needed = ndr_pull_u32(&pull);
    uint32_t count = ndr_pull_u32(&pull);
    uint32_t error = ndr_pull_u32(&pull);
    FUZZ_CHECK(ndr_pull_ok(&pull) && pull.position == answer->size);
    FUZZ_CHECK(error == 0 || count == 0);
    FUZZ_CHECK(error != 0 || needed <= buffer.size);
    FUZZ_CHECK(error != SPOOLSS_INSUFFICIENT_BUFFER || needed > buffer.size);
    struct ndr_pull question = ndr_pull_of(call->arguments, call->size);
    (void)ndr_pull_u32(&question);
    if (ndr_pull_pointer(&question)) {
        (void)ndr_pull_text(&question, 1024);
    }
    check_rows(buffer, count, ndr_pull_u32(&question));
}

static void check_handle(const struct ndr_push *answer)
{
    struct ndr_handle handle;
    uint32_t error;
    FUZZ_CHECK(answer->size == HANDLE_ANSWER);
    FUZZ_CHECK(spoolss_pull_announced(answer->data, answer->size, &handle, &error));
    FUZZ_CHECK(ndr_handle_is_null(&handle) && error != 0);
}

static void make_call(struct spoolss *spoolss, unsigned opnum, const char *stub, size_t size)
{
    static const struct rpc_caller caller = {.anonymous = true};
    const struct rpc_call call = {&caller, opnum, (const uint8_t *)stub, size};
    struct ndr_push answer = ndr_push_up_to(RPC_MOST_ANSWER);
    uint32_t fault = spoolss_interface.call(spoolss, &call, &answer);
    FUZZ_CHECK(ndr_push_ok(&answer));
    FUZZ_CHECK(fault == 0 || fault == RPC_FAULT_OPNUM || fault == RPC_FAULT_BAD_STUB_DATA);
    if (fault == 0 && opnum == SPOOLSS_ENUM_PRINTERS) {
        check_listing(&call, &answer);
    } else if (fault == 0) {
        check_handle(&answer);
    }
    ndr_push_free(&answer);
    check_cache(&spoolss->cache);
}

static unsigned opnum_of(unsigned byte)
{
    static const unsigned known[] = {SPOOLSS_ENUM_PRINTERS, SPOOLSS_ADD_PRINTER,
                                     SPOOLSS_CLOSE_PRINTER};
    return byte < 3 ? known[byte] : byte;
}

static void make_calls(struct spoolss *spoolss, struct fuzz_input *input)
{
    for (int calls = 0; calls < MOST_CALLS && input->left > 0; calls++) {
        unsigned opnum = opnum_of(fuzz_u8(input));
        size_t wanted = fuzz_u16(input);
        size_t size;
        char *stub = fuzz_bytes(input, wanted, &size);
        make_call(spoolss, opnum, stub, size);
        free(stub);
        spoolss->loop->now += fuzz_u8(input);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct loop loop = {0};
    struct spoolss spoolss;
    struct printers *printers = calloc(1, sizeof(*printers));
    FUZZ_CHECK(printers != NULL);
    add_printer(printers, "Laser", "LASER");
    add_printer(printers, "Private", "");
    struct own *own = own_make(printers, "SERVER");
    FUZZ_CHECK(own != NULL);
    spoolss_open(&spoolss, &loop, NULL);
    spoolss_take(&spoolss, printers, own, "SERVER");
    spoolss_limits(&spoolss, PERIOD, MOST);
    make_calls(&spoolss, &input);
    spoolss_close(&spoolss);
    own_free(own);
    printers_free(printers);
    return 0;
}

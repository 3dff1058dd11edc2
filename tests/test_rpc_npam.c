/* test_rpc_npam - how smbd hands a named pipe over: requests of a real one, whole and damaged. */
#include "harness.h"

#include "../services/rpc/npam.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct request {
    uint8_t bytes[2048];
    size_t size;
};

/* What smbd 4.17 sent, from the seeds of the fuzz target. */
static struct request real(const char *name)
{
    struct request request;
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/npam/%s", top_dir(), name);
    FILE *file = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    request.size = fread(request.bytes, 1, sizeof(request.bytes), file);
    (void)fclose(file);
    CU_ASSERT_FATAL(request.size > NPAM_HEAD && request.size < sizeof(request.bytes));
    return request;
}

static enum npam_reading read_whole(const struct request *request, struct rpc_caller *caller)
{
    size_t size;
    uint32_t level;
    enum npam_reading reading = npam_head(request->bytes, &size, &level);
    if (reading != NPAM_READ) {
        return reading;
    }
    return size == request->size ? npam_read(request->bytes, size, caller) : NPAM_NOT;
}

static void a_null_session_is_anonymous(void)
{
    struct request request = real("anonymous");
    struct rpc_caller caller;
    CU_ASSERT_EQUAL_FATAL(read_whole(&request, &caller), NPAM_READ);
    CU_ASSERT(caller.anonymous && caller.transport == RPC_OVER_PIPE);
    CU_ASSERT_STRING_EQUAL(caller.sid, "S-1-5-7");
    CU_ASSERT_STRING_EQUAL(caller.account, "ANONYMOUS LOGON");
    CU_ASSERT_STRING_EQUAL(caller.domain, "NT AUTHORITY");
    CU_ASSERT_STRING_EQUAL(caller.address, "127.0.0.1");
    CU_ASSERT_STRING_EQUAL(caller.computer, "vm");
}

static void an_account_is_not(void)
{
    struct request request = real("account");
    struct rpc_caller caller;
    CU_ASSERT_EQUAL_FATAL(read_whole(&request, &caller), NPAM_READ);
    CU_ASSERT_FALSE(caller.anonymous);
    CU_ASSERT_STRING_EQUAL(caller.account, "nobody");
    CU_ASSERT_STRING_EQUAL(caller.domain, "RIG");
    CU_ASSERT_EQUAL(strncmp(caller.sid, "S-1-5-21-", 9), 0);
}

static void set_level(struct request *request, uint8_t level)
{
    request->bytes[8] = level;
    request->bytes[12] = level;
}

static void only_levels_6_and_7_are_read(void)
{
    struct request request = real("anonymous");
    struct rpc_caller caller;
    for (uint8_t level = 0; level < 16; level++) {
        set_level(&request, level);
        CU_ASSERT_EQUAL(read_whole(&request, &caller),
                        level == 6 || level == 7 ? NPAM_READ : NPAM_OTHER_LEVEL);
    }
    set_level(&request, 7);
    request.bytes[12] = 6;
    CU_ASSERT_EQUAL(read_whole(&request, &caller), NPAM_BROKEN);
}

static void set_length(struct request *request, size_t length)
{
    request->bytes[0] = (uint8_t)(length >> 24);
    request->bytes[1] = (uint8_t)(length >> 16);
    request->bytes[2] = (uint8_t)(length >> 8);
    request->bytes[3] = (uint8_t)length;
}

static void a_head_has_limits(void)
{
    struct request request = real("anonymous");
    size_t size = 1;
    uint32_t level = 1;
    set_length(&request, NPAM_MOST);
    CU_ASSERT_EQUAL(npam_head(request.bytes, &size, &level), NPAM_READ);
    CU_ASSERT_EQUAL(size, NPAM_MOST + 4);
    set_length(&request, NPAM_MOST + 1);
    CU_ASSERT_EQUAL(npam_head(request.bytes, &size, &level), NPAM_NOT);
    set_length(&request, NPAM_HEAD - 1);
    CU_ASSERT_EQUAL(npam_head(request.bytes, &size, &level), NPAM_NOT);
    request = real("anonymous");
    request.bytes[4] = 'M';
    CU_ASSERT_EQUAL(npam_head(request.bytes, &size, &level), NPAM_NOT);
}

/* The bytes stand in memory of their own, so that a sanitizer sees what is read beyond them. */
static enum npam_reading read_cut(const struct request *request, size_t size)
{
    struct rpc_caller caller = {.account = "untouched"};
    uint8_t *copy = malloc(size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, request->bytes, size);
    enum npam_reading reading = npam_read(copy, size, &caller);
    free(copy);
    CU_ASSERT(reading == NPAM_READ || strcmp(caller.account, "untouched") == 0);
    return reading;
}

static void a_request_is_read_whole_or_not(void)
{
    struct request request = real("account");
    for (size_t size = NPAM_HEAD; size < request.size; size++) {
        CU_ASSERT_EQUAL(read_cut(&request, size), NPAM_BROKEN);
    }
    CU_ASSERT_EQUAL(read_cut(&request, request.size + 1), NPAM_BROKEN);
    CU_ASSERT_EQUAL(read_cut(&request, request.size), NPAM_READ);
}

/* Every number of the token replaced: never more than is there is read, and what decides who it is
 * never survives a damaged shape. */
static void a_token_that_lies_is_refused(void)
{
    static const uint32_t lies[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff};
    const struct request whole = real("anonymous");
    static const size_t counts[] = {0xc8, 0xcc, 0x134, 0x148}; /* of SIDs, of groups */
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        for (size_t k = 0; k < sizeof(lies) / sizeof(lies[0]); k++) {
            struct request request = whole;
            if (i >= 2 && lies[k] == 1) {
                continue; /* is what it is */
            }
            memcpy(request.bytes + counts[i], &lies[k], 4);
            CU_ASSERT_EQUAL(read_cut(&request, request.size), NPAM_BROKEN);
        }
    }
    for (size_t at = NPAM_HEAD; at + 4 <= whole.size; at++) {
        for (size_t k = 0; k < sizeof(lies) / sizeof(lies[0]); k++) {
            struct request request = whole;
            memcpy(request.bytes + at, &lies[k], 4);
            (void)read_cut(&request, request.size);
        }
    }
}

static void a_sid_of_another_kind_is_refused(void)
{
    struct request request = real("anonymous");
    request.bytes[0xd0] = 2; /* revision */
    CU_ASSERT_EQUAL(read_cut(&request, request.size), NPAM_BROKEN);
    request.bytes[0xd0] = 1;
    request.bytes[0xd1] = 16; /* parts */
    CU_ASSERT_EQUAL(read_cut(&request, request.size), NPAM_BROKEN);
}

static void sids_are_printed_as_usual(void)
{
    struct request request = real("anonymous");
    struct rpc_caller caller;
    request.bytes[0xd2] = 0x12; /* the authority's first byte */
    CU_ASSERT_EQUAL(read_whole(&request, &caller), NPAM_READ);
    CU_ASSERT_STRING_EQUAL(caller.sid, "S-1-0x120000000005-7");
    CU_ASSERT_FALSE(caller.anonymous);
}

static void an_answer_has_36_bytes(void)
{
    static const uint8_t expected[36] = {0, 0,  0, 32, 'N', 'P', 'A',  'M', 7,    0, 0, 0,
                                         7, 0,  0, 0,  2,   0,   0xff, 5,   0,    0, 0, 0,
                                         0, 16, 0, 0,  0,   0,   0,    0,   0x22, 0, 0, 0xc0};
    struct ndr_push output = ndr_push_up_to(100);
    npam_write(&output, 7, NPAM_ACCESS_DENIED);
    CU_ASSERT_EQUAL_FATAL(output.size, sizeof(expected));
    CU_ASSERT_EQUAL(memcmp(output.data, expected, sizeof(expected)), 0);
    ndr_push_free(&output);
}

static const struct test_case cases[] = {
    {"a null session is anonymous", a_null_session_is_anonymous},
    {"an account is not", an_account_is_not},
    {"only levels 6 and 7 are read", only_levels_6_and_7_are_read},
    {"a head has limits", a_head_has_limits},
    {"a request is read whole or not", a_request_is_read_whole_or_not},
    {"a token that lies is refused", a_token_that_lies_is_refused},
    {"a SID of another kind is refused", a_sid_of_another_kind_is_refused},
    {"SIDs are printed as usual", sids_are_printed_as_usual},
    {"an answer has 36 bytes", an_answer_has_36_bytes},
    {NULL, NULL}};

const struct test_suite suite_rpc_npam = {"rpc_npam", cases};

/*
 * fuzz_npam.c - fuzz target: smbd's handshake on the socket of a named pipe.
 *
 * An input is a request; only what reads as one to its very end may say who calls, and then all
 * that it says is text. Needs npam.
 */
#include "fuzz.h"
#include "../../services/rpc/npam.h"

#include <stdlib.h>
#include <string.h>

static bool ends(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

static void check_caller(const struct rpc_caller *caller)
{
    FUZZ_CHECK(caller->transport == RPC_OVER_PIPE);
    FUZZ_CHECK(ends(caller->address, sizeof(caller->address)));
    FUZZ_CHECK(ends(caller->computer, sizeof(caller->computer)));
    FUZZ_CHECK(ends(caller->account, sizeof(caller->account)));
    FUZZ_CHECK(ends(caller->domain, sizeof(caller->domain)));
    FUZZ_CHECK(ends(caller->sid, sizeof(caller->sid)) && strncmp(caller->sid, "S-1-", 4) == 0);
    FUZZ_CHECK(caller->anonymous == (strcmp(caller->sid, "S-1-5-7") == 0));
}

/* A request with nothing behind it. */
static void check_whole(const uint8_t *bytes, size_t size)
{
    struct rpc_caller caller;
    struct rpc_caller again;
    if (npam_read(bytes, size, &caller) == NPAM_READ) {
        check_caller(&caller);
        FUZZ_CHECK(npam_read(bytes, size - 1, &again) == NPAM_BROKEN);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t wanted;
    uint32_t level;
    if (size >= NPAM_HEAD) {
        enum npam_reading reading = npam_head(data, &wanted, &level);
        FUZZ_CHECK(reading != NPAM_READ || (wanted > NPAM_HEAD && wanted <= NPAM_MOST + 4));
        FUZZ_CHECK(reading != NPAM_READ || level == 6 || level == 7);
    }
    uint8_t *copy = malloc(size > 0 ? size : 1);
    FUZZ_CHECK(copy != NULL);
    memcpy(copy, data, size);
    check_whole(copy, size);
    free(copy);
    return 0;
}

/* spooler_bench - what the suites of the spooler share; see spooler_bench.h. */
#include "spooler_bench.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEVEL1_SIZE 16
#define LEVEL1_NAME 2

void spooler_bench_open(struct spooler_bench *bench)
{
    memset(bench, 0, sizeof(*bench));
    CU_ASSERT_EQUAL_FATAL(pipe2(bench->pipe, O_CLOEXEC | O_NONBLOCK), 0);
    log_open(&bench->log, "test", bench->pipe[1], NULL);
    bench->printers = calloc(1, sizeof(*bench->printers));
    CU_ASSERT_PTR_NOT_NULL_FATAL(bench->printers);
    bench->own = own_make(bench->printers, BENCH_SERVER);
    bench->arguments = ndr_push_up_to(RPC_MOST_ARGUMENTS);
    bench->answer = ndr_push_up_to(RPC_MOST_ANSWER);
    spoolss_open(&bench->spoolss, &bench->loop, &bench->log);
    spoolss_take(&bench->spoolss, bench->printers, bench->own, BENCH_SERVER);
    spoolss_limits(&bench->spoolss, BENCH_PERIOD, BENCH_MOST);
}

void spooler_bench_close(struct spooler_bench *bench)
{
    spoolss_close(&bench->spoolss);
    own_free(bench->own);
    printers_free(bench->printers);
    ndr_push_free(&bench->arguments);
    ndr_push_free(&bench->answer);
    close(bench->pipe[0]);
    close(bench->pipe[1]);
}

void spooler_bench_add(struct spooler_bench *bench, const char *name, const char *share)
{
    struct printer *printer = calloc(1, sizeof(*printer));
    CU_ASSERT_PTR_NOT_NULL_FATAL(printer);
    for (size_t i = 0; i < PRINTER_TEXTS; i++) {
        printer->texts[i] = "";
    }
    printer->texts[PRINTER_NAME] = name;
    printer->texts[PRINTER_SHARE] = share;
    printer->texts[PRINTER_DRIVER] = "Driver";
    printer->texts[PRINTER_LOCATION] = "Room 1";
    printer->texts[PRINTER_COMMENT] = "Comment";
    printer->texts[PRINTER_PORT] = "LPT1:";
    printer->shared = share[0] != '\0';
    printer->numbers[PRINTER_ATTRIBUTES] = printer->shared ? PRINTER_ATTRIBUTE_SHARED : 0;
    printer->numbers[PRINTER_PRIORITY] = 1;
    bench->printers->rows[bench->printers->count++] = printer;
    own_free(bench->own);
    bench->own = own_make(bench->printers, BENCH_SERVER);
    spoolss_take(&bench->spoolss, bench->printers, bench->own, BENCH_SERVER);
}

void spooler_bench_pass(struct spooler_bench *bench, int64_t ms)
{
    struct loop *loop = &bench->loop;
    loop->now += ms;
    while (loop->timers != NULL && loop->timers->due <= loop->now) {
        struct loop_timer *timer = loop->timers;
        loop_unset(loop, timer);
        timer->expired(timer->owner);
    }
}

const char *spooler_bench_log(struct spooler_bench *bench)
{
    ssize_t size = read(bench->pipe[0], bench->text, sizeof(bench->text) - 1);
    bench->text[size > 0 ? size : 0] = '\0';
    return bench->text;
}

uint32_t spooler_bench_call(struct spooler_bench *bench, unsigned opnum)
{
    struct rpc_caller caller = {.anonymous = true, .address = "192.0.2.7"};
    struct rpc_call call = {.caller = &caller,
                            .opnum = opnum,
                            .arguments = bench->arguments.data,
                            .size = bench->arguments.size};
    CU_ASSERT_TRUE_FATAL(ndr_push_ok(&bench->arguments));
    ndr_push_clear(&bench->answer);
    uint32_t fault = spoolss_interface.call(&bench->spoolss, &call, &bench->answer);
    CU_ASSERT_TRUE_FATAL(ndr_push_ok(&bench->answer));
    ndr_push_clear(&bench->arguments);
    return fault;
}

uint32_t spooler_bench_announce(struct spooler_bench *bench, const char *name,
                                const char *description, const char *comment)
{
    struct announcement says = {name, description, comment};
    struct ndr_handle handle = {{1}};
    uint32_t error = UINT32_MAX;
    spoolss_push_announcement(&bench->arguments, "\\\\" BENCH_SERVER, &says);
    CU_ASSERT_EQUAL_FATAL(spooler_bench_call(bench, SPOOLSS_ADD_PRINTER), 0);
    CU_ASSERT_TRUE(spoolss_pull_announced(bench->answer.data, bench->answer.size, &handle, &error));
    CU_ASSERT_TRUE(ndr_handle_is_null(&handle));
    return error;
}

struct listed spooler_bench_list(struct spooler_bench *bench, uint32_t flags, const char *name,
                                 uint32_t level, uint32_t capacity)
{
    struct listed listed = {0};
    struct ndr_push *push = &bench->arguments;
    ndr_push_u32(push, flags);
    ndr_push_pointer(push, name != NULL);
    if (name != NULL) {
        ndr_push_text(push, name);
    }
    ndr_push_u32(push, level);
    ndr_push_pointer(push, capacity > 0);
    if (capacity > 0) {
        ndr_push_u32(push, capacity);
        (void)ndr_push_space(push, capacity);
    }
    ndr_push_u32(push, capacity);
    listed.fault = spooler_bench_call(bench, SPOOLSS_ENUM_PRINTERS);
    if (listed.fault == 0) {
        struct ndr_pull pull = ndr_pull_of(bench->answer.data, bench->answer.size);
        if (ndr_pull_pointer(&pull)) {
            struct ndr_bytes bytes = ndr_pull_bytes(&pull, RPC_MOST_ANSWER);
            listed.buffer = bytes.data;
            listed.size = (uint32_t)bytes.size;
        }
        listed.needed = ndr_pull_u32(&pull);
        listed.returned = ndr_pull_u32(&pull);
        listed.error = ndr_pull_u32(&pull);
        CU_ASSERT_TRUE_FATAL(ndr_pull_ok(&pull));
    }
    return listed;
}

struct listed spooler_bench_list_all(struct spooler_bench *bench, uint32_t flags, const char *name,
                                     uint32_t level)
{
    struct listed listed = spooler_bench_list(bench, flags, name, level, 0);
    CU_ASSERT_EQUAL_FATAL(listed.fault, 0);
    if (listed.error == SPOOLSS_INSUFFICIENT_BUFFER) {
        listed = spooler_bench_list(bench, flags, name, level, listed.needed);
    }
    return listed;
}

uint32_t listed_number(const struct listed *listed, size_t stride, size_t row, size_t field)
{
    size_t at = row * stride + field * 4;
    CU_ASSERT_TRUE_FATAL(listed->buffer != NULL && at + 4 <= listed->size);
    struct ndr_pull pull = ndr_pull_of(listed->buffer + at, 4);
    return ndr_pull_u32(&pull);
}

const char *listed_text(const struct listed *listed, size_t stride, size_t row, size_t field)
{
    static char texts[4][1024];
    static unsigned next;
    char *text = texts[next++ % 4];
    size_t start = row * stride;
    size_t at = listed_number(listed, stride, row, field);
    struct ndr_text units = {listed->buffer + start + at, 0};
    if (at == 0) {
        return NULL;
    }
    while (start + at + 2 * units.units + 1 < listed->size &&
           (units.data[2 * units.units] != 0 || units.data[2 * units.units + 1] != 0)) {
        units.units++;
    }
    CU_ASSERT_TRUE_FATAL(start + at + 2 * units.units + 1 < listed->size);
    CU_ASSERT_TRUE_FATAL(ndr_text_utf8(units, text, sizeof(texts[0])));
    return text;
}

const char *listed_names(const struct listed *listed)
{
    static char names[4096];
    names[0] = '\0';
    for (size_t i = 0; i < listed->returned; i++) {
        const char *name = listed_text(listed, LEVEL1_SIZE, i, LEVEL1_NAME);
        CU_ASSERT_PTR_NOT_NULL_FATAL(name);
        CU_ASSERT_TRUE_FATAL(strlen(names) + strlen(name) + 2 < sizeof(names));
        strcat(names, i > 0 ? " " : "");
        strcat(names, name);
    }
    return names;
}

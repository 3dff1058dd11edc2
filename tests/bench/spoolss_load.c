/*
 * spoolss_load - asks a print server for its printers as fast as it answers, for the benchmark.
 *
 *     spoolss_load SECONDS FLAGS SERVER tcp PORT
 *     spoolss_load SECONDS FLAGS SERVER pipe SOCKET HANDSHAKE
 *
 * As clients do, it asks first how large the list is (EnumPrinters, level 1), and then, again and
 * again, for the list. HANDSHAKE is a file with what smbd sends first on the socket of a named
 * pipe. The bytes are made once and an answer is only looked at where it says how it went, so that
 * it is the server that is measured. Writes one JSON object: calls, seconds, count, needed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define HEADER 16
#define CALL_HEADER 24 /* of a request and of a response */
#define FRAGMENT 4280  /* the largest PDU, both ways; what Samba's client offers */
#define FRAME 2        /* the length before each PDU of a pipe */
#define OK 0
#define INSUFFICIENT_BUFFER 122
#define RESPONSE 2
#define BIND_ACK 12
#define LAST_FRAGMENT 2
/* Seconds without an answer: a server may have to read all of its printers first. */
#define PATIENCE 600

struct bytes {
    uint8_t *data;
    size_t size;
    size_t room;
};

struct load {
    int fd;
    bool framed;
    struct bytes input; /* what came, from position on */
    size_t position;
};

struct answer {
    uint32_t needed;
    uint32_t count;
    uint32_t status;
};

__attribute__((format(printf, 1, 2))) static void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("spoolss_load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

/* ---- Bytes ---- */

static uint8_t *reserve(struct bytes *bytes, size_t size)
{
    if (bytes->size + size > bytes->room) {
        bytes->room = (bytes->size + size) * 2;
        bytes->data = realloc(bytes->data, bytes->room);
        if (bytes->data == NULL) {
            die("no memory");
        }
    }
    return bytes->data + bytes->size;
}

static void put(struct bytes *bytes, const void *data, size_t size)
{
    memcpy(reserve(bytes, size), data, size);
    bytes->size += size;
}

static void put_zeros(struct bytes *bytes, size_t size)
{
    memset(reserve(bytes, size), 0, size);
    bytes->size += size;
}

static void put16(struct bytes *bytes, unsigned number)
{
    uint8_t data[2] = {(uint8_t)number, (uint8_t)(number >> 8)};
    put(bytes, data, sizeof(data));
}

static void put32(struct bytes *bytes, uint32_t number)
{
    put16(bytes, number & 0xffff);
    put16(bytes, number >> 16);
}

static uint32_t get32(const uint8_t *data)
{
    return data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
}

/* ---- PDUs ---- */

static void put_header(struct bytes *bytes, unsigned kind, unsigned flags, size_t size)
{
    const uint8_t start[8] = {5, 0, (uint8_t)kind, (uint8_t)flags, 0x10};
    put(bytes, start, sizeof(start));
    put16(bytes, (unsigned)size);
    put16(bytes, 0);
    put32(bytes, 1);
}

static void put_bind(struct bytes *bytes, bool framed)
{
    static const uint8_t spoolss[20] = {0x78, 0x56, 0x34, 0x12, 0x34, 0x12, 0xcd, 0xab, 0xef,
                                        0x00, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 1};
    static const uint8_t ndr[20] = {0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f,
                                    0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60, 2};
    if (framed) {
        put16(bytes, 72);
    }
    put_header(bytes, 11, 3, 72);
    put16(bytes, FRAGMENT);
    put16(bytes, FRAGMENT);
    put32(bytes, 0);
    put32(bytes, 1); /* one context: number 0, */
    put16(bytes, 0);
    put16(bytes, 1); /* with one syntax */
    put(bytes, spoolss, sizeof(spoolss));
    put(bytes, ndr, sizeof(ndr));
}

/* The arguments of EnumPrinters. */
static void put_arguments(struct bytes *bytes, uint32_t flags, const char *server, uint32_t room)
{
    uint32_t length = (uint32_t)strlen(server) + 1;
    put32(bytes, flags);
    put32(bytes, 0x20000);
    put32(bytes, length);
    put32(bytes, 0);
    put32(bytes, length);
    for (uint32_t i = 0; i < length; i++) {
        put16(bytes, (unsigned char)server[i]);
    }
    put_zeros(bytes, length % 2 * 2);
    put32(bytes, 1);
    if (room == 0) {
        put32(bytes, 0);
    } else {
        put32(bytes, 0x20004);
        put32(bytes, room);
        put_zeros(bytes, (room + 3) / 4 * 4);
    }
    put32(bytes, room);
}

/* The call in as many PDUs as it needs. */
static struct bytes make_call(bool framed, uint32_t flags, const char *server, uint32_t room)
{
    struct bytes arguments = {0};
    struct bytes call = {0};
    put_arguments(&arguments, flags, server, room);
    for (size_t start = 0; start < arguments.size;) {
        size_t most = (FRAGMENT - CALL_HEADER) / 8 * 8;
        size_t left = arguments.size - start;
        size_t size = left > most ? most : left;
        if (framed) {
            put16(&call, (unsigned)(CALL_HEADER + size));
        }
        put_header(&call, 0, (start == 0 ? 1 : 0) | (size == left ? 2 : 0), CALL_HEADER + size);
        put32(&call, (uint32_t)left);
        put32(&call, 0); /* context 0, opnum 0 */
        put(&call, arguments.data + start, size);
        start += size;
    }
    free(arguments.data);
    return call;
}

/* ---- The connection ---- */

static void send_all(struct load *load, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(load->fd, data, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            die("cannot send: %s", strerror(errno));
        }
        data += sent;
        size -= (size_t)sent;
    }
}

/* So many bytes that came; they stay until more are asked for. */
static const uint8_t *take(struct load *load, size_t size)
{
    struct bytes *input = &load->input;
    if (input->size - load->position < size) {
        input->size -= load->position;
        memmove(input->data, input->data + load->position, input->size);
        load->position = 0;
    }
    while (input->size - load->position < size) {
        uint8_t *end = reserve(input, 256 * 1024);
        ssize_t got = recv(load->fd, end, 256 * 1024, 0);
        if (got <= 0) {
            die("no answer: %s", got == 0 ? "the server has hung up" : strerror(errno));
        }
        input->size += (size_t)got;
    }
    load->position += size;
    return input->data + load->position - size;
}

/* The next PDU; its size. */
static const uint8_t *take_pdu(struct load *load, size_t *size)
{
    if (load->framed) {
        take(load, FRAME);
    }
    const uint8_t *header = take(load, HEADER);
    size_t whole = header[8] | (size_t)header[9] << 8;
    if (whole < CALL_HEADER) {
        die("a PDU of %zu bytes", whole);
    }
    load->position -= HEADER;
    *size = whole;
    return take(load, whole);
}

static struct answer take_answer(struct load *load)
{
    uint8_t end[12] = {0}; /* the last bytes of the answer's, which may be in two PDUs */
    for (bool last = false; !last;) {
        size_t size;
        const uint8_t *pdu = take_pdu(load, &size);
        if (pdu[2] != RESPONSE) {
            die("a PDU of kind %u with %x", pdu[2], get32(pdu + CALL_HEADER - (size < 28 ? 4 : 0)));
        }
        size_t stub = size - CALL_HEADER;
        size_t kept = stub > sizeof(end) ? sizeof(end) : stub;
        memmove(end, end + kept, sizeof(end) - kept);
        memcpy(end + sizeof(end) - kept, pdu + size - kept, kept);
        last = pdu[3] & LAST_FRAGMENT;
    }
    return (struct answer){get32(end), get32(end + 4), get32(end + 8)};
}

static void connect_to(struct load *load, const void *address, socklen_t size, int family)
{
    struct timeval patience = {.tv_sec = PATIENCE};
    int on = 1;
    load->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (load->fd < 0 || connect(load->fd, address, size) != 0) {
        die("cannot connect: %s", strerror(errno));
    }
    setsockopt(load->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (family == AF_INET) {
        setsockopt(load->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
}

static void connect_tcp(struct load *load, const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    connect_to(load, &address, sizeof(address), AF_INET);
}

/* As smbd does it: who the client is, and the answer to that. */
static void connect_pipe(struct load *load, const char *path, const char *handshake)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    uint8_t token[64 * 1024];
    FILE *file = fopen(handshake, "rb");
    size_t size = file == NULL ? 0 : fread(token, 1, sizeof(token), file);
    if (size == 0 || strlen(path) >= sizeof(address.sun_path)) {
        die("%s or %s is of no use", handshake, path);
    }
    fclose(file);
    strcpy(address.sun_path, path);
    connect_to(load, &address, sizeof(address), AF_UNIX);
    send_all(load, token, size);
    const uint8_t *length = take(load, 4);
    size = (size_t)length[2] << 8 | length[3];
    const uint8_t *answer = take(load, size);
    if (size < 4 || get32(answer + size - 4) != OK) {
        die("the handshake is refused");
    }
    load->framed = true;
}

static void bind_interface(struct load *load)
{
    struct bytes bind = {0};
    size_t size;
    put_bind(&bind, load->framed);
    send_all(load, bind.data, bind.size);
    free(bind.data);
    const uint8_t *pdu = take_pdu(load, &size);
    if (pdu[2] != BIND_ACK) {
        die("the bind is refused");
    }
}

/* ---- The measurement ---- */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void measure(struct load *load, double seconds, uint32_t flags, const char *server)
{
    struct bytes call = make_call(load->framed, flags, server, 0);
    send_all(load, call.data, call.size);
    struct answer first = take_answer(load);
    if (first.status != INSUFFICIENT_BUFFER) {
        die("asked how much room is needed, it answers %u", first.status);
    }
    free(call.data);
    call = make_call(load->framed, flags, server, first.needed);
    double start = now();
    double end;
    unsigned long calls = 0;
    uint32_t count;
    do {
        send_all(load, call.data, call.size);
        struct answer answer = take_answer(load);
        if (answer.status != OK || answer.count == 0) {
            die("it answers %u with %u printers", answer.status, answer.count);
        }
        count = answer.count;
        calls++;
        end = now();
    } while (end - start < seconds);
    free(call.data);
    printf("{\"calls\": %lu, \"seconds\": %.3f, \"count\": %u, \"needed\": %u}\n", calls,
           end - start, count, first.needed);
}

int main(int argc, char **argv)
{
    struct load load = {0};
    if (argc == 6 && strcmp(argv[4], "tcp") == 0) {
        connect_tcp(&load, argv[5]);
    } else if (argc == 7 && strcmp(argv[4], "pipe") == 0) {
        connect_pipe(&load, argv[5], argv[6]);
    } else {
        die("usage: SECONDS FLAGS SERVER tcp PORT | SECONDS FLAGS SERVER pipe SOCKET HANDSHAKE");
    }
    bind_interface(&load);
    measure(&load, strtod(argv[1], NULL), (uint32_t)strtoul(argv[2], NULL, 0), argv[3]);
    close(load.fd);
    free(load.input.data);
    return 0;
}

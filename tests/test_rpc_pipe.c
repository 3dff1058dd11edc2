/* test_rpc_pipe - a server as smbd meets it: the handshake, frames, and who is admitted. */
#include "rpc_rig.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct pipe_scene {
    struct rpc_rig rig;
    uint8_t request[2048]; /* as smbd 4.17 sent it for a null session */
    size_t size;
};

static void scene_open_pipe(struct pipe_scene *scene)
{
    struct line problem = LINE_INIT;
    char path[PATH_MAX];
    rpc_rig_open(&scene->rig);
    CU_ASSERT_FATAL(rpc_server_listen_pipe(scene->rig.server, scratch_path("spoolss"), &problem));
    snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/npam/anonymous", top_dir());
    FILE *file = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    scene->size = fread(scene->request, 1, sizeof(scene->request), file);
    (void)fclose(file);
}

static int greeted(struct pipe_scene *scene, uint32_t status)
{
    uint8_t answer[200];
    int fd = connect_pipe(scratch_path("spoolss"));
    say(fd, scene->request, scene->size);
    CU_ASSERT_EQUAL(hear(&scene->rig, fd, answer, 36, sizeof(answer)), 36);
    CU_ASSERT_EQUAL(get_u32(answer + 8), 7);
    CU_ASSERT_EQUAL(get_u32(answer + 32), status);
    return fd;
}

/* A message in a frame of its own. */
static void say_framed(int fd, const struct wire *wire)
{
    const uint8_t head[] = {(uint8_t)wire->size, (uint8_t)(wire->size >> 8)};
    say(fd, head, sizeof(head));
    say(fd, wire->bytes, wire->size);
}

static void bind_framed(struct pipe_scene *scene, int fd)
{
    struct wire wire = {0};
    uint8_t answer[200];
    wire_bind(&wire);
    say_framed(fd, &wire);
    size_t size = hear(&scene->rig, fd, answer, 60, sizeof(answer));
    CU_ASSERT_EQUAL(get_u16(answer) + 2u, size);
    CU_ASSERT_EQUAL(answer[2 + 2], PDU_BIND_ACK);
    CU_ASSERT_EQUAL(memcmp(answer + 2 + 26, "\\PIPE\\spoolss", 14), 0);
}

/* Asks for the caller's account; gives what answers, and in *status a fault's. */
static unsigned ask_account(struct pipe_scene *scene, int fd, uint32_t *status)
{
    struct wire wire = {0};
    uint8_t answer[200];
    wire_request(&wire, WIRE_WHOLE, 9, ECHO_CALLER, "", 0);
    say_framed(fd, &wire);
    CU_ASSERT(hear(&scene->rig, fd, answer, 34, sizeof(answer)) >= 34);
    *status = get_u32(answer + 2 + 24);
    if (answer[2 + 2] == PDU_RESPONSE) {
        CU_ASSERT_EQUAL(memcmp(answer + 2 + 24, "ANONYMOUS LOGON", 15), 0);
    }
    return answer[2 + 2];
}

static void a_pipe_is_taken_over(void)
{
    struct pipe_scene scene;
    uint32_t status;
    scene_open_pipe(&scene);
    int fd = greeted(&scene, NPAM_GRANTED);
    bind_framed(&scene, fd);
    CU_ASSERT_EQUAL(ask_account(&scene, fd, &status), PDU_RESPONSE);
    CU_ASSERT_STRING_EQUAL(logged(&scene.rig), "");
    close(fd);
    rpc_rig_close(&scene.rig);
}

static void admission_works_on_open_pipes(void)
{
    struct pipe_scene scene;
    uint32_t status = 0;
    scene_open_pipe(&scene);
    int early = greeted(&scene, NPAM_GRANTED);
    bind_framed(&scene, early);
    scene.rig.refuse = true;
    CU_ASSERT_EQUAL(ask_account(&scene, early, &status), PDU_FAULT);
    CU_ASSERT_EQUAL(status, RPC_FAULT_ACCESS_DENIED);
    int late = greeted(&scene, NPAM_ACCESS_DENIED);
    bind_framed(&scene, late); /* smbd 4.17 goes on all the same */
    CU_ASSERT_EQUAL(ask_account(&scene, late, &status), PDU_FAULT);
    CU_ASSERT_EQUAL(status, RPC_FAULT_ACCESS_DENIED);
    CU_ASSERT_EQUAL(scene.rig.calls, 0);
    scene.rig.refuse = false;
    CU_ASSERT_EQUAL(ask_account(&scene, early, &status), PDU_RESPONSE);
    CU_ASSERT_EQUAL(ask_account(&scene, late, &status), PDU_RESPONSE);
    close(early);
    close(late);
    rpc_rig_close(&scene.rig);
}

static void frames_need_not_be_messages(void)
{
    struct pipe_scene scene;
    struct wire wire = {0};
    uint8_t answer[400];
    uint8_t said[1024];
    size_t size = 0;
    scene_open_pipe(&scene);
    int fd = greeted(&scene, NPAM_GRANTED);
    wire_bind(&wire);
    wire_request(&wire, WIRE_WHOLE, 2, ECHO_SAME, "hello", 5);
    for (size_t at = 0; at < wire.size; at += 7) { /* and some empty ones */
        size_t part = wire.size - at < 7 ? wire.size - at : 7;
        const uint8_t head[] = {0, 0, (uint8_t)part, 0};
        memcpy(said + size, head, sizeof(head));
        memcpy(said + size + sizeof(head), wire.bytes + at, part);
        size += sizeof(head) + part;
    }
    for (size_t i = 0; i < size; i += 3) {
        say(fd, said + i, size - i < 3 ? size - i : 3);
        turn(&scene.rig);
    }
    CU_ASSERT_FATAL(hear(&scene.rig, fd, answer, 60 + 31, sizeof(answer)) > 60 + 31);
    const uint8_t *second = answer + 2 + get_u16(answer);
    CU_ASSERT(get_u16(second) == 29 && memcmp(second + 2 + 24, "hello", 5) == 0);
    close(fd);
    rpc_rig_close(&scene.rig);
}

/* The handshake in two parts, cut at every byte, and byte by byte. */
static void a_handshake_can_be_cut_anywhere(void)
{
    struct pipe_scene scene;
    uint8_t answer[200];
    scene_open_pipe(&scene);
    for (size_t cut = 1; cut < scene.size; cut += cut < 20 ? 1 : 37) {
        int fd = connect_pipe(scratch_path("spoolss"));
        say(fd, scene.request, cut);
        turn(&scene.rig);
        say(fd, scene.request + cut, scene.size - cut);
        CU_ASSERT_EQUAL(hear(&scene.rig, fd, answer, 36, sizeof(answer)), 36);
        close(fd);
    }
    CU_ASSERT_STRING_EQUAL(logged(&scene.rig), "");
    rpc_rig_close(&scene.rig);
}

static void check_refused(struct pipe_scene *scene, const char *line)
{
    int fd = connect_pipe(scratch_path("spoolss"));
    int again = connect_pipe(scratch_path("spoolss"));
    say(fd, scene->request, scene->size);
    say(again, scene->request, scene->size);
    CU_ASSERT(is_closed(&scene->rig, fd) && is_closed(&scene->rig, again));
    CU_ASSERT_STRING_EQUAL(logged(&scene->rig), line); /* one, for both */
    CU_ASSERT_EQUAL(rpc_server_connections(scene->rig.server), 0);
    close(fd);
    close(again);
    rpc_rig_close(&scene->rig);
}

static void other_levels_are_refused(void)
{
    static const uint8_t levels[] = {5, 8};
    for (size_t i = 0; i < 2; i++) {
        struct pipe_scene scene;
        char line[200];
        scene_open_pipe(&scene);
        scene.request[8] = scene.request[12] = levels[i];
        snprintf(
            line, sizeof(line),
            "unit: a named pipe is refused: smbd hands it over by level %u; levels 6 and 7 are "
            "known\n",
            levels[i]);
        check_refused(&scene, line);
    }
}

static void a_token_that_cannot_be_read_is_refused(void)
{
    struct pipe_scene scene;
    scene_open_pipe(&scene);
    scene.request[0xcc]++;
    check_refused(&scene, "unit: a named pipe of level 7 is refused: its client's token cannot be "
                          "read\n");
}

static void others_than_smbd_are_refused(void)
{
    struct pipe_scene scene;
    scene_open_pipe(&scene);
    scene.request[4] = 'X';
    check_refused(&scene, "unit: a connection to the named pipe's socket is refused: not smbd's "
                          "handshake\n");
}

static void who_does_harm_is_named(void)
{
    struct pipe_scene scene;
    scene_open_pipe(&scene);
    int fd = greeted(&scene, NPAM_GRANTED);
    say(fd, "\x10\0GET / HTTP/1.0\r\n", 18);
    CU_ASSERT(is_closed(&scene.rig, fd));
    CU_ASSERT_STRING_EQUAL(
        logged(&scene.rig),
        "unit: client \"127.0.0.1\" (account \"ANONYMOUS LOGON\") sent bytes that "
        "are no message; its connection is closed\n");
    close(fd);
    rpc_rig_close(&scene.rig);
}

static void an_inherited_socket_is_listened_at(void)
{
    struct pipe_scene scene;
    uint32_t status;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    scene_open_pipe(&scene);
    int none = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_NOT_EQUAL(rpc_server_take_pipe(scene.rig.server, none), 0);
    close(none);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", scratch_path("inherited"));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CU_ASSERT_FATAL(bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
    CU_ASSERT_FATAL(listen(fd, 5) == 0);
    CU_ASSERT_EQUAL(rpc_server_take_pipe(scene.rig.server, fd), 0);
    CU_ASSERT_NOT_EQUAL(access(scratch_path("spoolss"), F_OK), 0);
    CU_ASSERT_EQUAL(rename(address.sun_path, scratch_path("spoolss")), 0);
    int client = greeted(&scene, NPAM_GRANTED);
    struct wire wire = {0};
    uint8_t answer[200];
    wire_bind(&wire);
    say_framed(client, &wire);
    CU_ASSERT(hear(&scene.rig, client, answer, 60, sizeof(answer)) >= 60);
    CU_ASSERT_EQUAL(ask_account(&scene, client, &status), PDU_RESPONSE);
    close(client);
    rpc_rig_close(&scene.rig);
    CU_ASSERT_EQUAL(access(scratch_path("spoolss"), F_OK), 0); /* another's, so it stays */
}

static const struct test_case cases[] = {
    {"a pipe is taken over", a_pipe_is_taken_over},
    {"admission works on open pipes", admission_works_on_open_pipes},
    {"frames need not be messages", frames_need_not_be_messages},
    {"a handshake can be cut anywhere", a_handshake_can_be_cut_anywhere},
    {"other levels are refused", other_levels_are_refused},
    {"a token that cannot be read is refused", a_token_that_cannot_be_read_is_refused},
    {"others than smbd are refused", others_than_smbd_are_refused},
    {"who does harm is named", who_does_harm_is_named},
    {"an inherited socket is listened at", an_inherited_socket_is_listened_at},
    {NULL, NULL}};

const struct test_suite suite_rpc_pipe = {"rpc_pipe", cases};

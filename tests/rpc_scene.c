/* rpc_scene - see rpc_scene.h. */
#include "rpc_scene.h"

#include <stdlib.h>
#include <string.h>

static bool admit_scene(void *owner, const struct rpc_caller *caller)
{
    const struct scene *scene = owner; /* its first member is what the interface counts in */
    return caller == &scene->caller && !scene->refuse;
}

void scene_open(struct scene *scene, bool framed)
{
    *scene = (struct scene){.caller = {.account = "somebody"},
                            .output = ndr_push_up_to(8 * 1024 * 1024)};
    struct rpc_association_options options = {.interfaces = &echo_interface,
                                              .interface_count = 1,
                                              .owner = scene,
                                              .admit = admit_scene,
                                              .caller = &scene->caller,
                                              .address = "4711",
                                              .group = 77,
                                              .framed = framed,
                                              .most_output = 1024 * 1024};
    scene->association = rpc_association_open(&options);
    CU_ASSERT_PTR_NOT_NULL_FATAL(scene->association);
}

void scene_close(struct scene *scene)
{
    rpc_association_close(scene->association);
    ndr_push_free(&scene->output);
}

void feed_some(struct scene *scene, const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, bytes, size);
    scene->fed = rpc_association_feed(scene->association, copy, size, &scene->output);
    free(copy);
    CU_ASSERT(scene->fed.taken <= size);
    CU_ASSERT(scene->fed.why == NULL || scene->fed.ended);
}

const uint8_t *feed(struct scene *scene, const struct wire *wire)
{
    static uint8_t answer[65536];
    ndr_push_clear(&scene->output);
    feed_some(scene, wire->bytes, wire->size);
    CU_ASSERT_FATAL(scene->output.size <= sizeof(answer));
    memset(answer, 0xee, sizeof(answer));
    if (scene->output.size > 0) {
        memcpy(answer, scene->output.data, scene->output.size);
    }
    return answer;
}

void scene_bound(struct scene *scene)
{
    struct wire wire = {0};
    scene_open(scene, false);
    wire_bind(&wire);
    CU_ASSERT_EQUAL(feed(scene, &wire)[2], PDU_BIND_ACK);
    CU_ASSERT(rpc_association_bound(scene->association) && !scene->fed.ended);
}

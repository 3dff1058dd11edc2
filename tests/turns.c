/* turns - see turns.h. */
#include "turns.h"
#include "harness.h"

#include <errno.h>
#include <sys/socket.h>

#define PATIENCE_MS 20000

struct waiting {
    struct loop *loop;
    bool (*is_true)(void *argument);
    void *argument;
    struct loop_timer timer;
    int64_t until;
    bool came;
};

static bool count_down(void *argument)
{
    unsigned *left = argument;
    return (*left)-- == 0;
}

static void look(void *owner)
{
    struct waiting *waiting = owner;
    struct loop *loop = waiting->loop;
    waiting->came = waiting->is_true(waiting->argument);
    if (waiting->came || loop_now(loop) > waiting->until) {
        loop_end(loop, 0);
    } else {
        loop_set(loop, &waiting->timer, waiting->is_true == count_down ? 0 : 1);
    }
}

bool turn_loop_until(struct loop *loop, bool (*is_true)(void *argument), void *argument)
{
    struct waiting waiting = {.loop = loop, .is_true = is_true, .argument = argument};
    waiting.timer = (struct loop_timer){.expired = look, .owner = &waiting};
    waiting.until = loop_now(loop) + PATIENCE_MS;
    loop->ended = false;
    loop_set(loop, &waiting.timer, 0);
    CU_ASSERT_EQUAL(loop_run(loop), 0);
    CU_ASSERT(waiting.came);
    return waiting.came;
}

bool turn_has_heard(void *argument)
{
    struct turn_hearing *hearing = argument;
    while (hearing->size < hearing->most) {
        ssize_t got =
            recv(hearing->fd, hearing->bytes + hearing->size, hearing->most - hearing->size, 0);
        if (got <= 0) {
            hearing->closed = got == 0 || errno != EAGAIN;
            break;
        }
        hearing->size += (size_t)got;
    }
    return hearing->closed || hearing->size >= hearing->least;
}

void turn_loop(struct loop *loop)
{
    unsigned left = 4; /* what is accepted in one turn is read in the next */
    (void)turn_loop_until(loop, count_down, &left);
}

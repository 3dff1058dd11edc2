/* background - work done in threads; see background.h. */
#include "background.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define LASTING 1 /* s that a thread waits for more work, which is cheaper than a new one */
#define STACK (256 * 1024) /* bytes; libc's resolver takes answers of 64 KiB onto it */

struct work {
    struct work *next;
    void (*run)(void *owner);
    void (*done)(void *owner);
    void *owner;
};

struct queue {
    struct work *first;
    struct work *last;
};

struct background {
    struct loop *loop;
    struct loop_source source; /* an eventfd: something is finished */
    unsigned most;
    bool closed; /* no done is called any more; the loop's side only */

    pthread_mutex_t mutex; /* of all that follows */
    pthread_cond_t idle;   /* no thread is left */
    pthread_cond_t more;   /* there is work, or none will come any more */
    unsigned threads;
    unsigned busy;    /* of them */
    unsigned waits;   /* so much work waits */
    bool closing;     /* a thread ends when nothing waits */
    unsigned holders; /* threads, the owner, and who is calling done; the last one frees it */
    struct queue waiting;
    struct queue finished;
    void (*release)(void *owner); /* nobody waits for what is finished from now on */
};

static void put(struct queue *queue, struct work *work)
{
    work->next = NULL;
    if (queue->first == NULL) {
        queue->first = work;
    } else {
        queue->last->next = work;
    }
    queue->last = work;
}

static struct work *take(struct queue *queue)
{
    struct work *work = queue->first;
    if (work != NULL) {
        queue->first = work->next;
    }
    return work;
}

/* Ends with the mutex unlocked, and perhaps gone. */
static void drop(struct background *background)
{
    bool last = --background->holders == 0;
    (void)pthread_mutex_unlock(&background->mutex);
    if (last) {
        (void)pthread_cond_destroy(&background->more);
        (void)pthread_cond_destroy(&background->idle);
        (void)pthread_mutex_destroy(&background->mutex);
        close(background->source.fd);
        free(background);
    }
}

/* ---- In a thread ----------------------------------------------------------------------------- */

static void finish(struct background *background, struct work *work)
{
    const uint64_t one = 1;
    put(&background->finished, work);
    ssize_t told = write(background->source.fd, &one, sizeof(one));
    (void)told; /* an eventfd takes it, unless it holds a number already that wakes the loop */
}

static void release_one(struct work *work, void (*release)(void *owner))
{
    release(work->owner);
    free(work);
}

/* NULL: nothing came for a while, or nothing will. */
static struct work *await_work(struct background *background)
{
    struct timespec end;
    bool in_time = true;
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += LASTING;
    while (background->waiting.first == NULL && !background->closing && in_time) {
        in_time = pthread_cond_timedwait(&background->more, &background->mutex, &end) == 0;
    }
    return take(&background->waiting);
}

static void *work_on(void *argument)
{
    struct background *background = argument;
    struct work *work;
    (void)pthread_mutex_lock(&background->mutex);
    while ((work = await_work(background)) != NULL) {
        background->waits--;
        background->busy++;
        (void)pthread_mutex_unlock(&background->mutex);
        work->run(work->owner);
        (void)pthread_mutex_lock(&background->mutex);
        background->busy--;
        if (background->release == NULL) {
            finish(background, work);
            continue;
        }
        (void)pthread_mutex_unlock(&background->mutex);
        release_one(work, background->release); /* which nobody changes any more */
        (void)pthread_mutex_lock(&background->mutex);
    }
    background->threads--;
    (void)pthread_cond_signal(&background->idle);
    drop(background);
    return NULL;
}

/* ---- In the loop ----------------------------------------------------------------------------- */

/* Calls done for what is finished; the mutex is locked before and after. */
static void call_done(struct background *background)
{
    struct work *work;
    while (!background->closed && (work = take(&background->finished)) != NULL) {
        void (*done)(void *) = work->done;
        void *owner = work->owner;
        (void)pthread_mutex_unlock(&background->mutex);
        free(work);
        done(owner);
        (void)pthread_mutex_lock(&background->mutex);
    }
}

static void something_finished(void *owner, uint32_t events)
{
    struct background *background = owner;
    uint64_t number;
    (void)events;
    ssize_t got = read(background->source.fd, &number, sizeof(number));
    (void)got; /* what is finished is in the queue */
    (void)pthread_mutex_lock(&background->mutex);
    background->holders++; /* a done may close it */
    call_done(background);
    drop(background);
}

static void make_conditions(struct background *background)
{
    pthread_condattr_t attributes;
    (void)pthread_mutex_init(&background->mutex, NULL);
    (void)pthread_cond_init(&background->idle, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&background->more, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

int background_open(struct loop *loop, unsigned most, struct background **background)
{
    struct background *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return ENOMEM;
    }
    made->loop = loop;
    made->most = most;
    made->holders = 1;
    made->source = (struct loop_source){
        .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .ready = something_finished, .owner = made};
    int problem = made->source.fd < 0 ? errno : loop_add(loop, &made->source, EPOLLIN);
    if (problem != 0) {
        if (made->source.fd >= 0) {
            close(made->source.fd);
        }
        free(made);
        return problem;
    }
    make_conditions(made);
    *background = made;
    return 0;
}

/* A thread that nobody joins; how many there are is counted. */
static int start_thread(struct background *background)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all;
    sigset_t before;
    int problem = pthread_attr_init(&attributes);
    if (problem != 0) {
        return problem;
    }
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attributes, STACK);
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    problem = pthread_create(&thread, &attributes, work_on, background);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return problem;
}

int background_start(struct background *background, void (*run)(void *owner),
                     void (*done)(void *owner), void *owner)
{
    struct work *work = malloc(sizeof(*work));
    if (work == NULL) {
        return ENOMEM;
    }
    *work = (struct work){NULL, run, done, owner};
    (void)pthread_mutex_lock(&background->mutex);
    int problem = 0;
    unsigned free_threads = background->threads - background->busy;
    if (background->waits >= free_threads && background->threads < background->most) {
        /* It begins by waiting for the mutex, so it finds what is put in after it. */
        problem = start_thread(background);
        if (problem == 0) {
            background->threads++;
            background->holders++;
        }
    }
    /* Without a new thread, one that is at work takes it later. */
    bool taken = problem == 0 || background->threads > 0;
    if (taken) {
        put(&background->waiting, work);
        background->waits++;
        (void)pthread_cond_signal(&background->more);
    }
    (void)pthread_mutex_unlock(&background->mutex);
    if (!taken) {
        free(work);
        return problem;
    }
    return 0;
}

void background_close(struct background *background)
{
    if (background == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&background->mutex);
    background->closing = true;
    (void)pthread_cond_broadcast(&background->more);
    while (background->threads > 0 || background->finished.first != NULL) {
        while (background->threads > 0) {
            (void)pthread_cond_wait(&background->idle, &background->mutex);
        }
        call_done(background);
    }
    background->closed = true;
    loop_remove(background->loop, &background->source);
    drop(background);
}

void background_let_go(struct background *background, void (*release)(void *owner))
{
    if (background == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&background->mutex);
    background->closed = true;
    background->closing = true;
    background->release = release;
    background->waits = 0;
    (void)pthread_cond_broadcast(&background->more);
    struct queue waiting = background->waiting;
    struct queue finished = background->finished;
    background->waiting = (struct queue){NULL, NULL};
    background->finished = (struct queue){NULL, NULL};
    loop_remove(background->loop, &background->source);
    drop(background);
    struct work *work;
    while ((work = take(&waiting)) != NULL || (work = take(&finished)) != NULL) {
        release_one(work, release);
    }
}

/* queues - which queues there are, and which jobs wait in them; see queues.h. */
#include "queues.h"

#include "../printing/ports.h"
#include "../printing/printers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_names(const char *a, const char *b)
{
    return rs_name_compare(a, strlen(a), b, strlen(b));
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

static const char *keep(char **at, const char *text)
{
    const char *kept = *at;
    size_t size = strlen(text) + 1;
    memcpy(*at, text, size);
    *at += size;
    return kept;
}

static struct queue_shape *make_shape(const struct printer *printer)
{
    const char *name = printer->texts[PRINTER_NAME];
    const char *share = printer->texts[PRINTER_SHARE];
    struct queue_shape *shape =
        calloc(1, sizeof(*shape) + strlen(printer->key) + strlen(name) + strlen(share) + 3);
    if (shape != NULL) {
        char *at = shape->kept;
        shape->key = keep(&at, printer->key);
        shape->name = keep(&at, name);
        shape->share = keep(&at, share);
        shape->status = printer->numbers[PRINTER_STATUS];
        shape->paused = printer->paused;
    }
    return shape;
}

static int add_shape(const struct ports *ports, const struct printers *printers,
                     const struct printer *printer, struct queue_shapes *shapes)
{
    struct line problem = LINE_INIT;
    struct queue_shape *shape = make_shape(printer);
    if (shape == NULL) {
        return RS_ENOMEM;
    }
    shape->leads = ports_resolve_printer(ports, printers, printer, &shape->target, &problem);
    if (!shape->leads) {
        (void)snprintf(shape->why, sizeof(shape->why), "%.*s", (int)sizeof(shape->why) - 1,
                       problem.text);
    }
    shapes->rows[shapes->count++] = shape;
    return RS_OK;
}

static int make_shapes(const struct ports *ports, const struct printers *printers,
                       struct queue_shapes **shapes)
{
    struct queue_shapes *made = calloc(1, sizeof(*made));
    int status = RS_ENOMEM;
    if (made != NULL) {
        made->rows = calloc(printers->count + 1, sizeof(struct queue_shape *));
        status = made->rows != NULL ? RS_OK : RS_ENOMEM;
    }
    for (size_t i = 0; i < printers->count && status == RS_OK; i++) {
        status = add_shape(ports, printers, printers->rows[i], made);
    }
    if (status != RS_OK) {
        queue_shapes_free(made);
        return status;
    }
    *shapes = made;
    return RS_OK;
}

int queue_shapes_load(rs_txn *txn, struct line *problems, struct queue_shapes **shapes)
{
    struct printers *printers = NULL;
    struct ports *ports = NULL;
    int status = printers_load(txn, PORTS_PRINTERS_KEY, problems, &printers);
    if (status == RS_OK) {
        status = ports_load(txn, &ports);
    }
    if (status == RS_OK) {
        status = make_shapes(ports, printers, shapes);
    }
    ports_free(ports);
    printers_free(printers);
    return status;
}

void queue_shapes_free(struct queue_shapes *shapes)
{
    if (shapes != NULL) {
        for (size_t i = 0; i < shapes->count; i++) {
            free(shapes->rows[i]);
        }
        free(shapes->rows);
        free(shapes);
    }
}

/* ---- The table ------------------------------------------------------------------------------- */

/* The place where the queue of this key is, or would be. */
static size_t find_place(const struct queues *queues, const char *key, bool *there)
{
    size_t low = 0;
    size_t high = queues->count;
    *there = false;
    while (low < high && !*there) {
        size_t middle = low + (high - low) / 2;
        int order = compare_names(queues->rows[middle]->key, key);
        if (order == 0) {
            *there = true;
            low = middle;
        } else if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool make_room(struct queues *queues)
{
    size_t room = queues->room == 0 ? 16 : 2 * queues->room;
    if (queues->count < queues->room) {
        return true;
    }
    struct queue **rows = reallocarray(queues->rows, room, sizeof(*rows));
    if (rows != NULL) {
        queues->rows = rows;
        queues->room = room;
    }
    return rows != NULL;
}

/* NULL without memory. */
static struct queue *find_or_make(struct queues *queues, const char *key)
{
    bool there;
    size_t place = find_place(queues, key, &there);
    if (there) {
        return queues->rows[place];
    }
    struct queue *queue = make_room(queues) ? calloc(1, sizeof(*queue)) : NULL;
    if (queue == NULL) {
        return NULL;
    }
    (void)snprintf(queue->key, sizeof(queue->key), "%s", key);
    queue->last = &queue->jobs;
    memmove(&queues->rows[place + 1], &queues->rows[place],
            (queues->count - place) * sizeof(queues->rows[0]));
    queues->rows[place] = queue;
    queues->count++;
    return queue;
}

int queues_prepare(struct queues *queues, const struct queue_shapes *shapes)
{
    bool good = true;
    for (size_t i = 0; i < shapes->count && good; i++) {
        good = find_or_make(queues, shapes->rows[i]->key) != NULL;
    }
    return good ? RS_OK : RS_ENOMEM;
}

/* What a client has resumed stays so until the registry says something new. */
static void give_shape(struct queue *queue, struct queue_shape *shape)
{
    queue->resumed = queue->resumed && shape != NULL && queue->shape != NULL &&
                     shape->status == queue->shape->status;
    free(queue->shape);
    queue->shape = shape;
    if (shape != NULL) {
        (void)snprintf(queue->key, sizeof(queue->key), "%s", shape->key);
    }
}

void queues_take(struct queues *queues, struct queue_shapes *shapes)
{
    size_t next = 0;
    for (size_t i = 0; i < queues->count; i++) {
        queues->rows[i]->gone = true;
    }
    for (; next < shapes->count; next++) {
        bool there;
        size_t place = find_place(queues, shapes->rows[next]->key, &there);
        if (there) {
            queues->rows[place]->gone = false;
            give_shape(queues->rows[place], shapes->rows[next]);
        } else {
            free(shapes->rows[next]);
        }
    }
    for (size_t i = 0; i < queues->count; i++) {
        if (queues->rows[i]->gone) {
            give_shape(queues->rows[i], NULL);
        }
    }
    shapes->count = 0;
}

static void free_queue(struct queue *queue)
{
    while (queue->jobs != NULL) {
        queue_drop_job(queue, queue->jobs);
    }
    free(queue->shape);
    free(queue);
}

void queues_sweep(struct queues *queues, bool (*released)(struct queue *queue))
{
    size_t kept = 0;
    for (size_t i = 0; i < queues->count; i++) {
        struct queue *queue = queues->rows[i];
        if (queue->shape == NULL && queue->jobs == NULL && released(queue)) {
            free_queue(queue);
        } else {
            queues->rows[kept++] = queue;
        }
    }
    queues->count = kept;
}

void queues_free(struct queues *queues)
{
    for (size_t i = 0; i < queues->count; i++) {
        free_queue(queues->rows[i]);
    }
    free(queues->rows);
    *queues = (struct queues){0};
}

/* ---- Finding --------------------------------------------------------------------------------- */

struct queue *queues_by_key(const struct queues *queues, const char *key)
{
    bool there;
    size_t place = find_place(queues, key, &there);
    return there ? queues->rows[place] : NULL;
}

/* Of the printers that are there. */
static struct queue *find_by_texts(const struct queues *queues, const char *name)
{
    struct queue *by_share = NULL;
    for (size_t i = 0; i < queues->count; i++) {
        const struct queue_shape *shape = queues->rows[i]->shape;
        if (shape != NULL && compare_names(shape->name, name) == 0) {
            return queues->rows[i];
        }
        if (by_share == NULL && shape != NULL && shape->share[0] != '\0' &&
            compare_names(shape->share, name) == 0) {
            by_share = queues->rows[i];
        }
    }
    return by_share;
}

struct queue *queues_find(const struct queues *queues, const char *name)
{
    struct queue *by_key = queues_by_key(queues, name);
    struct queue *found = by_key;
    if (found == NULL || found->shape == NULL) {
        found = find_by_texts(queues, name);
    }
    return found != NULL ? found : by_key;
}

static bool is_blank(char byte)
{
    return byte != '\0' && strchr(" \t\v\f\r", byte) != NULL;
}

static size_t more_blanks(const char *text, size_t most)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += is_blank(*text);
    }
    return count > most ? count : most;
}

/* What the name with the most of them has: strangers' operands may have hundreds. */
static size_t most_blanks(const struct queues *queues)
{
    size_t most = 0;
    for (size_t i = 0; i < queues->count; i++) {
        const struct queue *queue = queues->rows[i];
        most = more_blanks(queue->key, most);
        if (queue->shape != NULL) {
            most = more_blanks(queue->shape->name, most);
            most = more_blanks(queue->shape->share, most);
        }
    }
    return most;
}

static bool is_there(const struct queues *queues, const char *operand, size_t size)
{
    char *name = strndup(operand, size);
    bool there = name != NULL && queues_find(queues, name) != NULL;
    free(name);
    return there;
}

size_t queues_name_size(const struct queues *queues, const char *operand)
{
    size_t size = 0;
    size_t left = most_blanks(queues);
    for (; operand[size] != '\0' && (left > 0 || !is_blank(operand[size])); size++) {
        left -= is_blank(operand[size]);
    }
    while (size > 0 && !is_there(queues, operand, size)) {
        while (size > 0 && !is_blank(operand[size - 1])) {
            size--;
        }
        size -= size > 0;
    }
    return size;
}

bool queue_is_paused(const struct queue *queue)
{
    return queue->shape != NULL && queue->shape->paused && !queue->resumed;
}

bool queue_is_open(const struct queue *queue)
{
    return queue->shape != NULL && !queue_is_paused(queue);
}

/* ---- Jobs ------------------------------------------------------------------------------------ */

static size_t text_size(const struct job_facts *facts)
{
    size_t size = strlen(facts->user) + strlen(facts->host) + strlen(facts->address) +
                  strlen(facts->title) + 4;
    for (size_t i = 0; i < facts->count; i++) {
        size += strlen(facts->documents[i].name) + 1;
    }
    return size;
}

/* One block, as there may be many. */
static struct queue_job *make_job(const char *name, const struct job_facts *facts)
{
    size_t documents = facts->count * sizeof(struct queue_document);
    struct queue_job *job = calloc(1, sizeof(*job) + documents + text_size(facts));
    if (job == NULL) {
        return NULL;
    }
    char *at = (char *)job + sizeof(*job) + documents;
    (void)snprintf(job->name, sizeof(job->name), "%s", name);
    job->user = keep(&at, facts->user);
    job->host = keep(&at, facts->host);
    job->address = keep(&at, facts->address);
    job->title = keep(&at, facts->title);
    job->number = facts->number;
    job->count = facts->count;
    for (size_t i = 0; i < facts->count; i++) {
        const struct job_document *document = &facts->documents[i];
        job->documents[i].name = keep(&at, document->name);
        job->documents[i].size = document->size;
        job->documents[i].copies = document->copies;
        job->size += document->size * document->copies;
    }
    return job;
}

struct queue *queues_add_job(struct queues *queues, const char *name, const struct job_facts *facts)
{
    struct queue_job *job = make_job(name, facts);
    struct queue *queue = job != NULL ? find_or_make(queues, facts->queue) : NULL;
    if (queue == NULL) {
        free(job);
        return NULL;
    }
    *queue->last = job;
    queue->last = &job->next;
    return queue;
}

void queue_drop_job(struct queue *queue, struct queue_job *job)
{
    struct queue_job **at = &queue->jobs;
    while (*at != NULL && *at != job) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = job->next;
        if (queue->last == &job->next) {
            queue->last = at;
        }
        free(job);
    }
}

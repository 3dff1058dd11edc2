/*
 * job_facts - what is known of a job, as a text of lines; see job.h.
 *
 *     regstore job 2
 *     job 00000042
 *     queue TEXT
 *     address TEXT ... host, user, title
 *     number 42
 *     time 1785000000
 *     document f 1 1024 89abcdef NAME   format, copies, bytes, their sum or "-", and the rest is
 *                                       its name; for each
 *     end 12345678                      the sum of all that stands before this line
 */
#include "job.h"
#include "job_parts.h"

#include "../common/character.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD "regstore job 2"
#define MOST_NUMBER 999
#define PIECE 16384 /* bytes of a document that are read at once */
#define END_SIZE (sizeof("end 12345678\n") - 1)
/* No text of facts is longer: seven lines of a text, two of a number, and the documents. */
#define FACTS_SIZE ((JOB_DOCUMENTS + 10) * (JOB_TEXT + 64))

/* ---- What is allowed ------------------------------------------------------------------------- */

static bool is_text(const char *text)
{
    size_t left = strnlen(text, JOB_TEXT);
    if (left == JOB_TEXT) {
        return false;
    }
    for (size_t size; left > 0; text += size, left -= size) {
        size = character_size(text, left);
        if (size == 0 || character_is_control(text, size)) {
            return false;
        }
    }
    return true;
}

static bool is_document(const struct job_document *document)
{
    return is_text(document->name) && document->size <= INT64_MAX && document->copies >= 1 &&
           document->copies <= JOB_COPIES && document->format > ' ' && document->format < 0x7f;
}

/* The name of what is not allowed, or NULL. */
static const char *wrong_fact(const struct job_facts *facts)
{
    if (!is_text(facts->queue) || facts->queue[0] == '\0') {
        return "queue";
    }
    if (!is_text(facts->address) || !is_text(facts->host)) {
        return "host";
    }
    if (!is_text(facts->user)) {
        return "user";
    }
    if (!is_text(facts->title)) {
        return "title";
    }
    if (facts->number > MOST_NUMBER || facts->time > INT64_MAX) {
        return "number";
    }
    if (facts->count > JOB_DOCUMENTS) {
        return "document";
    }
    for (size_t i = 0; i < facts->count; i++) {
        if (!is_document(&facts->documents[i])) {
            return "document";
        }
    }
    return NULL;
}

/* ---- Writing --------------------------------------------------------------------------------- */

static void put_end(uint32_t sum, char end[END_SIZE + 1])
{
    snprintf(end, END_SIZE + 1, "end %08" PRIx32 "\n", sum);
}

static size_t put_document(const struct job_document *document, char *text, size_t size)
{
    char sum[16] = "-";
    if (document->summed) {
        snprintf(sum, sizeof(sum), "%08" PRIx32, document->sum);
    }
    return (size_t)snprintf(text, size, "document %c %u %" PRIu64 " %s %s\n", document->format,
                            document->copies, document->size, sum, document->name);
}

/* Gives the length; FACTS_SIZE bytes take all facts that are allowed. */
static size_t put_facts(const char *name, const struct job_facts *facts, char *text)
{
    size_t length = (size_t)snprintf(text, FACTS_SIZE,
                                     HEAD "\njob %s\nqueue %s\naddress %s\nhost %s\nuser %s\n"
                                          "title %s\nnumber %u\ntime %" PRIu64 "\n",
                                     name, facts->queue, facts->address, facts->host, facts->user,
                                     facts->title, facts->number, facts->time);
    for (size_t i = 0; i < facts->count; i++) {
        length += put_document(&facts->documents[i], text + length, FACTS_SIZE - length);
    }
    put_end(job_sum(0, text, length), text + length);
    return length + END_SIZE;
}

bool job_write_facts(int directory, const char *name, const struct job_facts *facts,
                     struct line *problem)
{
    const char *wrong = job_is_name(name) ? wrong_fact(facts) : "name";
    if (wrong != NULL) {
        line_add(problem, JOB_FACTS ": the %s is not allowed", wrong);
        errno = EINVAL;
        return false;
    }
    char *text = malloc(FACTS_SIZE);
    int number = text != NULL
                     ? job_write_file(directory, JOB_FACTS, text, put_facts(name, facts, text))
                     : errno;
    free(text);
    if (number != 0) {
        line_add(problem, JOB_FACTS ": %s", strerror(number));
        errno = number;
    }
    return number == 0;
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* Gives the rest of the next line, which begins with the word; NULL: it does not, and *text stays.
 */
static const char *take_line(char **text, const char *word)
{
    size_t length = strlen(word);
    char *end = strchr(*text, '\n');
    if (end == NULL || strncmp(*text, word, length) != 0) {
        return NULL;
    }
    const char *rest = *text + length;
    *end = '\0';
    *text = end + 1;
    return rest;
}

static bool take_text(char **text, const char *word, char *fact)
{
    const char *rest = take_line(text, word);
    size_t length = rest != NULL ? strlen(rest) : JOB_TEXT;
    if (length >= JOB_TEXT) {
        return false;
    }
    memcpy(fact, rest, length + 1);
    return true;
}

static bool take_number(char **text, const char *word, uint64_t most, uint64_t *number)
{
    const char *rest = take_line(text, word);
    return rest != NULL && job_take_number(&rest, most, number) && *rest == '\0';
}

/* "89abcdef", or "-" */
static bool take_sum(const char **text, struct job_document *document)
{
    char *end;
    if (strncmp(*text, "- ", 2) == 0) {
        *text += 1;
        return true;
    }
    document->summed = true;
    document->sum = (uint32_t)strtoul(*text, &end, 16);
    bool taken = strspn(*text, "0123456789abcdef") == 8 && end == *text + 8;
    *text = end;
    return taken;
}

/* "f 1 1024 89abcdef NAME" */
static bool parse_document(const char *text, struct job_document *document)
{
    uint64_t copies;
    document->format = text[0];
    if (text[0] == '\0' || text[1] != ' ') {
        return false;
    }
    text += 2;
    if (!job_take_number(&text, JOB_COPIES, &copies) || *text++ != ' ' ||
        !job_take_number(&text, INT64_MAX, &document->size) || *text++ != ' ' ||
        !take_sum(&text, document) || *text++ != ' ' || strlen(text) >= JOB_TEXT) {
        return false;
    }
    document->copies = (unsigned)copies;
    memcpy(document->name, text, strlen(text) + 1);
    return true;
}

/* Whether the text ends with its sum; takes that away. */
static bool take_end(char *text)
{
    char expected[END_SIZE + 1];
    size_t length = strlen(text);
    if (length < END_SIZE) {
        return false;
    }
    char *end = text + length - END_SIZE;
    put_end(job_sum(0, text, length - END_SIZE), expected);
    bool whole = strcmp(end, expected) == 0;
    *end = '\0';
    return whole;
}

static bool take_texts(char **text, struct job_facts *facts)
{
    uint64_t number;
    if (!take_text(text, "queue ", facts->queue) || !take_text(text, "address ", facts->address) ||
        !take_text(text, "host ", facts->host) || !take_text(text, "user ", facts->user) ||
        !take_text(text, "title ", facts->title) ||
        !take_number(text, "number ", MOST_NUMBER, &number) ||
        !take_number(text, "time ", INT64_MAX, &facts->time)) {
        return false;
    }
    facts->number = (unsigned)number;
    return true;
}

/* Gives the name of the job whose facts these are; NULL: they are none. */
static const char *parse_facts(char *text, struct job_facts *facts)
{
    const char *rest = take_end(text) ? take_line(&text, HEAD) : NULL;
    if (rest == NULL || *rest != '\0') {
        return NULL;
    }
    const char *name = take_line(&text, "job ");
    if (name == NULL || !job_is_name(name) || !take_texts(&text, facts)) {
        return NULL;
    }
    while ((rest = take_line(&text, "document ")) != NULL) {
        if (facts->count == JOB_DOCUMENTS ||
            !parse_document(rest, &facts->documents[facts->count])) {
            return NULL;
        }
        facts->count++;
    }
    return *text == '\0' && wrong_fact(facts) == NULL ? name : NULL;
}

static enum job_reading read_text(char *text, const char *name, struct job_facts *facts,
                                  struct line *problem)
{
    *facts = (struct job_facts){.count = 0};
    const char *whose = parse_facts(text, facts);
    if (whose == NULL) {
        line_add(problem, JOB_FACTS ": is damaged");
        return JOB_DAMAGED;
    }
    if (strcmp(whose, name) != 0) {
        line_add(problem, JOB_FACTS ": is of job %s", whose);
        return JOB_ANOTHER;
    }
    return JOB_READ;
}

enum job_reading job_read_facts(int directory, const char *name, struct job_facts *facts,
                                struct line *problem)
{
    enum job_reading reading;
    char *text = malloc(FACTS_SIZE);
    int number = text != NULL ? job_read_file(directory, JOB_FACTS, text, FACTS_SIZE) : ENOMEM;
    if (number != 0) {
        line_add(problem, JOB_FACTS ": %s", strerror(number));
        reading = job_failed_reading(number);
    } else {
        reading = read_text(text, name, facts, problem);
    }
    free(text);
    return reading;
}

/* ---- Documents ------------------------------------------------------------------------------- */

unsigned job_total(const struct job_facts *facts)
{
    unsigned total = 0;
    for (size_t i = 0; i < facts->count; i++) {
        total += facts->documents[i].copies;
    }
    return total;
}

static enum job_reading fail_document(size_t i, int error, struct line *problem)
{
    line_add(problem, "document %zu: %s", i + 1, strerror(error));
    return job_failed_reading(error);
}

enum job_reading job_open_document(int directory, const struct job_facts *facts, size_t i,
                                   int *document, struct line *problem)
{
    char name[24];
    struct stat found;
    snprintf(name, sizeof(name), "%zu", i + 1);
    int fd = job_open_file(directory, name, O_RDONLY);
    if (fd < 0) {
        return fail_document(i, errno, problem);
    }
    if (fstat(fd, &found) != 0 || (uint64_t)found.st_size != facts->documents[i].size) {
        line_add(problem, "document %s: is not of %" PRIu64 " bytes", name,
                 facts->documents[i].size);
        close(fd);
        return JOB_DAMAGED;
    }
    *document = fd;
    return JOB_READ;
}

/* 0 or an errno number. */
static int sum_file(int fd, uint32_t *sum)
{
    char piece[PIECE];
    ssize_t got;
    off_t at = 0;
    *sum = 0;
    while ((got = job_read_at(fd, piece, sizeof(piece), at)) > 0) {
        *sum = job_sum(*sum, piece, (size_t)got);
        at += got;
    }
    return got < 0 ? errno : 0;
}

enum job_reading job_check_document(int directory, const struct job_facts *facts, size_t i,
                                    struct line *problem)
{
    int fd;
    uint32_t sum = 0;
    const struct job_document *document = &facts->documents[i];
    enum job_reading reading = job_open_document(directory, facts, i, &fd, problem);
    if (reading != JOB_READ) {
        return reading;
    }
    int error = document->summed ? sum_file(fd, &sum) : 0;
    close(fd);
    if (error != 0) {
        return fail_document(i, error, problem);
    }
    if (document->summed && sum != document->sum) {
        line_add(problem, "document %zu: is damaged", i + 1);
        return JOB_DAMAGED;
    }
    return JOB_READ;
}

/*
 * job_facts - what is known of a job, as a text of lines; see job.h.
 *
 *     regstore job 1
 *     queue TEXT
 *     address TEXT ... host, user, title
 *     number 42
 *     time 1785000000
 *     document f 1 1048576 NAME      format, copies, bytes, and the rest is its name; for each
 *     end                            so that a text that was cut is seen
 */
#include "job.h"
#include "job_parts.h"

#include "../common/character.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FACTS "facts"
#define HEAD "regstore job 1"
#define MOST_NUMBER 999
/* No text of facts is longer: six lines of a text, two of a number, and the documents. */
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

/* Gives the length; FACTS_SIZE bytes take all facts that are allowed. */
static size_t put_facts(const struct job_facts *facts, char *text)
{
    size_t length = (size_t)snprintf(
        text, FACTS_SIZE,
        HEAD "\nqueue %s\naddress %s\nhost %s\nuser %s\ntitle %s\nnumber %u\ntime %llu\n",
        facts->queue, facts->address, facts->host, facts->user, facts->title, facts->number,
        (unsigned long long)facts->time);
    for (size_t i = 0; i < facts->count; i++) {
        const struct job_document *document = &facts->documents[i];
        length += (size_t)snprintf(text + length, FACTS_SIZE - length, "document %c %u %llu %s\n",
                                   document->format, document->copies,
                                   (unsigned long long)document->size, document->name);
    }
    return length + (size_t)snprintf(text + length, FACTS_SIZE - length, "end\n");
}

bool job_write_facts(int directory, const struct job_facts *facts, struct line *problem)
{
    const char *wrong = wrong_fact(facts);
    if (wrong != NULL) {
        line_add(problem, FACTS ": the %s is not allowed", wrong);
        errno = EINVAL;
        return false;
    }
    char *text = malloc(FACTS_SIZE);
    int fd = text != NULL ? job_make_file(directory, FACTS, text, put_facts(facts, text)) : -1;
    int number = errno;
    free(text);
    if (fd < 0) {
        line_add(problem, FACTS ": %s", strerror(number));
        errno = number;
        return false;
    }
    close(fd);
    return true;
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

/* "f 1 1048576 NAME" */
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
        strlen(text) >= JOB_TEXT) {
        return false;
    }
    document->copies = (unsigned)copies;
    memcpy(document->name, text, strlen(text) + 1);
    return true;
}

static bool parse_facts(char *text, struct job_facts *facts)
{
    uint64_t number;
    const char *rest = take_line(&text, HEAD);
    if (rest == NULL || *rest != '\0' || !take_text(&text, "queue ", facts->queue) ||
        !take_text(&text, "address ", facts->address) || !take_text(&text, "host ", facts->host) ||
        !take_text(&text, "user ", facts->user) || !take_text(&text, "title ", facts->title) ||
        !take_number(&text, "number ", MOST_NUMBER, &number) ||
        !take_number(&text, "time ", INT64_MAX, &facts->time)) {
        return false;
    }
    facts->number = (unsigned)number;
    while ((rest = take_line(&text, "document ")) != NULL) {
        if (facts->count == JOB_DOCUMENTS ||
            !parse_document(rest, &facts->documents[facts->count])) {
            return false;
        }
        facts->count++;
    }
    return strcmp(text, "end\n") == 0 && wrong_fact(facts) == NULL;
}

bool job_read_facts(int directory, struct job_facts *facts, struct line *problem)
{
    char *text = malloc(FACTS_SIZE);
    int number = text != NULL ? job_read_file(directory, FACTS, text, FACTS_SIZE) : errno;
    bool parsed = false;
    if (number != 0) {
        line_add(problem, FACTS ": %s", strerror(number));
    } else {
        *facts = (struct job_facts){.count = 0};
        parsed = parse_facts(text, facts);
        if (!parsed) {
            line_add(problem, FACTS ": is damaged");
        }
    }
    free(text);
    return parsed;
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

int job_open_document(int directory, const struct job_facts *facts, size_t i, struct line *problem)
{
    char name[24];
    struct stat found;
    snprintf(name, sizeof(name), "%zu", i + 1);
    int fd = job_open_file(directory, name, O_RDONLY);
    if (fd < 0) {
        line_add(problem, "document %s: %s", name, strerror(errno));
        return -1;
    }
    if (fstat(fd, &found) != 0 || (uint64_t)found.st_size != facts->documents[i].size) {
        line_add(problem, "document %s: is not of %llu bytes", name,
                 (unsigned long long)facts->documents[i].size);
        close(fd);
        return -1;
    }
    return fd;
}

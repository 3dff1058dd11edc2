/*
 * env_tail.c - are the pages that a file lacks at its end all free?
 *
 * Reads LMDB's table of free pages with pread(), a page at a time, and believes nothing: through
 * the map a page behind the file's end ends the process, and LMDB ends it where a page is not what
 * it expects. Nothing is written. Needs no LMDB. A part of env.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "env_check.h"
#include "env_layout.h"

/* A way down the table. */
struct step {
    size_t page;
    size_t next; /* its node that comes next */
};

struct walk {
    int fd;
    size_t page_size;
    size_t pages; /* that the file has, whole ones */
    size_t reads; /* that are left: pages that lead to each other have no end */
    size_t found; /* free ones that the file lacks */
    bool no_memory;
    unsigned char *page;
    struct step steps[LMDB_MAX_DEPTH];
    size_t depth;
};

static bool read_page(struct walk *walk, size_t number)
{
    struct lmdb_page head;
    if (number < LMDB_FIRST_PAGE || number >= walk->pages || walk->reads-- == 0 ||
        pread(walk->fd, walk->page, walk->page_size, (off_t)(number * walk->page_size)) !=
            (ssize_t)walk->page_size) {
        return false;
    }
    memcpy(&head, walk->page, sizeof head);
    return head.page_number == number;
}

/* ---- Lists of free pages ---- */

/* A list is a count and so many page numbers. */
static bool add_list(struct walk *walk, const unsigned char *list, size_t size)
{
    size_t count;
    size_t page;
    if (size < sizeof count) {
        return false;
    }
    memcpy(&count, list, sizeof count);
    if (count > size / sizeof page - 1) {
        return false;
    }
    for (size_t i = 1; i <= count; i++) {
        memcpy(&page, list + i * sizeof page, sizeof page);
        walk->found += page >= walk->pages;
    }
    return true;
}

/* A list that has pages of its own, which lie side by side. */
static bool add_big_list(struct walk *walk, size_t number, size_t size)
{
    struct lmdb_page head;
    size_t bytes = walk->pages * walk->page_size;
    if (!read_page(walk, number)) {
        return false;
    }
    memcpy(&head, walk->page, sizeof head);
    size_t at = number * walk->page_size + sizeof head;
    if (head.flags != LMDB_OVERFLOW || size > bytes - at) {
        return false;
    }
    unsigned char *list = malloc(size + 1);
    walk->no_memory = list == NULL;
    bool good = list != NULL && pread(walk->fd, list, size, (off_t)at) == (ssize_t)size &&
                add_list(walk, list, size);
    free(list);
    return good;
}

/* ---- Pages of the table ---- */

/* The offset of the node with that number in the page at hand; 0 if it does not fit. */
static size_t node_at(const struct walk *walk, size_t i, struct lmdb_node *node)
{
    uint16_t offset;
    memcpy(&offset, walk->page + sizeof(struct lmdb_page) + i * sizeof offset, sizeof offset);
    if (offset < sizeof(struct lmdb_page) || offset > walk->page_size - sizeof *node) {
        return 0;
    }
    memcpy(node, walk->page + offset, sizeof *node);
    return offset;
}

static bool add_node(struct walk *walk, size_t i)
{
    struct lmdb_node node;
    size_t big;
    size_t at = node_at(walk, i, &node);
    size_t size = (size_t)node.high << 16 | node.low;
    size_t data = at + sizeof node + node.key_size;
    size_t here = node.flags & LMDB_BIG ? sizeof big : size;
    if (at == 0 || data > walk->page_size || here > walk->page_size - data) {
        return false;
    }
    if ((node.flags & LMDB_BIG) == 0) {
        return add_list(walk, walk->page + data, size);
    }
    memcpy(&big, walk->page + data, sizeof big);
    return add_big_list(walk, big, size);
}

static bool push(struct walk *walk, size_t page)
{
    if (walk->depth == LMDB_MAX_DEPTH) {
        return false;
    }
    walk->steps[walk->depth++] = (struct step){page, 0};
    return true;
}

/* The next node of the page that the way has come to; behind the last one the way goes back. */
static bool take_node(struct walk *walk)
{
    struct step *step = &walk->steps[walk->depth - 1];
    struct lmdb_page head;
    struct lmdb_node node;
    if (!read_page(walk, step->page)) {
        return false;
    }
    memcpy(&head, walk->page, sizeof head);
    if (head.lower < sizeof head || head.lower > walk->page_size) {
        return false;
    }
    if (step->next == (head.lower - sizeof head) / sizeof(uint16_t)) {
        walk->depth--;
        return true;
    }
    if (head.flags == LMDB_LEAF) {
        return add_node(walk, step->next++);
    }
    if (head.flags != LMDB_BRANCH || node_at(walk, step->next++, &node) == 0) {
        return false;
    }
    return push(walk, (size_t)node.flags << 32 | (size_t)node.high << 16 | node.low);
}

/* ---- The table ---- */

static bool walk_table(struct walk *walk, size_t root)
{
    walk->page = malloc(walk->page_size);
    walk->no_memory = walk->page == NULL;
    bool good = walk->page != NULL && (root == LMDB_NO_PAGE || push(walk, root));
    while (good && walk->depth > 0) {
        good = take_node(walk);
    }
    free(walk->page);
    return good;
}

int env_check_tail(int fd, uint64_t page_size, uint64_t snapshot)
{
    struct stat st;
    struct lmdb_meta_page meta;
    off_t at = (off_t)((snapshot & 1) * page_size);
    if (pread(fd, &meta, sizeof meta, at) != (ssize_t)sizeof meta || fstat(fd, &st) != 0) {
        return RS_EDAMAGED;
    }
    if (meta.txn_number != snapshot) {
        return RS_EBUSY;
    }
    struct walk walk = {.fd = fd, .page_size = page_size};
    walk.pages = (uint64_t)st.st_size / page_size;
    /* A node for each word of the file at most, and a page is read for each of them. */
    walk.reads = (uint64_t)st.st_size / sizeof(uint64_t);
    if (walk.pages > meta.last_page) {
        return RS_OK;
    }
    if (walk_table(&walk, meta.dbs[0].root) && walk.found == meta.last_page + 1 - walk.pages) {
        return RS_OK;
    }
    return walk.no_memory ? RS_ENOMEM : RS_EDAMAGED;
}

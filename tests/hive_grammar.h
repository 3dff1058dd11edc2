/*
 * hive_grammar.h - hives/hive.rng, asked of files by tests.
 */
#ifndef HIVE_GRAMMAR_H
#define HIVE_GRAMMAR_H

/* 0 if libxml2 finds a file valid, more if not, below 0 if the file is no XML. A grammar that
 * cannot be read ends the running test. */
int hive_grammar_check(const char *file);

#endif

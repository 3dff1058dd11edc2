/*
 * hive_grammar.c - see hive_grammar.h.
 */
#include "harness.h"
#include "hive_grammar.h"

#include <stdio.h>
#include <libxml/relaxng.h>

/* What libxml2 says of a file that is meant to be invalid is no test's output. */
static void ignore_error(void *context, xmlErrorPtr error)
{
    (void)context;
    (void)error;
}

static xmlRelaxNGPtr load(void)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/hives/hive.rng", top_dir());
    xmlRelaxNGParserCtxtPtr parser = xmlRelaxNGNewParserCtxt(path);
    xmlRelaxNGPtr grammar = xmlRelaxNGParse(parser);
    xmlRelaxNGFreeParserCtxt(parser);
    return grammar;
}

int hive_grammar_check(const char *file)
{
    xmlRelaxNGPtr grammar = load();
    int result = -1;

    CU_ASSERT_PTR_NOT_NULL_FATAL(grammar);
    xmlSetStructuredErrorFunc(NULL, ignore_error);
    xmlDocPtr document = xmlReadFile(file, NULL, XML_PARSE_HUGE | XML_PARSE_NONET);
    if (document) {
        xmlRelaxNGValidCtxtPtr context = xmlRelaxNGNewValidCtxt(grammar);
        result = xmlRelaxNGValidateDoc(context, document);
        xmlRelaxNGFreeValidCtxt(context);
    }
    xmlFreeDoc(document);
    xmlSetStructuredErrorFunc(NULL, NULL);
    xmlRelaxNGFree(grammar);
    return result;
}

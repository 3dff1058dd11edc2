/*
 * What a command line can be completed to. The scripts that "regtool completion" prints ask for it:
 *
 *     regtool __complete LINE TAIL
 *
 * LINE is the command up to the cursor as it was typed, TAIL the end of it that the shell will
 * replace. The first line of the answer is "words", then come the candidates, or "files": the shell
 * completes names of files then. It needs the table of commands and the store; it never fails: what
 * it cannot know it does not offer.
 */
#ifndef REGTOOL_COMPLETE_H
#define REGTOOL_COMPLETE_H

#define COMPLETE_VERB "__complete"

/* Answers; words are what stands after the verb, and end with NULL. */
void complete(char *const words[]);

#endif

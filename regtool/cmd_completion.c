/*
 * regtool completion: prints the functions that make bash and zsh complete command lines of
 * regtool. They know nothing themselves: they ask regtool (complete.h), so that they are right for
 * each command of the table, and for the store as it is.
 */
#include <stdio.h>
#include <strings.h>

#include "arguments.h"
#include "complete.h"
#include "report.h"

/* Candidates come quoted, and are taken as they are; what follows a tab is a note for the list. */
static const char bash_script[] =
    "# bash completion of regtool; \"regtool completion bash\" has written it.\n"
    "_regtool()\n"
    "{\n"
    "    local tool=$1 lines\n"
    "    type -P -- \"$tool\" &>/dev/null || tool=regtool\n"
    "    mapfile -t lines < <(\n"
    "        command \"$tool\" " COMPLETE_VERB
    " \"${COMP_LINE:0:COMP_POINT}\" \"$2\" 2>/dev/null)\n"
    "    COMPREPLY=(\"${lines[@]:1}\")\n"
    "    if [[ $COMP_TYPE == 63 ]]; then\n" /* they are only listed */
    "        COMPREPLY=(\"${COMPREPLY[@]//$'\\t'/  }\")\n"
    "    else\n"
    "        COMPREPLY=(\"${COMPREPLY[@]%%$'\\t'*}\")\n"
    "    fi\n"
    "    if [[ ${lines[0]} != files ]]; then\n"
    "        compopt +o default 2>/dev/null\n"
    "    fi\n"
    "}\n"
    "complete -o default -F _regtool regtool reg\n";

static const char zsh_script[] =
    "#compdef regtool reg\n"
    "# zsh completion of regtool; \"regtool completion zsh\" has written it.\n"
    "_regtool()\n"
    "{\n"
    "    local tool=$words[1] last=$QIPREFIX$IPREFIX$PREFIX\n"
    "    local -a lines\n"
    "    whence -p -- $tool &>/dev/null || tool=regtool\n"
    "    lines=(\"${(@f)$(command $tool " COMPLETE_VERB
    " \"${(j: :)words[1,CURRENT-1]} $last\" \"$PREFIX\" 2>/dev/null)}\")\n"
    "    if [[ $lines[1] == files ]]; then\n"
    "        _files\n"
    "        return\n"
    "    fi\n"
    "    shift lines\n"
    "    if [[ $lines[1] == *$'\\t'* ]]; then\n"
    "        local -a shown\n"
    "        shown=(\"${(@)lines/$'\\t'/  }\")\n"
    "        lines=(\"${(@)lines%%$'\\t'*}\")\n"
    "        compadd -Q -U -V revisions -l -d shown -- \"${lines[@]}\"\n"
    "        return\n"
    "    fi\n"
    "    (( $#lines )) && compadd -Q -U -- \"${lines[@]}\"\n"
    "}\n"
    "if [[ $funcstack[1] == _regtool ]]; then\n"
    "    _regtool \"$@\"\n"
    "else\n"
    "    compdef _regtool regtool reg\n"
    "fi\n";

int cmd_completion(struct tool *tool, const struct arguments *arguments)
{
    const char *shell = arguments->operands[0];

    (void)tool;
    if (strcasecmp(shell, "bash") == 0) {
        fputs(bash_script, stdout);
        return 0;
    }
    if (strcasecmp(shell, "zsh") == 0) {
        fputs(zsh_script, stdout);
        return 0;
    }
    return report("completion: \"%s\" is neither bash nor zsh", shell);
}

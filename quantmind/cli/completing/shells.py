"""The shells that lines can be completed in: the script of each, and what it is answered."""

from __future__ import annotations

import os
import sys
from typing import ClassVar

import click
from click.shell_completion import CompletionItem, ShellComplete, split_arg_string

VARIABLE = "_QUANTMIND_COMPLETE"
"""The variable by which a shell asks how a line can go on; click's name for it."""

_BASH = """\
%(complete_func)s() {
    local type value help cur=${COMP_WORDS[COMP_CWORD]}
    local line=${COMP_LINE:0:${COMP_POINT:-0}}
    [[ -n $line ]] || line="${COMP_WORDS[*]:0:COMP_CWORD+1}"
    COMPREPLY=()
    while IFS=$'\\t' read -r type value help; do
        case $type in
            plain) COMPREPLY+=("$value") ;;
            recipe)
                compopt -o filenames 2>/dev/null
                while IFS= read -r value; do COMPREPLY+=("$value"); done < <(
                    compgen -d -- "$cur"; compgen -f -X '!*.yaml' -- "$cur"; compgen -f -X '!*.yml' -- "$cur") ;;
            file)
                compopt -o filenames 2>/dev/null
                while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "$cur") ;;
            dir)
                compopt -o filenames 2>/dev/null
                while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -d -- "$cur") ;;
        esac
    done < <(COMP_WORDS="$line" COMP_WORDBREAKS="$COMP_WORDBREAKS" \\
        %(complete_var)s=bash_complete "${1/#\\~/$HOME}" 2>/dev/null)
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""

_ZSH = """\
#compdef %(prog_name)s

%(complete_func)s() {
    local -a lines plain described
    local line type value help
    lines=("${(@f)$(COMP_WORDS="${(F)${(@Q)words[1,CURRENT-1]}}" COMP_INCOMPLETE="${(Q)PREFIX}" \\
        %(complete_var)s=zsh_complete ${(Q)~words[1]} 2>/dev/null)}")
    [[ $PREFIX == -*=* ]] && compset -P '*='
    for line in $lines; do
        IFS=$'\\t' read -r type value help <<< "$line"
        case $type in
            plain)
                if [[ $help == _ ]]; then plain+=("$value"); else described+=("${value//:/\\\\:}:$help"); fi ;;
            recipe) _files -g '*.(yaml|yml)(-.)' ;;
            file) _files ;;
            dir) _files -/ ;;
        esac
    done
    (( $#described )) && _describe -V '%(prog_name)s' described
    (( $#plain )) && compadd -V '%(prog_name)s' -a plain
}

if (( ${+compstate} )); then
    # From a file of fpath, while a line is completed.
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""

_FISH = """\
function %(complete_func)s
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines (COMP_WORDS=(string join \\n -- $words | string collect) COMP_INCOMPLETE="$current" \\
        %(complete_var)s=fish_complete $words[1] 2>/dev/null)
    for line in $lines
        set -l parts (string split -m 2 \\t -- $line)
        switch $parts[1]
            case plain
                if test "$parts[3]" = _
                    echo $parts[2]
                else
                    printf '%%s\\t%%s\\n' $parts[2] $parts[3]
                end
            case recipe
                __fish_complete_path $current | string match -r '.*(?:/|\\.ya?ml)(?:\\t.*)?$'
            case file
                __fish_complete_path $current
            case dir
                __fish_complete_directories $current
        end
    end
end

complete --no-files --keep-order --command %(prog_name)s --arguments "(%(complete_func)s)"
"""


class _Shell(ShellComplete):
    """A shell that tells the words before the cursor, and reads lines of type, value and help with tabs between."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one that is written, and this one."""
        words = os.environ.get("COMP_WORDS", "").split("\n")
        return words[1:], os.environ.get("COMP_INCOMPLETE", "")

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """Find what may come next; completers are given the words before it as `obj`."""
        self.ctx_args = {"obj": tuple(args)}
        return super().get_completions(args, incomplete)

    def format_completion(self, item: CompletionItem[str]) -> str:
        """Write an item on a line; no field is empty, as shells would skip it."""
        text = " ".join((item.help or "").split())
        return f"{item.type}\t{item.value or '-'}\t{text or '_'}"


class Bash(_Shell):
    """GNU Bash, from 4.4 on."""

    name: ClassVar[str] = "bash"
    source_template: ClassVar[str] = _BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words of the line: bash's own are torn at colons."""
        line = os.environ.get("COMP_WORDS", "")
        words = split_arg_string(line)
        writing = words.pop() if len(words) > 1 and not line[-1:].isspace() else ""
        return words[1:], writing

    def format_completion(self, item: CompletionItem[str]) -> str:
        """Leave out what bash takes for words before this one: what ends with a colon or an equals sign."""
        _, writing = self.get_completion_args()
        if writing.startswith("-") and "=" in writing:
            writing = writing.partition("=")[2]
        signs = [sign for sign in os.environ.get("COMP_WORDBREAKS", "") if sign in ":="]
        cut = max((writing.rfind(sign) + 1 for sign in signs), default=0)
        if item.type == "plain" and cut:
            item = CompletionItem(item.value[cut:], help=item.help)
        return super().format_completion(item)


class Zsh(_Shell):
    """The Z shell."""

    name: ClassVar[str] = "zsh"
    source_template: ClassVar[str] = _ZSH


class Fish(_Shell):
    """fish, from 3.4 on."""

    name: ClassVar[str] = "fish"
    source_template: ClassVar[str] = _FISH

    def format_completion(self, item: CompletionItem[str]) -> str:
        """Write the option before the value where both are one word."""
        option, sign, _ = self.get_completion_args()[1].partition("=")
        if item.type == "plain" and sign and option.startswith("-"):
            item = CompletionItem(f"{option}={item.value}", help=item.help)
        return super().format_completion(item)


SHELLS: dict[str, type[_Shell]] = {shell.name: shell for shell in (Bash, Zsh, Fish)}


def script(command: click.Command, shell: str) -> str:
    """Return what a shell sources to complete the lines of a command."""
    return SHELLS[shell](command, {}, command.name or "", VARIABLE).source()


def answer(command: click.Command, instruction: str) -> int:
    """Do what a shell asks by its variable: `bash_complete`, `bash_source`; whatever goes wrong, nothing is said."""
    shell, _, what = instruction.partition("_")
    if shell not in SHELLS or what not in {"source", "complete"}:
        return 1
    try:
        asked = SHELLS[shell](command, {}, command.name or "", VARIABLE)
        text = asked.source() if what == "source" else asked.complete()
        sys.stdout.write(f"{text}\n" if what == "complete" and text else text)
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001 - nothing may be written into the line of a user
        return 1
    return 0

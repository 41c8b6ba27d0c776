/** A line of what `redis-addon __complete` prints that says that paths may stand there. */
export const FILES_LINE = ":files";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/**
 * What a shell reads to complete our commands: all of them ask the program itself, which knows its commands and the
 * add-ons, so that a script never grows older than the program. The bash of macOS (3.2) knows neither mapfile nor compopt.
 */
export const COMPLETION_SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `_redis_addon() {
  local value file
  COMPREPLY=()
  while IFS=$'\\t' read -r value _; do
    if [[ $value == ${FILES_LINE} ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "\${2#=}")
      continue
    fi
    # Words are broken at "=": only what stands behind it is replaced.
    if [[ \${COMP_WORDS[COMP_CWORD]} == "=" || \${COMP_WORDS[COMP_CWORD - 1]} == "=" ]]; then value=\${value#*=}; fi
    COMPREPLY+=("$value")
  done < <("$1" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _redis_addon redis-addon
`,
  zsh: `#compdef redis-addon
_redis_addon() {
  local value meaning wantsFiles=
  local -a found
  while IFS=$'\\t' read -r value meaning; do
    if [[ $value == ${FILES_LINE} ]]; then
      wantsFiles=1
    else
      found+=("\${value//:/\\\\:}\${meaning:+:$meaning}")
    fi
  done < <("\${(Q)words[1]}" __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  (( $#found )) && _describe 'redis-addon' found
  if [[ -n $wantsFiles ]]; then
    [[ $PREFIX == --*=* ]] && compset -P '*='
    _files
  fi
}
# Autoloaded from the fpath it is the function's own body; sourced it only names the function.
if [[ $funcstack[1] == _redis_addon ]]; then _redis_addon "$@"; else compdef _redis_addon redis-addon; fi
`,
  fish: `function __redis_addon_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l program $words[1]
  set -e words[1]
  for line in (command $program __complete -- $words 2>/dev/null)
    if test "$line" = ${FILES_LINE}
      __fish_complete_path (string replace -r '^--[^=]+=' '' -- (commandline -ct))
    else
      echo $line
    end
  end
end
complete -c redis-addon -f -a '(__redis_addon_complete)'
`,
};

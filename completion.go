package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

// The scripts ask the program itself what may come next: urfave/cli answers
// when the last word is --generate-bash-completion.
const (
	bashCompletion = `_hooktape() {
  local cur="${COMP_WORDS[COMP_CWORD]}" words
  local args=("${COMP_WORDS[@]:0:COMP_CWORD}")
  if [[ "$cur" == -* ]]; then args+=("$cur"); fi
  words=$("${args[@]}" --generate-bash-completion 2>/dev/null)
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o bashdefault -o default -o nospace -F _hooktape hooktape
`
	zshCompletion = `#compdef hooktape
_hooktape() {
  local cur="${words[CURRENT]}"
  local -a args opts
  args=("${(@)words[1,CURRENT-1]}")
  if [[ "$cur" == -* ]]; then args+=("$cur"); fi
  opts=("${(@f)$("${args[@]}" --generate-bash-completion 2>/dev/null)}")
  if [[ -n "${opts[1]}" ]]; then _describe 'values' opts; else _files; fi
}
compdef _hooktape hooktape
`
)

func completionCommand(e *env) *cli.Command {
	return &cli.Command{
		Name: "completion", Usage: "write a completion script", ArgsUsage: "bash|zsh|fish",
		Description: "bash: source <(hooktape completion bash)\n" +
			"zsh:  source <(hooktape completion zsh)\n" +
			"fish: hooktape completion fish | source",
		BashComplete: func(*cli.Context) { fmt.Fprintln(e.stdout, "bash\nzsh\nfish") },
		Action: func(c *cli.Context) error {
			script := map[string]string{"bash": bashCompletion, "zsh": zshCompletion}[c.Args().First()]
			if c.Args().First() == "fish" {
				var err error
				if script, err = c.App.ToFishCompletion(); err != nil {
					return err
				}
			}
			if script == "" {
				return usage("completion: want bash, zsh or fish")
			}
			_, err := fmt.Fprint(e.stdout, script)
			return err
		},
	}
}

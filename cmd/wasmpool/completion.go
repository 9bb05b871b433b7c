package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
)

func completionCommand() command {
	return command{
		name:    "completion",
		usage:   "bash|zsh|fish",
		summary: "print a script that completes command lines in a shell",
		topics:  shells,
		help: `For this session, or in the file that your shell reads at its start:

  bash:  source <(wasmpool completion bash)
  zsh:   source <(wasmpool completion zsh)
  fish:  wasmpool completion fish | source`,
		define: func(*flag.FlagSet) runner {
			return func(_ context.Context, p *program, args []string) error {
				if len(args) != 1 {
					return usagef("completion needs one shell: %s", strings.Join(shells, ", "))
				}
				write, ok := map[string]func() string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}[args[0]]
				if !ok {
					return usagef("there is no completion for %q; want %s", args[0], strings.Join(shells, ", "))
				}
				_, err := fmt.Fprint(p.stdout, write())
				return err
			}
		},
	}
}

// words are what may follow a command: its flags and what it may be about.
func words(c command) string {
	list := append([]string(nil), c.topics...)
	for _, f := range flagsOf(c) {
		list = append(list, dashed(f.Name))
	}
	return strings.Join(list, " ")
}

func commandNames() string {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	return strings.Join(names, " ")
}

func bashCompletion() string {
	var b strings.Builder
	b.WriteString("# wasmpool: completion for bash\n_wasmpool() {\n\tlocal current=${COMP_WORDS[COMP_CWORD]} words= files=\n")
	fmt.Fprintf(&b, "\tif ((COMP_CWORD == 1)); then\n\t\twords='%s'\n\telse\n\t\tcase ${COMP_WORDS[1]} in\n", commandNames())
	for _, c := range commands() {
		fmt.Fprintf(&b, "\t\t%s) words='%s'", c.name, words(c))
		if c.files {
			b.WriteString(" files=1")
		}
		b.WriteString(" ;;\n")
	}
	b.WriteString(`		esac
	fi
	local IFS=$' \t\n'
	COMPREPLY=($(compgen -W "$words" -- "$current"))
	if [[ $files && $current != -* ]]; then
		local IFS=$'\n'
		compopt -o filenames 2>/dev/null
		COMPREPLY+=($(compgen -f -X '!*.wasm' -- "$current") $(compgen -d -- "$current"))
	fi
}
complete -F _wasmpool wasmpool
`)
	return b.String()
}

func zshCompletion() string {
	var b strings.Builder
	b.WriteString("#compdef wasmpool\n_wasmpool() {\n\tlocal -a commands\n\tcommands=(\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "\t\t%s\n", quoted(c.name+":"+c.summary))
	}
	b.WriteString("\t)\n\tif ((CURRENT == 2)); then\n\t\t_describe command commands\n\t\treturn\n\tfi\n\tcase ${words[2]} in\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "\t%s)\n", c.name)
		if list := words(c); list != "" {
			fmt.Fprintf(&b, "\t\tcompadd -- %s\n", list)
		}
		if c.files {
			b.WriteString("\t\t_files -g '*.wasm'\n")
		}
		b.WriteString("\t\t;;\n")
	}
	b.WriteString("\tesac\n}\nif [[ ${zsh_eval_context[-1]} == loadautofunc ]]; then\n\t_wasmpool \"$@\"\nelse\n\tcompdef _wasmpool wasmpool\nfi\n")
	return b.String()
}

func fishCompletion() string {
	var b strings.Builder
	b.WriteString("# wasmpool: completion for fish\ncomplete -c wasmpool -f\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "complete -c wasmpool -n __fish_use_subcommand -a %s -d %s\n", c.name, quoted(c.summary))
		here := "'__fish_seen_subcommand_from " + c.name + "'"
		if len(c.topics) > 0 {
			fmt.Fprintf(&b, "complete -c wasmpool -n %s -a %s\n", here, quoted(strings.Join(c.topics, " ")))
		}
		if c.files {
			fmt.Fprintf(&b, "complete -c wasmpool -n %s -F\n", here)
		}
		for _, f := range flagsOf(c) {
			_, usage := flag.UnquoteUsage(f)
			kind := "-l " + f.Name
			if len(f.Name) == 1 {
				kind = "-s " + f.Name
			}
			if takesValue(f) {
				kind += " -x"
			}
			fmt.Fprintf(&b, "complete -c wasmpool -n %s %s -d %s\n", here, kind, quoted(strings.ReplaceAll(usage, "\n", " ")))
		}
	}
	return b.String()
}

// quoted is text as one word of any of the shells.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

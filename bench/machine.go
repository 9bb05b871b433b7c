package main

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
)

// machine is where and of what something was measured.
type machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
	Commit string `json:"commit"`
}

// unknown stands for what this machine does not tell.
const unknown = "unknown"

func describe(ctx context.Context) machine {
	return machine{
		CPU: cpu(ctx), Cores: runtime.NumCPU(), Kernel: output(ctx, "uname", "-sr"),
		Go: runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH, Commit: commit(ctx),
	}
}

var modelLine = regexp.MustCompile(`(?m)^model name\s*: (.+)$`)

func cpu(ctx context.Context) string {
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		return firstGroup(modelLine, string(info))
	}
	return output(ctx, "sysctl", "-n", "machdep.cpu.brand_string")
}

func firstGroup(r *regexp.Regexp, text string) string {
	if m := r.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return unknown
}

// commit is what git says of the working directory: go run puts no revision into
// the program.
func commit(ctx context.Context) string {
	return output(ctx, "git", "describe", "--always", "--dirty", "--abbrev=12")
}

// output is what a command prints, which is worth no failure: it may run after an
// interrupt, and its figures are what counts.
func output(ctx context.Context, name string, args ...string) string {
	text, err := exec.CommandContext(context.WithoutCancel(ctx), name, args...).Output()
	if err != nil {
		return unknown
	}
	return strings.TrimSpace(string(text))
}

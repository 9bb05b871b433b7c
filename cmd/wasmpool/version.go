package main

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/wasmpool/wasmpool/abi"
)

// version says which program this is.
type version struct {
	Version  string `json:"version"` // of the module, "(devel)" for a build from a checkout
	Revision string `json:"revision,omitempty"`
	ABI      int    `json:"abi"` // of workers
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func versionCommand() command {
	return command{
		name:    "version",
		usage:   "[flags]",
		summary: "say which version this is",
		define: func(flags *flag.FlagSet) runner {
			asJSON := flags.Bool("json", false, "print JSON")
			return func(_ context.Context, p *program, args []string) error {
				if len(args) > 0 {
					return usagef("version takes no argument, but got %q", args[0])
				}
				v := thisVersion()
				if *asJSON {
					p.writeJSON(p.stdout, v)
					return nil
				}
				fmt.Fprintf(p.stdout, "wasmpool %s, worker ABI %d, %s, %s\n", v.Version, v.ABI, v.Go, v.Platform)
				return nil
			}
		},
	}
}

func thisVersion() version {
	v := version{Version: "(devel)", ABI: abi.Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v.Revision = s.Value
		}
	}
	return v
}

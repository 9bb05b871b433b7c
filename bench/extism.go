package main

import (
	"context"
	"errors"
	"fmt"

	extism "github.com/extism/go-sdk"
	"github.com/tetratelabs/wazero"
)

// extismEcho is a guest of Extism's, by hand. It copies nothing: it hands the
// kernel's copy of the input back as the output, which is the quickest that an
// echo can be there.
//
//	(module
//	  (import "extism:host/env" "input_offset" (func (result i64)))
//	  (import "extism:host/env" "input_length" (func (result i64)))
//	  (import "extism:host/env" "output_set" (func (param i64 i64)))
//	  (func (export "echo") (result i32)
//	    (call 2 (call 0) (call 1))
//	    (i32.const 0)))
const extismEcho = "\x00asm\x01\x00\x00\x00" +
	"\x01\x0e\x03\x60\x00\x01\x7e\x60\x02\x7e\x7e\x00\x60\x00\x01\x7f" + // types
	"\x02\x5c\x03" + // imports
	"\x0fextism:host/env\x0cinput_offset\x00\x00" +
	"\x0fextism:host/env\x0cinput_length\x00\x00" +
	"\x0fextism:host/env\x0aoutput_set\x00\x01" +
	"\x03\x02\x01\x02" + // functions
	"\x07\x08\x01\x04echo\x00\x03" + // exports
	"\x0a\x0c\x01\x0a\x00\x10\x00\x10\x01\x10\x02\x41\x00\x0b" // code

// extismRow is Extism's Go SDK, which runs its guests in the caller's process.
func extismRow(w workload) row {
	return row{workload: w, what: "Extism, in process", start: startExtism}
}

func startExtism(ctx context.Context, w workload) (*target, error) {
	p, err := extism.NewPlugin(ctx,
		extism.Manifest{Wasm: []extism.Wasm{extism.WasmData{Data: []byte(extismEcho)}}},
		extism.PluginConfig{RuntimeConfig: wazero.NewRuntimeConfigCompiler()}, nil)
	if err != nil {
		return nil, fmt.Errorf("making the plugin: %w", err)
	}
	in := w.arguments()
	return &target{
		close: func() error { return p.Close(context.Background()) },
		measure: repeat(w.callers, func(ctx context.Context) error {
			code, got, err := p.CallWithContext(ctx, "echo", in)
			if err == nil && code != 0 {
				err = errors.New("the guest failed")
			}
			return errors.Join(err, expect(len(got), w.payload))
		}),
	}, nil
}

module github.com/wasmpool/wasmpool

go 1.26.0

require (
	github.com/google/go-cmp v0.7.0
	github.com/tetratelabs/wazero v1.12.0
	golang.org/x/sys v0.49.0
)

;; imports what nobody provides, and what is of another type
(module
  (import "env" "missing" (func (param i32) (result i64)))
  (import "wasmpool" "teleport" (func))
  (import "wasmpool" "output" (func (param i64)))
  (import "wasmpool2" "input" (func (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_teleport" (func (result i32)))
  (import "env" "base" (global i32))
  (import "env" "table" (table 1 funcref))
  (memory (export "memory") 1)
  (func (export "f") (result i32) (i32.const 0)))

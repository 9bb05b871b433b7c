;; asks for everything in its start section, before there is a call
(module
  (import "wasmpool" "input" (func $input (param i32 i32) (result i32)))
  (import "wasmpool" "output" (func $output (param i32 i32)))
  (import "wasmpool" "context" (func $context (param i32 i32) (result i32)))
  (import "wasmpool" "host" (func $host (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (global $input_len (mut i32) (i32.const -9))
  (global $context_len (mut i32) (i32.const -9))
  (global $host_status (mut i32) (i32.const -9))
  (func $s
    (global.set $input_len (call $input (i32.const 0) (i32.const 100)))
    (global.set $context_len (call $context (i32.const 0) (i32.const 100)))
    (global.set $host_status (call $host (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1)))
    (call $output (i32.const 0) (i32.const 10)))
  (start $s)
  (func (export "input_len") (result i32) (global.get $input_len))
  (func (export "context_len") (result i32) (global.get $context_len))
  (func (export "host_status") (result i32) (global.get $host_status)))

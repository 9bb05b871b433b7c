;; has no memory, and calls imports that want one
(module
  (import "wasmpool" "input" (func $input (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (func (export "nothing") (result i32) (call $input (i32.const 0) (i32.const 0)))
  (func (export "something") (result i32) (call $input (i32.const 0) (i32.const 1)))
  (func (export "wasi") (result i32) (call $random (i32.const 0) (i32.const 1))))

;; says in wasmpool_init that it is not ready, and why
(module
  (import "wasmpool" "fail" (func $fail (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "{\22message\22:\22no database\22}")
  (func (export "wasmpool_init") (result i32) (call $fail (i32.const 0) (i32.const 25)) (i32.const 1))
  (func (export "f") (result i32) (i32.const 0)))

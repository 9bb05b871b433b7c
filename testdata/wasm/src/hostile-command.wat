;; a command that imports from wasmpool: a reactor that was built wrongly
(module (import "wasmpool" "output" (func (param i32 i32)))
  (memory (export "memory") 1) (func (export "_start")) (func (export "wasmpool_call") (result i32) (i32.const 0)))

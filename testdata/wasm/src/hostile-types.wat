;; has no export of a worker function's type
(module (memory (export "memory") 1)
  (func (export "add") (param i32 i32) (result i32) (i32.const 0))
  (func (export "nothing"))
  (func (export "wide") (result i64) (i64.const 0))
  (func (export "_hidden") (result i32) (i32.const 0)))

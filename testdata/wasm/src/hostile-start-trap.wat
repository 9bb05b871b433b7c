;; traps in its start section
(module (memory (export "memory") 1) (func $s (unreachable)) (start $s)
  (func (export "f") (result i32) (i32.const 0)))

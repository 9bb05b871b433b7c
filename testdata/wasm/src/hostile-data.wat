;; its data do not fit its memory
(module (memory (export "memory") 1) (data (i32.const 65535) "too long") (func (export "f") (result i32) (i32.const 0)))

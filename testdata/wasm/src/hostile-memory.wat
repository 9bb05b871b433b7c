;; wants 4 GiB to begin with
(module (memory (export "memory") 65536) (func (export "f") (result i32) (i32.const 0)))

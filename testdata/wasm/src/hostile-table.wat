;; wants a table of 128 million elements to begin with
(module (memory (export "memory") 1) (table 134217728 funcref) (func (export "f") (result i32) (i32.const 0)))

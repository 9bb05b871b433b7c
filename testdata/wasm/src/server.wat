;; exports nothing but _start
(module (memory (export "memory") 1) (func (export "_start")))

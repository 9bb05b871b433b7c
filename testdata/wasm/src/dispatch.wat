;; names its functions itself, and runs those that are no exports by dispatch:
;; "listed" returns, "direct" is an export, "failing" fails, others do not exist
(module
  (import "wasmpool" "function" (func $function (param i32 i32) (result i32)))
  (import "wasmpool" "output" (func $output (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "[\22listed\22,\22direct\22,\22failing\22,\22gone\22]")
  (data (i32.const 64) "\22dispatched\22")
  (data (i32.const 96) "\22exported\22")
  (func (export "wasmpool_functions") (result i32) (call $output (i32.const 0) (i32.const 36)) (i32.const 0))
  (func (export "direct") (result i32) (call $output (i32.const 96) (i32.const 10)) (i32.const 0))
  (func (export "helper") (result i32) (i32.const 0))
  (func (export "wasmpool_call") (result i32)
    (drop (call $function (i32.const 128) (i32.const 8)))
    (if (i32.eq (i32.load8_u (i32.const 128)) (i32.const 108)) ;; l
      (then (call $output (i32.const 64) (i32.const 12)) (return (i32.const 0))))
    (if (i32.eq (i32.load8_u (i32.const 128)) (i32.const 102)) ;; f
      (then (return (i32.const 5))))
    (i32.const 2)))

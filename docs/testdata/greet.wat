;; A worker with two functions.
(module
  (import "wasmpool" "input"  (func $input  (param i32 i32) (result i32)))
  (import "wasmpool" "output" (func $output (param i32 i32)))
  (import "wasmpool" "fail"   (func $fail   (param i32 i32)))
  (import "wasmpool" "log"    (func $log    (param i32 i32 i32)))
  (import "wasmpool" "host"   (func $host   (param i32 i32 i32 i32) (result i32)))
  (import "wasmpool" "reply"  (func $reply  (param i32 i32) (result i32)))

  ;; Texts below 1024; arguments and results from there to the end of the page.
  (memory (export "memory") 1)
  (data (i32.const 0)   "{\"name\":\"ArgumentError\",\"message\":\"want one string of at most 64,000 bytes\"}")
  (data (i32.const 128) "greeted")
  (data (i32.const 160) "\"Hello, ")
  (data (i32.const 192) "clock")
  (data (i32.const 224) "[\"greet\",\"ask\"]")
  (data (i32.const 256) "nobody tells the time")

  ;; The names that may be called.
  (func (export "wasmpool_functions") (result i32)
    (call $output (i32.const 224) (i32.const 15))
    (i32.const 0))

  ;; greet: ["world"] -> "Hello, world". The string is passed on as it is written,
  ;; so that its escapes stay right.
  (func (export "greet") (result i32)
    (local $len i32)
    ;; The 8 bytes of `"Hello, ` take the place of the 2 of `["`.
    (local.set $len (call $input (i32.const 1030) (i32.const 64004)))
    (if (i32.or (i32.gt_u (local.get $len) (i32.const 64004))  ;; more than was copied
        (i32.or (i32.lt_u (local.get $len) (i32.const 4))
                (i32.ne (i32.load16_u (i32.const 1030)) (i32.const 0x225b))))
      (then
        (call $fail (i32.const 0) (i32.const 76))
        (return (i32.const 1))))
    (call $log (i32.const 0) (i32.const 128) (i32.const 7))    ;; level 0: info
    (i64.store (i32.const 1024) (i64.load (i32.const 160)))
    (call $output (i32.const 1024) (i32.add (local.get $len) (i32.const 5))) ;; without the `]`
    (i32.const 0))

  ;; ask: what the host function "clock" replies
  (func (export "ask") (result i32)
    (local $len i32)
    (local.set $len (call $host (i32.const 192) (i32.const 5) (i32.const 0) (i32.const 0)))
    (if (i32.lt_s (local.get $len) (i32.const 0))              ;; failed, not granted, cancelled
      (then
        (call $fail (i32.const 256) (i32.const 21))
        (return (i32.const 1))))
    (drop (call $reply (i32.const 1024) (i32.const 64000)))
    (call $output (i32.const 1024) (local.get $len))
    (i32.const 0))

  ;; Asked to stop: nothing follows.
  (func (export "wasmpool_signal") (param $number i32)))

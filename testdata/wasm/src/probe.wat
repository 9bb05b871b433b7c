;; probe makes one import call with operands that its caller chooses: the
;; input is five little-endian i32, the number of the import and four operands.
;; What the import returns is returned; imports without a result return 0.
;;
;; The memory is one page; the input lies at 0, the text "probe" at 1024, and
;; 4096 to 8191 are free. Byte i of the page is not initialised otherwise.
(module
  (import "wasmpool" "input" (func $input (param i32 i32) (result i32)))
  (import "wasmpool" "output" (func $output (param i32 i32)))
  (import "wasmpool" "fail" (func $fail (param i32 i32)))
  (import "wasmpool" "function" (func $function (param i32 i32) (result i32)))
  (import "wasmpool" "context" (func $context (param i32 i32) (result i32)))
  (import "wasmpool" "cancelled" (func $cancelled (result i32)))
  (import "wasmpool" "log" (func $log (param i32 i32 i32)))
  (import "wasmpool" "host" (func $host (param i32 i32 i32 i32) (result i32)))
  (import "wasmpool" "reply" (func $reply (param i32 i32) (result i32)))
  (import "env" "abort" (func $abort (param i32 i32 i32 i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
  (memory (export "memory") 1 16)
  (data (i32.const 1024) "probe")
  (func (export "probe") (result i32)
    (drop (call $input (i32.const 0) (i32.const 20)))
    (block $poke (block $environ (block $args (block $prestat (block $open (block $read (block $write (block $clock
    (block $random (block $poll (block $abort (block $reply (block $host (block $log (block $cancelled (block $context
    (block $function (block $fail (block $output (block $input
      (br_table $input $output $fail $function $context $cancelled $log $host $reply $abort $poll $random $clock
                $write $read $open $prestat $args $environ $poke (i32.load (i32.const 0))))
      (return (call $input (i32.load (i32.const 4)) (i32.load (i32.const 8)))))
      (call $output (i32.load (i32.const 4)) (i32.load (i32.const 8))) (return (i32.const 0)))
      (call $fail (i32.load (i32.const 4)) (i32.load (i32.const 8))) (return (i32.const 0)))
      (return (call $function (i32.load (i32.const 4)) (i32.load (i32.const 8)))))
      (return (call $context (i32.load (i32.const 4)) (i32.load (i32.const 8)))))
      (return (call $cancelled)))
      (call $log (i32.load (i32.const 4)) (i32.load (i32.const 8)) (i32.load (i32.const 12))) (return (i32.const 0)))
      (return (call $host (i32.load (i32.const 4)) (i32.load (i32.const 8)) (i32.load (i32.const 12)) (i32.load (i32.const 16)))))
      (return (call $reply (i32.load (i32.const 4)) (i32.load (i32.const 8)))))
      (call $abort (i32.load (i32.const 4)) (i32.load (i32.const 8)) (i32.load (i32.const 12)) (i32.load (i32.const 16))) (return (i32.const 0)))
      (return (call $poll (i32.load (i32.const 4)) (i32.load (i32.const 8)) (i32.load (i32.const 12)) (i32.load (i32.const 16)))))
      (return (call $random (i32.load (i32.const 4)) (i32.load (i32.const 8)))))
      (return (call $clock (i32.load (i32.const 4)) (i64.const 1) (i32.load (i32.const 8)))))
      (return (call $write (i32.load (i32.const 4)) (i32.load (i32.const 8)) (i32.load (i32.const 12)) (i32.load (i32.const 16)))))
      (return (call $read (i32.load (i32.const 4)) (i32.load (i32.const 8)) (i32.load (i32.const 12)) (i32.load (i32.const 16)))))
      (return (call $open (i32.load (i32.const 4)) (i32.const 0) (i32.load (i32.const 8)) (i32.load (i32.const 12)) (i32.const 0) (i64.const -1) (i64.const -1) (i32.const 0) (i32.load (i32.const 16)))))
      (return (call $prestat (i32.load (i32.const 4)) (i32.load (i32.const 8)))))
      (return (call $args (i32.load (i32.const 4)) (i32.load (i32.const 8)))))
      (return (call $environ (i32.load (i32.const 4)) (i32.load (i32.const 8)))))
    ;; poke: the 32 bits at the first operand become the second, then an output of the third and fourth
    (i32.store (i32.load (i32.const 4)) (i32.load (i32.const 8)))
    (call $output (i32.load (i32.const 12)) (i32.load (i32.const 16)))
    (i32.const 0)))

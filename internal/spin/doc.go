// Package spin waits for another process without going to sleep, for a moment.
//
// To sleep and to be woken costs several microseconds on either side, many times
// what a quick call takes. To poll costs nothing but the processor, which another
// may need: so it is bounded, it gives way, and it is given up where it does not
// pay.
package spin

// The worker of most tests: a reactor in C without a library. Arguments are a
// JSON array of numbers and plain strings, which are not unescaped: what comes
// in goes out in the same notation.
//
// Its functions: echo add greet fail counter trap panic exit sleep loop recurse
// big log host context wait print env fib sieve grow. Each says what it takes.

typedef int i32;
typedef unsigned int u32;
typedef long long i64;
typedef unsigned char u8;

#define POOL(name) __attribute__((import_module("wasmpool"), import_name(#name)))
#define WASI(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))
#define WORKER(name) __attribute__((export_name(#name))) i32 worker_##name(void)

POOL(input) u32 pool_input(void *ptr, u32 cap);
POOL(output) void pool_output(const void *ptr, u32 len);
POOL(fail) void pool_fail(const void *ptr, u32 len);
POOL(context) u32 pool_context(void *ptr, u32 cap);
POOL(cancelled) i32 pool_cancelled(void);
POOL(log) void pool_log(i32 level, const void *ptr, u32 len);
POOL(host) i32 pool_host(const void *name, u32 name_len, const void *ptr, u32 len);
POOL(reply) u32 pool_reply(void *ptr, u32 cap);
WASI(proc_exit) _Noreturn void wasi_exit(u32 code);
WASI(fd_write) u32 wasi_write(u32 fd, const void *vectors, u32 count, u32 *written);
WASI(environ_sizes_get) u32 wasi_environ_sizes(u32 *count, u32 *bytes);
WASI(environ_get) u32 wasi_environ(u8 **entries, u8 *bytes);
WASI(poll_oneoff) u32 wasi_poll(const void *in, void *out, u32 count, u32 *events);

// One buffer for what comes in and one for what goes out; the first grows.
extern u8 __heap_base;
static u8 *in;
static u32 in_len, in_cap;
static u8 out[4096];
static u32 out_len;

static void *reserve(u32 size) {
	static u8 *at;
	if (!at) at = &__heap_base;
	u8 *result = at;
	u32 end = (u32)at + size, have = __builtin_wasm_memory_size(0) << 16;
	if (end > have && __builtin_wasm_memory_grow(0, (end - have + 65535) >> 16) == (u32)-1) __builtin_trap();
	at += size;
	return result;
}

static void take(u32 (*copy)(void *, u32)) {
	in_len = copy(in, in_cap);
	if (in_len > in_cap) {
		in_cap = in_len + 4096;
		in = reserve(in_cap);
		in_len = copy(in, in_cap);
	}
}

static void put(const void *text, u32 len) {
	for (u32 i = 0; i < len && out_len < sizeof out; i++) out[out_len++] = ((const u8 *)text)[i];
}

static void say(const char *text) {
	u32 len = 0;
	while (text[len]) len++;
	put(text, len);
}

static void number(i64 n) {
	u8 digits[20];
	u32 len = 0;
	if (n < 0) {
		say("-");
		n = -n;
	}
	do digits[len++] = '0' + n % 10; while (n /= 10);
	while (len) put(&digits[--len], 1);
}

static i32 reply(void) {
	pool_output(out, out_len);
	out_len = 0;
	return 0;
}

// The next argument: at is behind the bracket or comma before it.
static u32 at;

static void begin(void) {
	take(pool_input);
	at = 0;
}

static int next(void) {
	while (at < in_len && (in[at] == '[' || in[at] == ',' || in[at] == ' ')) at++;
	return at < in_len && in[at] != ']';
}

static i64 integer(void) {
	if (!next()) return 0;
	i64 n = 0;
	int negative = in[at] == '-';
	for (at += negative; at < in_len && in[at] >= '0' && in[at] <= '9'; at++) n = n * 10 + in[at] - '0';
	return negative ? -n : n;
}

static const u8 *string(u32 *len) {
	*len = 0;
	if (!next() || in[at] != '"') return in;
	u32 start = ++at;
	for (; at < in_len && in[at] != '"'; at++)
		if (in[at] == '\\') at++;
	*len = at++ - start;
	return in + start;
}

static void print(u32 fd, const void *text, u32 len) {
	struct { const void *ptr; u32 len; } vector = {text, len};
	u32 written;
	wasi_write(fd, &vector, 1, &written);
}

// echo(…): the arguments as they came.
WORKER(echo) {
	take(pool_input);
	pool_output(in, in_len);
	return 0;
}

// add(n, …): their sum.
WORKER(add) {
	i64 sum = 0;
	for (begin(); next();) sum += integer();
	number(sum);
	return reply();
}

// greet(name): "Hello, NAME!".
WORKER(greet) {
	u32 len;
	begin();
	const u8 *name = string(&len);
	say("\"Hello, ");
	put(name, len);
	say("!\"");
	return reply();
}

// fail(name, message, number): fails; the number becomes data. Without a name
// the error is plain text, without arguments nothing at all.
WORKER(fail) {
	u32 name_len, message_len;
	begin();
	if (!next()) return 1;
	const u8 *name = string(&name_len), *message = string(&message_len);
	if (name_len) {
		say("{\"name\":\"");
		put(name, name_len);
		say("\",\"message\":\"");
		put(message, message_len);
		say("\",\"data\":");
		number(integer());
		say("}");
	} else {
		put(message, message_len);
	}
	pool_fail(out, out_len);
	out_len = 0;
	return 1;
}

// counter(): how often it was called in this instance.
WORKER(counter) {
	static i64 count;
	number(++count);
	return reply();
}

WORKER(trap) { __builtin_trap(); }

// panic(message): says so on standard error, and traps.
WORKER(panic) {
	u32 len;
	begin();
	const u8 *message = string(&len);
	say("panic: ");
	put(message, len);
	say("\n\nsomewhere in the guest\n");
	print(2, out, out_len);
	__builtin_trap();
}

// exit(code): ends the instance by proc_exit.
WORKER(exit) {
	begin();
	wasi_exit((u32)integer());
}

// sleep(ms): sleeps, and returns ms.
WORKER(sleep) {
	struct { i64 tag; i64 kind; i64 clock; i64 ns; i64 precision; i64 flags; } subscription = {0, 0, 1, 0, 0, 0};
	u8 event[32];
	u32 events;
	begin();
	i64 ms = integer();
	subscription.ns = ms * 1000000;
	wasi_poll(&subscription, event, 1, &events);
	number(ms);
	return reply();
}

// loop(): never returns.
WORKER(loop) {
	for (volatile u32 i = 0;; i++) {}
}

// Each level needs the one above it, or the compiler makes a loop of it.
static __attribute__((noinline)) i64 deeper(volatile i64 *above) {
	volatile i64 mine = *above + 1;
	return mine == 0 ? 0 : deeper(&mine) + mine + *above;
}

// recurse(): without end.
WORKER(recurse) {
	volatile i64 top = 1;
	number(deeper(&top));
	return reply();
}

// big(n): a JSON string of n bytes, quotes included.
WORKER(big) {
	begin();
	u32 n = (u32)integer();
	if (n < 2) n = 2;
	if (n > in_cap) {
		in_cap = n;
		in = reserve(n);
	}
	for (u32 i = 1; i < n - 1; i++) in[i] = 'x';
	in[0] = in[n - 1] = '"';
	pool_output(in, n);
	return 0;
}

// log(level, text): one log record.
WORKER(log) {
	u32 len;
	begin();
	i32 level = (i32)integer();
	const u8 *text = string(&len);
	pool_log(level, text, len);
	return 0;
}

// host(name, text): calls a host function with the JSON string, and returns its
// reply; fails with what it failed with, or with the number.
WORKER(host) {
	u32 name_len, len;
	begin();
	const u8 *name = string(&name_len), *text = string(&len);
	say("\"");
	put(text, len);
	say("\"");
	i32 status = pool_host(name, name_len, out, out_len);
	out_len = 0;
	if (status >= 0) {
		take(pool_reply);
		pool_output(in, in_len);
		return 0;
	}
	if (status == -1) {
		take(pool_reply);
		pool_fail(in, in_len);
		return 1;
	}
	say("host returned ");
	number(status);
	pool_fail(out, out_len);
	out_len = 0;
	return 1;
}

// context(): the context of the call.
WORKER(context) {
	take(pool_context);
	pool_output(in, in_len);
	return 0;
}

// wait(): until the caller gives up; returns how often it asked.
WORKER(wait) {
	i64 asked = 1;
	while (!pool_cancelled()) asked++;
	number(asked);
	return reply();
}

// print(fd, text): writes text to standard output (1) or error (2), with every
// "\n" in it a new line.
WORKER(print) {
	u32 len;
	begin();
	u32 fd = (u32)integer();
	const u8 *text = string(&len);
	for (u32 i = 0; i < len; i++) {
		if (i + 1 < len && text[i] == '\\' && text[i + 1] == 'n') {
			say("\n");
			i++;
		} else {
			put(text + i, 1);
		}
		if (out_len == sizeof out) {
			print(fd, out, out_len);
			out_len = 0;
		}
	}
	print(fd, out, out_len);
	out_len = 0;
	return 0;
}

// env(name): its value, or null.
WORKER(env) {
	static u8 *entries[64], bytes[4096];
	u32 count, size, len;
	begin();
	const u8 *name = string(&len);
	wasi_environ_sizes(&count, &size);
	if (count > sizeof entries / sizeof *entries || size > sizeof bytes) __builtin_trap();
	wasi_environ(entries, bytes);
	for (u32 i = 0; i < count; i++) {
		u32 same = 0;
		while (same < len && entries[i][same] == name[same]) same++;
		if (same < len || entries[i][len] != '=') continue;
		say("\"");
		say((const char *)&entries[i][len + 1]);
		say("\"");
		return reply();
	}
	return 0;
}

static __attribute__((noinline)) i64 fib(i64 n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

// fib(n): the n-th Fibonacci number, the slow way.
WORKER(fib) {
	begin();
	number(fib(integer()));
	return reply();
}

// sieve(n): how many primes there are below n, at most 1,000,000.
WORKER(sieve) {
	static u8 composite[1000000];
	begin();
	i64 n = integer(), count = 0;
	if (n > (i64)sizeof composite) n = sizeof composite;
	for (i64 i = 0; i < n; i++) composite[i] = 0;
	for (i64 i = 2; i < n; i++) {
		if (composite[i]) continue;
		count++;
		for (i64 j = i * i; j < n; j += i) composite[j] = 1;
	}
	number(count);
	return reply();
}

// grow(): takes memory until there is no more, and returns how many pages it
// has.
WORKER(grow) {
	while (__builtin_wasm_memory_grow(0, 1) != (u32)-1) {}
	number(__builtin_wasm_memory_size(0));
	return reply();
}

__attribute__((export_name("wasmpool_signal"))) void on_signal(i32 signal) {
	say("signal ");
	number(signal);
	pool_log(0, out, out_len);
	out_len = 0;
}

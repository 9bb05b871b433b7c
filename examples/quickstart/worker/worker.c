// The worker of the quickstart: one function, in C without a library.
//
//   do_some_work(work): sleeps for up to 10 ms, logs that it did, and returns
//   for how many milliseconds. The argument is a string without escapes.

typedef unsigned int u32;
typedef unsigned char u8;
typedef long long i64;

#define FROM(module, name) __attribute__((import_module(module), import_name(#name)))

FROM("wasmpool", input) u32 input(void *ptr, u32 cap);
FROM("wasmpool", output) void output(const void *ptr, u32 len);
FROM("wasmpool", log) void log_line(int level, const void *ptr, u32 len);
FROM("wasi_snapshot_preview1", random_get) u32 random_get(void *ptr, u32 len);
FROM("wasi_snapshot_preview1", poll_oneoff) u32 poll_oneoff(const void *in, void *out, u32 count, u32 *events);

static u8 text[256];
static u32 length;

static void say(const char *s) {
	while (*s && length < sizeof text) text[length++] = *s++;
}

static void sleep_ms(int ms) {
	struct { i64 tag, kind, clock, ns, precision, flags; } wait = {0, 0, 1, ms * 1000000LL, 0, 0};
	u8 event[32];
	u32 events;
	poll_oneoff(&wait, event, 1, &events);
}

__attribute__((export_name("do_some_work"))) int do_some_work(void) {
	static char work[128]; // the JSON array ["bar"], which becomes "bar"
	u32 len = input(work, sizeof work - 1);
	if (len < 2 || len >= sizeof work) return 1;
	work[len - 1] = 0;

	u8 random;
	random_get(&random, 1);
	char ms[] = {'0' + random % 10, 0};
	sleep_ms(random % 10);

	length = 0;
	say("work "), say(work + 1), say(" completed in "), say(ms), say(" ms");
	log_line(0, text, length);
	output(ms, 1);
	return 0;
}

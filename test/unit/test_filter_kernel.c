/* Tests of src/filter against the kernel and nft(8): what a file becomes can be written, reads back as it was wanted, and is
 * the same after nft has listed it and read its own text again; edits are carried out in place. */
#include "netfile.h"

#include <fcntl.h>

#include <linux/netfilter.h>

#include "program.h"
#include "sandbox.h"

#include "base/error.h"
#include "filter/delta.h"
#include "filter/filter.h"
#include "kernel/netns.h"
#include "kernel/nft.h"
#include "live/filter.h"
#include "model/nft.h"

struct machine {
	struct wr_arena *arena;
	struct wr_host host;
};

static int setup(void **state)
{
	struct wr_arena *arena = wr_arena_new();
	struct machine *m = wr_arena_alloc(arena, sizeof *m);
	struct wr_error error;

	m->arena = arena;
	if (wr_host_open(&m->host, arena, "/run/netns", "/run/warren", "/run/etc", &error) < 0) {
		print_error("%s\n", error.text);
		return -1;
	}
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	struct machine *m = *state;

	PROGRAM("nft", "flush", "ruleset");
	wr_host_close(&m->host);
	wr_arena_free(m->arena);
	return 0;
}

/* A network with everything that the compiler knows. The holes: %s of lan, publishes, phrases of input. */
#define NETWORK                                                                                                        \
	"name: net\n"                                                                                                  \
	"bridges:\n"                                                                                                   \
	"  lan: {subnet: [10.2.0.0/24, 'fd00:2::/64'], host: true, guard: true, %s}\n"                                 \
	"  dmz: {subnet: 10.3.0.0/24, host: true, isolated: true, nat: {out: eth0, address: 192.0.2.9}}\n"             \
	"  pub: {subnet: 'fd00:5::/64', host: true, routed: true, nat: {out: eth0, address: '2001:db8::9'}}\n"         \
	"  far: {subnet: [10.5.0.0/24, 'fd00:6::/64'], host: true, nat: {address: 192.0.2.9}}\n"                       \
	"  priv: {subnet: [10.4.0.0/24, 'fd00:4::/64'], guard: true}\n"                                                \
	"namespaces:\n"                                                                                                \
	"  web:\n"                                                                                                     \
	"    interfaces: {eth0: lan, eth1: {bridge: pub, isolated: true}}\n"                                           \
	"    publish: ['127.0.0.1:5353:53/udp', '8081:81@eth0', '[::1]:9090:90' %s]\n"                                 \
	"    firewall:\n"                                                                                              \
	"      input: {policy: drop, log: true, deny: [any from 10.2.0.66, sctp], accept: [tcp 80 443, icmp,\n"        \
	"              icmp from app, 'tcp 1-100 200 from app to web', any from dmz %s]}\n"                            \
	"      output: {policy: drop, accept: [tcp 80, 'udp 53 to fd00:6::/64']}\n"                                    \
	"  app: {interfaces: {eth0: lan, eth1: priv}}\n"                                                               \
	"  edge:\n"                                                                                                    \
	"    forward: true\n"                                                                                          \
	"    interfaces: {eth0: lan, eth1: priv}\n"                                                                    \
	"    nat: {out: eth0, address: 10.2.0.99}\n"                                                                   \
	"    firewall: {forward: {policy: drop, log: true, accept: [tcp 80 to 10.2.0.7]}}\n"

static const struct wr_ns *want(struct machine *m, const char *ns, const char *lan, const char *publishes,
				const char *phrases)
{
	struct wr_text messages WR_CLEANUP_TEXT = {0};
	const char *text = wr_arena_printf(m->arena, NETWORK, lan, publishes, phrases);
	struct wr_model *model = read_file(m->arena, text, strlen(text), NULL, &messages);

	if (!model)
		fail_msg("%s", wr_text_string(&messages));
	assert_int_equal(wr_filter_want(model), 0);
	assert_non_null(wr_model_find_ns(model, ns));
	return wr_model_find_ns(model, ns);
}

/* What is there, as a namespace with tables. */
static const struct wr_ns *look(struct machine *m)
{
	struct wr_model *live = wr_model_new(m->arena, "net");
	struct wr_error error = {0};

	if (wr_tables_read_network(&m->host, &m->host.self, wr_model_host(live), "net", &error) < 0)
		fail_msg("%s", error.text);
	return wr_model_host(live);
}

/* Makes what is there what is wanted. Returns how many changes that took. */
static size_t converge(struct machine *m, const struct wr_ns *wanted)
{
	const struct wr_ns *live = look(m);
	struct wr_error error = {0};
	size_t n = 0;

	for (size_t i = 0; i < wanted->n_tables; i++) {
		const struct wr_nft_table *table = wanted->tables[i];
		struct wr_nft_delta *delta;

		assert_int_equal(
			wr_nft_compare(table, wr_ns_find_table(live, table->family, table->name), m->arena, &delta), 0);
		n += delta->n_changes;
		if (wr_nft_commit(&m->host, &m->host.self, delta, &error) < 0)
			fail_msg("%s", error.text);
	}
	return n;
}

static const char *const namespaces[] = {"host", "web", "edge", "priv"};

static void test_as_wanted(void **state)
{
	for (size_t i = 0; i < sizeof namespaces / sizeof namespaces[0]; i++) {
		const struct wr_ns *wanted = want(*state, namespaces[i], "nat: true", ", '8080:80'", "");

		assert_true(wanted->n_tables > 0);
		assert_true(converge(*state, wanted) > 0);
		assert_int_equal(converge(*state, wanted), 0);
		PROGRAM("nft", "flush", "ruleset");
	}
}

/* So that a script of ours means the same, and a ruleset that somebody saves and loads is no drift. */
static void test_through_nft(void **state)
{
	static const char path[] = "/run/ruleset.nft";

	for (size_t i = 0; i < sizeof namespaces / sizeof namespaces[0]; i++) {
		const struct wr_ns *wanted = want(*state, namespaces[i], "nat: true", ", '8080:80'", "");
		const char *text;
		int fd;

		converge(*state, wanted);
		text = PROGRAM("nft", "list", "ruleset");
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, text, strlen(text)), strlen(text));
		close(fd);
		PROGRAM("nft", "flush", "ruleset");
		assert_true(look(*state)->n_tables == 0);
		PROGRAM("nft", "-f", path);
		assert_int_equal(converge(*state, wanted), 0);
		PROGRAM("nft", "flush", "ruleset");
	}
}

/* Each from each. */
static void test_edits(void **state)
{
	static const struct {
		const char *lan, *publishes, *phrases;
	} files[] = {
		{"nat: true", "", ""},
		{"nat: false, isolated: true", ", '8080:80'", ", tcp 22 from 10.2.0.1"},
		{"routed: true", ", '8080:81', '8082:82'", ", tcp 22 from 10.2.0.0/24"},
		{"nat: {address: 192.0.2.8}", ", '8080:80', '192.0.2.2:9000:90'",
		 ", tcp 22-25 from 10.2.0.0/24 10.2.1.0/24"},
	};
	size_t n = sizeof files / sizeof files[0];

	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < n * n; k++) {
			size_t from = k / n, to = k % n;

			converge(*state, want(*state, namespaces[i], files[from].lan, files[from].publishes,
					      files[from].phrases));
			converge(*state,
				 want(*state, namespaces[i], files[to].lan, files[to].publishes, files[to].phrases));
			assert_int_equal(converge(*state, want(*state, namespaces[i], files[to].lan,
							       files[to].publishes, files[to].phrases)),
					 0);
		}
		PROGRAM("nft", "flush", "ruleset");
	}
}

static void test_one_element(void **state)
{
	converge(*state, want(*state, "host", "nat: true", ", '8080:80'", ""));
	/* IPv4 and IPv6. */
	assert_int_equal(converge(*state, want(*state, "host", "nat: true", ", '8080:80', '8083:80'", "")), 2);
	assert_int_equal(converge(*state, want(*state, "host", "nat: true", ", '8080:80'", "")), 2);
}

static void test_drift(void **state)
{
	const struct wr_ns *wanted = want(*state, "web", "nat: true", "", "");

	converge(*state, wanted);
	PROGRAM("nft", "flush", "chain", "inet", "warren-net", "input");
	PROGRAM("nft", "delete", "element", "inet", "warren-net", "input-3-ports", "{ 443 }");
	PROGRAM("nft", "add", "chain", "inet", "warren-net", "output", "{ policy accept; }");
	PROGRAM("nft", "add", "chain", "inet", "warren-net", "theirs");
	PROGRAM("nft", "insert", "rule", "inet", "warren-net", "output", "tcp dport { 1, 2 } jump theirs");
	assert_true(converge(*state, wanted) > 0);
	assert_int_equal(converge(*state, wanted), 0);
	assert_null(strstr(PROGRAM("nft", "list", "ruleset"), "theirs"));
	/* Put to sleep: made anew. */
	PROGRAM("nft", "add", "table", "inet", "warren-net", "{ flags dormant; }");
	assert_true(converge(*state, wanted) > 0);
	assert_int_equal(converge(*state, wanted), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_as_wanted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_through_nft, setup, teardown),
		cmocka_unit_test_setup_teardown(test_edits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_element, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drift, setup, teardown),
	};

	if (!sandbox_enter())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Tests of kernel/conntrack.c in a sandbox: real packets of clients that keep their source port, before and after. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <poll.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"
#include "kernel/conntrack.h"
#include "kernel/netns.h"
#include "kernel/nft.h"
#include "model/traffic.h"
#include "program.h"
#include "sandbox.h"

#define WAIT_MS 10000

struct machine {
	struct wr_arena *arena;
	struct wr_host host;
	struct wr_error error;
	bool known; /* this kernel tracks connections and lists them */
};

static int set_up(void **state)
{
	struct machine *m = calloc(1, sizeof *m);
	struct wr_publish none = {.protocol = IPPROTO_UDP, .host_port = 1};

	assert_non_null(m);
	m->arena = wr_arena_new();
	assert_int_equal(wr_host_open(&m->host, m->arena, "/run/netns", "/run/warren", "/etc/netns", &m->error), 0);
	PROGRAM("ip", "link", "set", "lo", "up");
	assert_int_equal(wr_conntrack_forget(&m->host, &m->host.self, &none, 1, &m->known, &m->error), 0);
	if (m->known) {
		/* connections are remembered where a rule needs them; and the first packets find nothing published */
		PROGRAM("nft", "flush ruleset; add table inet t; "
			       "add chain inet t out { type nat hook output priority -100; }; "
			       "add map inet t to4 { type inet_service : inet_service; }; "
			       "add rule inet t out meta l4proto udp redirect to :udp dport map @to4");
		PROGRAM("ip", "route", "replace", "10.9.9.0/24", "dev", "lo");
	}
	*state = m;
	return 0;
}

static int tear_down(void **state)
{
	struct machine *m = *state;

	wr_host_close(&m->host);
	wr_arena_free(m->arena);
	free(m);
	return 0;
}

#define NEEDS_CONNTRACK(m)                                                                                             \
	do {                                                                                                           \
		if (!(m)->known)                                                                                       \
			skip();                                                                                        \
	} while (0)

static struct wr_ip ip(const char *text)
{
	struct wr_ip made;

	assert_int_equal(wr_ip_parse(text, &made), 0);
	return made;
}

static socklen_t address_of(const char *text, uint16_t port, struct sockaddr_storage *ret)
{
	struct wr_ip address = ip(text);
	struct sockaddr_in *four = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof *ret);
	ret->ss_family = address.family;
	if (address.family == AF_INET) {
		four->sin_port = htons(port);
		memcpy(&four->sin_addr, address.bytes, 4);
		return sizeof *four;
	}
	six->sin6_port = htons(port);
	memcpy(&six->sin6_addr, address.bytes, 16);
	return sizeof *six;
}

static int bound(const char *text, uint16_t port)
{
	struct sockaddr_storage address;
	socklen_t size = address_of(text, port, &address);
	int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	return fd;
}

static void say(int from, const char *text, uint16_t port)
{
	struct sockaddr_storage address;
	socklen_t size = address_of(text, port, &address);

	assert_int_equal(sendto(from, "x", 1, 0, (struct sockaddr *)&address, size), 1);
}

/* Takes one datagram from the one of two sockets that gets it, and says which. */
static int heard(int first, int second)
{
	struct pollfd ends[] = {{.fd = first, .events = POLLIN}, {.fd = second, .events = POLLIN}};
	char byte;
	int which;

	assert_int_equal(poll(ends, 2, WAIT_MS), 1);
	which = ends[0].revents != 0 ? 0 : 1;
	assert_int_equal(recv(ends[which].fd, &byte, 1, 0), 1);
	return which;
}

static int remembered(void)
{
	char *text;
	size_t length;
	int count;

	assert_int_equal(wr_file_read("/proc/sys/net/netfilter/nf_conntrack_count", 64, &text, &length, NULL), 0);
	count = (int)strtol(text, NULL, 10);
	free(text);
	return count;
}

static void forget(struct machine *m, const struct wr_publish *ports, size_t n)
{
	bool known = false;

	if (wr_conntrack_forget(&m->host, &m->host.self, ports, n, &known, &m->error) < 0)
		fail_msg("%s", m->error.text);
	assert_true(known);
}

/* A client that keeps sending from one port comes to what is published now, once what was remembered is forgotten; and that is
 * then kept. */
static void keeps_sending(struct machine *m, const char *address)
{
	struct wr_publish port = {.protocol = IPPROTO_UDP, .host_port = 8080, .port = 8081}, both[2];
	int before = bound(address, 8080), after = bound(address, 8081), client = bound(address, 5000), count;
	struct wr_ip to = ip(address);

	NEEDS_CONNTRACK(m);
	port.to[to.family == AF_INET6] = to;
	say(client, address, 8080);
	assert_int_equal(heard(before, after), 0);
	PROGRAM("nft", "add element inet t to4 { 8080 : 8081 }");
	say(client, address, 8080);
	assert_int_equal(heard(before, after), 0);
	forget(m, &port, 1);
	say(client, address, 8080);
	assert_int_equal(heard(before, after), 1);
	/* kept: it is what the port has */
	count = remembered();
	assert_true(count > 0);
	both[0] = both[1] = port;
	both[1].host = to;
	both[1].port = 9000;
	forget(m, both, 2);
	assert_int_equal(remembered(), count);
	/* published elsewhere: not what the port has any more */
	PROGRAM("nft", "delete element inet t to4 { 8080 : 8081 }");
	port.port = 9000;
	forget(m, &port, 1);
	assert_int_equal(remembered(), count - 1);
	say(client, address, 8080);
	assert_int_equal(heard(before, after), 0);
	/* no longer published */
	memset(port.to, 0, sizeof port.to);
	forget(m, &port, 1);
	assert_int_equal(remembered(), count - 1);
	close(before);
	close(after);
	close(client);
}

static void test_ip4(void **state)
{
	keeps_sending(*state, "127.0.0.1");
}

static void test_ip6(void **state)
{
	keeps_sending(*state, "::1");
}

/* What this machine only forwards, or says to others, is none of a published port's business. */
static void test_others(void **state)
{
	struct machine *m = *state;
	struct wr_publish ports[] = {
		{.protocol = IPPROTO_UDP, .host_port = 7000},
		{.protocol = IPPROTO_UDP, .host_port = 7001, .host = ip("127.0.0.1")},
		{.protocol = IPPROTO_TCP, .host_port = 7002},
	};
	int client = bound("0.0.0.0", 5001), count = remembered();

	NEEDS_CONNTRACK(m);
	say(client, "10.9.9.9", 7000);	/* another machine */
	say(client, "127.0.0.2", 7001); /* another address */
	say(client, "127.0.0.1", 7002); /* another protocol */
	say(client, "127.0.0.1", 7003); /* another port */
	assert_int_equal(remembered(), count + 4);
	forget(m, ports, 3);
	assert_int_equal(remembered(), count + 4);
	/* and the same ones, where they are meant */
	ports[0].host = ip("10.9.9.9");
	ports[1].host = (struct wr_ip){0};
	ports[2].protocol = IPPROTO_UDP;
	forget(m, ports, 3);
	assert_int_equal(remembered(), count + 1);
	ports[0] = (struct wr_publish){.protocol = IPPROTO_UDP, .host_port = 7003};
	forget(m, ports, 1);
	assert_int_equal(remembered(), count);
	close(client);
}

/* Many connections of many ports. */
static void test_many(void **state)
{
	enum { MANY = 2000 };
	struct machine *m = *state;
	struct wr_publish *ports = calloc(MANY, sizeof *ports);
	int client = bound("127.0.0.1", 5002), count = remembered();

	NEEDS_CONNTRACK(m);
	for (unsigned i = 0; i < MANY; i++) {
		/* out of order, and every second one there */
		ports[i] = (struct wr_publish){.protocol = IPPROTO_UDP,
					       .host_port = (uint16_t)(20000 + 2 * (i * 7 % MANY))};
		say(client, "127.0.0.1", (uint16_t)(20000 + i));
	}
	assert_int_equal(remembered(), count + MANY);
	forget(m, ports, MANY);
	assert_int_equal(remembered(), count + MANY / 2);
	close(client);
	free(ports);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ip4, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ip6, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_others, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
	};

	if (!sandbox_enter())
		return 0;
	return cmocka_run_group_tests_name("kernel_conntrack", tests, NULL, NULL);
}

/* Tests of kernel/sockets.c in a sandbox: sockets that this process opens itself. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/error.h"
#include "kernel/netns.h"
#include "kernel/sockets.h"
#include "model/traffic.h"
#include "program.h"
#include "sandbox.h"

struct machine {
	struct wr_arena *arena;
	struct wr_host host;
	struct wr_error error;
	struct wr_listener *listeners;
	size_t n;
};

static int set_up(void **state)
{
	struct machine *m = calloc(1, sizeof *m);

	assert_non_null(m);
	m->arena = wr_arena_new();
	assert_int_equal(wr_host_open(&m->host, m->arena, "/run/netns", "/run/warren", "/etc/netns", &m->error), 0);
	PROGRAM("ip", "link", "set", "lo", "up");
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

static int opened(const char *text, uint16_t port, int type, bool only_ip6)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
	int only = only_ip6, fd, r;
	struct wr_ip ip;

	assert_int_equal(wr_ip_parse(text, &ip), 0);
	fd = socket(ip.family, type | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	memcpy(&six.sin6_addr, ip.bytes, 16);
	memcpy(&four.sin_addr, ip.bytes, 4);
	if (ip.family == AF_INET)
		r = bind(fd, (struct sockaddr *)&four, sizeof four);
	else {
		assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only), 0);
		r = bind(fd, (struct sockaddr *)&six, sizeof six);
	}
	assert_int_equal(r, 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void list(struct machine *m)
{
	if (wr_sockets_list(&m->host, &m->host.self, m->arena, &m->listeners, &m->n, &m->error) < 0)
		fail_msg("%s", m->error.text);
}

static unsigned long inode_of(int fd)
{
	struct stat status;

	assert_int_equal(fstat(fd, &status), 0);
	return status.st_ino;
}

/* The listener of a descriptor; NULL: it is not listed. */
static const struct wr_listener *find(const struct machine *m, int fd)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->listeners[i].inode == inode_of(fd))
			return &m->listeners[i];
	return NULL;
}

static void test_list(void **state)
{
	static const struct {
		const char *text, *told; /* told NULL: as it is */
		int type;
		uint16_t port;
		bool only_ip6, both;
	} rows[] = {
		{"0.0.0.0", NULL, SOCK_STREAM, 8001, false, false},
		{"127.0.0.1", NULL, SOCK_STREAM, 8002, false, false},
		{"::", NULL, SOCK_STREAM, 8003, false, true},
		{"::", NULL, SOCK_STREAM, 8004, true, false},
		{"::1", NULL, SOCK_STREAM, 8005, false, false},
		{"::ffff:127.0.0.1", "127.0.0.1", SOCK_STREAM, 8006, false, false},
		{"127.0.0.1", NULL, SOCK_DGRAM, 8007, false, false},
		{"::", NULL, SOCK_DGRAM, 8008, false, true},
		{"::", NULL, SOCK_DGRAM, 8009, true, false},
	};
	enum { ROWS = sizeof rows / sizeof rows[0] };
	struct machine *m = *state;
	int fds[ROWS];

	list(m);
	assert_int_equal(m->n, 0);
	for (size_t i = 0; i < ROWS; i++)
		fds[i] = opened(rows[i].text, rows[i].port, rows[i].type, rows[i].only_ip6);
	list(m);
	assert_int_equal(m->n, ROWS);
	for (size_t i = 0; i < ROWS; i++) {
		const struct wr_listener *listener = find(m, fds[i]);
		char text[WR_IP_TEXT_MAX];

		assert_non_null(listener);
		assert_string_equal(wr_ip_format(&listener->ip, text), rows[i].told ? rows[i].told : rows[i].text);
		assert_int_equal(listener->port, rows[i].port);
		assert_int_equal(listener->protocol, rows[i].type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP);
		assert_int_equal(listener->both, rows[i].both);
		assert_null(listener->owner);
		close(fds[i]);
	}
	list(m);
	assert_int_equal(m->n, 0);
}

/* What takes from one peer only, or from nobody, is in nobody's way. */
static void test_connected(void **state)
{
	struct machine *m = *state;
	int server = opened("127.0.0.1", 8011, SOCK_STREAM, false), client = socket(AF_INET, SOCK_STREAM, 0);
	int datagrams = opened("127.0.0.1", 8012, SOCK_DGRAM, false);
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(8011), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int taken;

	assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof to), 0);
	taken = accept(server, NULL, NULL);
	assert_int_equal(connect(datagrams, (struct sockaddr *)&to, sizeof to), 0);
	list(m);
	assert_int_equal(m->n, 1);
	assert_non_null(find(m, server));
	close(taken);
	close(client);
	close(server);
	close(datagrams);
}

/* Another namespace's are its own. */
static void test_namespaces(void **state)
{
	struct machine *m = *state;
	int here = opened("0.0.0.0", 8021, SOCK_STREAM, false), there;
	struct stat inside, still;
	struct wr_netns *ns;

	assert_int_equal(wr_netns_create(&m->host, NULL, &ns, &m->error), 0);
	assert_int_equal(stat("/proc/thread-self/ns/net", &inside), 0);
	there = opened("0.0.0.0", 8022, SOCK_STREAM, false);
	list(m); /* the host's, from inside the other */
	assert_int_equal(stat("/proc/thread-self/ns/net", &still), 0);
	assert_int_equal(still.st_ino, inside.st_ino);
	assert_int_equal(m->n, 1);
	assert_non_null(find(m, here));
	wr_netns_leave(&m->host);
	assert_int_equal(wr_sockets_list(&m->host, ns, m->arena, &m->listeners, &m->n, &m->error), 0);
	assert_int_equal(m->n, 1);
	assert_non_null(find(m, there));
	wr_netns_close(&m->host, ns);
	close(here);
	close(there);
}

static void test_owner(void **state)
{
	struct machine *m = *state;
	int fd = opened("0.0.0.0", 8031, SOCK_STREAM, false);
	unsigned long inode = inode_of(fd);
	const char *owner = NULL;
	char expected[64];

	assert_int_equal(prctl(PR_SET_NAME, "a\033server"), 0);
	assert_int_equal(wr_sockets_find_owner(m->arena, inode, &owner, &m->error), 0);
	snprintf(expected, sizeof expected, "a?server (pid %d)", (int)getpid());
	assert_string_equal(owner, expected);
	close(fd);
	assert_int_equal(wr_sockets_find_owner(m->arena, inode, &owner, &m->error), 0);
	assert_null(owner);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_list, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_connected, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_namespaces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_owner, set_up, tear_down),
	};

	if (!sandbox_enter())
		return 0;
	return cmocka_run_group_tests_name("kernel_sockets", tests, NULL, NULL);
}

/* Tests of live/decode*.c with what a kernel once answered (recorded.h), and with messages put together by hand for what that
 * kernel could not make. */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/error.h"
#include "kernel/netlink.h"
#include "live/decode.h"
#include "recorded.h"

struct fixture {
	struct wr_arena *arena;
	struct wr_reading reading;
	struct wr_ns *ns;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct wr_model *model;

	assert_non_null(f);
	f->arena = wr_arena_new();
	model = wr_model_new(f->arena, "shop");
	assert_non_null(model);
	model->live = true;
	f->ns = wr_model_add_ns(model, "web");
	wr_reading_begin(&f->reading, f->ns);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	wr_arena_free(f->arena);
	free(f);
	return 0;
}

static int decode(struct fixture *f, const struct nlmsghdr *message, struct wr_error *reterr)
{
	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
		return wr_decode_link(&f->reading, message, reterr);
	case RTM_NEWADDR:
		return wr_decode_address(&f->reading, message, reterr);
	case RTM_NEWROUTE:
		return wr_decode_route(&f->reading, message, reterr);
	case RTM_NEWRULE:
		return wr_decode_rule(&f->reading, message, reterr);
	case RTM_NEWNEIGH:
		return wr_decode_neighbour(&f->reading, message, reterr);
	case RTM_NEWNETCONF:
		return wr_decode_netconf(&f->reading, message, reterr);
	}
	return -EINVAL;
}

static unsigned digit(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

/* The bytes of a recorded message, on the heap at their exact size. */
static struct nlmsghdr *unpack(const char *text)
{
	size_t length = strlen(text) / 2;
	unsigned char *bytes = malloc(length);

	assert_non_null(bytes);
	for (size_t i = 0; i < length; i++)
		bytes[i] = (unsigned char)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
	assert_int_equal(((struct nlmsghdr *)(void *)bytes)->nlmsg_len, length);
	return (struct nlmsghdr *)(void *)bytes;
}

static void decode_recorded(struct fixture *f)
{
	struct wr_error error = {0};

	for (size_t i = 0; i < sizeof recorded / sizeof recorded[0]; i++) {
		struct nlmsghdr *message = unpack(recorded[i]);

		assert_int_equal(decode(f, message, &error), 0);
		free(message);
	}
	wr_reading_join(&f->reading);
	assert_false(f->reading.torn);
}

static bool has_address(const struct wr_link *link, const char *text)
{
	char buffer[WR_PREFIX_TEXT_MAX];

	for (size_t i = 0; i < link->n_addresses; i++)
		if (strcmp(wr_prefix_format(&link->addresses[i].prefix, buffer), text) == 0)
			return true;
	return false;
}

static void test_links(void **state)
{
	struct fixture *f = *state;
	const struct wr_link *lo, *bridge, *port, *x, *y;

	decode_recorded(f);
	assert_int_equal(f->ns->n_links, 5);
	lo = wr_ns_find_link(f->ns, "lo");
	bridge = wr_ns_find_link(f->ns, "br0");
	port = wr_ns_find_link(f->ns, "p0");
	x = wr_ns_find_link(f->ns, "x0");
	y = wr_ns_find_link(f->ns, "y0");
	assert_true(lo && bridge && port && x && y);
	assert_int_equal(lo->kind, WR_LINK_LOOPBACK);
	assert_true(lo->up && !lo->mac_set && lo->ifindex == 1);
	assert_string_equal(lo->alias, "warren:shop.web");
	assert_int_equal(bridge->kind, WR_LINK_BRIDGE);
	assert_string_equal(bridge->kernel_kind, "bridge");
	assert_string_equal(bridge->altname, "shop.lan");
	assert_string_equal(bridge->alias, "warren:shop.lan");
	assert_int_equal(bridge->group, 77);
	assert_int_equal(bridge->bridge->stp, 1);
	assert_int_equal(bridge->bridge->forward_delay, 15);
	assert_int_equal(bridge->bridge->ageing, 120);
	assert_int_equal(bridge->bridge->group_fwd_mask, 8);
	assert_int_equal(bridge->bridge->mcast_snooping, 0);
	assert_int_equal(port->kind, WR_LINK_VETH);
	assert_ptr_equal(port->master, bridge);
	assert_true(port->isolated && !x->isolated);
	assert_true(port->mac_set);
	assert_memory_equal(port->mac.bytes, "\x02\0\0\0\0\x01", 6);
	assert_null(port->peer); /* in another namespace */
	assert_int_equal(wr_reading_find(&f->reading, port->ifindex)->peer_nsid, 0);
	assert_ptr_equal(x->peer, y);
	assert_ptr_equal(y->peer, x);
	assert_int_equal(x->mtu, 1400);
	assert_int_equal(y->mtu, 1500);
	assert_int_equal(x->addr_gen_mode, 0);
	assert_int_equal(x->conf.value[WR_CONF_V4_FORWARDING], 0);
	assert_int_equal(x->conf.value[WR_CONF_V6_DISABLE], 0);
	assert_int_equal(x->conf.value[WR_CONF_V6_ACCEPT_RA], 1);
	assert_int_equal(x->conf.value[WR_CONF_V6_FORCE_FORWARDING], 0);
	for (size_t i = 1; i < f->ns->n_links; i++)
		assert_true(f->ns->links[i - 1]->ifindex < f->ns->links[i]->ifindex);
}

static void test_addresses(void **state)
{
	struct fixture *f = *state;

	decode_recorded(f);
	/* what the kernel makes by itself is left out */
	assert_int_equal(wr_ns_find_link(f->ns, "lo")->n_addresses, 0);
	assert_int_equal(wr_ns_find_link(f->ns, "x0")->n_addresses, 2);
	assert_true(has_address(wr_ns_find_link(f->ns, "x0"), "10.1.0.1/24"));
	assert_true(has_address(wr_ns_find_link(f->ns, "x0"), "fd00::1/64"));
	/* a point-to-point address is the near end's */
	assert_int_equal(wr_ns_find_link(f->ns, "y0")->n_addresses, 1);
	assert_true(has_address(wr_ns_find_link(f->ns, "y0"), "10.9.0.1/32"));
	assert_false(wr_ns_find_link(f->ns, "x0")->addresses[0].marked);
	assert_true(f->reading.saw_proto);
}

static const struct wr_route *find_route(const struct wr_ns *ns, const char *to, uint32_t table)
{
	char buffer[WR_PREFIX_TEXT_MAX];

	for (size_t i = 0; i < ns->n_routes; i++)
		if (ns->routes[i].table == table && strcmp(wr_prefix_format(&ns->routes[i].to, buffer), to) == 0)
			return &ns->routes[i];
	return NULL;
}

static bool is_hop(const struct wr_nexthop *hop, const char *via, const char *dev, uint32_t weight)
{
	char buffer[WR_IP_TEXT_MAX];

	return strcmp(wr_ip_format(&hop->via, buffer), via) == 0 && strcmp(hop->dev, dev) == 0 && hop->weight == weight;
}

static void test_routes(void **state)
{
	struct fixture *f = *state;
	const struct wr_route *route;

	decode_recorded(f);
	for (size_t i = 0; i < f->ns->n_routes; i++)
		assert_int_not_equal(f->ns->routes[i].table, RT_TABLE_LOCAL);
	route = find_route(f->ns, "0.0.0.0/0", RT_TABLE_MAIN);
	assert_non_null(route);
	assert_int_equal(route->protocol, WR_PROTOCOL);
	assert_int_equal(route->type, RTN_UNICAST);
	assert_int_equal(route->metric, 0);
	assert_int_equal(route->n_hops, 1);
	assert_true(is_hop(&route->hops[0], "10.1.0.254", "x0", 1));
	route = find_route(f->ns, "192.0.2.0/24", RT_TABLE_MAIN);
	assert_non_null(route);
	assert_int_equal(route->n_hops, 2);
	assert_true(is_hop(&route->hops[0], "10.1.0.2", "x0", 3));
	assert_true(is_hop(&route->hops[1], "10.1.0.3", "x0", 1));
	route = find_route(f->ns, "198.51.100.0/24", RT_TABLE_MAIN);
	assert_non_null(route);
	assert_int_equal(route->type, RTN_BLACKHOLE);
	assert_int_equal(route->metric, 5);
	assert_int_equal(route->n_hops, 0);
	route = find_route(f->ns, "203.0.113.0/24", 100);
	assert_non_null(route);
	assert_true(is_hop(&route->hops[0], "fd00::9", "x0", 1));
	route = find_route(f->ns, "::/0", RT_TABLE_MAIN);
	assert_non_null(route);
	assert_int_equal(route->metric, 1024);
	assert_true(is_hop(&route->hops[0], "fd00::2", "x0", 1));
	route = find_route(f->ns, "fd01::/64", RT_TABLE_MAIN);
	assert_non_null(route);
	assert_int_equal(route->n_hops, 2);
	assert_true(is_hop(&route->hops[0], "fd00::3", "x0", 1));
}

static void test_rules(void **state)
{
	struct fixture *f = *state;
	const struct wr_rule *by_mark = NULL, *by_port = NULL;
	char buffer[WR_PREFIX_TEXT_MAX];

	decode_recorded(f);
	assert_int_equal(f->ns->n_rules, 7); /* five of the kernel's own; those of multicast routing are left out */
	for (size_t i = 0; i < f->ns->n_rules; i++) {
		if (f->ns->rules[i].priority == 1000)
			by_mark = &f->ns->rules[i];
		if (f->ns->rules[i].priority == 1001)
			by_port = &f->ns->rules[i];
	}
	assert_true(by_mark && by_port);
	assert_string_equal(wr_prefix_format(&by_mark->from, buffer), "10.1.0.0/24");
	assert_int_equal(by_mark->to.ip.family, 0);
	assert_string_equal(by_mark->iif, "x0");
	assert_null(by_mark->oif);
	assert_int_equal(by_mark->mark, 1);
	assert_int_equal(by_mark->mask, 0xff);
	assert_int_equal(by_mark->table, 100);
	assert_int_equal(by_mark->protocol, WR_PROTOCOL);
	assert_int_equal(by_mark->action, FR_ACT_TO_TBL);
	/* the model has no place for ports: it must not look like a rule for all of them */
	assert_int_equal(by_port->action, FR_ACT_UNSPEC);
}

static void test_neighbours_and_settings(void **state)
{
	struct fixture *f = *state;
	char buffer[WR_IP_TEXT_MAX];

	decode_recorded(f);
	assert_int_equal(f->ns->n_neighbours, 1);
	assert_string_equal(wr_ip_format(&f->ns->neighbours[0].ip, buffer), "10.1.0.7");
	assert_memory_equal(f->ns->neighbours[0].mac.bytes, "\x02\0\0\0\0\x07", 6);
	assert_string_equal(f->ns->neighbours[0].dev, "x0");
	assert_int_equal(f->ns->neighbours[0].protocol, WR_PROTOCOL);
	assert_int_equal(f->ns->conf_all.value[WR_CONF_V4_FORWARDING], 0);
	assert_int_equal(f->ns->conf_default.value[WR_CONF_V4_RP_FILTER], 0);
	assert_int_equal(f->ns->conf_default.value[WR_CONF_V6_FORWARDING], 0);
	assert_int_equal(f->ns->conf_default.value[WR_CONF_V6_DISABLE], WR_CONF_UNSET); /* only a file has it */
}

/* Every message, cut at every length and told so: an error or a smaller thing, never a read beyond its end (the sanitizer
 * watches the heap). */
static void test_cut(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof recorded / sizeof recorded[0]; i++) {
		struct nlmsghdr *whole = unpack(recorded[i]);

		for (uint32_t length = sizeof *whole; length < whole->nlmsg_len; length += length < 200 ? 1 : 13) {
			struct nlmsghdr *cut = malloc(length);

			assert_non_null(cut);
			memcpy(cut, whole, length);
			cut->nlmsg_len = length;
			decode(f, cut, NULL);
			free(cut);
		}
		free(whole);
	}
	wr_reading_join(&f->reading);
}

/* A link of a kind that the recording kernel lacks, on a kernel whose array of settings is shorter. */
static void test_vlan(void **state)
{
	static const int32_t settings[3] = {1, 70000, -70000};
	struct fixture *f = *state;
	struct wr_nl nl = {.fd = -1};
	struct wr_error error = {0};
	struct ifinfomsg *header;
	struct wr_batch batch;
	struct nlmsghdr *message;
	struct wr_link *link;
	size_t nest, inner;

	wr_batch_init(&batch, &nl);
	message = wr_batch_begin(&batch, RTM_NEWLINK, 0, 0);
	header = wr_batch_header(&batch, sizeof *header);
	header->ifi_index = 9;
	header->ifi_flags = IFF_UP;
	wr_put_string(&batch, IFLA_IFNAME, "eth0.100");
	wr_put_u32(&batch, IFLA_LINK, 2);
	wr_put(&batch, IFLA_ADDRESS, "12345678901234567890", 20); /* as InfiniBand has */
	nest = wr_put_nest(&batch, IFLA_LINKINFO);
	wr_put(&batch, IFLA_INFO_KIND, "vlan", 4); /* without its 0 byte, as some kernels send it */
	inner = wr_put_nest(&batch, IFLA_INFO_DATA);
	wr_put_u16(&batch, IFLA_VLAN_ID, 100);
	wr_put_nest_end(&batch, inner);
	wr_put_nest_end(&batch, nest);
	nest = wr_put_nest(&batch, IFLA_AF_SPEC);
	inner = wr_put_nest(&batch, AF_INET);
	wr_put(&batch, IFLA_INET_CONF, settings, sizeof settings);
	wr_put_nest_end(&batch, inner);
	wr_put_nest_end(&batch, nest);
	assert_int_equal(wr_decode_link(&f->reading, message, &error), 0);
	wr_batch_done(&batch);
	link = wr_ns_find_link(f->ns, "eth0.100");
	assert_non_null(link);
	assert_int_equal(link->kind, WR_LINK_OTHER);
	assert_string_equal(link->kernel_kind, "vlan");
	assert_false(link->mac_set);
	assert_false(link->ours);
	assert_int_equal(wr_reading_find(&f->reading, 9)->peer, 0);
	assert_int_equal(link->conf.value[WR_CONF_V4_FORWARDING], 1);
	assert_int_equal(link->conf.value[WR_CONF_V4_ARP_IGNORE], WR_CONF_UNSET);
	assert_int_equal(link->conf.value[WR_CONF_V6_DISABLE], WR_CONF_UNSET);
}

/* What is on a link that the list does not have is never silently dropped. */
static void test_torn(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof recorded / sizeof recorded[0]; i++) {
		struct nlmsghdr *message = unpack(recorded[i]);

		if (message->nlmsg_type == RTM_NEWADDR)
			assert_int_equal(decode(f, message, NULL), 0);
		free(message);
	}
	assert_true(f->reading.torn);
	wr_reading_begin(&f->reading, f->ns);
	assert_false(f->reading.torn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_links, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_addresses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_routes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rules, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_neighbours_and_settings, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_vlan, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_torn, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

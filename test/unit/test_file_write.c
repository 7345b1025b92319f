/* The long form: what it looks like, and that reading it again gives an equal model. */
#include "netfile.h"

static void test_long_form(void **state)
{
	WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
	WR_CLEANUP_TEXT struct wr_text text = {0};
	struct wr_model *model =
		read_good(arena, "bridges: {lan: {subnet: 10.0.0.0/24, host: true, options: {stp: true, ageing: 60}}}\n"
				 "namespaces: {web: {interfaces: {eth0: {bridge: lan, mac: \"02:00:00:00:00:01\"}}}}\n"
				 "links: [{ends: [host:h0, web:eth1], addresses: [10.1.0.1/30, 10.1.0.2/30]}]\n");

	wr_netfile_write(model, &text);
	assert_string_equal(
		wr_text_string(&text),
		"name: net\n"
		"bridges:\n"
		"  lan:\n"
		"    subnet: [10.0.0.0/24]\n"
		"    host: [10.0.0.1/24]\n"
		"    nat: false\n"
		"    isolated: false\n"
		"    routed: false\n"
		"    guard: false\n"
		"    # mac: \"36:f9:c0:10:af:4f\"\n"
		"    # ifname: net-lan\n"
		"    options: {stp: true, forward_delay: 15, ageing: 60, group_fwd_mask: 0, mcast_snooping: true}\n"
		"namespaces:\n"
		"  web:\n"
		"    forward: false\n"
		"    lo:\n"
		"      address: none\n"
		"    interfaces:\n"
		"      eth0:\n"
		"        bridge: lan\n"
		"        address: [10.0.0.2/24]\n"
		"        mac: \"02:00:00:00:00:01\"\n"
		"        mtu: 1500\n"
		"        up: true\n"
		"        isolated: false\n"
		"      eth1:\n"
		"        address: [10.1.0.2/30]\n"
		"        # mac: \"2e:bf:ea:2a:88:6f\"\n"
		"        mtu: 1500\n"
		"        up: true\n"
		"    routes:\n"
		"      - {to: 0.0.0.0/0, via: 10.0.0.1, dev: eth0, metric: 0, table: main, type: unicast}\n"
		"    nat: false\n"
		"    publish: []\n"
		"    firewall: {}\n"
		"links:\n"
		"  - ends: [\"host:h0\", \"web:eth1\"]\n"
		"    mtu: 1500\n"
		"    addresses: [[10.1.0.1/30], none]\n");
}

static void test_traffic(void **state)
{
	WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
	WR_CLEANUP_TEXT struct wr_text text = {0};
	const char *bridge, *namespace;

	wr_netfile_write(
		read_good(
			arena,
			"bridges: {l: {subnet: [10.0.0.0/24, \"fd00::/64\"], host: true, nat: {out: eth0, address: "
			"[192.0.2.1]}, "
			"routed: true}}\n"
			"namespaces: {r: {forward: true, interfaces: {e: {bridge: l, isolated: true}}, nat: {out: e}, "
			"publish: [8080:80, \"[::1]:53:53/udp\", 9:9/udp@eth1], firewall: {forward: {policy: drop, "
			"log: true, accept: [ icmp, 'tcp  443 80 from r to l'], deny: any from fd00::/64}, input: "
			"{}}}}\n"),
		&text);
	bridge = strstr(wr_text_string(&text), "    nat: ");
	assert_non_null(bridge);
	assert_memory_equal(bridge,
			    "    nat: {out: eth0, address: [192.0.2.1]}\n"
			    "    isolated: false\n"
			    "    routed: true\n"
			    "    guard: false\n",
			    96);
	assert_non_null(strstr(bridge, "        isolated: true\n"));
	namespace = strstr(bridge + 5, "    nat: ");
	assert_non_null(namespace);
	assert_string_equal(namespace, "    nat: {out: e}\n"
				       "    publish:\n"
				       "      - \"8080:80/tcp\"\n"
				       "      - \"[::1]:53:53/udp\"\n"
				       "      - \"9:9/udp@eth1\"\n"
				       "    firewall:\n"
				       "      input:\n"
				       "        policy: accept\n"
				       "        deny: []\n"
				       "        accept: []\n"
				       "        log: false\n"
				       "      forward:\n"
				       "        policy: drop\n"
				       "        deny:\n"
				       "          - \"any from fd00::/64\"\n"
				       "        accept:\n"
				       "          - icmp\n"
				       "          - \"tcp 80 443 from r to l\"\n"
				       "        log: true\n"
				       "links: []\n");
}

/* Each with something that could get lost on the way. */
static const char *const files[] = {
	"bridges: {a: {subnet: 10.0.0.0/24, host: true, nat: true, guard: true}, b: {subnet: [10.1.0.0/24, "
	"\"fd00::/64\"], host: "
	"true, isolated: true, routed: true, nat: {address: [\"fd00::9\", 192.0.2.9]}}, c: {subnet: 10.2.0.0/24, "
	"gateway: r}}\n"
	"namespaces: {r: {interfaces: {x: {bridge: b, isolated: true}, y: c}, nat: {out: x, address: 10.1.0.9}, "
	"publish: [\"80:80\", "
	"\"[fd00::1]:53:53/udp\", \"1:1/udp@a@b\"], firewall: {input: {}, output: {log: true, deny: [any from "
	"fd00::/16 10.0.0.0/8 to r "
	"10.0.0.0/8 fd00::1]}, forward: {policy: drop, accept: [tcp 5 1 2-3 from host a, icmp]}}}, \"a[1-3]\": "
	"{interfaces: {e: c}, "
	"firewall: {input: {policy: accept, accept: [\"tcp $n to a$n\"]}}}}\n",
	"namespaces: {}\n",
	"prefix: \"\"\nnamespaces: {null: {}, \"true\": {}, \"1\": {}}\n",
	"prefix: \"x.\"\nbridges: {l: {host: true}, m: {ifname: mmm}, n: {mtu: 1300, mac: \"02:00:00:00:00:07\"}}\n",
	"bridges: {l: {subnet: [10.0.0.0/24, \"fd00::/64\"], host: [10.0.0.9, 10.0.0.8]}}\nnamespaces: {\"a[1-3]\": "
	"{interfaces: {e: l}}}\n",
	"bridges: {l: {subnet: 10.0.0.0/24, gateway: g, options: {stp: false, forward_delay: 0, group_fwd_mask: "
	"0x4000, mcast_snooping: false}}}\n"
	"namespaces: {g: {interfaces: {e: l}}, a: {interfaces: {e: {bridge: l, up: false, mtu: 1400}}}}\n",
	"namespaces:\n"
	"  a:\n"
	"    forward: true\n"
	"    lo: {address: [192.0.2.1, \"2001:db8::1\"], sysctl: {ipv4.arp_ignore: 1}}\n"
	"    interfaces: {e: {address: [10.0.0.1/24, \"fd00::1/64\"], sysctl: {ipv4.rp_filter: 2, "
	"ipv4.neigh.gc_stale_time: 7}}, eth0.100: {}}\n"
	"    routes: [{to: default, via: 10.0.0.2}, {to: 10.7.0.0/16, via: [10.0.0.3, {via: 10.0.0.4, weight: 9}]},\n"
	"             {to: 10.8.0.0/16, type: prohibit}, {to: \"fd08::/16\", dev: e, src: \"fd00::1\", table: 100, "
	"metric: 7}]\n"
	"    rules: [{iif: e, table: 100}, {from: 10.0.0.0/8, to: 10.1.0.0/16, mark: 3, table: local, priority: 5}, "
	"{oif: e, to: \"fd00::/8\", table: default}]\n"
	"    neighbours: [{address: 10.0.0.77, mac: \"02:00:00:00:00:77\"}]\n"
	"    dns: {servers: [9.9.9.9, \"2620:fe::fe\"], search: [a.test, b.test]}\n"
	"    hosts: {db: [192.0.2.7, \"2001:db8::7\"], cache: 192.0.2.8}\n"
	"    sysctl: {net.ipv4.ip_forward: 0, net.ipv6.conf.default.accept_ra: 2, net.ipv4.tcp_rmem: \"4096 1 2\", "
	"net.core.somaxconn: 9}\n"
	"  b: {interfaces: {e: {mac: \"02:00:00:00:00:99\"}}, dns: {}}\n"
	"links: [[a:e, b:e], {ends: [host:h1, a:eth0.100], mtu: 1400}, {ends: [host:x, host:y], addresses: "
	"[10.3.0.1/24, none]}, [b:p, b:q]]\n",
};

static void assert_nat_equal(const struct wr_nat *a, const struct wr_nat *b)
{
	assert_int_equal(a != NULL, b != NULL);
	if (!a || !b)
		return;
	assert_string_equal(a->out ? a->out : "", b->out ? b->out : "");
	assert_memory_equal(a->address, b->address, sizeof a->address);
}

static void assert_phrase_equal(const struct wr_phrase *a, const struct wr_phrase *b)
{
	assert_int_equal(a->deny, b->deny);
	assert_int_equal(a->protocol, b->protocol);
	assert_string_equal(a->text, b->text);
	assert_int_equal(a->n_ports, b->n_ports);
	for (size_t i = 0; i < a->n_ports; i++)
		assert_memory_equal(&a->ports[i], &b->ports[i], sizeof a->ports[i]);
	assert_int_equal(a->n_from_prefixes, b->n_from_prefixes);
	for (size_t i = 0; i < a->n_from_prefixes; i++)
		assert_true(wr_prefix_equal(&a->from_prefixes[i], &b->from_prefixes[i]));
	assert_int_equal(a->n_to_prefixes, b->n_to_prefixes);
	for (size_t i = 0; i < a->n_to_prefixes; i++)
		assert_true(wr_prefix_equal(&a->to_prefixes[i], &b->to_prefixes[i]));
}

static void assert_traffic_equal(const struct wr_ns *a, const struct wr_ns *b)
{
	assert_nat_equal(a->nat, b->nat);
	assert_int_equal(a->n_publishes, b->n_publishes);
	for (size_t i = 0; i < a->n_publishes; i++) {
		const struct wr_publish *one = &a->publishes[i], *two = &b->publishes[i];

		assert_int_equal(one->protocol, two->protocol);
		assert_true(wr_ip_equal(&one->host, &two->host));
		assert_string_equal(one->in ? one->in : "", two->in ? two->in : "");
		assert_int_equal(one->host_port, two->host_port);
		assert_int_equal(one->port, two->port);
		assert_memory_equal(one->to, two->to, sizeof one->to);
	}
	assert_int_equal(a->firewall != NULL, b->firewall != NULL);
	for (int id = 0; a->firewall && id < WR_FIREWALL_HOOKS_; id++) {
		const struct wr_firewall *one = &a->firewall[id], *two = &b->firewall[id];

		assert_int_equal(one->on, two->on);
		assert_int_equal(one->drop, two->drop);
		assert_int_equal(one->log, two->log);
		assert_int_equal(one->n_phrases, two->n_phrases);
		for (size_t i = 0; i < one->n_phrases; i++)
			assert_phrase_equal(&one->phrases[i], &two->phrases[i]);
	}
}

static void test_round_trip(void **state)
{
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
		WR_CLEANUP_TEXT struct wr_text first = {0}, second = {0};
		struct wr_model *model = read_good(arena, files[i]), *again;

		wr_netfile_write(model, &first);
		assert_int_equal(wr_text_error(&first), 0);
		again = read_good(arena, wr_text_string(&first));
		wr_netfile_write(again, &second);
		assert_string_equal(wr_text_string(&second), wr_text_string(&first));
		/* Beyond the text: the kernel's side, link by link. */
		assert_int_equal(again->n_ns, model->n_ns);
		assert_int_equal(again->n_bridges, model->n_bridges);
		for (size_t n = 0; n < model->n_bridges; n++)
			assert_nat_equal(model->bridges[n]->nat, again->bridges[n]->nat);
		for (size_t n = 0; n < model->n_ns; n++) {
			struct wr_ns *a = model->ns[n], *b = get_ns(again, a->name);

			assert_int_equal(a->n_links, b->n_links);
			assert_traffic_equal(a, b);
			assert_memory_equal(&a->conf_all, &b->conf_all, sizeof a->conf_all);
			assert_memory_equal(&a->conf_default, &b->conf_default, sizeof a->conf_default);
			for (size_t k = 0; k < a->n_links; k++) {
				struct wr_link *link = a->links[k], *other = wr_ns_find_link(b, link->ifname);

				assert_non_null(other);
				assert_memory_equal(&link->mac, &other->mac, sizeof link->mac);
				assert_memory_equal(&link->conf, &other->conf, sizeof link->conf);
				assert_int_equal(link->mac_written, other->mac_written);
				assert_int_equal(link->mtu, other->mtu);
				assert_int_equal(link->up, other->up);
				assert_int_equal(link->isolated, other->isolated);
				assert_int_equal(link->n_addresses, other->n_addresses);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_long_form),
		cmocka_unit_test(test_traffic),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

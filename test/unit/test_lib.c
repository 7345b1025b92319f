/* Tests of lib/: settings, files from memory, names given away, and what a typed name is split into. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "lib/internal.h"
#include "lib/names.c"
#include "lib/resolve.c"

static void test_settings(void **state)
{
	static const struct wr_settings given = {.state_directory = "/run/other", .lock_timeout_ms = -1};
	struct wr_context *context;
	struct wr_error error;

	assert_int_equal(wr_open(NULL, &context, &error), 0);
	assert_string_equal(context->settings.state_directory, "/run/warren");
	assert_string_equal(context->settings.pins_directory, "/run/netns");
	assert_string_equal(context->settings.etc_directory, "/etc/netns");
	assert_int_equal(context->settings.lock_timeout_ms, 60000);
	wr_close(context);
	assert_int_equal(wr_open(&given, &context, NULL), 0);
	assert_string_equal(context->settings.state_directory, "/run/other");
	assert_int_equal(context->settings.lock_timeout_ms, 0);
	wr_close(context);
	wr_close(NULL);
}

static void test_names(void **state)
{
	static const char *const names[] = {"a", "", "shop/web"};
	char **given;
	size_t count;

	assert_int_equal(wr_names_give(names, 3, &given, &count, NULL), 0);
	assert_int_equal(count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(given[i], names[i]);
	assert_null(given[3]);
	free(given);
	assert_int_equal(wr_names_give(NULL, 0, &given, NULL, NULL), 0);
	assert_null(given[0]);
	free(given);
}

static void test_empty_text(void **state)
{
	WR_CLEANUP_TEXT struct wr_text text = {0};
	char *given;

	assert_int_equal(wr_text_give(&text, &given, NULL), 0);
	assert_string_equal(given, "");
	free(given);
}

static const char good[] = "bridges: {lan: {subnet: 10.0.0.0/24}}\n"
			   "namespaces: {a: {interfaces: {eth0: lan}}, b: {interfaces: {eth0: lan}}}\n";

static void test_load(void **state)
{
	struct wr_network *network;
	struct wr_error error;
	char *text;

	assert_int_equal(wr_load_text("dir/shop.yaml", good, strlen(good), NULL, &network, NULL, &error), 0);
	assert_string_equal(wr_network_name(network), "shop");
	assert_int_equal(wr_network_size(network), 3); /* the bridge has one too: the host does not join it */
	assert_non_null(wr_network_namespace(network, 2));
	assert_null(wr_network_namespace(network, 3));
	assert_int_equal(wr_show(network, WR_FORMAT_TEXT, &text, &error), 0);
	assert_non_null(strstr(text, "10.0.0.1/24"));
	free(text);
	assert_int_equal(wr_show(network, WR_FORMAT_JSON, &text, &error), 0);
	assert_int_equal(text[0], '{');
	free(text);
	assert_true(wr_show(network, WR_FORMAT_COMMANDS, &text, &error) < 0);
	assert_int_equal(error.kind, WR_ERR_USAGE);
	wr_network_free(network);

	assert_int_equal(wr_load_text("shop.yaml", good, strlen(good), "other", &network, NULL, NULL), 0);
	assert_string_equal(wr_network_name(network), "other");
	wr_network_free(network);
	wr_network_free(NULL);
}

static void test_load_wrong(void **state)
{
	static const char wrong[] = "namespaces: {a: {adress: 1}}\nbridge: {}\n";
	struct wr_network *network = NULL;
	struct wr_error error;
	char *messages = NULL;

	assert_true(wr_load_text("shop.yaml", wrong, strlen(wrong), NULL, &network, &messages, &error) < 0);
	assert_null(network);
	assert_int_equal(error.kind, WR_ERR_FILE);
	assert_non_null(messages);
	assert_non_null(strstr(messages, "shop.yaml:1:"));
	assert_non_null(strstr(messages, "shop.yaml:2:"));
	assert_true(wr_text_starts(error.text, "shop.yaml:1:"));
	free(messages);
	assert_true(wr_load_text("shop.yaml", wrong, strlen(wrong), NULL, &network, NULL, NULL) < 0);
}

/* More is wrong than one error holds: the first is there, whole. */
static void test_load_very_wrong(void **state)
{
	WR_CLEANUP_TEXT struct wr_text text = {0};
	struct wr_network *network = NULL;
	struct wr_error error;
	char *messages = NULL;

	for (int i = 0; i < 40; i++)
		wr_text_addf(&text, "a-key-that-nobody-knows-number-%d: {a-long-value: that-nobody-needs-either}\n", i);
	assert_true(wr_load_text("x.yaml", text.bytes, text.length, NULL, &network, &messages, &error) < 0);
	assert_true(strlen(messages) > sizeof error.text);
	assert_true(wr_text_starts(error.text, "x.yaml:1:"));
	assert_null(strstr(error.text, "x.yaml:2:"));
	free(messages);
}

static void test_missing_file(void **state)
{
	struct wr_network *network = NULL;
	struct wr_error error;

	assert_true(wr_load("/no/such/file.yaml", NULL, &network, NULL, &error) < 0);
	assert_int_equal(wr_error_exit_status(error.kind), 2);
	assert_non_null(strstr(error.text, "/no/such/file.yaml"));
}

static void test_split(void **state)
{
	static const struct {
		const char *typed, *network, *name;
		bool is_pin;
		int status;
	} rows[] = {
		{"web", NULL, "web", false, 0},
		{"shop/web", "shop", "web", false, 0},
		{"shop.web", "shop", "web", false, 0},
		{"a.b.c", "a.b", "c", false, 0},
		{"/run/netns/a.b", NULL, "a.b", true, 0},
		{"/run/netns/", NULL, NULL, false, -EINVAL},
		{"/run/netns/a/b", NULL, NULL, false, -EINVAL},
		{"", NULL, NULL, false, -EINVAL},
		{"shop/", NULL, NULL, false, -EINVAL},
		{"a/b/c", NULL, NULL, false, -EINVAL},
	};
	WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
	struct wr_host host = {.pins = "/run/netns"};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct search search = {.host = &host, .arena = arena};

		print_message("%s\n", rows[i].typed);
		assert_int_equal(split_name(&search, rows[i].typed, NULL), rows[i].status);
		if (rows[i].status)
			continue;
		assert_string_equal(search.wanted.name, rows[i].name);
		assert_int_equal(search.wanted.is_pin, rows[i].is_pin);
		if (rows[i].network)
			assert_string_equal(search.wanted.network, rows[i].network);
		else
			assert_null(search.wanted.network);
	}
}

static void test_servers(void **state)
{
	static const struct {
		const char *text;
		size_t loopback, others;
		const char *kept;
	} rows[] = {
		{"", 0, 0, ""},
		{"nameserver 127.0.0.53\n", 1, 0, ""},
		{"nameserver 127.0.0.53", 1, 0, ""},
		{"nameserver\t::1\nsearch a.test\n", 1, 0, "search a.test\n"},
		{"nameserver 9.9.9.9\nnameserver 127.0.0.1\n", 1, 1, "nameserver 9.9.9.9\n"},
		{"# nameserver 127.0.0.1\nnameserver fe80::1%eth0\n", 0, 1,
		 "# nameserver 127.0.0.1\nnameserver fe80::1%eth0\n"},
		{"nameservers 127.0.0.1\nnameserver\n", 0, 0, "nameservers 127.0.0.1\nnameserver\n"},
		{"options edns0\r\nnameserver 127.0.0.1 \r\n", 1, 0, "options edns0\r\n"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		WR_CLEANUP_TEXT struct wr_text kept = {0};
		size_t loopback, others;

		print_message("%zu\n", i);
		sort_servers(rows[i].text, &kept, &loopback, &others);
		assert_int_equal(loopback, rows[i].loopback);
		assert_int_equal(others, rows[i].others);
		assert_string_equal(wr_text_string(&kept), rows[i].kept);
	}
}

/* A model may be placed many times, and holds no more for it. */
static void test_place_names(void **state)
{
	struct wr_network *network;
	const struct wr_ns *ns;
	size_t used;

	assert_int_equal(wr_load_text("shop.yaml", good, strlen(good), NULL, &network, NULL, NULL), 0);
	ns = wr_model_find_ns(network->model, "a");
	assert_int_equal(wr_model_place_names(network->model, "/run/state", NULL), 0);
	assert_true(ns->hosts_is_link);
	assert_string_equal(ns->hosts_file, "/run/state/shop/hosts");
	assert_null(wr_model_find_ns(network->model, "lan")->hosts_file);
	used = wr_arena_used(network->arena);
	assert_int_equal(wr_model_place_names(network->model, "/run/state", NULL), 0);
	assert_int_equal(wr_arena_used(network->arena), used);
	assert_int_equal(wr_model_place_names(network->model, "/run/another", NULL), 0);
	assert_string_equal(ns->hosts_file, "/run/another/shop/hosts");
	wr_network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings),     cmocka_unit_test(test_names),
		cmocka_unit_test(test_empty_text),   cmocka_unit_test(test_load),
		cmocka_unit_test(test_load_wrong),   cmocka_unit_test(test_load_very_wrong),
		cmocka_unit_test(test_missing_file), cmocka_unit_test(test_split),
		cmocka_unit_test(test_servers),	     cmocka_unit_test(test_place_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

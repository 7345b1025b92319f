/* Tests of cmd/parse.c: command lines by the rows of a table, and the word that was probably meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/parse.c"

/* What a usage error says here goes nowhere; that there is one is what counts. */
int wr_cmd_usage(const struct wr_invocation *invocation, const char *format, ...)
{
	return WR_EXIT_USAGE;
}

static const struct wr_option options[] = {
	{'a', "all", NULL, "", NULL},
	{'n', "name", "OTHER", "", NULL},
	{0, "commands", NULL, "", NULL},
	WR_ROW_END,
};
static const struct wr_command plain = {.name = "plain", .arguments = "[FILE]", .options = options};
static const struct wr_command stopping = {.name = "stopping", .options = options, .stop_at_word = true};

#define ARGUMENTS_MAX 12

struct row {
	const struct wr_command *command;
	const char *typed; /* divided by single spaces; "" is no argument */
	int status;
	const char *given; /* "all name=x" */
	const char *words; /* "a b" */
	const char *rest;
};

static const struct row rows[] = {
	{&plain, "", 0, "", "", ""},
	{&plain, "file", 0, "", "file", ""},
	{&plain, "-", 0, "", "-", ""},
	{&plain, "--all file", 0, "all", "file", ""},
	{&plain, "file --all", 0, "all", "file", ""},
	{&plain, "--name x file", 0, "name=x", "file", ""},
	{&plain, "--name=x file", 0, "name=x", "file", ""},
	{&plain, "--name= file", 0, "name=", "file", ""},
	{&plain, "--name --all", 0, "name=--all", "", ""},
	{&plain, "-n x file", 0, "name=x", "file", ""},
	{&plain, "-nx file", 0, "name=x", "file", ""},
	{&plain, "-anx file", 0, "all name=x", "file", ""},
	{&plain, "-an x", 0, "all name=x", "", ""},
	{&plain, "--name a --name b", 0, "name=a name=b", "", ""},
	{&plain, "--all -- --name -x", 0, "all", "--name -x", ""},
	{&plain, "a -- b", 0, "", "a b", ""},
	{&plain, "--name", WR_EXIT_USAGE, NULL, NULL, NULL},
	{&plain, "-n", WR_EXIT_USAGE, NULL, NULL, NULL},
	{&plain, "--all=yes", WR_EXIT_USAGE, NULL, NULL, NULL},
	{&plain, "--al", WR_EXIT_USAGE, NULL, NULL, NULL},
	{&plain, "--nmae x", WR_EXIT_USAGE, NULL, NULL, NULL},
	{&plain, "-x", WR_EXIT_USAGE, NULL, NULL, NULL},
	{&plain, "-ax", WR_EXIT_USAGE, NULL, NULL, NULL},
	{&plain, "-c", WR_EXIT_USAGE, NULL, NULL, NULL},
	{&stopping, "web ping -c1 --all", 0, "", "web", "ping -c1 --all"},
	{&stopping, "--all web ping", 0, "all", "web", "ping"},
	{&stopping, "web --all ping -n", 0, "all", "web", "ping -n"},
	{&stopping, "web -- --all", 0, "", "web", "--all"},
	{&stopping, "web -- -- x", 0, "", "web", "-- x"},
	{&stopping, "web ping -- x", 0, "", "web", "ping -- x"},
	{&stopping, "--all -- ping -c1", 0, "all", "", "ping -c1"},
	{&stopping, "-- web ping", 0, "", "", "web ping"},
	{&stopping, "web", 0, "", "web", ""},
	{&stopping, "--nmae web", WR_EXIT_USAGE, NULL, NULL, NULL},
};

static void join(char *buffer, size_t size, char *const *words, size_t count)
{
	size_t length = 0;

	buffer[0] = '\0';
	for (size_t i = 0; i < count && words[i]; i++)
		length += (size_t)snprintf(buffer + length, size - length, "%s%s", i ? " " : "", words[i]);
}

static void join_given(char *buffer, size_t size, const struct wr_invocation *invocation)
{
	size_t length = 0;

	buffer[0] = '\0';
	for (size_t i = 0; i < invocation->n_given; i++) {
		const struct wr_given_option *given = &invocation->given[i];

		length +=
			(size_t)snprintf(buffer + length, size - length, "%s%s%s%s", i ? " " : "", given->option->name,
					 given->value ? "=" : "", given->value ? given->value : "");
	}
}

static void test_rows(void **state)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct wr_invocation invocation = {.command = rows[i].command};
		char typed[128], seen[128], *argv[ARGUMENTS_MAX + 1] = {NULL};
		size_t count = 0;

		print_message("%s: %s\n", rows[i].command->name, rows[i].typed);
		snprintf(typed, sizeof typed, "%s", rows[i].typed);
		for (char *word = typed; *word;) {
			char *space = strchrnul(word, ' ');

			argv[count++] = word;
			word = *space ? space + 1 : space;
			*space = '\0';
		}
		assert_int_equal(wr_cmd_parse(&invocation, argv), rows[i].status);
		if (rows[i].status)
			continue;
		join_given(seen, sizeof seen, &invocation);
		assert_string_equal(seen, rows[i].given);
		join(seen, sizeof seen, invocation.words, invocation.n_words);
		assert_string_equal(seen, rows[i].words);
		join(seen, sizeof seen, invocation.rest, ARGUMENTS_MAX);
		assert_string_equal(seen, rows[i].rest);
	}
}

static void test_too_many(void **state)
{
	struct wr_invocation invocation = {.command = &plain};
	char word[] = "--all", *argv[WR_OPTIONS_MAX + 2];

	for (size_t i = 0; i < WR_OPTIONS_MAX + 1; i++)
		argv[i] = word;
	argv[WR_OPTIONS_MAX + 1] = NULL;
	assert_int_equal(wr_cmd_parse(&invocation, argv), WR_EXIT_USAGE);
}

static void test_last_value_counts(void **state)
{
	struct wr_invocation invocation = {.command = &plain};
	char one[] = "-na", two[] = "-nb", *argv[] = {one, two, NULL};

	assert_int_equal(wr_cmd_parse(&invocation, argv), 0);
	assert_string_equal(wr_cmd_value(&invocation, "name"), "b");
	assert_true(wr_cmd_has(&invocation, "name"));
	assert_false(wr_cmd_has(&invocation, "all"));
	assert_null(wr_cmd_value(&invocation, "all"));
}

static const char *candidate(const void *data, size_t i)
{
	static const char *const words[] = {"up", "down", "status", "exec", NULL};

	return words[i];
}

static void test_nearest(void **state)
{
	static const char long_word[] = "a-word-that-is-longer-than-all-that-are-compared";

	assert_string_equal(wr_cmd_nearest("upp", candidate, NULL), "up");
	assert_string_equal(wr_cmd_nearest("pu", candidate, NULL), "up");
	assert_string_equal(wr_cmd_nearest("stauts", candidate, NULL), "status");
	assert_string_equal(wr_cmd_nearest("exce", candidate, NULL), "exec");
	assert_string_equal(wr_cmd_nearest("down", candidate, NULL), "down");
	assert_null(wr_cmd_nearest("attach", candidate, NULL));
	assert_null(wr_cmd_nearest(long_word, candidate, NULL));
}

static void test_one_word(void **state)
{
	struct wr_invocation invocation = {.command = &plain};
	char one[] = "a", two[] = "b", *none[] = {NULL}, *both[] = {one, two, NULL};
	const char *word;

	assert_int_equal(wr_cmd_parse(&invocation, none), 0);
	assert_int_equal(wr_cmd_one_word(&invocation, "fallback", &word), 0);
	assert_string_equal(word, "fallback");
	assert_int_equal(wr_cmd_parse(&invocation, both), 0);
	assert_int_equal(wr_cmd_one_word(&invocation, "fallback", &word), WR_EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_last_value_counts),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_one_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

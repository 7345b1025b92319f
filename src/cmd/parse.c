/* parse.c: the command line by the rows of the command table.
 *
 * Theory: options and words may be mixed, "--" ends the options. For exec and run the words belong to another program from
 * the second one on (or from "--" on), with all their dashes. */
#include <string.h>

#include "cmd/invocation.h"

#define NEAREST_MAX 32 /* longer words are not compared */

/* The option that an option was probably meant to be; longer than all that are compared: none. */
static size_t distance(const char *a, const char *b)
{
	unsigned char rows[3][NEAREST_MAX + 1];
	size_t a_length = strlen(a), b_length = strlen(b);

	if (a_length > NEAREST_MAX || b_length > NEAREST_MAX)
		return NEAREST_MAX + 1;
	for (size_t k = 0; k <= b_length; k++)
		rows[0][k] = (unsigned char)k;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned char *now = rows[i % 3], *before = rows[(i + 2) % 3], *long_before = rows[(i + 1) % 3];

		now[0] = (unsigned char)i;
		for (size_t k = 1; k <= b_length; k++) {
			unsigned best = before[k - 1] + (a[i - 1] != b[k - 1]);

			if (before[k] + 1u < best)
				best = before[k] + 1u;
			if (now[k - 1] + 1u < best)
				best = now[k - 1] + 1u;
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] &&
			    long_before[k - 2] + 1u < best)
				best = long_before[k - 2] + 1u;
			now[k] = (unsigned char)best;
		}
	}
	return rows[a_length % 3][b_length];
}

const char *wr_cmd_nearest(const char *word, const char *(*next)(const void *data, size_t i), const void *data)
{
	size_t limit = strlen(word) / 3 > 1 ? strlen(word) / 3 : 1, best = limit + 1;
	const char *candidate, *nearest = NULL;

	for (size_t i = 0; (candidate = next(data, i)); i++) {
		size_t d = distance(word, candidate);

		if (d < best) {
			best = d;
			nearest = candidate;
		}
	}
	return nearest;
}

static const char *option_name(const void *data, size_t i)
{
	return ((const struct wr_option *)data)[i].name;
}

static const struct wr_option *find_long(const struct wr_command *command, const char *name, size_t length)
{
	for (const struct wr_option *option = command->options; option->name; option++)
		if (strlen(option->name) == length && memcmp(option->name, name, length) == 0)
			return option;
	return NULL;
}

static const struct wr_option *find_letter(const struct wr_command *command, char letter)
{
	for (const struct wr_option *option = command->options; option->name; option++)
		if (option->letter == letter)
			return option;
	return NULL;
}

static int keep(struct wr_invocation *invocation, const struct wr_option *option, const char *value)
{
	if (invocation->n_given == WR_OPTIONS_MAX)
		return wr_cmd_usage(invocation, "too many options");
	invocation->given[invocation->n_given++] = (struct wr_given_option){option, value};
	return 0;
}

static int unknown(const struct wr_invocation *invocation, const char *typed, const char *name, size_t length)
{
	char word[NEAREST_MAX + 1];
	const char *nearest = NULL;

	if (length > 1 && length <= NEAREST_MAX) {
		memcpy(word, name, length);
		word[length] = '\0';
		nearest = wr_cmd_nearest(word, option_name, invocation->command->options);
	}
	if (nearest)
		return wr_cmd_usage(invocation, "unknown option '%s': did you mean '--%s'?", typed, nearest);
	return wr_cmd_usage(invocation, "unknown option '%s'", typed);
}

/* "--name", "--name=VALUE". *at is advanced when the value is the next argument. */
static int parse_long(struct wr_invocation *invocation, char ***at)
{
	const char *name = **at + 2, *equals = strchr(name, '=');
	size_t length = equals ? (size_t)(equals - name) : strlen(name);
	const struct wr_option *option = find_long(invocation->command, name, length);

	if (!option)
		return unknown(invocation, **at, name, length);
	if (!option->argument && equals)
		return wr_cmd_usage(invocation, "option '--%s' takes no value", option->name);
	if (!option->argument)
		return keep(invocation, option, NULL);
	if (equals)
		return keep(invocation, option, equals + 1);
	if (!(*at)[1])
		return wr_cmd_usage(invocation, "option '--%s' needs a value: --%s %s", option->name, option->name,
				    option->argument);
	(*at)++;
	return keep(invocation, option, **at);
}

/* "-n VALUE", "-nVALUE", and switches side by side: "-jh". */
static int parse_letters(struct wr_invocation *invocation, char ***at)
{
	const char *typed = **at;

	for (const char *letter = typed + 1; *letter; letter++) {
		const struct wr_option *option = find_letter(invocation->command, *letter);
		int status;

		if (!option)
			return unknown(invocation, typed, letter, 1);
		if (!option->argument) {
			status = keep(invocation, option, NULL);
			if (status)
				return status;
			continue;
		}
		if (letter[1])
			return keep(invocation, option, letter + 1);
		if (!(*at)[1])
			return wr_cmd_usage(invocation, "option '-%c' needs a value: -%c %s", *letter, *letter,
					    option->argument);
		(*at)++;
		return keep(invocation, option, **at);
	}
	return 0;
}

int wr_cmd_parse(struct wr_invocation *invocation, char **argv)
{
	bool stops = invocation->command->stop_at_word;
	char **at;

	invocation->words = argv;
	for (at = argv; *at; at++) {
		int status = 0;

		if (strcmp(*at, "--") == 0) {
			invocation->has_separator = true;
			at++;
			break;
		}
		if ((*at)[0] != '-' || !(*at)[1]) { /* a word; "-" is standard input */
			if (stops && invocation->n_words == 1)
				break;
			invocation->words[invocation->n_words++] = *at;
			continue;
		}
		status = (*at)[1] == '-' ? parse_long(invocation, &at) : parse_letters(invocation, &at);
		if (status)
			return status;
	}
	invocation->rest = at;
	if (!stops) { /* for the others, what follows "--" are words like those before it */
		while (*at)
			invocation->words[invocation->n_words++] = *at++;
		invocation->rest = at;
	}
	return 0;
}

bool wr_cmd_has(const struct wr_invocation *invocation, const char *option)
{
	for (size_t i = 0; i < invocation->n_given; i++)
		if (strcmp(invocation->given[i].option->name, option) == 0)
			return true;
	return false;
}

const char *wr_cmd_value(const struct wr_invocation *invocation, const char *option)
{
	const char *value = NULL;

	for (size_t i = 0; i < invocation->n_given; i++)
		if (strcmp(invocation->given[i].option->name, option) == 0)
			value = invocation->given[i].value;
	return value;
}

int wr_cmd_one_word(struct wr_invocation *invocation, const char *fallback, const char **ret)
{
	if (invocation->n_words > 1)
		return wr_cmd_usage(invocation, "one %s at most, and '%s' is another", invocation->command->arguments,
				    invocation->words[1]);
	*ret = invocation->n_words ? invocation->words[0] : fallback;
	return 0;
}

/* help.c: `warren help`, and what --help prints: the table of commands, written out for a screen. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/fill.h"
#include "cmd/invocation.h"

#define OPTION_COLUMN 26 /* where the words about an option begin */

static const struct wr_option options[] = {
	{0, "man", NULL, NULL, NULL}, /* without words: not shown; for the build and the shells */
	{0, "complete", "SHELL", NULL, NULL}, {0, "names", "KIND", NULL, NULL}, WR_ROW_HELP, WR_ROW_END,
};

static void put_spaces(size_t count)
{
	while (count--)
		putchar(' ');
}

/* One paragraph's line of source, up to its end, continued at column. */
static size_t fill_words(const char *line, size_t length, size_t column, size_t indent)
{
	const char *end = line + length;

	while (line < end) {
		const char *space = memchr(line, ' ', (size_t)(end - line));
		size_t word = (size_t)((space ? space : end) - line);

		if (column > indent && column + 1 + word > WR_SCREEN_WIDTH) {
			putchar('\n');
			column = 0;
		} else if (column > indent) {
			putchar(' ');
			column++;
		}
		if (column < indent) {
			put_spaces(indent - column);
			column = indent;
		}
		fwrite(line, 1, word, stdout);
		column += word;
		line += word + (space != NULL);
	}
	return column;
}

void wr_cmd_fill(const char *text, size_t column, size_t indent)
{
	while (*text) {
		const char *newline = strchrnul(text, '\n');
		size_t length = (size_t)(newline - text);

		if (length >= 2 && text[0] == ' ' && text[1] == ' ') {
			put_spaces(indent > column ? indent - column : 0);
			fwrite(text, 1, length, stdout);
			column = 0;
			putchar('\n');
		} else {
			column = fill_words(text, length, column, indent);
			if (column || !length) {
				putchar('\n');
				column = 0;
			}
		}
		text = *newline ? newline + 1 : newline;
	}
}

const char *wr_cmd_option_words(const struct wr_option *option, char buffer[64])
{
	char letter[8] = "    ";

	if (option->letter)
		snprintf(letter, sizeof letter, "-%c, ", option->letter);
	snprintf(buffer, 64, "%s--%s%s%s", letter, option->name, option->argument ? " " : "",
		 option->argument ? option->argument : "");
	return buffer;
}

static void print_options(const struct wr_command *command)
{
	char words[64];

	puts("\nOptions:");
	for (const struct wr_option *option = command->options; option->name; option++) {
		size_t column;

		if (!option->help)
			continue;
		column = (size_t)printf("  %s", wr_cmd_option_words(option, words));
		if (column >= OPTION_COLUMN) {
			putchar('\n');
			column = 0;
		}
		wr_cmd_fill(option->help, column, OPTION_COLUMN);
	}
}

static void print_examples(const char *examples)
{
	puts("\nExamples:");
	while (*examples) {
		const char *newline = strchrnul(examples, '\n');

		printf("  %.*s\n", (int)(newline - examples), examples);
		examples = *newline ? newline + 1 : newline;
	}
}

static void print_overview(void)
{
	puts("Usage: warren COMMAND [OPTION]... [ARGUMENT]...\n");
	wr_cmd_fill("Networks of Linux network namespaces from one file: built whole or not at all, shown, compared "
		    "with what is there, "
		    "and taken down without a trace.",
		    0, 0);
	puts("\nCommands:");
	for (size_t i = 0; wr_commands[i]; i++)
		printf("  %-10s%s\n", wr_commands[i]->name, wr_commands[i]->summary);
	puts("\n`warren help COMMAND` and the manual pages say more: warren(1), warren-network(5).");
}

void wr_cmd_print_help(const struct wr_command *command)
{
	if (!command) {
		print_overview();
		return;
	}
	printf("Usage: warren %s [OPTION]...%s%s\n\n", command->name, command->arguments[0] ? " " : "",
	       command->arguments);
	printf("%c%s.\n\n", toupper((unsigned char)command->summary[0]), command->summary + 1);
	wr_cmd_fill(command->description, 0, 0);
	print_options(command);
	if (command->examples)
		print_examples(command->examples);
}

/* "shop/web", and "web" too where one network alone has it. */
static void print_namespaces(char **names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *own = strchr(names[i], '/') + 1;
		size_t same = 0;

		puts(names[i]);
		for (size_t k = 0; k < count; k++)
			same += strcmp(strchr(names[k], '/') + 1, own) == 0;
		if (same == 1)
			puts(own);
	}
}

/* For the shells' completion: nothing is said when nothing can be known. */
static int print_names(struct wr_invocation *invocation, const char *kind)
{
	struct wr_error error;
	char **names;
	size_t count;
	int status = wr_cmd_open(invocation, false);

	if (status)
		return status;
	if (strcmp(kind, "networks") == 0) {
		if (wr_networks(invocation->context, &names, &count, &error) < 0)
			return WR_EXIT_FAILED;
		for (size_t i = 0; i < count; i++)
			puts(names[i]);
	} else if (strcmp(kind, "namespaces") == 0) {
		if (wr_namespaces(invocation->context, NULL, &names, &count, &error) < 0)
			return WR_EXIT_FAILED;
		print_namespaces(names, count);
	} else {
		return wr_cmd_usage(invocation, "names of networks or of namespaces, not of '%s'", kind);
	}
	free(names);
	return WR_EXIT_DONE;
}

static int run(struct wr_invocation *invocation)
{
	const struct wr_command *command = NULL;
	const char *word, *value;
	int status = wr_cmd_one_word(invocation, NULL, &word);

	if (status)
		return status;
	if (word) {
		command = wr_cmd_find(word);
		if (!command)
			return wr_cmd_usage(NULL, "there is no command '%s'", word);
	}
	value = wr_cmd_value(invocation, "names");
	if (value)
		return print_names(invocation, value);
	value = wr_cmd_value(invocation, "complete");
	if (value)
		return wr_cmd_print_completion(value) == 0
			       ? WR_EXIT_DONE
			       : wr_cmd_usage(invocation, "completion is for bash, zsh and fish, not for '%s'", value);
	if (wr_cmd_has(invocation, "man"))
		wr_cmd_print_man(command);
	else
		wr_cmd_print_help(command);
	return WR_EXIT_DONE;
}

const struct wr_command wr_command_help = {
	.name = "help",
	.arguments = "[COMMAND]",
	.summary = "say what a command does and how it is used",
	.description = "Without COMMAND it lists the commands. `warren COMMAND --help` prints the same as `warren help "
		       "COMMAND`.\n"
		       "\n"
		       "Exit status: 0; 2 when there is no such command.",
	.examples = "warren help up\n"
		    "    How up is used.",
	.complete = "commands",
	.options = options,
	.run = run,
};

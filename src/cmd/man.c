/* man.c: manual pages from the table of commands, in the man macros of troff.
 *
 * Theory: the same words as --help, so that the two cannot come apart. All text is escaped: a dash is a minus, so that it
 * can be copied, and a dot or quote at a line's beginning is no request. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cmd/invocation.h"

static void put_escaped(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (i == 0 && (text[i] == '.' || text[i] == '\''))
			fputs("\\&", stdout);
		if (text[i] == '\\')
			fputs("\\(rs", stdout);
		else if (text[i] == '-')
			fputs("\\-", stdout);
		else if (text[i] == '\'')
			fputs("\\(aq", stdout);
		else if (text[i] == '`')
			fputs("\\(ga", stdout);
		else if (text[i] == '^')
			fputs("\\(ha", stdout);
		else if (text[i] == '~')
			fputs("\\(ti", stdout);
		else
			putchar(text[i]);
	}
}

static void put_string(const char *text)
{
	put_escaped(text, strlen(text));
}

/* `what is meant literally` in bold, the rest as it is. */
static void put_prose(const char *text, size_t length)
{
	const char *end = text + length;

	while (text < end) {
		const char *open = memchr(text, '`', (size_t)(end - text));
		const char *close = open ? memchr(open + 1, '`', (size_t)(end - open - 1)) : NULL;

		if (!close) {
			put_escaped(text, (size_t)(end - text));
			return;
		}
		put_escaped(text, (size_t)(open - text));
		fputs("\\fB", stdout);
		put_escaped(open + 1, (size_t)(close - open - 1));
		fputs("\\fR", stdout);
		text = close + 1;
	}
}

static void put_section(const char *title)
{
	printf(".SH %s\n", title);
}

/* Paragraphs and kept lines, up to the paragraph that begins with stop (NULL: all). Returns what follows stop, or "". */
static const char *put_paragraphs(const char *text, const char *stop)
{
	bool is_kept = false, is_begin = true;

	while (*text) {
		const char *newline = strchrnul(text, '\n');
		size_t length = (size_t)(newline - text);
		bool keep = length >= 2 && text[0] == ' ' && text[1] == ' ';

		if (is_kept && !keep)
			puts(".EE\n.RE");
		if (keep && !is_kept)
			puts(".PP\n.RS 4\n.EX");
		is_kept = keep;
		if (keep) {
			put_escaped(text + 2, length - 2);
			putchar('\n');
		} else if (length) {
			if (stop && strncmp(text, stop, strlen(stop)) == 0)
				return text + strlen(stop);
			if (!is_begin)
				puts(".PP");
			put_prose(text, length);
			putchar('\n');
			is_begin = false;
		}
		text = *newline ? newline + 1 : newline;
	}
	if (is_kept)
		puts(".EE\n.RE");
	return text;
}

static void put_options(const struct wr_command *command)
{
	put_section("OPTIONS");
	for (const struct wr_option *option = command->options; option->name; option++) {
		if (!option->help)
			continue;
		puts(".TP");
		if (option->letter)
			printf("\\fB\\-%c\\fR, ", option->letter);
		fputs("\\fB\\-\\-", stdout);
		put_string(option->name);
		fputs("\\fR", stdout);
		if (option->argument) {
			fputs(" \\fI", stdout);
			put_string(option->argument);
			fputs("\\fR", stdout);
		}
		putchar('\n');
		put_prose(option->help, strlen(option->help));
		putchar('\n');
	}
}

static void put_examples(const char *text)
{
	put_section("EXAMPLES");
	while (*text) {
		const char *newline = strchrnul(text, '\n');
		size_t length = (size_t)(newline - text);
		bool explains = strncmp(text, "    ", 4) == 0;

		if (!explains)
			fputs(".TP\n\\fB", stdout);
		put_escaped(text + (explains ? 4 : 0), length - (explains ? 4 : 0));
		puts(explains ? "" : "\\fR");
		text = *newline ? newline + 1 : newline;
	}
}

static void put_head(const char *name, const char *summary)
{
	char upper[64];
	size_t i;

	for (i = 0; name[i] && i + 1 < sizeof upper; i++)
		upper[i] = (char)toupper((unsigned char)name[i]);
	upper[i] = '\0';
	printf(".\\\" Made from the words in src/cmd/.\n.TH %s 1 \"\" \"warren %s\" \"User Commands\"\n", upper,
	       WR_VERSION);
	put_section("NAME");
	put_string(name);
	fputs(" \\- ", stdout);
	put_string(summary);
	putchar('\n');
	put_section("SYNOPSIS");
}

static void put_command_page(const struct wr_command *command)
{
	const char *exit_status;
	char name[64];

	snprintf(name, sizeof name, "warren-%s", command->name);
	put_head(name, command->summary);
	printf(".B warren %s\n[\\fIOPTION\\fR]...", command->name);
	if (command->arguments[0]) {
		putchar(' ');
		put_string(command->arguments);
	}
	putchar('\n');
	put_section("DESCRIPTION");
	/* The last paragraph of every description becomes the section that readers of manuals look for. */
	exit_status = put_paragraphs(command->description, "Exit status: ");
	put_options(command);
	if (*exit_status) {
		/* It went on behind a colon, and begins a sentence here. */
		put_section("EXIT STATUS");
		putchar(toupper((unsigned char)*exit_status));
		put_prose(exit_status + 1, strlen(exit_status + 1));
		putchar('\n');
	}
	if (command->examples)
		put_examples(command->examples);
	put_section("SEE ALSO");
	puts(".BR warren (1),\n.BR warren\\-network (5)");
}

static void put_overview_page(void)
{
	put_head("warren", "networks of Linux network namespaces from one file");
	puts(".B warren\n\\fICOMMAND\\fR [\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...");
	put_section("DESCRIPTION");
	put_paragraphs("Warren builds, shows and takes down networks made of Linux network namespaces. A network is "
		       "described by one file, "
		       "warren-network(5): bridges, namespaces, their interfaces, addresses and routes, and the cables "
		       "between them.\n"
		       "\n"
		       "`warren up` ends with the network that the file describes, verified, or puts back what was "
		       "there. A second `warren up` "
		       "changes nothing; after an edit it changes only what differs. `warren down` removes every "
		       "trace. Whatever does not "
		       "carry the network's mark is never touched. The marks are in the kernel, so that nothing "
		       "depends on files that may "
		       "be lost, and a run that was killed at any moment is completed by the next `warren up` or "
		       "removed by `warren down`.",
		       NULL);
	put_section("COMMANDS");
	for (size_t i = 0; wr_commands[i]; i++) {
		printf(".TP\n.BR warren\\-%s (1)\n", wr_commands[i]->name);
		put_string(wr_commands[i]->summary);
		putchar('\n');
	}
	put_section("EXIT STATUS");
	puts(".TP\n.B 0\nDone.\n.TP\n.B 1\nFailed; \\fBup\\fR has then put back what was there before.\n.TP\n.B 2\nThe "
	     "command line or the file is wrong.");
	puts(".TP\n.B 3\n\\fBplan\\fR and \\fBstatus\\fR found a difference.");
	puts(".PP\n\\fBexec\\fR, \\fBshell\\fR and \\fBrun\\fR end with the status of the command, 126 when it could "
	     "not be run and "
	     "127 when there is no such command.");
	put_section("FILES");
	puts(".TP\n.I warren.yaml\nThe network file of commands that are given none.");
	puts(".TP\n.I /run/netns/\nThe names of network namespaces, as \\fBip\\-netns\\fR(8) has them: namespace web "
	     "of network shop is "
	     "shop.web there.");
	puts(".TP\n.I /run/warren/\nThe lock of each network, the file it was made from, and its hosts file. Nothing "
	     "is lost when it is.");
	puts(".TP\n.I /etc/netns/\nWhat programs in a namespace see in place of /etc/hosts and /etc/resolv.conf. Files "
	     "that "
	     "warren makes say so in their first line.");
	puts(".TP\n.I share/warren/\nBelow where warren is installed: JSON Schemas of the network file "
	     "(warren\\-network.schema.json) and of what \\-\\-json prints (warren\\-output.schema.json).");
	put_section("ENVIRONMENT");
	puts(".TP\n.B WARREN_NAMESPACE\nSet by \\fBwarren shell\\fR: the name in /run/netns of the namespace that the "
	     "shell is in. "
	     "So is \\fBdebian_chroot\\fR.");
	puts(".TP\n.B WARREN_NETWORK\nSet by \\fBwarren run\\fR: the network that the command was brought up with.");
	puts(".TP\n.B SHELL\nThe program that \\fBwarren shell\\fR starts; /bin/sh when it is not set.");
	put_section("SEE ALSO");
	puts(".BR warren\\-network (5),\n.BR network_namespaces (7),\n.BR ip\\-netns (8),\n.BR veth (4)");
}

void wr_cmd_print_man(const struct wr_command *command)
{
	if (command)
		put_command_page(command);
	else
		put_overview_page();
}

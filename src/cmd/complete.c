/* complete.c: completion scripts for bash, zsh and fish, from the table of commands.
 *
 * Theory: the scripts know the commands and options; which networks and namespaces there are, they ask at the moment of
 * completing (`warren help --names`). */
#include <stdio.h>
#include <string.h>

#include "cmd/invocation.h"

/* text inside single quotes; how a quote is written there differs: quote is what to put for one. more: characters that need
 * a backslash besides. */
static void put_quoted(const char *text, const char *quote, const char *more)
{
	putchar('\'');
	for (; *text; text++) {
		if (*text == '\'')
			fputs(quote, stdout);
		else if (strchr(more, *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
	putchar('\'');
}

static const char *kind_of(const char *complete)
{
	return complete ? complete : "none";
}

/* --- bash ---------------------------------------------------------------------------------------------------------- */

static void put_bash_row(const struct wr_command *command)
{
	printf("\t%s)\n\t\tkind=%s stop=%d\n\t\toptions='", command->name, kind_of(command->complete),
	       command->stop_at_word);
	for (const struct wr_option *option = command->options; option->name; option++)
		if (option->help)
			printf("--%s ", option->name);
	fputs("'\n\t\tcase $prev in\n", stdout);
	for (const struct wr_option *option = command->options; option->name; option++) {
		if (!option->help || !option->argument)
			continue;
		printf("\t\t--%s", option->name);
		if (option->letter)
			printf(" | -%c", option->letter);
		printf(") kind=%s after_option=1 ;;\n", kind_of(option->complete));
	}
	fputs("\t\tesac\n\t\tvalued='", stdout);
	for (const struct wr_option *option = command->options; option->name; option++) {
		if (!option->help || !option->argument)
			continue;
		printf(" --%s ", option->name);
		if (option->letter)
			printf(" -%c ", option->letter);
	}
	puts("'\n\t\t;;");
}

static void put_bash(void)
{
	fputs("# Completion of warren for bash. Made by `warren help --complete bash`.\n"
	      "_warren()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	      "\tlocal kind=none options='' valued='' stop=0 after_option=0 i\n"
	      "\tCOMPREPLY=()\n"
	      "\tif ((COMP_CWORD == 1)); then\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W '",
	      stdout);
	for (size_t i = 0; wr_commands[i]; i++)
		printf("%s ", wr_commands[i]->name);
	fputs("--help --version' -- \"$cur\")\n\t\treturn\n\tfi\n\tcase ${COMP_WORDS[1]} in\n", stdout);
	for (size_t i = 0; wr_commands[i]; i++)
		put_bash_row(wr_commands[i]);
	fputs("\t*) return ;;\n\tesac\n"
	      "\t# behind the first word of exec and run stands another program's command line\n"
	      "\tif ((stop)); then\n"
	      "\t\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	      "\t\t\tcase ${COMP_WORDS[i]} in\n"
	      "\t\t\t-*) [[ $valued == *\" ${COMP_WORDS[i]} \"* ]] && ((i++)) ;;\n"
	      "\t\t\t*) break ;;\n"
	      "\t\t\tesac\n"
	      "\t\tdone\n"
	      "\t\tif ((i < COMP_CWORD)); then\n"
	      "\t\t\t((i++))\n"
	      "\t\t\t[[ ${COMP_WORDS[i]} == -- ]] && ((i < COMP_CWORD)) && ((i++))\n"
	      "\t\t\tif declare -F _command_offset > /dev/null; then\n"
	      "\t\t\t\t_command_offset \"$i\"\n"
	      "\t\t\telse\n"
	      "\t\t\t\tmapfile -t COMPREPLY < <(compgen -c -f -- \"$cur\")\n"
	      "\t\t\tfi\n"
	      "\t\t\treturn\n"
	      "\t\tfi\n"
	      "\tfi\n"
	      "\tif [[ $cur == -* ]] && ((!after_option)); then\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")\n"
	      "\t\treturn\n"
	      "\tfi\n"
	      "\tcase $kind in\n"
	      "\tnetworks* | namespaces)\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W \"$(warren help --names \"${kind%+*}\" 2> /dev/null)\" -- "
	      "\"$cur\") ;;\n"
	      "\tusers) mapfile -t COMPREPLY < <(compgen -u -- \"$cur\") ;;\n"
	      "\tcommands) mapfile -t COMPREPLY < <(compgen -W '",
	      stdout);
	for (size_t i = 0; wr_commands[i]; i++)
		printf("%s ", wr_commands[i]->name);
	fputs("' -- \"$cur\") ;;\n"
	      "\tesac\n"
	      "\tif [[ $kind == *files ]]; then\n"
	      "\t\tcompopt -o filenames\n"
	      "\t\tmapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -X '!*.y*ml' -- \"$cur\"; compgen -d -- "
	      "\"$cur\")\n"
	      "\tfi\n"
	      "}\n"
	      "complete -F _warren warren\n",
	      stdout);
}

/* --- zsh ----------------------------------------------------------------------------------------------------------- */

#define ZSH_QUOTE "'\\''"

static const char *zsh_action(const char *complete)
{
	static const struct {
		const char *kind, *action;
	} rows[] = {
		{"files", "file:_files"},
		{"networks", "network:_warren_names networks"},
		{"networks+files", "network or file:_warren_networks_files"},
		{"namespaces", "namespace:_warren_names namespaces"},
		{"users", "user:_users"},
		{"commands", "command:_warren_commands"},
	};

	for (size_t i = 0; complete && i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].kind, complete) == 0)
			return rows[i].action;
	return "value: ";
}

static void put_zsh_row(const struct wr_command *command)
{
	printf("\t%s)\n\t\t_arguments -s -S", command->name);
	for (const struct wr_option *option = command->options; option->name; option++) {
		if (!option->help)
			continue;
		fputs(" \\\n\t\t\t", stdout);
		if (option->letter)
			printf("'(-%c --%s)'{-%c%s,--%s%s}", option->letter, option->name, option->letter,
			       option->argument ? "+" : "", option->name, option->argument ? "=" : "");
		else
			printf("--%s%s", option->name, option->argument ? "=" : "");
		putchar('\'');
		putchar('[');
		for (const char *c = option->help; *c; c++) {
			if (*c == '\'')
				fputs(ZSH_QUOTE, stdout);
			else if (strchr("[]:\\", *c))
				printf("\\%c", *c);
			else
				putchar(*c);
		}
		putchar(']');
		if (option->argument)
			printf(":%s", option->complete ? zsh_action(option->complete) : option->argument);
		if (option->argument && !option->complete)
			fputs(": ", stdout);
		putchar('\'');
	}
	if (command->complete)
		printf(" \\\n\t\t\t'1:%s'", zsh_action(command->complete));
	if (command->stop_at_word)
		fputs(" \\\n\t\t\t'*::command:_normal'", stdout);
	puts(" ;;");
}

static void put_zsh(void)
{
	puts("#compdef warren\n"
	     "# Completion of warren for zsh. Made by `warren help --complete zsh`.\n"
	     "_warren_names() {\n"
	     "\tlocal -a names\n"
	     "\tnames=(${(f)\"$(warren help --names $1 2> /dev/null)\"})\n"
	     "\tcompadd -a names\n"
	     "}\n"
	     "_warren_networks_files() {\n"
	     "\t_warren_names networks\n"
	     "\t_files\n"
	     "}\n"
	     "_warren_commands() {\n"
	     "\tlocal -a commands\n"
	     "\tcommands=(");
	for (size_t i = 0; wr_commands[i]; i++) {
		char row[256];

		snprintf(row, sizeof row, "%s:%s", wr_commands[i]->name, wr_commands[i]->summary);
		fputs("\t\t", stdout);
		put_quoted(row, ZSH_QUOTE, "");
		putchar('\n');
	}
	puts("\t)\n"
	     "\t_describe command commands\n"
	     "}\n"
	     "if (( CURRENT == 2 )); then\n"
	     "\t_warren_commands\n"
	     "\treturn\n"
	     "fi\n"
	     "shift words\n"
	     "(( CURRENT-- ))\n"
	     "case $words[1] in");
	for (size_t i = 0; wr_commands[i]; i++)
		put_zsh_row(wr_commands[i]);
	puts("esac");
}

/* --- fish ---------------------------------------------------------------------------------------------------------- */

#define FISH_QUOTE "\\'"

/* The arguments that a kind offers. */
static void put_fish_arguments(const char *condition, const char *complete)
{
	if (strncmp(complete, "networks", 8) == 0)
		printf("complete -c warren -n '%s' -a '(warren help --names networks 2>/dev/null)'\n", condition);
	if (strcmp(complete, "namespaces") == 0)
		printf("complete -c warren -n '%s' -a '(warren help --names namespaces 2>/dev/null)'\n", condition);
	if (strstr(complete, "files"))
		printf("complete -c warren -n '%s' -k -a '(__fish_complete_suffix .yaml; __fish_complete_suffix "
		       ".yml)'\n",
		       condition);
	if (strcmp(complete, "commands") == 0) {
		printf("complete -c warren -n '%s' -a '", condition);
		for (size_t i = 0; wr_commands[i]; i++)
			printf("%s%s", i ? " " : "", wr_commands[i]->name);
		puts("'");
	}
}

static void put_fish_row(const struct wr_command *command)
{
	char condition[160];

	printf("complete -c warren -n __fish_use_subcommand -a %s -d ", command->name);
	put_quoted(command->summary, FISH_QUOTE, "\\");
	putchar('\n');
	snprintf(condition, sizeof condition, "__fish_seen_subcommand_from %s", command->name);
	for (const struct wr_option *option = command->options; option->name; option++) {
		if (!option->help)
			continue;
		printf("complete -c warren -n '%s'", condition);
		if (option->letter)
			printf(" -s %c", option->letter);
		printf(" -l %s", option->name);
		if (option->argument && option->complete && strcmp(option->complete, "users") == 0)
			fputs(" -xa '(__fish_complete_users)'", stdout);
		else if (option->argument)
			fputs(option->complete ? " -r" : " -x", stdout);
		fputs(" -d ", stdout);
		put_quoted(option->help, FISH_QUOTE, "\\");
		putchar('\n');
	}
	if (command->stop_at_word) {
		/* the first word is this program's, what follows is another's */
		snprintf(condition, sizeof condition,
			 "__fish_seen_subcommand_from %s; and test (count (commandline -opc)) -le 2", command->name);
		printf("complete -c warren -n '__fish_seen_subcommand_from %s; and test (count (commandline -opc)) -gt "
		       "2' -a "
		       "'(complete -C (commandline -ct))'\n",
		       command->name);
	}
	if (command->complete)
		put_fish_arguments(condition, command->complete);
}

static void put_fish(void)
{
	puts("# Completion of warren for fish. Made by `warren help --complete fish`.\n"
	     "complete -c warren -f");
	for (size_t i = 0; wr_commands[i]; i++)
		put_fish_row(wr_commands[i]);
}

int wr_cmd_print_completion(const char *shell)
{
	if (strcmp(shell, "bash") == 0)
		put_bash();
	else if (strcmp(shell, "zsh") == 0)
		put_zsh();
	else if (strcmp(shell, "fish") == 0)
		put_fish();
	else
		return -1;
	return 0;
}

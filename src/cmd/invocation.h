/* invocation.h: one run of the program: what was typed, and how a command speaks to the person who typed it.
 *
 * Ownership: an invocation lives in main; a command borrows it. Strings point into argv.
 * Errors:    functions that can fail print the error themselves and return the exit status, 0 for success. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <warren.h>

#include "cmd/command.h"

#define WR_EXIT_DONE	     0
#define WR_EXIT_FAILED	     1
#define WR_EXIT_USAGE	     2
#define WR_EXIT_DIFFERENT    3
#define WR_EXIT_NOT_RUNNABLE 126 /* as shells have it */
#define WR_EXIT_NOT_THERE    127

#define WR_DEFAULT_FILE "warren.yaml"
#define WR_OPTIONS_MAX	16 /* given in one command line */

struct wr_given_option {
	const struct wr_option *option;
	const char *value; /* NULL for a switch */
};

struct wr_progress {
	const char *title;  /* what is shown in front: the network's name */
	long long began_ms; /* when the command began */
	bool is_terminal;
	bool is_drawn; /* there is something to clear */
};

struct wr_invocation {
	const struct wr_command *command;
	struct wr_given_option given[WR_OPTIONS_MAX];
	size_t n_given;
	char **words; /* arguments that are no options */
	size_t n_words;
	char **rest;		    /* what follows "--", or the command of exec and run; NULL-terminated */
	bool has_separator;	    /* "--" was typed */
	struct wr_context *context; /* NULL until wr_cmd_open */
	struct wr_progress progress;
};

/* --- the command line (parse.c) */

/* Reads the arguments behind the command's name. argv is changed: words are moved to its front. */
int wr_cmd_parse(struct wr_invocation *invocation, char **argv);
bool wr_cmd_has(const struct wr_invocation *invocation, const char *option);
const char *wr_cmd_value(const struct wr_invocation *invocation, const char *option); /* the last; NULL: not given */
/* The one word that is allowed, or fallback; *ret_status is the exit status when there are more. */
int wr_cmd_one_word(struct wr_invocation *invocation, const char *fallback, const char **ret);
/* The candidate that was probably meant by word; NULL: none is near. next gives the i-th, NULL at the end. */
const char *wr_cmd_nearest(const char *word, const char *(*next)(const void *data, size_t i), const void *data);

/* --- speaking (output.c) */

/* Prints "warren: TEXT" and "  try: MEND", or a file's messages as they are. Returns the exit status. */
int wr_cmd_error(const struct wr_error *error);
/* The same for a wrong command line; says how to get help. */
int wr_cmd_usage(const struct wr_invocation *invocation, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints "warren: TEXT" on standard error. */
void wr_cmd_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints what the library made, and frees it. */
void wr_cmd_print(char *text);
/* What was printed has arrived, or the exit status that says it has not. */
int wr_cmd_flush(int status);

/* --- the machine (session.c) */

/* Opens the library with what --timeout says; progress is drawn, and with may_stop a signal stops the work. */
int wr_cmd_open(struct wr_invocation *invocation, bool may_stop);
/* Reads a file with --name; all its messages are printed. */
int wr_cmd_load(const struct wr_invocation *invocation, const char *path, struct wr_network **ret);
/* Whether a word on the command line means a file (else the name of a network). */
bool wr_cmd_is_file(const char *word);
enum wr_format wr_cmd_format(const struct wr_invocation *invocation);
void wr_cmd_progress_begin(struct wr_invocation *invocation, const char *title);
void wr_cmd_progress_end(struct wr_invocation *invocation);
/* The signal that arrived, or 0. */
int wr_cmd_signal(void);
/* From here on a signal no longer stops the work: it is the cleaning up. */
void wr_cmd_stop_listening(void);
/* up and down, with their line of output on out. */
int wr_cmd_up(struct wr_invocation *invocation, const struct wr_network *network, FILE *out, enum wr_result *ret);
int wr_cmd_down(struct wr_invocation *invocation, const char *name, const struct wr_network *network, FILE *out);
/* The exit status for a program that could not be started, or was waited for. */
int wr_cmd_start_status(const struct wr_error *error);
int wr_cmd_wait_status(int status);
/* Prints what exec has to say beside errors; it may run in a child. */
void wr_cmd_on_warning(void *data, const char *text);

/* --- every namespace at once (exec_all.c) */
int wr_cmd_exec_all(struct wr_invocation *invocation, const char *network, char **argv);

/* --- help (help.c, man.c, complete.c) */
void wr_cmd_print_help(const struct wr_command *command);			  /* NULL: the overview */
void wr_cmd_print_man(const struct wr_command *command);			  /* likewise */
int wr_cmd_print_completion(const char *shell);					  /* -1: there is none for that shell */
const struct wr_command *wr_cmd_find(const char *name);				  /* NULL: no such command */
const char *wr_cmd_option_words(const struct wr_option *option, char buffer[64]); /* "-n, --name OTHER" */

/* --- rows that several commands have */
#define WR_ROW_HELP                                                                                                    \
	{                                                                                                              \
		'h', "help", NULL, "Show this help.", NULL                                                             \
	}
#define WR_ROW_JSON                                                                                                    \
	{                                                                                                              \
		'j', "json", NULL, "Print JSON, as warren-output.schema.json describes it.", NULL                      \
	}
#define WR_ROW_NAME                                                                                                    \
	{                                                                                                              \
		'n', "name", "OTHER", "Call the network this, whatever its file says: one file can be up many times.", \
			NULL                                                                                           \
	}
#define WR_ROW_TIMEOUT                                                                                                 \
	{                                                                                                              \
		't', "timeout", "SECONDS",                                                                             \
			"Wait at most this long for another run on the same network (default 60; 0: do not wait).",    \
			NULL                                                                                           \
	}
#define WR_ROW_END                                                                                                     \
	{                                                                                                              \
		0, NULL, NULL, NULL, NULL                                                                              \
	}

extern const struct wr_command wr_command_up, wr_command_down, wr_command_plan, wr_command_status, wr_command_show,
	wr_command_firewall, wr_command_exec, wr_command_shell, wr_command_run, wr_command_ls, wr_command_version,
	wr_command_help;

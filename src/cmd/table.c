/* table.c: the table of commands. A new command is a file with its row and its function, and a line here. */
#include "cmd/invocation.h"

const struct wr_command *const wr_commands[] = {
	&wr_command_up,
	&wr_command_down,
	&wr_command_plan,
	&wr_command_status,
	&wr_command_show,
	&wr_command_firewall,
	&wr_command_exec,
	&wr_command_shell,
	&wr_command_run,
	&wr_command_ls,
	&wr_command_version,
	&wr_command_help,
	NULL,
};

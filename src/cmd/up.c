/* up.c: `warren up`. */
#include "cmd/invocation.h"

static const struct wr_option options[] = {WR_ROW_NAME, WR_ROW_TIMEOUT, WR_ROW_HELP, WR_ROW_END};

static int run(struct wr_invocation *invocation)
{
	struct wr_network *network;
	enum wr_result result;
	const char *path;
	int status = wr_cmd_one_word(invocation, WR_DEFAULT_FILE, &path);

	if (status == 0)
		status = wr_cmd_load(invocation, path, &network);
	if (status)
		return status;
	status = wr_cmd_open(invocation, true);
	if (status == 0)
		status = wr_cmd_up(invocation, network, stdout, &result);
	wr_network_free(network);
	return status;
}

const struct wr_command wr_command_up = {
	.name = "up",
	.arguments = "[FILE]",
	.summary = "make this machine have the network that a file describes",
	.description = "Reads a network file (see warren-network(5)), compares what it asks for with what is there, "
		       "and does what is "
		       "missing: all of it, or nothing. Without FILE it takes warren.yaml in the current directory; - "
		       "is standard input.\n"
		       "\n"
		       "A second up changes nothing and says so. After something was changed by hand, up puts it "
		       "right. After the file was "
		       "edited, only what differs is changed, in place wherever the kernel can do that, and traffic "
		       "through everything "
		       "else goes on. `warren plan` shows beforehand what would be done.\n"
		       "\n"
		       "When everything is done the network is observed anew and compared with the file. If a step "
		       "fails, or the "
		       "result is not what was asked for, or SIGINT, SIGTERM or SIGHUP arrives, what was there before "
		       "is put back. If the "
		       "program is killed in the middle, another up completes the work, and down removes it.\n"
		       "\n"
		       "Whatever is there and does not carry this network's mark is never changed or removed; if it "
		       "stands in the way "
		       "(a name, an address, an overlapping subnet), up says whose it is and touches nothing.\n"
		       "\n"
		       "Two runs on one network do not meet: the second waits for the first (see --timeout). Runs on "
		       "different networks do not "
		       "wait for each other.\n"
		       "\n"
		       "Needs CAP_NET_ADMIN and CAP_SYS_ADMIN, as root has them.\n"
		       "\n"
		       "Exit status: 0 when the network is up; 1 when it failed, and what was there before is back "
		       "(where that failed too, "
		       "the message says what is left); 2 when the command line or the file is wrong, and nothing was "
		       "touched.",
	.examples = "warren up\n"
		    "    Bring up ./warren.yaml.\n"
		    "warren up shop.yaml\n"
		    "    Bring up a file by its name; edit it and say the same again to change the running network.\n"
		    "warren up --name routers2 routers.yaml\n"
		    "    Bring up a second copy of it beside the first; bridges that this machine joins need other "
		    "subnets.",
	.complete = "files",
	.options = options,
	.run = run,
};

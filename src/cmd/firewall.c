/* firewall.c: `warren firewall`. */
#include "cmd/invocation.h"

static const struct wr_option options[] = {
	{0, "nft", NULL, "Print whole tables in the language of nft(8), as `nft -f` reads them.", NULL},
	WR_ROW_JSON,
	WR_ROW_HELP,
	WR_ROW_END,
};

static int run(struct wr_invocation *invocation)
{
	bool is_nft = wr_cmd_has(invocation, "nft");
	struct wr_error error;
	const char *ns;
	char *text;
	int status = wr_cmd_one_word(invocation, NULL, &ns);

	if (status == 0 && is_nft && wr_cmd_has(invocation, "json"))
		return wr_cmd_usage(invocation, "--nft or --json, not both");
	if (status == 0)
		status = wr_cmd_open(invocation, false);
	if (status)
		return status;
	if (wr_firewall(invocation->context, ns, is_nft ? WR_FORMAT_COMMANDS : wr_cmd_format(invocation), &text,
			&error) < 0)
		return wr_cmd_error(&error);
	wr_cmd_print(text);
	return WR_EXIT_DONE;
}

const struct wr_command wr_command_firewall = {
	.name = "firewall",
	.arguments = "[NAMESPACE]",
	.summary = "show which packets pass, and what was denied",
	.description =
		"Prints the packet filters of a namespace as the kernel has them: the phrases of each hook with the "
		"packets and bytes "
		"that each has let through or dropped, what the policy dropped, which addresses are translated, and, "
		"where the file says `log: true`, who was denied in the last hour, newest first.\n"
		"\n"
		"NAMESPACE is named as for `warren exec`; `host` is this machine, where each network that joins it has "
		"a table: its "
		"published ports with the namespaces they lead to, who is translated, which bridges are isolated or "
		"open to the "
		"outside, and what was dropped and why. Bridges with `guard: true` show what their ports tried. "
		"Without NAMESPACE "
		"this machine and every namespace of every network is shown that has a filter.\n"
		"\n"
		"Nothing is taken from the network file. A rule that somebody added to a table of warren's is shown as "
		"nft says it, "
		"and said to be not from the file; `warren status` calls it a difference, and `warren up` removes it. "
		"In namespaces, "
		"tables that are not warren's are shown too; this machine's own are not.\n"
		"\n"
		"Packets that belong to a connection that was accepted are not counted again: a phrase counts the "
		"first of each.\n"
		"\n"
		"Needs CAP_NET_ADMIN and CAP_SYS_ADMIN, as root has them.\n"
		"\n"
		"Exit status: 0; 1 when there is no such namespace or it could not be read; 2 when the command line is "
		"wrong.",
	.examples = "warren firewall web\n"
		    "    Which phrase lets what through, and who knocked in vain.\n"
		    "warren firewall host\n"
		    "    Published ports, and what was kept out.\n"
		    "warren firewall --nft shop/web\n"
		    "    The same as nft would list it.",
	.complete = "namespaces",
	.options = options,
	.run = run,
};

/* commands.c: a plan as commands for a POSIX shell: namespaces, settings, files, addresses, routes. Links are in
 * commands_link.c, packet filters in commands_filter.c.
 *
 * Theory: one function for each row of WR_STEPS; a kind without one does not build. Each step becomes the lines that do the
 * same by ip(8), bridge(8), sysctl(8) and nft(8), in the plan's order, so that the whole, piped into sh on a machine where the
 * network is not, builds it. The first line makes the shell stop at the first command that fails. Whatever comes from a
 * file or from the kernel is quoted as one word. What these commands cannot say is a comment: the mark of an address
 * needs a newer ip(8) than Debian 12's. */
#include "show/show.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/text.h"
#include "show/commands.h"
#include "plan/steps.h"
#include "plan/words.h"

void wr_command_ip(struct wr_text *text, const struct wr_ns *ns)
{
	wr_text_add(text, "ip ");
	if (ns != NULL && !ns->is_host) {
		wr_text_add(text, "-n ");
		wr_text_add_shell(text, ns->pin);
		wr_text_add_char(text, ' ');
	}
}

void wr_command_word(struct wr_text *text, const char *option, const char *value)
{
	wr_text_add_char(text, ' ');
	wr_text_add(text, option);
	wr_text_add_char(text, ' ');
	wr_text_add_shell(text, value);
}

void wr_command_number(struct wr_text *text, const char *option, uint64_t value)
{
	wr_text_add_char(text, ' ');
	wr_text_add(text, option);
	wr_text_add_char(text, ' ');
	wr_text_add_uint(text, value);
}

static void add_address(struct wr_text *text, const char *option, const struct wr_ip *ip)
{
	wr_text_add_char(text, ' ');
	wr_text_add(text, option);
	wr_text_add_char(text, ' ');
	wr_words_ip(text, ip);
}

/* --- namespaces ------------------------------------------------------------------------------------------------------ */

void wr_command_mend_pin(const struct wr_step *step, struct wr_text *text)
{
	wr_text_add(text, "rm -f " WR_WORDS_PINS "/");
	wr_text_add_shell(text, step->ns->pin);
	wr_text_add_char(text, '\n');
}

void wr_command_adopt_ns(const struct wr_step *step, struct wr_text *text)
{
	wr_command_ip(text, step->ns);
	wr_text_add(text, "link set dev lo");
	if (step->ns->alias != NULL)
		wr_command_word(text, "alias", step->ns->alias);
	wr_text_add(text, " up\n");
}

void wr_command_add_ns(const struct wr_step *step, struct wr_text *text)
{
	wr_text_add(text, "ip netns add ");
	wr_text_add_shell(text, step->ns->pin);
	wr_text_add_char(text, '\n');
	wr_command_adopt_ns(step, text);
}

void wr_command_del_ns(const struct wr_step *step, struct wr_text *text)
{
	wr_text_add(text, "ip netns del ");
	wr_text_add_shell(text, step->ns->pin);
	wr_text_add_char(text, '\n');
}

/* --- settings -------------------------------------------------------------------------------------------------------- */

void wr_command_inside(struct wr_text *text, const struct wr_ns *ns)
{
	if (ns->is_host)
		return;
	wr_text_add(text, "ip netns exec ");
	wr_text_add_shell(text, ns->pin);
	wr_text_add_char(text, ' ');
}

void wr_command_sysctl(struct wr_text *text, const struct wr_ns *ns, struct wr_text *assignment)
{
	wr_command_inside(text, ns);
	wr_text_add(text, "sysctl -qw ");
	wr_text_add_shell(text, wr_text_string(assignment));
	wr_text_add_char(text, '\n');
	if (wr_text_error(assignment) != 0)
		text->error = wr_text_error(assignment);
}

void wr_command_set_conf(const struct wr_step *step, struct wr_text *text)
{
	struct wr_text assignment WR_CLEANUP_TEXT = {0};
	const char *scope = "all";
	char key[80];

	switch ((enum wr_step_scope)step->scope) {
	case WR_SCOPE_LINK:
		scope = step->link->ifname;
		break;
	case WR_SCOPE_ALL:
		break;
	case WR_SCOPE_DEFAULT:
		scope = "default";
		break;
	}
	wr_text_addf(&assignment, "%s=%d", wr_conf_key((enum wr_conf_id)step->conf, scope, key),
		     wr_step_conf_value(step));
	wr_command_sysctl(text, step->ns, &assignment);
}

void wr_command_set_sysctl(const struct wr_step *step, struct wr_text *text)
{
	struct wr_text assignment WR_CLEANUP_TEXT = {0};

	wr_text_add(&assignment, step->sysctl->key);
	wr_text_add_char(&assignment, '=');
	wr_text_add(&assignment, step->sysctl->value != NULL ? step->sysctl->value : "");
	wr_command_sysctl(text, step->ns, &assignment);
}

/* --- files ------------------------------------------------------------------------------------------------------------ */

/* Whether content has a line that is exactly word. */
static bool has_line(const char *content, const char *word)
{
	size_t length = strlen(word);

	for (const char *line = content; line != NULL; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (strncmp(line, word, length) == 0 && (line[length] == '\n' || line[length] == '\0'))
			return true;
	}
	return false;
}

/* cat >PATH, with a last line that does not occur in the content. */
static void add_file(struct wr_text *text, const char *path, const char *content)
{
	struct wr_text end WR_CLEANUP_TEXT = {0};
	size_t length = strlen(content);

	wr_text_add(&end, "EOF");
	while (wr_text_error(&end) == 0 && has_line(content, wr_text_string(&end)))
		wr_text_add_char(&end, '_');
	wr_text_add(text, "cat >");
	wr_text_add_shell(text, path);
	wr_text_add(text, " <<'");
	wr_text_add(text, wr_text_string(&end));
	wr_text_add(text, "'\n");
	wr_text_add_bytes(text, content, length);
	if (length > 0 && content[length - 1] != '\n')
		wr_text_add_char(text, '\n');
	wr_text_add(text, wr_text_string(&end));
	wr_text_add_char(text, '\n');
	if (wr_text_error(&end) != 0)
		text->error = wr_text_error(&end);
}

/* "COMMAND /etc/netns/PIN[/FILE]" */
static void add_netns_path(struct wr_text *text, const struct wr_ns *ns, const char *file)
{
	struct wr_text path WR_CLEANUP_TEXT = {0};

	wr_text_add(&path, WR_WORDS_ETC_NETNS "/");
	wr_text_add(&path, ns->pin);
	if (file != NULL) {
		wr_text_add_char(&path, '/');
		wr_text_add(&path, file);
	}
	wr_text_add_shell(text, wr_text_string(&path));
	if (wr_text_error(&path) != 0)
		text->error = wr_text_error(&path);
}

/* The directory that the network's shared files are in, without the last '/'. It is only known from the links that lead
 * there. *ret_length gets its length. */
static const char *shared_directory(const struct wr_model *model, size_t *ret_length)
{
	for (size_t i = 0; i < model->n_ns; i++) {
		const struct wr_ns *ns = model->ns[i];
		const char *target = ns->hosts_is_link ? ns->hosts_file : ns->resolv_is_link ? ns->resolv_file : NULL;
		const char *slash = target != NULL ? strrchr(target, '/') : NULL;

		if (slash != NULL && slash != target) {
			*ret_length = slash - target;
			return target;
		}
	}
	return NULL;
}

/* *path gets "DIRECTORY" or "DIRECTORY/FILE". */
static void shared_path(const struct wr_model *model, const char *file, struct wr_text *path)
{
	size_t length = 0;
	const char *directory = shared_directory(model, &length);

	if (directory != NULL) {
		wr_text_add_bytes(path, directory, length);
	} else {
		wr_text_add(path, "/run/warren/");
		wr_text_add(path, model->name);
	}
	if (file != NULL) {
		wr_text_add_char(path, '/');
		wr_text_add(path, file);
	}
}

static void add_shared_file(struct wr_text *text, const struct wr_model *model, const char *file, const char *content)
{
	struct wr_text path WR_CLEANUP_TEXT = {0};

	shared_path(model, file, &path);
	add_file(text, wr_text_string(&path), content);
}

void wr_command_write_hosts(const struct wr_step *step, struct wr_text *text)
{
	const struct wr_model *model = step->ns->model;
	struct wr_text directory WR_CLEANUP_TEXT = {0};

	shared_path(model, NULL, &directory);
	wr_text_add(text, "(umask 077; mkdir -p ");
	wr_text_add_shell(text, wr_text_string(&directory));
	wr_text_add(text, ")\n");
	if (model->hosts_text != NULL)
		add_shared_file(text, model, "hosts", model->hosts_text);
	if (model->resolv_text != NULL)
		add_shared_file(text, model, "resolv.conf", model->resolv_text);
}

void wr_command_remove_hosts(const struct wr_step *step, struct wr_text *text)
{
	static const char *const files[] = {"hosts", "resolv.conf"};
	struct wr_text directory WR_CLEANUP_TEXT = {0};

	wr_text_add(text, "rm -f");
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct wr_text path WR_CLEANUP_TEXT = {0};

		shared_path(step->ns->model, files[i], &path);
		wr_text_add_char(text, ' ');
		wr_text_add_shell(text, wr_text_string(&path));
	}
	shared_path(step->ns->model, NULL, &directory);
	/* -p: and its parents, as far as they are empty then. */
	wr_text_add(text, "\nrmdir -p ");
	wr_text_add_shell(text, wr_text_string(&directory));
	wr_text_add(text, " 2>/dev/null || true\nrmdir " WR_WORDS_ETC_NETNS " 2>/dev/null || true\n");
}

void wr_command_link_file(const struct wr_step *step, struct wr_text *text)
{
	const struct wr_ns *ns = step->ns;
	const char *file = wr_step_file_name(step);
	bool is_hosts = step->scope == WR_FILE_HOSTS;
	const char *content = is_hosts ? ns->hosts_file : ns->resolv_file;
	struct wr_text path WR_CLEANUP_TEXT = {0};

	wr_text_add(text, "mkdir -p ");
	add_netns_path(text, ns, NULL);
	wr_text_add_char(text, '\n');
	if (content == NULL)
		content = "";
	if (is_hosts ? ns->hosts_is_link : ns->resolv_is_link) {
		wr_text_add(text, "ln -sfn ");
		wr_text_add_shell(text, content);
		wr_text_add_char(text, ' ');
		add_netns_path(text, ns, file);
		wr_text_add_char(text, '\n');
		return;
	}
	/* What is there may be a link to the file of the whole network, which must not be written through. */
	if (step->sign != WR_STEP_ADD) {
		wr_text_add(text, "rm -f ");
		add_netns_path(text, ns, file);
		wr_text_add_char(text, '\n');
	}
	wr_text_addf(&path, WR_WORDS_ETC_NETNS "/%s/%s", ns->pin, file);
	add_file(text, wr_text_string(&path), content);
}

void wr_command_unlink_file(const struct wr_step *step, struct wr_text *text)
{
	wr_text_add(text, "rm -f ");
	add_netns_path(text, step->ns, wr_step_file_name(step));
	wr_text_add(text, "\nrmdir ");
	add_netns_path(text, step->ns, NULL);
	wr_text_add(text, " 2>/dev/null || true\n");
}

/* --- addresses --------------------------------------------------------------------------------------------------------- */

void wr_command_add_address(const struct wr_step *step, struct wr_text *text)
{
	wr_command_ip(text, step->ns);
	wr_text_add(text, "address add ");
	wr_words_prefix(text, &step->address->prefix);
	wr_command_word(text, "dev", step->link->ifname);
	if (step->address->prefix.ip.family == AF_INET6)
		wr_text_add(text, " nodad");
	wr_text_add_char(text, '\n');
}

void wr_command_mark_address(const struct wr_step *step, struct wr_text *text)
{
	wr_text_add(text, "# address ");
	wr_words_prefix(text, &step->address->prefix);
	wr_text_add(text, " on ");
	wr_words_link(text, step->link);
	wr_text_add(text, ": ip(8) of Debian 12 cannot set its mark\n");
}

void wr_command_del_address(const struct wr_step *step, struct wr_text *text)
{
	wr_command_ip(text, step->ns);
	wr_text_add(text, "address del ");
	wr_words_prefix(text, &step->address->prefix);
	wr_command_word(text, "dev", step->link->ifname);
	wr_text_add_char(text, '\n');
}

/* --- routes, rules, neighbours ------------------------------------------------------------------------------------------ */

static void add_hop(struct wr_text *text, const struct wr_nexthop *hop, uint8_t family)
{
	if (hop->via.family != 0)
		add_address(text, hop->via.family == family ? "via" : "via inet6", &hop->via);
	if (hop->dev != NULL)
		wr_command_word(text, "dev", hop->dev);
}

static void add_route(const struct wr_step *step, const struct wr_route *route, const char *verb, struct wr_text *text)
{
	uint8_t family = route->to.ip.family;

	wr_command_ip(text, step->ns);
	wr_text_add(text, family == AF_INET6 ? "-6 route " : "route ");
	wr_text_add(text, verb);
	wr_text_add_char(text, ' ');
	if (route->type != RTN_UNICAST) {
		wr_text_add(text, wr_route_type_name(route->type));
		wr_text_add_char(text, ' ');
	}
	if (route->to.length == 0)
		wr_text_add(text, "default");
	else
		wr_words_prefix(text, &route->to);
	if (route->n_hops == 1)
		add_hop(text, &route->hops[0], family);
	if (route->src.family != 0)
		add_address(text, "src", &route->src);
	if (route->metric != (family == AF_INET6 ? 1024 : 0))
		wr_command_number(text, "metric", route->metric);
	if (route->table != RT_TABLE_MAIN)
		wr_command_number(text, "table", route->table);
	wr_command_number(text, "proto", route->protocol);
	for (size_t i = 0; route->n_hops > 1 && i < route->n_hops; i++) {
		wr_text_add(text, " nexthop");
		add_hop(text, &route->hops[i], family);
		wr_command_number(text, "weight", route->hops[i].weight != 0 ? route->hops[i].weight : 1);
	}
	wr_text_add_char(text, '\n');
}

void wr_command_add_route(const struct wr_step *step, struct wr_text *text)
{
	add_route(step, step->route, "add", text);
}

void wr_command_change_route(const struct wr_step *step, struct wr_text *text)
{
	add_route(step, step->route, "replace", text);
}

void wr_command_del_route(const struct wr_step *step, struct wr_text *text)
{
	add_route(step, step->route, "del", text);
}

static void add_rule(const struct wr_step *step, const char *verb, struct wr_text *text)
{
	const struct wr_rule *rule = step->rule;

	wr_command_ip(text, step->ns);
	wr_text_add(text, rule->family == AF_INET6 ? "-6 rule " : "rule ");
	wr_text_add(text, verb);
	wr_command_number(text, "priority", rule->priority);
	wr_text_add(text, " from ");
	if (rule->from.ip.family != 0)
		wr_words_prefix(text, &rule->from);
	else
		wr_text_add(text, "all");
	if (rule->to.ip.family != 0) {
		wr_text_add(text, " to ");
		wr_words_prefix(text, &rule->to);
	}
	if (rule->iif != NULL)
		wr_command_word(text, "iif", rule->iif);
	if (rule->oif != NULL)
		wr_command_word(text, "oif", rule->oif);
	if (rule->mark != 0 || rule->mask != 0)
		wr_text_addf(text, " fwmark %#x/%#x", rule->mark, rule->mask);
	if (rule->action == FR_ACT_TO_TBL)
		wr_command_number(text, "table", rule->table);
	else
		wr_command_word(text, "type", wr_rule_action_name(rule->action));
	wr_command_number(text, "protocol", rule->protocol);
	wr_text_add_char(text, '\n');
}

void wr_command_add_rule(const struct wr_step *step, struct wr_text *text)
{
	add_rule(step, "add", text);
}

void wr_command_del_rule(const struct wr_step *step, struct wr_text *text)
{
	add_rule(step, "del", text);
}

void wr_command_add_neighbour(const struct wr_step *step, struct wr_text *text)
{
	const struct wr_neighbour *neighbour = step->neighbour;
	char buffer[WR_MAC_TEXT_MAX];

	wr_command_ip(text, step->ns);
	wr_text_add(text, "neighbour replace ");
	wr_words_ip(text, &neighbour->ip);
	wr_command_word(text, "lladdr", wr_mac_format(&neighbour->mac, buffer));
	wr_command_word(text, "dev", neighbour->dev);
	wr_text_add(text, " nud permanent");
	wr_command_number(text, "protocol", neighbour->protocol);
	wr_text_add_char(text, '\n');
}

void wr_command_del_neighbour(const struct wr_step *step, struct wr_text *text)
{
	wr_command_ip(text, step->ns);
	wr_text_add(text, "neighbour del ");
	wr_words_ip(text, &step->neighbour->ip);
	wr_command_word(text, "dev", step->neighbour->dev);
	wr_text_add_char(text, '\n');
}

/* --- the whole ---------------------------------------------------------------------------------------------------------- */

typedef void (*command_function)(const struct wr_step *step, struct wr_text *text);

static const command_function commands[WR_STEP_COUNT_] = {
#define X(kind, name, about) [WR_STEP_##kind] = wr_command_##kind,
	WR_STEPS(X)
#undef X
};

void wr_show_plan_commands(const struct wr_plan *plan, struct wr_text *text)
{
	if (plan->n_steps == 0) {
		wr_text_add(text, "# nothing to do\n");
		return;
	}
	wr_text_add(text, "set -e\n");
	for (size_t i = 0; i < plan->n_steps; i++)
		commands[plan->steps[i].kind](&plan->steps[i], text);
}

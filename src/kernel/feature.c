/* See feature.h: the request could never be fulfilled, so the way in which it is refused is the answer. */
#include "kernel/feature.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "base/error.h"
#include "kernel/netlink.h"

#define IMPOSSIBLE_QUEUES 0xffffff

int wr_feature_has_link_kind(struct wr_nl *nl, const char *kind, bool *ret, struct wr_error *reterr)
{
	_Alignas(struct nlmsghdr) unsigned char buffer[256] = {0};
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct wr_error error = {0};
	struct nlattr *info;
	int r;

	message->nlmsg_type = RTM_NEWLINK;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL;
	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(message, IFLA_NUM_TX_QUEUES, IMPOSSIBLE_QUEUES);
	mnl_attr_put_u32(message, IFLA_NUM_RX_QUEUES, IMPOSSIBLE_QUEUES);
	info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(message, info);
	r = wr_nl_call(nl, message, NULL, NULL, &error);
	if (r == -EINVAL || r == -EOPNOTSUPP) {
		*ret = r == -EINVAL;
		return 0;
	}
	/* -EPERM is no answer to the question: whoever may not make links learns that from wr_host_check_privilege. */
	return wr_fail(reterr, WR_ERR_KERNEL, r < 0 ? r : -EPROTO, "cannot ask the kernel for links of kind '%s': %s",
		       kind, error.text);
}

bool wr_feature_kernel_is_before(int major, int minor)
{
	struct utsname name;
	int a, b;

	if (uname(&name) < 0 || sscanf(name.release, "%d.%d", &a, &b) != 2)
		return false;
	return a < major || (a == major && b < minor);
}

#!/bin/dash
# What happens inside the machine of run.sh: it is its first process. Every check is a line of TAP; what failed is shown below it.
# shellcheck shell=dash
PATH=/bin:/usr/bin
export PATH LC_ALL=C
number=0
log=/tmp/log

# check NAME COMMAND...: counted by its status.
check() {
	number=$((number + 1))
	name=$1
	shift
	if "$@" >$log 2>&1; then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		sed 's/^/# /' $log
	fi
}
# exits STATUS COMMAND...
exits() {
	wanted=$1
	shift
	"$@"
	status=$?
	[ $status = "$wanted" ] || { echo "status $status instead of $wanted"; false; }
}
# says TEXT COMMAND...: also if it fails
says() {
	text=$1
	shift
	"$@" >/tmp/said 2>&1
	cat /tmp/said
	grep -qF -- "$text" /tmp/said || { echo "no '$text' in that"; false; }
}
same() { cmp -s "$1" "$2" || { diff -U 0 "$1" "$2"; false; }; }
# reaches NAMESPACE ADDRESS: at the first try, or with the kernel's own patience when it is not said otherwise
reaches() { warren exec "$1" -- ping -q -c 1 -W 3 "$2"; }

# In one process: this machine is slow.
settings() {
	(cd /proc/sys/net && grep -r . ipv4/conf ipv6/conf 2>/dev/null) | grep -v stable_secret | sort
}
# init settings: the settings of the namespace that it is called in.
if [ "${1:-}" = settings ]; then
	settings
	exit
fi

# Everything that down must leave as it was. The kernel's lists end in what varies by itself.
machine() {
	ip -d -o link
	ip -o address | sed 's/valid_lft.*//'
	ip route show table all
	ip -6 route show table all | sed 's/ expires [^ ]*//'
	ip rule
	ip -6 rule
	settings
	find /run /etc -mindepth 1 ! -path /run/netns
	grep ' nsfs ' /proc/self/mountinfo | cut -d' ' -f3-5
}
# What an alien has: in the machine, or in a namespace (-n NAME).
aliens() {
	{
		for kind in dummy vlan vrf wireguard; do
			ip "$@" -d -o link show type $kind
		done
	} | sed 's/ state [A-Z]*//' # which follows by itself, a little later
	for device in al0 al0.7 al-red al1 al-wg; do
		ip "$@" -o address show dev $device | sed 's/valid_lft.*//'
	done
	ip "$@" route show table 77
}
make_aliens() {
	ip "$@" link add al0 type dummy &&
		ip "$@" link add link al0 name al0.7 type vlan id 7 &&
		ip "$@" link add al-red type vrf table 77 &&
		ip "$@" link add al1 type dummy &&
		ip "$@" link set al1 master al-red &&
		ip "$@" link add al-wg type wireguard || return 1
	for device in al0 al0.7 al-red al1 al-wg; do
		ip "$@" link set $device up
	done
	ip "$@" address add 172.30.0.1/24 dev al0
	ip "$@" address add 172.30.7.1/24 dev al0.7
	ip "$@" address add 172.31.0.1/24 dev al1
	ip "$@" address add 172.31.9.1/24 dev al-wg
	ip "$@" address add fd99::1/64 dev al0 nodad
}

# steady FILE NAME: up it is as it should be, and a second up has nothing to do.
steady() {
	check "$1: status" exits 0 warren status "$2"
	check "$1: plan" exits 0 warren plan "$1"
	check "$1: second up" says 'nothing to do' warren up "$1"
}
# The network as any reader of the kernel sees it, by namespace, without what differs from run to run.
network() {
	for pin in $(ip netns list | awk '{print $1}' | sort); do
		echo "== $pin"
		ip -n "$pin" -o link | sed -E 's/^[0-9]+: //; s/@[^:]*//; s/state [A-Z]+//; s/link-netnsid [0-9]+//; s/link-netns [^ ]*//; s/alias/\nalias/'
		ip -n "$pin" -o address | sed -E 's/^[0-9]+: //; s/valid_lft.*//; s/ proto [^ ]*//' | sort
		ip -n "$pin" route show table all | sort
		ip -n "$pin" -6 route show table all | sort
		ip -n "$pin" rule
		nsenter "--net=/run/netns/$pin" "$0" settings | sed -E 's/@[^ ]*//'
	done
}

# example FILE NAME: all of its life; reaches comes from pings.
example() {
	file=$1 network=$2
	machine >/tmp/before
	check "$file: up" warren up "$file"
	pings
	steady "$file" "$network"
	network >/tmp/by-warren
	check "$file: down" warren down "$file"
	machine >/tmp/after
	check "$file: nothing is left" same /tmp/before /tmp/after
	warren plan --commands "$file" >/tmp/commands
	check "$file: its commands" sh -e /tmp/commands
	network >/tmp/by-commands
	check "$file: the commands make the same" same /tmp/by-warren /tmp/by-commands
	# An address's mark is what this iproute2 has no word for.
	check "$file: up of what the commands made" warren up "$file"
	check "$file: status of that" exits 0 warren status "$file"
	check "$file: commands, down" warren down "$network"
	machine >/tmp/after
	check "$file: nothing is left of the commands" same /tmp/before /tmp/after
}

# What warren found missing is not a thing to wait for: each ping is the first packet of its way.
pings() {
	case $network in
	bridge)
		check "$file: to a neighbour, at once" reaches container1 10.2.0.3
		check "$file: to the machine" reaches container1 10.2.0.1
		check "$file: from the machine" ping -q -c 1 -W 3 10.2.0.4
		;;
	dual)
		check "$file: IPv4, at once" reaches one 10.20.0.2
		check "$file: IPv6, at once" reaches one fd20::2
		check "$file: IPv6 to the machine" reaches two fd20::fe
		check "$file: from the machine" ping -q -c 1 -W 3 fd20::1
		;;
	host-to-namespace) check "$file: from the machine" ping -q -c 1 -W 3 10.0.0.2 ;;
	namespace-to-namespace) check "$file: across" reaches ns1 10.1.0.2 ;;
	router-host)
		check "$file: through the machine" reaches ns-subnet1 10.10.2.2
		check "$file: and back" reaches ns-subnet2 10.10.1.2
		;;
	router-namespace) check "$file: through the router" reaches left 10.20.2.2 ;;
	routers)
		check "$file: through the router" reaches s1 s2
		check "$file: the router's own" reaches s1 192.168.255.1
		;;
	shop)
		check "$file: by name, through the router" reaches app1 edge
		check "$file: a neighbour" reaches web app1
		check "$file: IPv6" reaches web fd00:2::1
		;;
	switch) check "$file: a neighbour" reaches red blue ;;
	esac
}

/bin/busybox --install -s /bin 2>/dev/null # but what is there already
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mount -t tmpfs -o mode=755 tmpfs /run
ip link set lo up
cd /examples || exit

echo "TAP version 13"
echo "# Linux $(uname -r)"
check "warren's version" warren version

# --- a kernel whose IPv6 is switched off -----------------------------------------------------------------------------------
if [ ! -e /proc/sys/net/ipv6 ]; then
	cat >dual.yaml <<-'YAML'
		name: dual
		bridges:
		  lan: {subnet: ["10.20.0.0/24", "fd20::/64"]}
		namespaces:
		  one: {interfaces: {eth0: lan}}
		YAML
	machine >/tmp/before
	for file in bridge.yaml router-host.yaml router-namespace.yaml; do
		network=${file%.yaml}
		check "no IPv6: $file: up" warren up "$file"
		pings
		steady "$file" "$network"
		check "no IPv6: $file: down" warren down "$network"
	done
	check "no IPv6: what needs it is refused" exits 1 warren up dual.yaml
	check "no IPv6: and it is said why" says 'ipv6.disable' warren up dual.yaml
	machine >/tmp/after
	check "no IPv6: nothing is left" same /tmp/before /tmp/after
	echo "1..$number"
	poweroff -f
fi
check "no module of it is loaded yet" exits 1 grep -E '^(veth|bridge) ' /proc/modules

# --- somebody else's interfaces ------------------------------------------------------------------------------------------
check "aliens in the machine" make_aliens
ip netns add alien
check "aliens in a namespace of theirs" make_aliens -n alien
aliens >/tmp/aliens
aliens -n alien >/tmp/aliens-inside

cat >dual.yaml <<-'YAML'
	name: dual
	bridges:
	  lan: {subnet: ["10.20.0.0/24", "fd20::/64"], host: ["10.20.0.254", "fd20::fe"]}
	namespaces:
	  one: {interfaces: {eth0: {bridge: lan, address: [10.20.0.1/24, "fd20::1/64"]}}}
	  two: {interfaces: {eth0: {bridge: lan, address: [10.20.0.2/24, "fd20::2/64"]}}}
	YAML

for path in *.yaml; do
	example "$path" "${path%.yaml}"
done
aliens >/tmp/aliens.now
check "the aliens of the machine are as they were" same /tmp/aliens /tmp/aliens.now
aliens -n alien >/tmp/aliens.now
check "the aliens of the namespace are as they were" same /tmp/aliens-inside /tmp/aliens.now

# --- aliens inside our namespaces ----------------------------------------------------------------------------------------
machine >/tmp/before
check "up among aliens" warren up shop.yaml
check "aliens in a namespace of ours" make_aliens -n shop.web
check "a VLAN on an interface of ours" ip -n shop.web link add link eth0 name eth0.9 type vlan id 9
ip -n shop.web link set eth0.9 up
aliens -n shop.web >/tmp/aliens-web
warren status shop
check "they are no difference" exits 0 warren status shop
check "and nothing to do" says 'nothing to do' warren up shop.yaml
ip -n shop.web link set eth1 mtu 1300
check "drift beside them is seen" says 1300 warren status shop
check "and mended" says '1 step' warren up shop.yaml
aliens -n shop.web >/tmp/aliens.now
check "the aliens are as they were" same /tmp/aliens-web /tmp/aliens.now
check "traffic goes on" reaches web app1

# --- an edit: in place, and nothing else is interrupted --------------------------------------------------------------------
sed -e 's/mtu: 1400/mtu: 1350/' -e 's/app\[1-3\]/app[1-4]/' -e 's/192.0.2.0/198.51.100.0/' shop.yaml >/tmp/edited.yaml
check "an edit has a plan" exits 3 warren plan /tmp/edited.yaml
check "an edit" warren up /tmp/edited.yaml
check "the new one is reached" reaches web app4
check "the edit is up" exits 0 warren status shop
check "the edit, again" says 'nothing to do' warren up /tmp/edited.yaml
check "down among aliens" warren down shop
machine >/tmp/after
check "nothing is left" same /tmp/before /tmp/after

# --- what this kernel cannot do ---------------------------------------------------------------------------------------------
cat >/tmp/two.yaml <<-'YAML'
	name: two
	bridges:
	  left: {subnet: ["10.21.0.0/24", "fd21::/64"], host: true}
	  right: {subnet: ["10.22.0.0/24", "fd22::/64"], host: true}
	namespaces:
	  one: {interfaces: {eth0: left}}
	  two: {interfaces: {eth0: right}}
	YAML
machine >/tmp/before
if [ -e /proc/sys/net/ipv6/conf/all/force_forwarding ]; then
	check "IPv6 through the machine" warren up /tmp/two.yaml
	check "it passes" reaches one two
	check "down" warren down two
else
	check "no IPv6 forwarding for one interface: said, with a way out" says 'force_forwarding' warren up /tmp/two.yaml
	check "refused" exits 1 warren up /tmp/two.yaml
	check "and the plan says so too" exits 1 warren plan /tmp/two.yaml
fi
machine >/tmp/after
check "nothing was touched" same /tmp/before /tmp/after

# --- many at once: the first packets to the last of them arrive ----------------------------------------------------------------
cat >/tmp/many.yaml <<-'YAML'
	name: many
	bridges:
	  lan: {subnet: 10.23.0.0/16}
	namespaces:
	  n[1-150]: {interfaces: {eth0: lan}}
	YAML
check "many: up" warren up /tmp/many.yaml
check "many: the first reaches the last, at once" reaches n1 n150
check "many: the last reaches the middle, at once" reaches n150 n75
check "many: status" exits 0 warren status many
check "many: second up" says 'nothing to do' warren up /tmp/many.yaml
check "many: down" warren down many
machine >/tmp/after
check "many: nothing is left" same /tmp/before /tmp/after

echo "1..$number"
poweroff -f

#!/bin/bash
# Tries warren on Debian 12's own kernel, Linux 6.1, in a machine under qemu: an older kernel than most tests see, with modules
# that are loaded when they are first needed, and with other people's interfaces of many kinds.
#   test/vm/run.sh [DEB]
# DEB: a linux-image package (linux-image-*-amd64_*.deb); without it the newest of Debian 12 is downloaded with apt-get (and kept in
# build-vm/). It is unpacked there, never installed. The machine has no disk, no network and no way out: a kernel, and in its memory
# the program, ip and ping, with their libraries, busybox, and guest.sh, whose output (TAP) comes over the serial line.
# KVM is not needed: some ten minutes without. Exit status: 0 all passed, 1 not, 77 something needed is missing. All output: build-vm/console-*.
set -eu
cd "$(dirname "$0")/../.."

out=$PWD/build-vm
seconds=${SECONDS_MAX:-1500}
qemu=

# shellcheck disable=SC2317  # the trap calls it
cleanup() { [ -z "$qemu" ] || kill "$qemu" 2>/dev/null || :; }
trap cleanup EXIT
trap 'exit 130' INT TERM

lacking=()
for need in qemu-system-x86_64:qemu-system-x86 cpio:cpio busybox:busybox-static gzip:gzip dash:dash ip:iproute2 ping:iputils-ping sysctl:procps nft:nftables; do
	command -v "${need%:*}" >/dev/null || lacking+=("${need#*:}")
done
if [ "$(uname -m)" != x86_64 ]; then
	echo "the machine that this boots is an x86_64" >&2
	exit 77
elif [ "${#lacking[@]}" -gt 0 ]; then
	echo "missing: ${lacking[*]}" >&2
	echo "  try: apt-get install ${lacking[*]}" >&2
	exit 77
fi
mkdir -p "$out"

# --- the kernel --------------------------------------------------------------------------------------------------------
deb=${1:-}
if [ -z "$deb" ]; then
	deb=$(find "$out" -maxdepth 1 -name 'linux-image-*.deb' | sort -V | tail -n 1)
fi
if [ -z "$deb" ]; then
	package=$(apt-cache depends linux-image-amd64 | awk '$1 == "Depends:" && $2 ~ /^linux-image-[0-9]/ {print $2; exit}')
	if [ -z "$package" ] || ! (cd "$out" && apt-get -qq -o APT::Sandbox::User=root download "$package"); then
		echo "cannot download the package of Debian's kernel; apt-get update may help, or a package given as an argument" >&2
		exit 77
	fi
	deb=$(find "$out" -maxdepth 1 -name "${package}_*.deb")
fi
if [ "$(cat "$out/kernel.from" 2>/dev/null)" != "$deb" ]; then
	rm -rf "$out/kernel"
	dpkg -x "$deb" "$out/kernel"
	echo "$deb" >"$out/kernel.from"
fi
kernel=$(find "$out/kernel/boot" -name 'vmlinuz-*')
version=${kernel##*/vmlinuz-}

# --- the program -------------------------------------------------------------------------------------------------------
[ -e "$out/warren/build.ninja" ] || meson setup --buildtype=release "$out/warren" >"$out/build.log" 2>&1 || {
	cat "$out/build.log" >&2
	exit 1
}
ninja -C "$out/warren" warren >"$out/build.log" 2>&1 || {
	tail -n 40 "$out/build.log" >&2
	exit 1
}

# --- what is in the machine's memory --------------------------------------------------------------------------------------
root=$out/root
rm -rf "$root"
mkdir -p "$root"/{bin,dev,etc,examples,proc,run,sys,tmp,usr/bin,usr/sbin,var,root}
ln -s bin "$root/sbin"

# copy PROGRAM...: with the libraries that it is linked with.
copy() {
	local program library
	for program in "$@"; do
		cp -L "$program" "$root/bin/"
		while read -r library; do
			mkdir -p "$root${library%/*}"
			cp -L "$library" "$root${library%/*}/"
		done < <(ldd "$program" 2>/dev/null | grep -o '/[^ ]*' || :)
	done
}
# Not busybox's shell: it prefers its own ip and ping to the real ones.
copy "$(command -v busybox)" "$(command -v dash)" "$(command -v ip)" "$(command -v bridge)" "$(command -v ping)" "$(command -v sysctl)" "$(command -v nft)" \
	"$out/warren/warren"
ln -s dash "$root/bin/sh"
# The linker's path of the built program does not exist in there.
cp -L "$out/warren/libwarren.so.0" "$root/lib/"
cp examples/*.yaml "$root/examples/"
cp test/vm/guest.sh "$root/init"
chmod 755 "$root/init"
printf '127.0.0.1\tlocalhost\n::1\tlocalhost\n' >"$root/etc/hosts"
printf 'nameserver 192.0.2.53\n' >"$root/etc/resolv.conf"
printf 'hosts: files\n' >"$root/etc/nsswitch.conf"
printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"

# Every module of the network's core, of the packet filter and of simple devices; what they need is found by modprobe.
modules=$root/lib/modules/$version
from=$out/kernel/lib/modules/$version
mkdir -p "$modules"
cp "$from"/modules.{builtin,order} "$modules/"
(cd "$from" && {
	find kernel/net/{802,8021q,bridge,bridge/netfilter,ipv4,ipv4/netfilter,ipv6,ipv6/netfilter,llc,netfilter} kernel/drivers/net -maxdepth 1 -name '*.ko'
	find kernel/{arch,crypto,lib} kernel/drivers/net/wireguard -name '*.ko'
} | cpio --quiet -pdm "$modules")
busybox depmod -b "$root" "$version"
(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) >"$out/initramfs.gz"

# --- the machine -----------------------------------------------------------------------------------------------------------
# boot NAME OPTION...: boots with these options of the kernel's, shows what is said, and counts it.
boot() {
	local console=$out/console-$1 name=$1 planned passed failed
	shift
	rm -f "$console"
	echo "booting Linux $version ($name)"
	qemu-system-x86_64 -cpu max -smp 2 -m 2048 -nographic -no-reboot -nic none -monitor none -serial "file:$console" -kernel "$kernel" \
		-initrd "$out/initramfs.gz" -append "console=ttyS0 quiet panic=-1 $*" </dev/null >"$out/qemu.log" 2>&1 &
	qemu=$!
	timeout "$seconds" tail --pid="$qemu" -n +1 -s 0.2 -F "$console" 2>/dev/null | sed -u -n -e 's/\r$//; s/^.*TAP version/TAP version/; /^TAP version/,$p' || :
	if kill -0 "$qemu" 2>/dev/null; then
		echo "the machine did not end within $seconds seconds; its last words:" >&2
		tail -n 20 "$console" >&2
		exit 1
	fi
	qemu=
	planned=$(sed -n 's/^1\.\.\([0-9]*\)\r*$/\1/p' "$console")
	passed=$(grep -c '^ok ' "$console" || :)
	failed=$(grep -c '^not ok ' "$console" || :)
	echo "$passed passed, $failed failed, of ${planned:-an unknown number}"
	if grep -qE 'BUG:|WARNING:|Oops|Kernel panic' "$console"; then
		echo "the kernel complained: see $console" >&2
		return 1
	fi
	[ "$failed" = 0 ] && [ "$passed" = "${planned:-}" ]
}

status=0
boot no-ipv6 ipv6.disable=1 || status=1
boot usual || status=1
exit $status
